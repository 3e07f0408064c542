/* SPDX-License-Identifier: MIT */
#include "stack/pipe.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void gn_pipe_init(struct gn_pipe *p, struct gn_iobuf *s, size_t cap)
{
	memset(p, 0, sizeof *p);
	p->iobuf = s;
	p->cap = cap;
	gn_list_init(&p->borrower);
}

static void drop_views(struct gn_pipe *p)
{
	struct gn_iobuf *s = p->iobuf;

	gn_list_del(&p->borrower);
	if (s->sender == p)
		s->sender = NULL;
	if (p->views != NULL && !p->sends && p->views + GN_PIPE_VIEWS == s->views + s->n_views)
		s->n_views -= GN_PIPE_VIEWS; /* the last run: a reader that drains at once never uses them up */
	p->views = NULL;
	p->view = p->n_views = 0;
	p->borrowed = 0;
}

static void block_drop(struct gn_pipe *p, struct gn_block *b)
{
	if (b->is_charged)
		gn_scope_give(p->scope, b->room);
	gn_block_free(p->iobuf, b);
}

static void pipe_drop(struct gn_pipe *p)
{
	struct gn_block *b;

	while ((b = p->head) != NULL) {
		p->head = b->next;
		block_drop(p, b);
	}
	p->tail = NULL;
	p->owned = 0;
	drop_views(p);
}

void gn_pipe_fini(struct gn_pipe *p)
{
	if (p->iobuf != NULL)
		pipe_drop(p);
	p->source = NULL;
}

size_t gn_pipe_len(const struct gn_pipe *p)
{
	return p->owned + p->borrowed;
}

size_t gn_pipe_room(const struct gn_pipe *p)
{
	size_t len = gn_pipe_len(p);

	return p->end != 0 || len >= p->cap ? 0 : p->cap - len;
}

/* ---- blocks ---- */

/* What a block needs: room in the pipe's scope, or only in the node's memory, or neither. */
enum ask { ASK_SHARE, ASK_WHOLE, ASK_NOTHING };
enum { BLOCK_MOVE_MIN = 2048 }; /* bytes of a block that is moved to another pipe and not copied */

/* The room of the block to take for n more bytes: a pipe that holds more takes larger blocks. */
static size_t block_wish(size_t owned, size_t n)
{
	size_t wish = n > owned ? n : owned;

	return wish < GN_BLOCK_MAX ? wish : GN_BLOCK_MAX;
}

/* What the pipe's next block costs if it has that room: the first one is free if it is small. */
static size_t block_cost(const struct gn_pipe *p, size_t room)
{
	return p->head == NULL && room == gn_block_room(1) ? 0 : room;
}

/* Charges the cost of a block; false when there is no room in the scope. */
static bool block_charge(struct gn_pipe *p, size_t cost, enum ask ask)
{
	if (ask != ASK_NOTHING && !p->is_forced)
		return (ask == ASK_WHOLE ? gn_scope_take_whole : gn_scope_take)(p->scope, cost);
	gn_scope_force(p->scope, cost);
	return true;
}

/* A block for n bytes, charged to the scope; NULL when there is no memory, or no room in the scope. */
static struct gn_block *block_get(struct gn_pipe *p, size_t n, enum ask ask)
{
	size_t cost = p->scope != NULL ? block_cost(p, gn_block_room(n)) : 0;
	struct gn_block *b;

	if (!block_charge(p, cost, ask))
		return NULL;
	b = gn_block_new(p->iobuf, n);
	if (b != NULL)
		b->is_charged = cost > 0;
	else
		gn_scope_give(p->scope, cost);
	return b;
}

/* True when the scope has room for the most that n more bytes may cost. */
static bool pipe_has_room_in_scope(const struct gn_pipe *p, size_t n, enum ask ask)
{
	size_t room = p->tail != NULL ? p->tail->room - p->tail->tail : 0, cost;

	if (p->scope == NULL || p->is_forced || n <= room)
		return true;
	n -= room;
	if (n <= GN_BLOCK_MAX)
		cost = block_cost(p, gn_block_room(block_wish(p->owned + room, n)));
	else
		cost = (n + GN_BLOCK_MAX - 1) / GN_BLOCK_MAX * gn_block_room(GN_BLOCK_MAX);
	return (ask == ASK_WHOLE ? gn_scope_has_whole : gn_scope_has)(p->scope, cost);
}

/* The pipe cannot keep what it has borrowed, of which `left` bytes are missing: resets it, and returns why. */
static int pipe_overflow(struct gn_pipe *p, size_t left)
{
	int err = pipe_has_room_in_scope(p, left, ASK_SHARE) ? -ENOMEM : GN_ELIMIT;

	gn_pipe_reset(p, err);
	if (p->reports_overflow)
		gn_list_add_tail(&p->iobuf->overflowed, &p->borrower);
	return err;
}

/* ---- reading ---- */

int gn_pipe_peek(struct gn_pipe *p, struct iovec *v, int max, size_t limit)
{
	int n = 0;

	for (struct gn_block *b = p->head; b != NULL && n < max && limit > 0; b = b->next) {
		size_t len = b->tail - b->head;

		if (len == 0)
			continue;
		v[n].iov_base = b->data + b->head;
		v[n].iov_len = len < limit ? len : limit;
		limit -= v[n++].iov_len;
	}
	for (unsigned i = p->view; i < p->n_views && n < max && limit > 0; i++) {
		v[n] = p->views[i];
		if (v[n].iov_len > limit)
			v[n].iov_len = limit;
		limit -= v[n++].iov_len;
	}
	if (p->source != NULL && n < max && limit > 0)
		n += p->source->peek(p->source_arg, v + n, max - n, limit);
	return n;
}

void gn_pipe_skip(struct gn_pipe *p, size_t n)
{
	while (n > 0 && p->head != NULL) {
		struct gn_block *b = p->head;
		size_t len = b->tail - b->head, took = len < n ? len : n;

		b->head += (uint32_t)took;
		p->owned -= took;
		n -= took;
		if (b->head == b->tail) {
			p->head = b->next;
			if (p->head == NULL)
				p->tail = NULL;
			block_drop(p, b);
		}
	}
	while (n > 0 && p->view < p->n_views) {
		struct iovec *v = &p->views[p->view];
		size_t took = v->iov_len < n ? v->iov_len : n;

		v->iov_base = (uint8_t *)v->iov_base + took;
		v->iov_len -= took;
		p->borrowed -= took;
		n -= took;
		if (v->iov_len == 0)
			p->view++;
	}
	if (p->borrowed == 0 && p->views != NULL)
		drop_views(p);
	if (n > 0 && p->source != NULL)
		p->source->skip(p->source_arg, n);
}

void gn_pipe_copy(struct gn_pipe *p, void *to, size_t n)
{
	uint8_t *at = to;

	for (struct gn_block *b = p->head; b != NULL && n > 0; b = b->next) {
		size_t len = b->tail - b->head, took = len < n ? len : n;

		memcpy(at, b->data + b->head, took);
		at += took;
		n -= took;
	}
	for (unsigned i = p->view; i < p->n_views && n > 0; i++) {
		size_t took = p->views[i].iov_len < n ? p->views[i].iov_len : n;

		memcpy(at, p->views[i].iov_base, took);
		at += took;
		n -= took;
	}
}

int gn_pipe_whole(struct gn_pipe *p, size_t n, uint8_t **out)
{
	struct gn_block *b = p->head;
	size_t len = gn_pipe_len(p);

	if (len < n) {
		if (p->end == 0)
			return GN_EAGAIN;
		return len > 0 && p->end == GN_EOF ? GN_ETRUNC : p->end;
	}
	if (b != NULL && b->tail - b->head >= n) {
		*out = b->data + b->head;
		return 0;
	}
	if (b == NULL && n > 0 && p->views[p->view].iov_len >= n) {
		*out = p->views[p->view].iov_base;
		return 0;
	}
	b = block_get(p, n, ASK_NOTHING);
	if (b == NULL)
		return -ENOMEM;
	gn_pipe_copy(p, b->data, n);
	gn_pipe_skip(p, n);
	b->tail = (uint32_t)n;
	b->next = p->head;
	p->head = b;
	if (p->tail == NULL)
		p->tail = b;
	p->owned += n;
	*out = b->data;
	return 0;
}

int gn_pipe_pieces(struct gn_pipe *p, size_t n, struct iovec *v, int max)
{
	int err, pieces = gn_pipe_len(p) >= n ? gn_pipe_peek(p, v, max, n) : 0;
	uint8_t *whole;
	size_t len = 0;

	for (int i = 0; i < pieces; i++)
		len += v[i].iov_len;
	if (pieces > 0 && len == n)
		return pieces;
	err = gn_pipe_whole(p, n, &whole);
	if (err == 0)
		v[0] = (struct iovec){whole, n};
	return err == 0 ? 1 : err;
}

int gn_pipe_end(struct gn_pipe *p)
{
	struct iovec v;

	if (p->end == 0 || gn_pipe_peek(p, &v, 1, 1) > 0)
		return 0;
	return p->end;
}

bool gn_pipe_is_closed(const struct gn_pipe *p)
{
	return p->end != 0;
}

/* ---- writing ---- */

static void pipe_add_block(struct gn_pipe *p, struct gn_block *b)
{
	if (p->tail == NULL)
		p->head = b;
	else
		p->tail->next = b;
	p->tail = b;
}

/* Returns room for n contiguous bytes at the tail, or NULL. */
static uint8_t *tail_room(struct gn_pipe *p, size_t n, enum ask ask)
{
	struct gn_block *b = p->tail;

	if (b == NULL || b->room - b->tail < n) {
		b = block_get(p, block_wish(p->owned, n), ask);
		if (b == NULL)
			return NULL;
		pipe_add_block(p, b);
	}
	return b->data + b->tail;
}

/* Appends n bytes to the owned memory.  `total` bytes will be appended in all, and blocks are chosen for
 * that.  The pipe must have no views.  Returns the bytes added: fewer when there is no memory or no room in the scope. */
static size_t append_part(struct gn_pipe *p, const uint8_t *from, size_t n, size_t total, enum ask ask)
{
	size_t done = 0;

	while (done < n) {
		struct gn_block *b = p->tail;
		size_t room = b == NULL ? 0 : b->room - b->tail, took = n - done;

		if (room == 0) {
			size_t left = total - done;

			if (tail_room(p, left < GN_BLOCK_MAX ? left : GN_BLOCK_MAX, ask) == NULL)
				break;
			continue;
		}
		if (took > room)
			took = room;
		memcpy(b->data + b->tail, from + done, took);
		b->tail += (uint32_t)took;
		p->owned += took;
		done += took;
	}
	return done;
}

static size_t append(struct gn_pipe *p, const uint8_t *from, size_t n)
{
	return append_part(p, from, n, n, ASK_SHARE);
}

int gn_pipe_settle(struct gn_pipe *p)
{
	struct iovec *v = p->views;
	unsigned i = p->view, n = p->n_views;

	drop_views(p);
	for (; i < n; i++) {
		size_t done = append(p, v[i].iov_base, v[i].iov_len);

		if (done < v[i].iov_len)
			return pipe_overflow(p, v[i].iov_len - done);
	}
	return 0;
}

/* Prepares the pipe for bytes behind its views, which are copied to owned memory.  0, or the pipe's end. */
static int pipe_take(struct gn_pipe *p)
{
	if (p->end == 0 && p->borrowed > 0 && !p->sends)
		gn_pipe_settle(p);
	return p->end;
}

ptrdiff_t gn_pipe_write(struct gn_pipe *p, const void *buf, size_t n)
{
	size_t room;
	int err = pipe_take(p);

	if (err != 0)
		return err;
	room = gn_pipe_room(p);
	if (room == 0)
		return GN_EAGAIN;
	if (p->borrowed > 0)
		gn_pipe_settle(p);
	if (n == 0)
		return 0;
	room = n < room ? n : room;
	n = append(p, buf, room);
	if (n == 0 && p->scope != NULL) {
		if (p->owned > 0)
			return GN_EAGAIN;
		/* The scope has no room, but the first small block is free of charge. */
		n = append(p, buf, room < gn_block_room(1) ? room : gn_block_room(1));
	}
	return n > 0 ? (ptrdiff_t)n : -ENOMEM;
}

/* Puts n views of `total` bytes into the pipe's own memory, or nothing. */
static int put_owned(struct gn_pipe *p, const struct iovec *v, int n, size_t total)
{
	enum ask ask = p->head == NULL ? ASK_WHOLE : ASK_SHARE;

	if (!pipe_has_room_in_scope(p, total, ask))
		return ask == ASK_WHOLE ? GN_ELIMIT : GN_EAGAIN;
	if (p->borrowed > 0 && gn_pipe_settle(p) != 0)
		return p->end;
	for (int i = 0; i < n && p->end == 0; i++) {
		if (append_part(p, v[i].iov_base, v[i].iov_len, total, ask) < v[i].iov_len)
			gn_pipe_reset(p, -ENOMEM);
		total -= v[i].iov_len;
	}
	return p->end;
}

int gn_pipe_putv(struct gn_pipe *p, const struct iovec *v, int n)
{
	size_t total = 0;

	if (p->end != 0)
		return p->end;
	for (int i = 0; i < n; i++)
		total += v[i].iov_len;
	return gn_pipe_room(p) < total ? GN_EAGAIN : put_owned(p, v, n, total);
}

int gn_pipe_put(struct gn_pipe *p, const void *buf, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)buf, n};
	uint8_t *at = NULL;

	if (p->end != 0)
		return p->end;
	if (gn_pipe_room(p) < n)
		return GN_EAGAIN;
	if (p->sends)
		at = gn_iobuf_reserve(p->iobuf, p, n);
	if (at == NULL) /* the send buffer may be full before the cap is reached: continue in owned memory */
		return put_owned(p, &v, 1, n);
	memcpy(at, buf, n);
	gn_pipe_commit(p, n);
	return p->end;
}

uint8_t *gn_pipe_reserve(struct gn_pipe *p, size_t n)
{
	if (p->end != 0 || gn_pipe_room(p) < n)
		return NULL;
	if (p->sends)
		return gn_iobuf_reserve(p->iobuf, p, n);
	if (pipe_take(p) != 0)
		return NULL;
	return tail_room(p, n, ASK_SHARE);
}

void gn_pipe_commit(struct gn_pipe *p, size_t m)
{
	if (p->sends) {
		uint8_t *at = p->iobuf->tx + p->iobuf->tx_end;

		p->iobuf->tx_end += m;
		if (gn_pipe_lend(p, at, m) != 0)
			gn_pipe_reset(p, -ENOMEM);
	} else {
		p->tail->tail += (uint32_t)m;
		p->owned += m;
	}
}

/* Returns the place for the pipe's next view, from a new run if it has none; NULL when there is none left. */
static struct iovec *view_room(struct gn_pipe *p)
{
	struct gn_iobuf *s = p->iobuf;

	if (p->sends) { /* the bytes of a pipe in the send buffer are always one piece */
		p->views = &s->tx_view;
		return p->n_views == 0 ? p->views : NULL;
	}
	if (p->views == NULL) {
		if (s->views == NULL && (s->views = malloc(GN_IOBUF_VIEWS * sizeof *s->views)) == NULL)
			return NULL;
		if (s->n_views + GN_PIPE_VIEWS > GN_IOBUF_VIEWS)
			return NULL;
		p->views = s->views + s->n_views;
		s->n_views += GN_PIPE_VIEWS;
		p->view = p->n_views = 0;
	}
	if (p->n_views == GN_PIPE_VIEWS && p->view > 0) {
		p->n_views = (uint8_t)(p->n_views - p->view);
		memmove(p->views, p->views + p->view, p->n_views * sizeof *p->views);
		p->view = 0;
	}
	return p->n_views < GN_PIPE_VIEWS ? &p->views[p->n_views] : NULL;
}

int gn_pipe_lend(struct gn_pipe *p, uint8_t *at, size_t n)
{
	struct iovec *v;

	assert(p->iobuf != NULL);
	if (n == 0)
		return 0;
	if (p->n_views > p->view) {
		v = &p->views[p->n_views - 1];
		if ((uint8_t *)v->iov_base + v->iov_len == at) {
			v->iov_len += n;
			p->borrowed += n;
			return 0;
		}
	}
	v = view_room(p);
	if (v == NULL) { /* too many views: copy them */
		int err = gn_pipe_settle(p);
		size_t done = err == 0 ? append(p, at, n) : 0;

		return err != 0 || done == n ? err : pipe_overflow(p, n - done);
	}
	v->iov_base = at;
	v->iov_len = n;
	p->n_views++;
	p->borrowed += n;
	if (!p->sends && gn_list_is_empty(&p->borrower))
		gn_list_add_tail(&p->iobuf->borrowers, &p->borrower);
	return 0;
}

/* Moves the charge of a block.  Returns false, and nothing has changed, when the scope of `to` has no room. */
static bool block_recharge(struct gn_pipe *to, struct gn_pipe *from, struct gn_block *b)
{
	size_t cost = to->scope != NULL ? block_cost(to, b->room) : 0, given = b->is_charged ? b->room : 0;

	gn_scope_give(from->scope, given);
	if (!block_charge(to, cost, ASK_SHARE)) {
		gn_scope_force(from->scope, given);
		return false;
	}
	b->is_charged = cost > 0;
	return true;
}

/* Moves the first block of one pipe to another, if it holds at most n bytes.  Returns the number of bytes, 0 if the block
 * was not moved. */
static size_t move_block(struct gn_pipe *to, struct gn_pipe *from, size_t n)
{
	struct gn_block *b = from->head;
	size_t len = b->tail - b->head;

	/* A few bytes are copied, and so are those that fit a smaller block, so that the other pipe does not hold much more
	 * memory than it has bytes. */
	if (len > n || len < BLOCK_MOVE_MIN || gn_block_room(len) < b->room || to->borrowed > 0 ||
	    to->iobuf != from->iobuf || !block_recharge(to, from, b))
		return 0;
	from->head = b->next;
	if (from->head == NULL)
		from->tail = NULL;
	from->owned -= len;
	b->next = NULL;
	pipe_add_block(to, b);
	to->owned += len;
	return len;
}

int gn_pipe_move(struct gn_pipe *to, struct gn_pipe *from, size_t n)
{
	while (n > 0) {
		struct iovec v;
		size_t moved = from->owned > 0 ? move_block(to, from, n) : 0;
		int err;

		n -= moved;
		if (moved > 0)
			continue;
		if (gn_pipe_peek(from, &v, 1, n) == 0)
			return GN_ETRUNC;
		if (from->owned > 0) {
			size_t done;

			err = to->borrowed > 0 ? gn_pipe_settle(to) : 0;
			done = err == 0 ? append(to, v.iov_base, v.iov_len) : 0;
			if (err == 0 && done < v.iov_len)
				err = pipe_overflow(to, v.iov_len - done);
		} else {
			err = gn_pipe_lend(to, v.iov_base, v.iov_len);
		}
		if (err != 0)
			return err;
		gn_pipe_skip(from, v.iov_len);
		n -= v.iov_len;
	}
	return 0;
}

void gn_pipe_close(struct gn_pipe *p, int end)
{
	if (p->end == 0)
		p->end = end;
}

void gn_pipe_reset(struct gn_pipe *p, int err)
{
	pipe_drop(p);
	p->source = NULL;
	if (p->end == 0 || p->end == GN_EOF)
		p->end = err;
}

void gn_pipe_source(struct gn_pipe *p, const struct gn_source *source, void *arg)
{
	p->source = source;
	p->source_arg = arg;
}
