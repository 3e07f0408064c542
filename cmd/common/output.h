/* SPDX-License-Identifier: MIT */
/* output: an asynchronous writing end on the loop.  It holds no bytes: what it does not
 * take the caller keeps (in the channel's window, for a start). */
#ifndef CMD_COMMON_OUTPUT_H
#define CMD_COMMON_OUTPUT_H

#include "gn.h"

struct output;

/* Takes fd over (fdio.h).  own: the tool has made it, a pipe to a program. */
int output_new(struct gn_loop *loop, int fd, bool own, struct output **out);
/* After output_writev() has returned GN_EAGAIN: there is room again.  May free the output. */
void output_on_ready(struct output *out, void (*cb)(void *arg), void *arg);
void output_free(struct output *out); /* closes; NULL is fine */

/* Bytes taken (> 0), GN_EAGAIN (on_ready will be called), or -errno: -EPIPE when the
 * reader has gone, which for stdout is a quiet EXIT_LOCAL. */
ptrdiff_t output_writev(struct output *out, const struct iovec *v, int n);
/* No more: closes, so that the reader sees the end.  0 or the -errno of a late failure.
 * Writing after it is -EBADF. */
int output_end(struct output *out);
/* Another descriptor for the same file, close-on-exec, the caller's; -1 when there is none. */
int output_dup(const struct output *out);
uint64_t output_total(const struct output *out); /* bytes written so far */

#endif
