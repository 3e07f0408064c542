/* SPDX-License-Identifier: MIT */
#ifndef GN_BASE_RANDOM_H
#define GN_BASE_RANDOM_H

#include <stdint.h>

/* Makes libsodium ready (it then picks the fastest code for this CPU), once; cheap after
 * that, from any thread.  To be called before libsodium is used by way of anything but
 * gn_random().  Without a source of randomness the process ends here: nothing that is
 * secret could be made, and there is no way to go on that is safe. */
void gn_random_init(void);

/* Uniform in [0, n); 0 when n is 0. */
uint32_t gn_random_below(uint32_t n);

#endif
