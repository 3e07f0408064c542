/* SPDX-License-Identifier: MIT */
#include "support/mux_model.h"

/* Records that a check has failed, and prints where. */
static void mux_bad(struct mux_end *e, int line)
{
	if (!e->bad)
		fprintf(stderr, "mux_model.c:%d: end %d is not as it should be\n", line, e->i);
	e->bad = true;
}

static uint8_t mux_byte(uint32_t id, int who, size_t i)
{
	return (uint8_t)(i * 31 + i / 256 + id * 7 + (unsigned)who * 101);
}

static struct mux_way *mux_way(struct mux_end *e, const struct gn_mux_stream *st, bool writes)
{
	return &e->m->way[st->id % MUX_IDS][writes ? e->i : !e->i];
}

static void mux_break(struct mux_end *e, const struct gn_mux_stream *st)
{
	mux_way(e, st, true)->broken = mux_way(e, st, false)->broken = true;
}

static void mux_on_events(void *arg, struct gn_mux_stream *st, unsigned events)
{
	struct mux_stream *s = arg;

	if (events == 0 || s->st != st)
		mux_bad(s->end, __LINE__);
	if (events & GN_MUX_STREAM_GONE) {
		if (st->err == 0)
			mux_bad(s->end, __LINE__);
		mux_break(s->end, st);
	}
}

static bool mux_take_up(struct mux_end *e, struct gn_mux_stream *st)
{
	for (int i = 0; i < MUX_STREAMS; i++) {
		struct mux_stream *s = &e->streams[i];

		if (s->end != NULL)
			continue;
		*s = (struct mux_stream){.end = e, .st = st};
		mux_way(e, st, false)->has_reader = true;
		st->on_events = mux_on_events;
		st->arg = s;
		return true;
	}
	return false;
}

static void mux_on_new(void *arg, struct gn_mux_stream *st)
{
	struct mux_end *e = arg;

	if (!st->inbound)
		mux_bad(e, __LINE__);
	if (e->session->ops->establish(st) != 0 || !mux_take_up(e, st)) {
		mux_break(e, st);
		e->session->ops->release(st);
	}
}

static void mux_open(struct mux_end *e)
{
	struct gn_mux_stream *st;
	int r = e->session->ops->open(e->session, &st);

	if (r != 0) {
		if (r != GN_EGONE && r != GN_ELIMIT)
			mux_bad(e, __LINE__);
	} else if (!mux_take_up(e, st)) {
		mux_break(e, st);
		e->session->ops->release(st);
	}
}

static void mux_write(struct mux_end *e, struct mux_stream *s, size_t max)
{
	static uint8_t block[1 << 18];
	size_t n = rng_size(e->m->rng, max < sizeof block ? max : sizeof block);
	struct mux_way *w = mux_way(e, s->st, true);
	ptrdiff_t r;

	for (size_t i = 0; i < n; i++)
		block[i] = mux_byte(s->st->id, e->i, w->in + i);
	r = gn_pipe_write(&s->st->tx, block, n);
	if (r > 0)
		w->in += (size_t)r;
	e->session->ops->touch(s->st);
}

void mux_read(struct mux_end *e, struct mux_stream *s, size_t max)
{
	struct mux_way *w = mux_way(e, s->st, false);
	struct iovec v[8];
	int n = gn_pipe_peek(&s->st->rx, v, 8, max), end;
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		const uint8_t *p = v[i].iov_base;

		for (size_t k = 0; k < v[i].iov_len; k++)
			if (p[k] != mux_byte(s->st->id, !e->i, w->out + len + k) &&
			    !(p[k] == 0 && w->broken && !e->m->records))
				mux_bad(e, __LINE__);
		len += v[i].iov_len;
	}
	gn_pipe_skip(&s->st->rx, len);
	w->out += len;
	if (w->out > w->in)
		mux_bad(e, __LINE__);
	end = gn_pipe_end(&s->st->rx);
	if (end == GN_EOF) {
		w->end_seen = true;
		if ((!w->closed || w->out != w->in))
			mux_bad(e, __LINE__);
	} else if (end != 0 && s->st->err == 0) {
		mux_bad(e, __LINE__);
	}
	e->session->ops->touch(s->st);
}

static void mux_close(struct mux_end *e, struct mux_stream *s)
{
	if (gn_pipe_is_closed(&s->st->tx))
		return;
	mux_way(e, s->st, true)->closed = true;
	gn_pipe_close(&s->st->tx, GN_EOF);
	e->session->ops->touch(s->st);
}

static void mux_release(struct mux_end *e, struct mux_stream *s)
{
	struct gn_mux_stream *st = s->st;

	if (!gn_pipe_is_closed(&st->tx))
		mux_break(e, st);
	mux_way(e, st, false)->broken = true; /* a released stream is not read to its end */
	s->end = NULL;
	s->st = NULL;
	e->session->ops->release(st);
}

/* Makes one random step of an owner at this end. */
static void mux_act(struct mux_end *e)
{
	struct rng *r = e->m->rng;
	struct mux_stream *s = &e->streams[rng_below(r, MUX_STREAMS)];
	uint32_t op = rng_below(r, 40);

	if (s->end == NULL) {
		if (op < 4)
			mux_open(e);
		return;
	}
	if (op < 16) {
		mux_write(e, s, 100000);
	} else if (op < 32) {
		if (!s->stalls)
			mux_read(e, s, rng_size(r, 300000));
	} else if (op < 35) {
		s->stalls = !s->stalls;
	} else if (op < 37) {
		mux_close(e, s);
	} else if (op == 37) {
		mux_break(e, s->st);
		e->session->ops->reset(s->st);
	} else if (op == 38 && rng_one_in(r, 2)) {
		mux_release(e, s);
	} else if (s->st->err != 0 || (s->st->is_ended_in && s->st->is_ended_out && gn_pipe_end(&s->st->rx) != 0)) {
		mux_release(e, s);
	}
}

static bool mux_take_records(struct wire *w, struct gn_pipe *from, size_t max)
{
	size_t took = 0;

	while (took < max) {
		struct iovec v[64];
		int n = gn_pipe_peek(from, v, 64, 65519);
		size_t len = 0;

		for (int i = 0; i < n; i++) {
			wire_put(w, v[i].iov_base, v[i].iov_len);
			len += v[i].iov_len;
		}
		if (len == 0)
			break;
		gn_pipe_skip(from, len);
		took += len;
	}
	if (w->end == 0 && gn_pipe_end(from) != 0)
		w->end = gn_pipe_end(from);
	return took > 0;
}

/* Transfers up to max bytes from end i to the other; both watches check them.  Returns true when any were
 * moved. */
static bool mux_carry(struct mux_model *m, int i, size_t max)
{
	struct wire *w = &m->p.wire[i];
	struct side *from = &m->p.side[i], *to = &m->p.side[!i];
	size_t was = w->total;
	bool moved = m->records ? mux_take_records(w, &from->tx, max) : wire_take(w, &from->tx, max);

	if (!watch_send(&m->end[i].watch, w->p + w->at + w->len - (w->total - was), w->total - was))
		mux_bad(&m->end[i], __LINE__);
	if (moved)
		gn_stack_mark_bottom(&from->stack);
	(void)side_pump(from, m->p.now);
	/* The watch must process received frames before the session answers them. */
	if (to->rx.end == 0) {
		size_t n = w->len < max ? w->len : max, len = w->len;

		n = n < 400000 ? n : 400000;
		watch_receive(&m->end[!i].watch, w->p + w->at, n);
		(void)wire_give(w, &to->rx, n, rng_one_in(m->rng, 2));
		if (len - w->len != n)
			mux_bad(&m->end[i], __LINE__);
		moved = moved || n > 0;
	}
	gn_mux_check_overflows(to->stack.cfg.iobuf);
	gn_stack_mark_bottom(&to->stack);
	(void)side_pump(to, m->p.now);
	return moved;
}

void mux_deliver(struct mux_model *m)
{
	for (int i = 0; i < 2; i++)
		gn_mux_session_deliver(m->end[i].session, mux_on_new, &m->end[i]);
}

void mux_init(struct mux_model *m, struct rng *r)
{
	memset(m, 0, sizeof *m);
	m->rng = r;
	pair_init(&m->p, rng_one_in(r, 2));
	m->records = rng_one_in(r, 2);
	for (int i = 0; i < 2; i++) {
		struct mux_end *e = &m->end[i];
		struct gn_mux_cfg cfg = {.client = i == 0, .window = 1 << (18 + rng_below(r, 5)), .scope = &e->scope};

		e->m = m;
		e->i = i;
		e->scope.max = rng_one_in(r, 4) ? 5 * YAMUX_WINDOW_INITIAL : SIZE_MAX;
		watch_init(&e->watch, i == 0);
		m->p.side[i].rx.cap = 2 << 20;
		REQUIRE(gn_stack_push(&m->p.side[i].stack, gn_muxer_yamux.layer, &cfg, false, &e->layer) == 0);
		e->session = gn_muxer_yamux.session(e->layer);
	}
}

void mux_fini(struct mux_model *m)
{
	pair_fini(&m->p);
}

bool mux_is_bad(struct mux_model *m)
{
	return m->end[0].bad || m->end[1].bad;
}

void mux_turn(struct mux_model *m)
{
	struct rng *r = m->rng;
	int i = (int)rng_below(r, 2);

	switch (rng_below(r, 8)) {
	case 0:
	case 1:
		mux_carry(m, i, rng_size(r, 200000));
		break;
	case 2:
		mux_deliver(m);
		break;
	case 3:
		m->p.now += (gn_time)rng_size(r, 1 << 20) * 100;
		break;
	default:
		mux_act(&m->end[i]);
	}
}

bool mux_wind_up(struct mux_model *m)
{
	for (int rounds = 0; rounds < 20000; rounds++) {
		bool moved = false, left = false;

		for (int i = 0; i < 2; i++) {
			moved = mux_carry(m, i, 1 << 20) || moved;
			for (int k = 0; k < MUX_STREAMS; k++) {
				struct mux_stream *s = &m->end[i].streams[k];

				if (s->end == NULL)
					continue;
				left = true;
				mux_close(s->end, s);
				mux_read(s->end, s, SIZE_MAX);
				if (s->st->err != 0 ||
				    (s->st->is_ended_in && s->st->is_ended_out && gn_pipe_end(&s->st->rx) != 0))
					mux_release(&m->end[i], s);
			}
			(void)side_pump(&m->p.side[i], m->p.now);
		}
		mux_deliver(m);
		m->p.now += GN_MSEC;
		if (!moved && !left && gn_list_is_empty(&m->end[0].session->events) &&
		    gn_list_is_empty(&m->end[1].session->events))
			return true;
	}
	return false;
}

bool mux_is_clean(struct mux_model *m)
{
	bool ok = true;

	for (int i = 0; i < 2; i++) {
		if (m->end[i].session->streams != 0 || m->end[i].scope.used != 0 || m->end[i].session->err != 0) {
			fprintf(stderr, "end %d: %u streams, %zu bytes, %s\n", i, m->end[i].session->streams,
				m->end[i].scope.used, gn_strerror(m->end[i].session->err));
			ok = false;
		}
	}
	for (int id = 0; id < MUX_IDS; id++) {
		for (int who = 0; who < 2; who++) {
			struct mux_way *w = &m->way[id][who];

			if (w->closed && !w->broken && w->has_reader && (!w->end_seen || w->in != w->out)) {
				fprintf(stderr, "stream %d from %d: %zu of %zu came\n", id, who, w->out, w->in);
				ok = false;
			}
		}
	}
	return ok;
}
