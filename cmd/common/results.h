/* SPDX-License-Identifier: MIT */
/* results: the end of what a tool prints on stdout.  A write may fail as late as at close(): over NFS, or beyond a
 * quota.  Success may be told only after that. */
#ifndef CMD_COMMON_RESULTS_H
#define CMD_COMMON_RESULTS_H

/* Flushes and closes stdout.  err: 0, or the -errno that an earlier write failed with.  Returns EXIT_DONE, or
 * EXIT_LOCAL after a line on stderr; there is no line where the reader of a pipe has gone (EPIPE). */
int results_close(int err);

/* Closes a descriptor; /dev/null takes the place of a standard one, so that nothing that is opened later gets its
 * number.  0 or -errno. */
int results_close_fd(int fd);

#endif
