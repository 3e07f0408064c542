/* SPDX-License-Identifier: MIT */
/*
 * A pipe carries bytes in order, then one end, in one direction between two layers of a stack.
 *
 * A reader sees, in this order: memory that the pipe owns (blocks), views into the I/O buffers that
 * were lent to it, and what a source shows, which is what the layer above would send next.  The
 * reader does not see the difference: it peeks and skips.
 *
 * Memory has a hard cap, and full is a normal state.  After gn_pipe_close() nothing more can be put,
 * and the reader gets the end behind the last byte; gn_pipe_reset() drops what is buffered, so that
 * the reader gets the end at once.
 *
 * A pipe may have a scope (base/scope.h), to which its blocks are charged.  The first block is free of charge if it
 * is a small one, so every pipe can move some bytes whatever others hold.  What is put at once into
 * an empty pipe needs only room in the node's memory, no share of it.  A writer that gets
 * GN_EAGAIN therefore has bytes in the pipe, and is notified when they are gone.
 *
 * Views that a pipe has borrowed are copied into blocks when the I/O buffers are needed for something else.  If the
 * scope has no room for them then, the pipe overflows: it is reset with GN_ELIMIT, and if it is that of a stream, put into iobuf->overflowed.
 *
 * No function of a pipe calls back anything but its source.  A source's peek and skip may not use
 * the pipe that they serve.
 */
#ifndef GN_STACK_PIPE_H
#define GN_STACK_PIPE_H

#include <stdbool.h>

#include "gn.h"
#include "base/scope.h"
#include "stack/iobuf.h"

enum { GN_PIPE_VIEWS = 64 }; /* that a pipe borrows at once; with one more all are copied */

struct gn_pipe {
	struct gn_iobuf *iobuf;
	struct gn_block *head, *tail; /* owned memory */
	size_t owned, borrowed;       /* bytes in blocks; bytes in views */
	size_t cap;                   /* bytes, of the two together */
	struct iovec *views;          /* a run of iobuf->views, or iobuf->tx_view */
	uint8_t view, n_views;        /* index of the first view; index behind the last */
	bool sends : 1;               /* bytes are put into the send buffer of the I/O buffers */
	bool is_forced : 1;           /* blocks are charged past the limits of the scope: the pipe may not overflow */
	bool reports_overflow : 1;    /* it is rx of a struct gn_mux_stream, see gn_mux_check_overflows() */
	int end;                      /* 0: open; GN_EOF or an error */
	struct gn_scope *scope;       /* what blocks are charged to; NULL: no limit; outlives the pipe */
	struct gn_list borrower; /* in iobuf->borrowers while it has views into the receive buffer; in ->overflowed */
	const struct gn_source *source;
	void *source_arg;
};

void gn_pipe_init(struct gn_pipe *p, struct gn_iobuf *s, size_t cap);
void gn_pipe_fini(struct gn_pipe *p); /* also of a pipe that is all zeros */

/* Bytes in memory, without the source's; and how many more fit (0 once the pipe is closed). */
size_t gn_pipe_len(const struct gn_pipe *p);
size_t gn_pipe_room(const struct gn_pipe *p);

/* ---- reading ---- */

/* Shows up to max views of at most `limit` bytes in all; returns how many.  They are valid until the pipe
 * or the I/O buffers are used for anything else. */
int gn_pipe_peek(struct gn_pipe *p, struct iovec *v, int max, size_t limit);
/* Consumes n bytes, at most what peek has shown. */
void gn_pipe_skip(struct gn_pipe *p, size_t n);
/* Shows the first n bytes in one piece, which may copy them; the caller may change them in place.  Looks at
 * memory only, not at the source.  n is at most GN_BLOCK_MAX.  Returns 0; GN_EAGAIN while they are not
 * there yet; when they are not there and the pipe has ended, GN_ETRUNC if some bytes are left and the end
 * is GN_EOF, otherwise the end; or -ENOMEM. */
int gn_pipe_whole(struct gn_pipe *p, size_t n, uint8_t **out);
/* As gn_pipe_whole(), but shows the bytes in up to max > 0 pieces.  Returns how many, or an error of gn_pipe_whole().
 * Only when they are in more pieces they are copied into one. */
int gn_pipe_pieces(struct gn_pipe *p, size_t n, struct iovec *v, int max);
/* Copies the first n bytes, which must be in memory, without consuming them. */
void gn_pipe_copy(struct gn_pipe *p, void *to, size_t n);
/* Returns 0 while more may come or bytes are left (including the source's), then the end. */
int gn_pipe_end(struct gn_pipe *p);
bool gn_pipe_is_closed(const struct gn_pipe *p); /* the writer has closed it; bytes may be left */

/* ---- writing ---- */

/* Puts all n bytes or none.  Returns 0; GN_EAGAIN when they do not fit now; GN_ELIMIT when the pipe is
 * empty and the node has no memory for them; the end when the pipe is closed; or -ENOMEM, after which
 * the pipe is reset. */
int gn_pipe_put(struct gn_pipe *p, const void *buf, size_t n);
/* The same for n views together. */
int gn_pipe_putv(struct gn_pipe *p, const struct iovec *v, int n);
/* Puts some of the bytes.  Returns how many (0 only for n = 0), or GN_EAGAIN, the end or -ENOMEM as
 * gn_pipe_put(). */
ptrdiff_t gn_pipe_write(struct gn_pipe *p, const void *buf, size_t n);
/* Returns n contiguous bytes to be filled, or NULL when they do not fit, the pipe is closed, or there is no
 * memory or room in the scope for them; n is at most GN_BLOCK_MAX.  gn_pipe_commit() then adds the first m of them;
 * nothing else may be done with the pipe in between. */
uint8_t *gn_pipe_reserve(struct gn_pipe *p, size_t n);
void gn_pipe_commit(struct gn_pipe *p, size_t m);
/* Lends n bytes at `at`, in the receive buffer of the I/O buffers.  The cap is not checked.  Returns 0, or -ENOMEM or
 * GN_ELIMIT, and the pipe is reset. */
int gn_pipe_lend(struct gn_pipe *p, uint8_t *at, size_t n);
/* Moves the first n bytes of one pipe to another: what is borrowed is passed on, what is owned is moved in whole blocks
 * or copied.  The cap is not checked.  Returns 0, -ENOMEM or GN_ELIMIT after a part, or GN_ETRUNC when there are fewer
 * bytes, after those were moved. */
int gn_pipe_move(struct gn_pipe *to, struct gn_pipe *from, size_t n);
/* Ends the pipe behind what is in it; end is GN_EOF or an error.  No effect when it has ended already. */
void gn_pipe_close(struct gn_pipe *p, int end);
/* Drops what is in the pipe, removes the source, and ends the pipe with err unless it has an error already. */
void gn_pipe_reset(struct gn_pipe *p, int err);
/* Sets the source, whose bytes follow those in memory; NULL removes it. */
void gn_pipe_source(struct gn_pipe *p, const struct gn_source *source, void *arg);

/* Copies what is borrowed, so that the pipe owns it.  Returns 0, or -ENOMEM or GN_ELIMIT, and the pipe is reset. */
int gn_pipe_settle(struct gn_pipe *p);

#endif
