/* SPDX-License-Identifier: MIT */
/*
 * The I/O buffers, which all connections of one thread share while they are pumped: one receive
 * buffer, which the socket is read into and in which records are decrypted, one send buffer, which
 * records are sealed into, the views that point into the receive buffer, and a pool of blocks for
 * bytes that have to stay.
 *
 * gn_iobuf_fill() prepares the receive buffer for the next read of one pipe.  If other pipes still have
 * views into it, their bytes are first copied into blocks.  A reader that consumes at once therefore
 * costs no copy, and one that does not costs one.  The send buffer has one user at a time, on
 * the same terms.
 *
 * Buffers start on 64-byte boundaries, and the incomplete rest of a record is moved so that it *ends*
 * on such a boundary, where the kernel then writes: a read to a page plus a few bytes runs at a fraction
 * of the speed.
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
	GN_IOBUF_RX = 512 * 1024,     /* bytes of one read */
	GN_IOBUF_TX = 4 * 65537 + 60, /* bytes: four whole Noise records */
	GN_IOBUF_REST = 68 * 1024,    /* bytes: the longest incomplete unit in front of a read */
	GN_IOBUF_VIEWS = 4096,        /* views that all pipes have at a time, in runs of GN_PIPE_VIEWS */
};

/* A block of a pipe's memory, in one of three sizes. */
struct gn_block {
	struct gn_block *next;
	uint32_t room;       /* bytes of data */
	uint32_t head, tail; /* the bytes from head to tail - 1 are in use */
	uint8_t kind;        /* index of its size */
	bool is_charged;     /* to the scope of its pipe */
	_Alignas(16) uint8_t data[];
};

struct gn_iobuf {
	uint8_t *rx, *tx;          /* allocated when first used */
	struct gn_list borrowers;  /* pipes with views into rx */
	struct gn_list overflowed; /* pipes of streams that were reset: they could not keep what they had borrowed */
	struct gn_pipe *sender;    /* the pipe that uses tx; NULL: none */
	size_t tx_end;             /* offset in tx of the next record */
	struct iovec tx_view;      /* the bytes of tx that were not sent yet */
	struct iovec *views;       /* GN_IOBUF_VIEWS of them, allocated when first used */
	size_t n_views;            /* that are in use, from the first */
	struct gn_block *pool[3];  /* unused blocks of each size */
	unsigned n_pool[3];
	size_t freed; /* bytes of blocks returned to malloc since the owner set it to 0 */
};

void gn_iobuf_init(struct gn_iobuf *s);
void gn_iobuf_fini(struct gn_iobuf *s);

/* Returns where a read for the pipe is to put its bytes, with *room bytes of space, or NULL when there is
 * no memory or the pipe holds more than GN_IOBUF_REST bytes.  The bytes that the pipe holds then stand
 * right in front. */
uint8_t *gn_iobuf_fill(struct gn_iobuf *s, struct gn_pipe *p, size_t *room);
/* The read has put n bytes there; without memory for the view the pipe is reset.  May be left out after a
 * read that put nothing. */
void gn_iobuf_filled(struct gn_iobuf *s, struct gn_pipe *p, size_t n);
/* Copies all views into the receive buffer to blocks of their pipes; a pipe without memory for that is
 * reset. */
void gn_iobuf_settle(struct gn_iobuf *s);

/* Returns n contiguous bytes of the send buffer for the pipe, or NULL when there is no room until some of
 * the pipe's bytes were sent, or no memory.  Bytes of another pipe in the buffer are copied to its blocks. */
uint8_t *gn_iobuf_reserve(struct gn_iobuf *s, struct gn_pipe *p, size_t n);

enum { GN_BLOCK_MAX = 64 * 1024 + 512 }; /* bytes of the largest block: a whole Noise record */
/* The room of the smallest block that holds n bytes; of the largest block when n is larger. */
size_t gn_block_room(size_t n);
/* A block with room for at least n bytes; NULL without memory, or when n is more than GN_BLOCK_MAX. */
struct gn_block *gn_block_new(struct gn_iobuf *s, size_t n);
void gn_block_free(struct gn_iobuf *s, struct gn_block *b);

#endif
