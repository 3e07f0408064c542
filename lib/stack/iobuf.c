/* SPDX-License-Identifier: MIT */
#include "stack/iobuf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/pipe.h"

/* Bytes of a block's data, by kind.  The largest holds a whole Noise record. */
static const uint32_t block_room[3] = {4 * 1024 - 64, 16 * 1024 - 64, GN_BLOCK_MAX};
/* How many unused blocks of each kind are kept. */
static const unsigned pool_max[3] = {16, 8, 8};

/* Offset of a read in the receive buffer: behind the room for an incomplete unit, on a 64-byte boundary. */
enum { RX_START = (GN_IOBUF_REST + 63) / 64 * 64 };

void gn_iobuf_init(struct gn_iobuf *s)
{
	memset(s, 0, sizeof *s);
	gn_list_init(&s->borrowers);
	gn_list_init(&s->overflowed);
}

void gn_iobuf_fini(struct gn_iobuf *s)
{
	for (int k = 0; k < 3; k++) {
		struct gn_block *b;

		while ((b = s->pool[k]) != NULL) {
			s->pool[k] = b->next;
			free(b);
		}
	}
	free(s->rx);
	free(s->tx);
	free(s->views);
}

static uint8_t block_kind(size_t n)
{
	uint8_t k = 0;

	while (k < 2 && block_room[k] < n)
		k++;
	return k;
}

size_t gn_block_room(size_t n)
{
	return block_room[block_kind(n)];
}

struct gn_block *gn_block_new(struct gn_iobuf *s, size_t n)
{
	uint8_t k = block_kind(n);
	struct gn_block *b;

	if (block_room[k] < n)
		return NULL;
	b = s->pool[k];
	if (b != NULL) {
		s->pool[k] = b->next;
		s->n_pool[k]--;
	} else {
		b = malloc(sizeof *b + block_room[k]);
		if (b == NULL)
			return NULL;
		b->room = block_room[k];
		b->kind = k;
	}
	b->next = NULL;
	b->head = b->tail = 0;
	b->is_charged = false;
	return b;
}

void gn_block_free(struct gn_iobuf *s, struct gn_block *b)
{
	if (s->n_pool[b->kind] == pool_max[b->kind]) {
		s->freed += b->room;
		free(b);
		return;
	}
	b->next = s->pool[b->kind];
	s->pool[b->kind] = b;
	s->n_pool[b->kind]++;
}

void gn_iobuf_settle(struct gn_iobuf *s)
{
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &s->borrowers)
		gn_pipe_settle(gn_list_entry(at, struct gn_pipe, borrower));
	s->n_views = 0;
}

static void *aligned(size_t n)
{
	return aligned_alloc(64, (n + 63) / 64 * 64);
}

uint8_t *gn_iobuf_fill(struct gn_iobuf *s, struct gn_pipe *p, size_t *room)
{
	struct gn_list *at, *next;
	size_t rest = gn_pipe_len(p);
	uint8_t *start;

	if (rest > GN_IOBUF_REST)
		return NULL;
	if (s->rx == NULL && (s->rx = aligned(RX_START + GN_IOBUF_RX)) == NULL)
		return NULL;
	gn_list_for_each_safe(at, next, &s->borrowers) {
		struct gn_pipe *other = gn_list_entry(at, struct gn_pipe, borrower);

		if (other != p)
			gn_pipe_settle(other);
	}
	start = s->rx + RX_START;
	if (rest > 0) {
		if (p->owned != 0 || p->n_views - p->view != 1)
			gn_pipe_settle(p); /* several views could overlap the target */
		if (gn_pipe_len(p) != rest)
			return NULL; /* there was no memory to settle it, and it was reset */
		if (p->owned == 0)
			memmove(start - rest, p->views[p->view].iov_base, rest);
		else
			gn_pipe_copy(p, start - rest, rest);
		gn_pipe_skip(p, rest);
	}
	s->n_views = 0;
	/* The rest is lent to the pipe again, so that nothing is missing if the read brings nothing. */
	if (rest > 0 && gn_pipe_lend(p, start - rest, rest) != 0)
		return NULL;
	*room = GN_IOBUF_RX;
	return start;
}

void gn_iobuf_filled(struct gn_iobuf *s, struct gn_pipe *p, size_t n)
{
	if (gn_pipe_lend(p, s->rx + RX_START, n) != 0)
		gn_pipe_reset(p, -ENOMEM);
}

uint8_t *gn_iobuf_reserve(struct gn_iobuf *s, struct gn_pipe *p, size_t n)
{
	if (s->tx == NULL && (s->tx = aligned(GN_IOBUF_TX)) == NULL)
		return NULL;
	if (s->sender != p) {
		if (s->sender != NULL)
			gn_pipe_settle(s->sender);
		s->sender = p;
		s->tx_end = 0;
	}
	if (p->borrowed == 0)
		s->tx_end = 0;
	return GN_IOBUF_TX - s->tx_end >= n ? s->tx + s->tx_end : NULL;
}
