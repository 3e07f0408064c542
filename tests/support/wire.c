/* SPDX-License-Identifier: MIT */
#include "support/wire.h"

/* ---- bytes in transit ---- */

void wire_put(struct wire *w, const void *p, size_t n)
{
	if (w->at > 0 && w->at + w->len + n > w->room) {
		memmove(w->p, w->p + w->at, w->len);
		w->at = 0;
	}
	if (w->len + n > w->room) {
		w->room = 2 * (w->len + n) + 64;
		w->p = realloc(w->p, w->room);
		REQUIRE(w->p != NULL);
	}
	if (n > 0)
		memcpy(w->p + w->at + w->len, p, n);
	w->len += n;
	w->total += n;
}

void wire_skip(struct wire *w, size_t n)
{
	w->at += n;
	w->len -= n;
}

void wire_fini(struct wire *w)
{
	free(w->p);
	memset(w, 0, sizeof *w);
}

bool wire_take(struct wire *w, struct gn_pipe *from, size_t max)
{
	size_t took = 0;

	while (took < max) {
		struct iovec v[8];
		int n = gn_pipe_peek(from, v, 8, 1 << 20);
		size_t len = 0;

		for (int i = 0; i < n && len < max - took; i++) {
			size_t part = v[i].iov_len < max - took - len ? v[i].iov_len : max - took - len;

			REQUIRE(part > 0);
			wire_put(w, v[i].iov_base, part);
			len += part;
		}
		if (len == 0)
			break;
		gn_pipe_skip(from, len);
		took += len;
	}
	if (w->end == 0 && gn_pipe_end(from) != 0) {
		w->end = gn_pipe_end(from);
		return true;
	}
	return took > 0;
}

bool wire_give(struct wire *w, struct gn_pipe *to, size_t max, bool by_read)
{
	size_t n = w->len < max ? w->len : max, room;

	if (n > 0 && !gn_pipe_is_closed(to)) {
		if (by_read) {
			uint8_t *at = gn_iobuf_fill(to->iobuf, to, &room);

			if (at == NULL)
				return false;
			n = n < room ? n : room;
			memcpy(at, w->p + w->at, n);
			gn_iobuf_filled(to->iobuf, to, n);
		} else {
			ptrdiff_t r = gn_pipe_write(to, w->p + w->at, n);

			if (r <= 0)
				return false;
			n = (size_t)r;
		}
	}
	wire_skip(w, n);
	if (w->len == 0 && w->end != 0 && !gn_pipe_is_closed(to)) {
		gn_pipe_close(to, w->end);
		return true;
	}
	return n > 0;
}

/* ---- one end ---- */

static void side_step(void *arg, struct gn_stack *stack, struct gn_layer *l, int what)
{
	struct side *s = arg;

	(void)stack;
	if (s->n_steps < SIDE_STEPS)
		s->steps[s->n_steps++] = what;
	if (s->on_step != NULL)
		s->on_step(s, l, what);
}

static void side_work(void *arg)
{
	((struct side *)arg)->work++;
}

void side_init(struct side *s, struct gn_iobuf *iobuf)
{
	struct gn_stack_cfg cfg =
		{.iobuf = iobuf, .rx = &s->rx, .tx = &s->tx, .on_step = side_step, .on_work = side_work, .arg = s};

	memset(s, 0, sizeof *s);
	s->iobuf = iobuf;
	s->chosen = -1;
	gn_pipe_init(&s->rx, iobuf, 600 * 1024);
	gn_pipe_init(&s->tx, iobuf, 4 * 65537);
	gn_stack_init(&s->stack, &cfg);
}

void side_fini(struct side *s)
{
	gn_stack_fini(&s->stack);
	gn_pipe_fini(&s->rx);
	gn_pipe_fini(&s->tx);
}

bool side_returned(const struct side *s, int what)
{
	for (unsigned i = 0; i < s->n_steps; i++)
		if (s->steps[i] == what)
			return true;
	return false;
}

int side_pump(struct side *s, gn_time now)
{
	int r;

	for (int i = 0; i < 100000; i++) {
		r = gn_stack_pump(&s->stack, now, 64);
		if (r != GN_EAGAIN)
			return r;
	}
	fprintf(stderr, "the stack never rests\n");
	abort();
}

void side_feed(struct side *s, const void *p, size_t n, gn_time now)
{
	REQUIRE(gn_pipe_put(&s->rx, p, n) == 0);
	gn_stack_mark_bottom(&s->stack);
	(void)side_pump(s, now);
}

void side_drain(struct side *s, struct wire *w, gn_time now)
{
	do {
		gn_stack_mark_bottom(&s->stack);
		(void)side_pump(s, now);
	} while (wire_take(w, &s->tx, SIZE_MAX));
}

/* ---- two ends ---- */

void pair_init(struct pair *p, bool shared)
{
	memset(p, 0, sizeof *p);
	p->now = GN_SEC;
	gn_iobuf_init(&p->iobuf[0]);
	gn_iobuf_init(&p->iobuf[1]);
	side_init(&p->side[0], &p->iobuf[0]);
	side_init(&p->side[1], &p->iobuf[shared ? 0 : 1]);
}

void pair_fini(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		side_fini(&p->side[i]);
		wire_fini(&p->wire[i]);
	}
	gn_iobuf_fini(&p->iobuf[0]);
	gn_iobuf_fini(&p->iobuf[1]);
}

bool pair_carry(struct pair *p, size_t max, bool by_read)
{
	bool moved = false;

	for (int i = 0; i < 2; i++) {
		struct side *from = &p->side[i], *to = &p->side[!i];

		if (wire_take(&p->wire[i], &from->tx, max)) {
			moved = true;
			gn_stack_mark_bottom(&from->stack);
		}
		if (wire_give(&p->wire[i], &to->rx, max, by_read)) {
			moved = true;
			gn_stack_mark_bottom(&to->stack);
		}
		(void)side_pump(to, p->now);
		(void)side_pump(from, p->now);
	}
	return moved;
}

void pair_run(struct pair *p, size_t max, bool by_read)
{
	(void)side_pump(&p->side[0], p->now);
	(void)side_pump(&p->side[1], p->now);
	while (pair_carry(p, max, by_read))
		;
}

void pair_run_random(struct pair *p, struct rng *r, size_t max, unsigned rounds)
{
	(void)side_pump(&p->side[0], p->now);
	(void)side_pump(&p->side[1], p->now);
	while (rounds-- > 0 && pair_carry(p, rng_size(r, max - 1) + 1, rng_one_in(r, 2)))
		;
}
