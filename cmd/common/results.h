/* SPDX-License-Identifier: MIT */
/* results: closes standard output.  A write may fail as late as at close() (NFS, quotas), so a tool may
 * report success only after that. */
#ifndef CMD_COMMON_RESULTS_H
#define CMD_COMMON_RESULTS_H

/* Flushes and closes stdout.  err: 0, or -errno of an earlier write that failed.  Returns EXIT_DONE, or
 * EXIT_LOCAL after printing a line on stderr; for EPIPE no line is printed. */
int results_close(int err);

/* Closes a descriptor.  A standard one is replaced by /dev/null, so that no file opened later gets its
 * number.  0 or -errno. */
int results_close_fd(int fd);

#endif
