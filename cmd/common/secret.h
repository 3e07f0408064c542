/* SPDX-License-Identifier: MIT */
/* secret: clearing memory that holds a secret, and the command line, which every local user can read. */
#ifndef CMD_COMMON_SECRET_H
#define CMD_COMMON_SECRET_H

#include <stddef.h>

/* Overwrites n bytes with zeros; the compiler cannot leave it out. */
void secret_wipe(void *p, size_t n);
/* Overwrites what follows the first '#' of a string of argv with '*', so that ps(1) and /proc/PID/cmdline no longer
 * show the token.  The length of the string stays. */
void secret_hide_argument(char *arg);

#endif
