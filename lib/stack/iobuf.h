/* SPDX-License-Identifier: MIT */
/*
 * the I/O buffers: what the connections of one thread lend each other while they are
 * pumped.  One receive buffer that the socket is read into and records are opened in,
 * one send buffer that records are sealed into, the views that point into the first,
 * and a pool of blocks for what has to stay.
 *
 * The receive buffer: gn_iobuf_fill() makes it ready for one pipe's next read, and
 * takes it from whoever still had views in it: those are copied into blocks of their
 * own first.  So a reader who consumes at once costs no copy, and one who does not
 * costs one.  The send buffer has one user at a time, on the same terms.
 *
 * Buffers start on 64-byte boundaries, and what is left of a record is moved so that it
 * *ends* on one, where the kernel then writes: a read to a page plus a few bytes runs at
 * a fraction of the speed.
 */
#ifndef GN_STACK_IOBUF_H
#define GN_STACK_IOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/list.h"

struct gn_pipe;

enum {
	GN_IOBUF_RX = 512 * 1024,     /* what one read may bring */
	GN_IOBUF_TX = 4 * 65537 + 60, /* four whole Noise records */
	GN_IOBUF_REST = 68 * 1024,    /* the longest rest of a unit in front of it */
	GN_IOBUF_VIEWS = 4096,        /* borrowed at any time, in runs of GN_PIPE_VIEWS */
};

/* Memory of a pipe, in one of three sizes. */
struct gn_block {
	struct gn_block *next;
	uint32_t room; /* of data */
	uint32_t head, tail;
	uint8_t kind;
	bool is_charged; /* to the budget of the pipe that has it */
	_Alignas(16) uint8_t data[];
};

struct gn_iobuf {
	uint8_t *rx, *tx;         /* allocated by first use */
	struct gn_list borrowers; /* pipes with views into rx */
	struct gn_pipe *sender;   /* the pipe with bytes in tx */
	size_t tx_end;            /* where in tx the next record goes */
	struct iovec tx_view;     /* what of it is not sent yet */
	struct iovec *views;
	size_t n_views;
	struct gn_block *pool[3];
	unsigned n_pool[3];
	size_t freed; /* bytes of blocks, since somebody set it to 0 */
	/* What a security layer keeps for all its connections: a seal and an open context. */
	void *cipher;
	void (*cipher_free)(void *cipher);
};

void gn_iobuf_init(struct gn_iobuf *s);
void gn_iobuf_fini(struct gn_iobuf *s);

/* The place that a read for the pipe goes to, *room bytes; NULL without memory.  What
 * the pipe still holds (at most GN_IOBUF_REST) stands right in front of it. */
uint8_t *gn_iobuf_fill(struct gn_iobuf *s, struct gn_pipe *p, size_t *room);
/* n bytes have come there. */
void gn_iobuf_filled(struct gn_iobuf *s, struct gn_pipe *p, size_t n);
/* Every view into rx becomes memory of its pipe. */
void gn_iobuf_settle(struct gn_iobuf *s);

/* n contiguous bytes of tx, taken for the pipe; NULL when there is no room before what
 * the pipe has in it was sent. */
uint8_t *gn_iobuf_reserve(struct gn_iobuf *s, struct gn_pipe *p, size_t n);

/* A block with room for at least n bytes (at most GN_BLOCK_MAX), or NULL. */
enum { GN_BLOCK_MAX = 64 * 1024 + 512 };
size_t gn_block_room(size_t n); /* what such a block has room for; n at most GN_BLOCK_MAX */
struct gn_block *gn_block_new(struct gn_iobuf *s, size_t n);
void gn_block_free(struct gn_iobuf *s, struct gn_block *b);

#endif
