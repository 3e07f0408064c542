/* SPDX-License-Identifier: MIT */
/* output: writes to a descriptor on the loop.  It buffers nothing: the caller keeps the bytes that were not
 * written, for example in the channel's window. */
#ifndef CMD_COMMON_OUTPUT_H
#define CMD_COMMON_OUTPUT_H

#include "gn.h"

struct output;

/* Takes ownership of fd (fdio.h) on success.  own: this process has created it, a pipe to a program.  0 or
 * -errno. */
int output_new(struct gn_loop *loop, int fd, bool own, struct output **out);
/* cb is called on the loop when there is room again after output_writev() has returned GN_EAGAIN.  It may
 * free the output.  NULL: nothing is called. */
void output_on_ready(struct output *out, void (*cb)(void *arg), void *arg);
void output_free(struct output *out); /* closes fd; NULL is allowed */

/* Returns the number of bytes written (> 0), GN_EAGAIN (on_ready will be called), or -errno: -EPIPE when
 * the pipe has no reader any more. */
ptrdiff_t output_writev(struct output *out, const struct iovec *v, int n);
/* Closes the descriptor, so that the reader sees the end.  Returns 0 or -errno of a write that failed late.
 * output_writev() returns -EBADF afterwards. */
int output_end(struct output *out);
/* Duplicates the descriptor, close-on-exec; the caller closes it.  -1 after output_end() or on failure. */
int output_dup(const struct output *out);
uint64_t output_total(const struct output *out); /* bytes written so far */

#endif
