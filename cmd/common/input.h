/* SPDX-License-Identifier: MIT */
/*
 * input: reads a descriptor on the loop into a ring of memory, from which a channel may pull (struct
 * gn_source): bytes that were read stay in place until they are skipped.
 *
 *	on_ready:  n = input_fill(in);  if (n > 0) gn_channel_wake(ch); ...
 *	GN_CAN_WRITE: the same.
 *
 * input_fill() starts the watch when the descriptor had no data.  input_peek() and input_skip() do not call
 * the library, as struct gn_source requires.
 */
#ifndef CMD_COMMON_INPUT_H
#define CMD_COMMON_INPUT_H

#include "gn.h"

#define INPUT_READ_MAX ((size_t)1 << 18) /* the longest read; a longer one only pollutes the cache */
#define INPUT_BULK ((size_t)1 << 19)     /* size of the ring for standard input */
#define INPUT_SMALL ((size_t)1 << 17)    /* size of the ring for the pipe of one program among many */

struct input;

/* Takes ownership of fd (fdio.h) on success.  own: this process has created it, a pipe from a program.  0
 * or -errno. */
struct input_cfg {
	int fd;
	bool own;
	size_t ring;     /* size of the ring, a multiple of 4096 */
	size_t read_max; /* the longest read; 0: INPUT_READ_MAX */
};
int input_new(struct gn_loop *loop, const struct input_cfg *cfg, struct input **out);
/* cb is called on the loop when input_fill(), which had returned GN_EAGAIN, should be called again.  It may
 * free the input.  NULL: nothing is called. */
void input_on_ready(struct input *in, void (*cb)(void *arg), void *arg);
void input_free(struct input *in); /* closes fd; NULL is allowed */

/* Reads as many bytes as are available and fit.  Returns their number (> 0), GN_EAGAIN (on_ready will be
 * called), GN_ESPACE (the ring is full: call again after a skip), GN_EOF, or -errno. */
ptrdiff_t input_fill(struct input *in);
/* Shows up to max views of at most limit bytes in all that were read and not skipped.  Returns their
 * number. */
int input_peek(struct input *in, struct iovec *v, int max, size_t limit);
void input_skip(struct input *in, size_t n);
size_t input_held(const struct input *in); /* bytes read and not skipped */
/* GN_EOF or -errno after input_fill() has returned it, 0 before.  There may still be bytes that are not
 * skipped. */
int input_end(const struct input *in);
/* Stops watching until input_fill() is called again. */
void input_pause(struct input *in);
uint64_t input_total(const struct input *in); /* bytes read so far */

/* A gn_source that shows an input; its arg is the input. */
extern const struct gn_source input_source;

#endif
