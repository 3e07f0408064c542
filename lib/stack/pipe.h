/* SPDX-License-Identifier: MIT */
/*
 * A pipe: bytes in order, then one end.  The joint between two boxes of a stack, in one
 * direction.
 *
 * Behind the reading end stand, in this order: memory of the pipe's own (blocks), views
 * that were lent to it out of the I/O buffers, and a source: the layer above, which shows
 * what it would send next.  The reader sees none of that: it peeks and skips.
 *
 * Memory has a hard cap, and full is a normal state.  After gn_pipe_close() nothing more
 * can be put, and the reader gets the end behind the last byte; gn_pipe_reset() drops
 * what is buffered, so that the end comes at once.
 *
 * A pipe may have a budget, to which its blocks are charged.  The first block is free if it is a
 * small one, so every pipe can move some bytes whatever others hold; and what is put at once
 * into an empty pipe needs no share of the budget, only room in the whole of it.  So whoever is
 * told GN_EAGAIN has bytes in the pipe, and hears when those are gone.
 */
#ifndef GN_STACK_PIPE_H
#define GN_STACK_PIPE_H

#include <stdbool.h>

#include "gn.h"
#include "base/budget.h"
#include "stack/iobuf.h"

enum { GN_PIPE_VIEWS = 64 }; /* borrowed at once; one more and all are copied */

struct gn_pipe {
	struct gn_iobuf *iobuf;
	struct gn_block *head, *tail; /* what is owned, first */
	size_t owned, borrowed;       /* bytes */
	size_t cap;                   /* of the two together */
	struct iovec *views;          /* what is borrowed, a run of the I/O buffers' */
	uint8_t view, n_views;        /* the first, and behind the last */
	bool sends;                   /* bytes put are put into the I/O buffers' send buffer */
	int end;                      /* 0: open; GN_EOF or an error */
	struct gn_budget *budget;     /* what blocks are charged to; NULL: nothing is */
	struct gn_list borrower;      /* in iobuf->borrowers while views into rx are held */
	const struct gn_source *source;
	void *source_arg;
};

void gn_pipe_init(struct gn_pipe *p, struct gn_iobuf *s, size_t cap);
void gn_pipe_fini(struct gn_pipe *p);

/* Bytes in memory, the source's not counted; and how many more would fit. */
size_t gn_pipe_len(const struct gn_pipe *p);
size_t gn_pipe_room(const struct gn_pipe *p);

/* Reading.  Up to max views of at most limit bytes in all; returns how many. */
int gn_pipe_peek(struct gn_pipe *p, struct iovec *v, int max, size_t limit);
void gn_pipe_skip(struct gn_pipe *p, size_t n);
/* The first n bytes in one piece, which may copy them; they may be changed in place.
 * 0; GN_EAGAIN when they are not there yet, then -- and only then -- the end when the
 * pipe has ended: GN_ETRUNC with some bytes left, GN_EOF or its error without; -ENOMEM.
 * Looks at memory only.  n is at most GN_BLOCK_MAX. */
int gn_pipe_whole(struct gn_pipe *p, size_t n, uint8_t **out);
/* Copies the first n bytes, which are there, without taking them. */
void gn_pipe_copy(struct gn_pipe *p, void *to, size_t n);
/* 0 while more may come or bytes are left (of the source too), then the end. */
int gn_pipe_end(struct gn_pipe *p);
bool gn_pipe_is_closed(const struct gn_pipe *p); /* at the writing end */

/* Writing.  All or nothing: 0, GN_EAGAIN when full, the end when closed, -ENOMEM. */
int gn_pipe_put(struct gn_pipe *p, const void *buf, size_t n);
/* The same for n views together.  Both give GN_ELIMIT when the pipe is empty and the whole budget has no room. */
int gn_pipe_putv(struct gn_pipe *p, const struct iovec *v, int n);
/* Some: how many (> 0), or as gn_pipe_put(). */
ptrdiff_t gn_pipe_write(struct gn_pipe *p, const void *buf, size_t n);
/* n contiguous bytes to fill, NULL when full; gn_pipe_commit() then adds the first m. */
uint8_t *gn_pipe_reserve(struct gn_pipe *p, size_t n);
void gn_pipe_commit(struct gn_pipe *p, size_t m);
/* Lends n bytes of the I/O buffers' receive buffer.  0 or -ENOMEM. */
int gn_pipe_lend(struct gn_pipe *p, uint8_t *at, size_t n);
/* Moves the first n bytes, which are there, from one pipe to another: what is borrowed
 * is passed on, what is owned is copied.  The cap is not looked at.  0 or -ENOMEM. */
int gn_pipe_move(struct gn_pipe *to, struct gn_pipe *from, size_t n);
void gn_pipe_close(struct gn_pipe *p, int end);
void gn_pipe_reset(struct gn_pipe *p, int err);
void gn_pipe_source(struct gn_pipe *p, const struct gn_source *source, void *arg);

/* What is borrowed becomes owned; 0, or -ENOMEM and the pipe is reset. */
int gn_pipe_settle(struct gn_pipe *p);

#endif
