/* SPDX-License-Identifier: MIT */
/*
 * Links in memory.  A write makes a chunk, which arrives after the delay.  The end of the stream (fin) and a
 * reset (err) arrive in the same way behind the chunks.  Readiness is computed from these whenever the state
 * of an end changes, and when the arrival timer fires.
 */
#include "transport/mem_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/time.h"

#define LINGER (2 * GN_SEC) /* see close in transport.h */

struct chunk {
	struct gn_list link;
	gn_time when;
	size_t len, done;
	uint8_t data[];
};

/* ---- bytes in flight ---------------------------------------------------------- */

static gn_time now_of(const struct gn_mem_end *e)
{
	return gn_loop_now(e->pair->mem->loop);
}

/* When something that is sent now arrives. */
static gn_time arrival_now(const struct gn_mem_end *e)
{
	return gn_time_add(now_of(e), e->pair->mem->cfg.delay);
}

static struct gn_mem_end *other_end(const struct gn_mem_end *e)
{
	return e->pair->end[1 - e->side];
}

static bool has_arrived(const struct gn_mem_end *e, gn_time when)
{
	return gn_time_max(when, e->in.stalled) <= now_of(e);
}

static struct chunk *first_chunk(const struct gn_mem_end *e)
{
	return gn_list_first(&e->in.chunks, struct chunk, link);
}

static bool has_bytes(const struct gn_mem_end *e)
{
	const struct chunk *c = first_chunk(e);

	return c != NULL && has_arrived(e, c->when);
}

static bool has_fin(const struct gn_mem_end *e)
{
	return e->in.has_fin && gn_list_is_empty(&e->in.chunks) && has_arrived(e, e->in.fin);
}

static bool has_err(const struct gn_mem_end *e)
{
	return e->in.err != 0 && has_arrived(e, e->in.err_at);
}

static void chunk_free(struct gn_mem_end *e, struct chunk *c)
{
	gn_list_del(&c->link);
	e->in.used -= c->len - c->done;
	free(c);
}

/* Drops everything that has not arrived yet. */
static void drop_in_flight(struct gn_mem_end *e)
{
	struct gn_list *pos, *tmp;

	gn_list_for_each_safe(pos, tmp, &e->in.chunks) {
		struct chunk *c = gn_list_entry(pos, struct chunk, link);

		if (!has_arrived(e, c->when))
			chunk_free(e, c);
	}
	if (!has_arrived(e, e->in.fin))
		e->in.has_fin = false;
	e->in.stalled = 0;
}

/* The earlier of a and b, where b is delayed by a stall, and ignored when it has passed. */
static gn_time earlier_arrival(const struct gn_mem_end *e, gn_time a, gn_time b)
{
	b = gn_time_max(b, e->in.stalled);
	return b > now_of(e) && b < a ? b : a;
}

/* The next instant at which something arrives; GN_NEVER when nothing is in flight. */
static gn_time next_arrival(const struct gn_mem_end *e)
{
	const struct chunk *c = first_chunk(e);
	gn_time when = GN_NEVER;

	if (c != NULL)
		when = earlier_arrival(e, when, c->when);
	else if (e->in.has_fin)
		when = earlier_arrival(e, when, e->in.fin);
	if (e->in.err != 0)
		when = earlier_arrival(e, when, e->in.err_at);
	return when;
}

/* ---- readiness ---------------------------------------------------------------- */

static size_t mem_link_room(const struct gn_mem_end *e)
{
	const struct gn_mem_end *o = other_end(e);

	if (o == NULL)
		return e->pair->buffer;
	return o->in.used < e->pair->buffer ? e->pair->buffer - o->in.used : 0;
}

static unsigned mem_link_ready(const struct gn_mem_end *e)
{
	bool err = has_err(e);

	return (has_bytes(e) || has_fin(e) || err ? GN_READABLE : 0u) |
	       (mem_link_room(e) > 0 || e->is_ended || err ? GN_WRITABLE : 0u);
}

/* Posts the task when an event that is watched is there, and sets the timer for the next arrival. */
static void update_events(struct gn_mem_end *e)
{
	if (e == NULL)
		return;
	if ((mem_link_ready(e) & e->watched) != 0)
		gn_task_post(e->pair->mem->loop, &e->task);
	gn_timer_start_at(&e->arrival, e->watched != 0 ? next_arrival(e) : GN_NEVER);
}

static void on_arrival(void *arg)
{
	update_events(arg);
}

static void mem_link_fail(struct gn_mem_end *e, int err, gn_time when)
{
	if (e == NULL)
		return;
	drop_in_flight(e);
	if (e->in.err == 0) {
		e->in.err = err;
		e->in.err_at = when;
	}
	update_events(e);
}

/* ---- lifetime ----------------------------------------------------------------- */

void gn_mem_end_free(struct gn_mem_end *e)
{
	struct gn_mem_pair *pair = e->pair;
	struct chunk *c;

	gn_task_cancel(&e->task);
	gn_timer_fini(&e->arrival);
	gn_timer_fini(&e->limit);
	gn_list_del(&e->queued);
	while ((c = first_chunk(e)) != NULL)
		chunk_free(e, c);
	gn_multiaddr_free(e->link.remote);
	gn_multiaddr_free(e->link.local);
	pair->end[e->side] = NULL;
	free(e);
	if (pair->end[0] == NULL && pair->end[1] == NULL) {
		gn_list_del(&pair->link);
		free(pair);
	}
}

void gn_mem_end_abort(struct gn_mem_end *e)
{
	mem_link_fail(other_end(e), GN_ERESET, arrival_now(e));
	gn_mem_end_free(e);
}

void gn_mem_pair_cut(struct gn_mem_pair *pair)
{
	int i;

	for (i = 0; i < 2; i++)
		if (pair->end[i] != NULL)
			mem_link_fail(pair->end[i], GN_ERESET, now_of(pair->end[i]));
}

void gn_mem_pair_stall(struct gn_mem_pair *pair, bool from_dialer, gn_time until)
{
	struct gn_mem_end *e = pair->end[from_dialer ? 1 : 0];

	if (e == NULL)
		return;
	e->in.stalled = gn_time_max(e->in.stalled, until);
	update_events(e);
}

/* A link that is closing: discards the bytes that have arrived, and frees the link at their end. */
static void mem_link_drain(struct gn_mem_end *e)
{
	struct chunk *c;

	while ((c = first_chunk(e)) != NULL && has_arrived(e, c->when))
		chunk_free(e, c);
	update_events(other_end(e));
	if (has_fin(e) || has_err(e))
		gn_mem_end_free(e);
	else
		update_events(e);
}

static void run_end(struct gn_task *task)
{
	struct gn_mem_end *e = gn_list_entry(task, struct gn_mem_end, task);
	unsigned now;

	if (e->is_closing) {
		mem_link_drain(e);
		return;
	}
	now = mem_link_ready(e) & e->watched;
	update_events(e); /* level-triggered: the task checks again */
	if (now != 0)
		e->link.on_ready(e->link.arg, now);
}

static void mem_link_on_limit(void *arg)
{
	gn_mem_end_abort(arg);
}

/* ---- the interface of a link -------------------------------------------------- */

static struct gn_mem_end *mem_link_of(struct gn_link *link)
{
	return gn_list_entry(link, struct gn_mem_end, link);
}

/* Returns n, or a random smaller number when max_chunk is set (splitmix64). */
static size_t cut_short(struct gn_mem *mem, size_t n)
{
	uint64_t z = mem->random += 0x9e3779b97f4a7c15u;
	size_t max;

	if (mem->cfg.max_chunk == 0)
		return n;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	max = 1 + (size_t)((z ^ (z >> 31)) % mem->cfg.max_chunk);
	return n < max ? n : max;
}

static ptrdiff_t mem_read(struct gn_link *link, void *buf, size_t n)
{
	struct gn_mem_end *e = mem_link_of(link);
	uint8_t *p = buf;
	size_t got = 0, part;
	struct chunk *c;

	if (has_bytes(e))
		n = cut_short(e->pair->mem, n);
	while (got < n && has_bytes(e)) {
		c = first_chunk(e);
		part = c->len - c->done < n - got ? c->len - c->done : n - got;
		memcpy(p + got, c->data + c->done, part);
		got += part;
		c->done += part;
		e->in.used -= part;
		if (c->done == c->len)
			chunk_free(e, c);
	}
	if (got > 0) {
		update_events(other_end(e));
		update_events(e);
		return (ptrdiff_t)got;
	}
	if (has_fin(e))
		return GN_EOF;
	return has_err(e) ? e->in.err : GN_EAGAIN;
}

static void mem_link_gather(const struct iovec *v, int n, uint8_t *to, size_t len)
{
	size_t part;
	int i;

	for (i = 0; i < n && len > 0; i++) {
		part = v[i].iov_len < len ? v[i].iov_len : len;
		if (part > 0)
			memcpy(to, v[i].iov_base, part);
		to += part;
		len -= part;
	}
}

static ptrdiff_t mem_write(struct gn_link *link, const struct iovec *v, int n)
{
	struct gn_mem_end *e = mem_link_of(link), *o = other_end(e);
	size_t len = 0, space = mem_link_room(e);
	struct chunk *c, *last;
	int i;

	if (has_err(e))
		return e->in.err;
	if (e->is_ended)
		return GN_ECLOSED;
	for (i = 0; i < n && len < space; i++)
		len += v[i].iov_len < space - len ? v[i].iov_len : space - len;
	if (len == 0)
		return space > 0 ? 0 : GN_EAGAIN;
	len = cut_short(e->pair->mem, len);
	if (o == NULL)
		return (ptrdiff_t)len; /* the other end is freed, and its reset is in flight */
	c = malloc(sizeof *c + len);
	if (c == NULL)
		return -ENOMEM;
	c->when = arrival_now(e);
	c->len = len;
	c->done = 0;
	mem_link_gather(v, n, c->data, len);
	/* The delay may have been lowered meanwhile; the order stays. */
	if (!gn_list_is_empty(&o->in.chunks)) {
		last = gn_list_entry(o->in.chunks.prev, struct chunk, link);
		c->when = gn_time_max(c->when, last->when);
	}
	gn_list_add_tail(&o->in.chunks, &c->link);
	o->in.used += len;
	update_events(o);
	return (ptrdiff_t)len;
}

static void mem_watch(struct gn_link *link, unsigned events)
{
	struct gn_mem_end *e = mem_link_of(link);

	e->watched = events;
	update_events(e);
}

static int mem_end(struct gn_link *link)
{
	struct gn_mem_end *e = mem_link_of(link), *o = other_end(e);

	if (has_err(e))
		return e->in.err;
	if (e->is_ended)
		return 0;
	e->is_ended = true;
	if (o == NULL)
		return 0;
	o->in.has_fin = true;
	o->in.fin = arrival_now(e);
	if (!gn_list_is_empty(&o->in.chunks))
		o->in.fin = gn_time_max(o->in.fin, gn_list_entry(o->in.chunks.prev, struct chunk, link)->when);
	update_events(o);
	return 0;
}

static void mem_close(struct gn_link *link)
{
	struct gn_mem_end *e = mem_link_of(link);

	if (mem_end(link) != 0 || has_fin(e)) {
		gn_mem_end_free(e);
		return;
	}
	e->is_closing = true;
	gn_timer_start(&e->limit, LINGER);
	mem_watch(link, GN_READABLE);
}

static void mem_abort(struct gn_link *link)
{
	gn_mem_end_abort(mem_link_of(link));
}

static size_t mem_unacked(struct gn_link *link)
{
	struct gn_mem_end *e = mem_link_of(link), *o = other_end(e);
	struct gn_list *pos;
	size_t n = 0;

	if (o == NULL || has_err(e))
		return 0;
	gn_list_for_each(pos, &o->in.chunks) {
		struct chunk *c = gn_list_entry(pos, struct chunk, link);

		if (!has_arrived(o, gn_time_add(c->when, e->pair->mem->cfg.delay)))
			n += c->len;
	}
	return n;
}

static const struct gn_link_ops ops = {
	.read = mem_read,
	.write = mem_write,
	.watch = mem_watch,
	.end = mem_end,
	.close = mem_close,
	.abort = mem_abort,
	.unacked = mem_unacked,
};

int gn_mem_addr_encode(uint64_t n, struct gn_multiaddr **out)
{
	uint8_t bytes[GN_UVARINT_MAX + 8];
	size_t at = gn_uvarint_encode(GN_MA_MEMORY, bytes);

	gn_put_u64(bytes + at, n);
	return gn_multiaddr_decode(bytes, at + 8, out);
}

static int end_new(struct gn_mem_pair *pair, int side, uint64_t local, uint64_t remote)
{
	struct gn_mem_end *e = calloc(1, sizeof *e);
	int err;

	if (e == NULL)
		return -ENOMEM;
	e->link.ops = &ops;
	e->pair = pair;
	e->side = side;
	gn_list_init(&e->in.chunks);
	gn_list_init(&e->queued);
	gn_task_init(&e->task, run_end);
	gn_timer_init(&e->arrival, pair->mem->loop, on_arrival, e);
	gn_timer_init(&e->limit, pair->mem->loop, mem_link_on_limit, e);
	pair->end[side] = e;
	err = gn_mem_addr_encode(local, &e->link.local);
	return err != 0 ? err : gn_mem_addr_encode(remote, &e->link.remote);
}

int gn_mem_pair_new(struct gn_mem *mem, uint64_t from, uint64_t to, struct gn_mem_pair **out)
{
	struct gn_mem_pair *pair = calloc(1, sizeof *pair);
	int err;

	if (pair == NULL)
		return -ENOMEM;
	pair->mem = mem;
	pair->buffer = mem->cfg.buffer;
	gn_list_add_tail(&mem->pairs, &pair->link);
	err = end_new(pair, 0, from, to);
	if (err == 0)
		err = end_new(pair, 1, to, from);
	if (err != 0) {
		/* Freeing the last end frees the pair. */
		struct gn_mem_end *first = pair->end[0], *second = pair->end[1];

		if (first == NULL && second == NULL) {
			gn_list_del(&pair->link);
			free(pair);
		}
		if (first != NULL)
			gn_mem_end_free(first);
		if (second != NULL)
			gn_mem_end_free(second);
		return err;
	}
	*out = pair;
	return 0;
}
