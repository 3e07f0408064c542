/* SPDX-License-Identifier: MIT */
/* secret: wipes memory that holds a secret, and the command line, which every local user can read. */
#ifndef CMD_COMMON_SECRET_H
#define CMD_COMMON_SECRET_H

#include <stddef.h>

/* Overwrites n bytes with zeros; the compiler cannot optimise it away. */
void secret_wipe(void *p, size_t n);
/* Overwrites everything after the first '#' of a string of argv with '*', so that ps(1) and
 * /proc/PID/cmdline no longer show the token.  The string keeps its length. */
void secret_hide_argument(char *arg);

#endif
