/* SPDX-License-Identifier: MIT */
/*
 * input: an asynchronous reading end on the loop, with a ring of memory before it that a
 * channel may pull from (struct gn_source): what was read stays where it is until skipped.
 *
 *	on_ready:  n = input_fill(in);  if (n > 0) gn_channel_wake(ch); ...
 *	GN_CAN_WRITE: the same.
 *
 * input_fill() arms the watch when the descriptor had nothing, and input_peek()/_skip()
 * never touch the loop, as a gn_source must not.
 */
#ifndef CMD_COMMON_INPUT_H
#define CMD_COMMON_INPUT_H

#include "gn.h"

#define INPUT_BULK ((size_t)1 << 19)  /* ring of a pipe that is to be fast */
#define INPUT_SMALL ((size_t)1 << 17) /* of one among many */

struct input;

/* Takes fd over (fdio.h).  own: the tool has made it, a pipe to a program.
 * on_ready: input_fill() has something to do.  It may free the input. */
int input_new(struct gn_loop *loop, int fd, bool own, size_t ring, struct input **out);
void input_on_ready(struct input *in, void (*cb)(void *arg), void *arg);
void input_free(struct input *in); /* closes; NULL is fine */

/* Reads what can be had and fits.  Returns the number of bytes (> 0), GN_EAGAIN (on_ready
 * will be called), GN_ESPACE (the ring is full: call again after a skip), GN_EOF, -errno. */
ptrdiff_t input_fill(struct input *in);
/* What was read: up to max views, of at most limit bytes; their number, 0 for none. */
int input_peek(struct input *in, struct iovec *v, int max, size_t limit);
void input_skip(struct input *in, size_t n);
size_t input_held(const struct input *in); /* bytes read and not skipped */
/* GN_EOF or -errno once that was met (held bytes come first), 0 before. */
int input_end(const struct input *in);
/* Stops watching; input_fill() goes on. */
void input_pause(struct input *in);
uint64_t input_total(const struct input *in); /* bytes read so far */

/* A gn_source over an input, which is its arg. */
extern const struct gn_source input_source;

#endif
