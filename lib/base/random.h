/* SPDX-License-Identifier: MIT */
#ifndef GN_BASE_RANDOM_H
#define GN_BASE_RANDOM_H

#include <stdint.h>

/* Initialises libsodium, which then selects the fastest code for this CPU.  Later calls are cheap; any
 * thread may call it.  It must be called before libsodium is used, except through gn_random().  Without a
 * source of randomness it aborts the process, because no secret could be made safely. */
void gn_random_init(void);

/* Uniform in [0, n); 0 when n is 0. */
uint32_t gn_random_below(uint32_t n);

#endif
