/* SPDX-License-Identifier: MIT */
/* One yamux session that a script talks to, frame by frame. */
#ifndef GN_TESTS_YAMUX_SCRIPT_H
#define GN_TESTS_YAMUX_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "yamux_watch.h"

enum { KIB = 1024, WINDOW = YAMUX_WINDOW_INITIAL, EVENT_SLOTS = 64 };

/* ---- one session that a script talks to ---- */

struct fixture {
	struct gn_iobuf iobuf;
	struct side s;
	struct gn_layer *l;
	struct gn_mux_session *ses;
	const struct gn_mux_session_ops *ops;
	struct wire out;
	struct gn_mux_cfg cfg;
	struct gn_budget budget;
	gn_time now;
	struct gn_mux_stream *came[EVENT_SLOTS]; /* inbound streams */
	unsigned n_came;
	unsigned events[EVENT_SLOTS]; /* told of stream 0 to 63, together */
	int admits;                   /* as of struct gn_mux_cfg */
	bool releases;                /* new streams at once */
};

static inline int admit(void *arg)
{
	return ((struct fixture *)arg)->admits;
}

static inline void swallow_ping(struct fixture *f);

static inline void begin(struct fixture *f, bool client)
{
	f->cfg.client = client;
	side_init(&f->s, &f->iobuf);
	f->s.rx.cap = 8 << 20;
	assert_int_equal(gn_stack_push(&f->s.stack, gn_muxer_yamux.layer, &f->cfg, false, &f->l), 0);
	f->ses = gn_muxer_yamux.session(f->l);
	f->ops = f->ses->ops;
	f->n_came = 0;
	memset(f->events, 0, sizeof f->events);
	assert_int_equal(side_pump(&f->s, f->now), 0);
	if (f->cfg.keepalive == 0)
		swallow_ping(f);
}

static inline void over(struct fixture *f)
{
	side_fini(&f->s);
	wire_skip(&f->out, f->out.len);
	f->out.end = 0;
	assert_int_equal(f->budget.used, 0);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_iobuf_init(&f->iobuf);
	f->now = GN_SEC;
	f->admits = 0;
	f->budget.max = SIZE_MAX;
	f->cfg = (struct gn_mux_cfg){.window = 16 << 20, .budget = &f->budget, .admit = admit, .arg = f};
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	wire_fini(&f->out);
	gn_iobuf_fini(&f->iobuf);
	free(f);
	return 0;
}

static inline void on_events(void *arg, struct gn_mux_stream *st, unsigned events)
{
	struct fixture *f = arg;

	f->events[st->id % EVENT_SLOTS] |= events;
}

static inline void on_new(void *arg, struct gn_mux_stream *st)
{
	struct fixture *f = arg;

	assert_true(st->inbound);
	if (f->releases) {
		f->ops->release(st);
		return;
	}
	if (f->ops->establish(st) != 0) {
		f->ops->release(st);
		return;
	}
	f->came[f->n_came++ % EVENT_SLOTS] = st;
	st->on_events = on_events;
	st->arg = f;
}

static inline void deliver(struct fixture *f)
{
	while (!gn_list_is_empty(&f->ses->events))
		gn_mux_session_deliver(f->ses, on_new, f);
}

/* A frame comes in, and the first `body` bytes of what follows it. */
static inline void hears(struct fixture *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length, size_t body)
{
	static uint8_t buf[YAMUX_HEAD + (1 << 20)];

	assert_true(body <= 1 << 20);
	buf[0] = 0;
	buf[1] = type;
	gn_put_u16(buf + 2, flags);
	gn_put_u32(buf + 4, id);
	gn_put_u32(buf + 8, length);
	for (size_t i = 0; i < body; i++)
		buf[YAMUX_HEAD + i] = (uint8_t)(i * 3);
	side_feed(&f->s, buf, YAMUX_HEAD + body, f->now);
	deliver(f);
}

static inline void hears_bytes(struct fixture *f, size_t n)
{
	static uint8_t zeros[1 << 16];

	side_feed(&f->s, zeros, n, f->now);
	deliver(f);
}

static inline void drain(struct fixture *f)
{
	side_drain(&f->s, &f->out, f->now);
	deliver(f);
}

/* The next frame is this; its body is passed over. */
static inline void says(struct fixture *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
	const uint8_t *h;
	size_t body = type == YAMUX_DATA ? length : 0;

	if (f->out.len < YAMUX_HEAD + body)
		drain(f);
	assert_true(f->out.len >= YAMUX_HEAD);
	h = f->out.p + f->out.at;
	if (h[0] != 0 || h[1] != type || gn_get_u16(h + 2) != flags || gn_get_u32(h + 4) != id ||
	    gn_get_u32(h + 8) != length)
		fail_msg("it says %d flags %x id %u length %u, not %d %x %u %u", h[1], gn_get_u16(h + 2),
			 gn_get_u32(h + 4), gn_get_u32(h + 8), type, flags, id, length);
	assert_true(f->out.len >= YAMUX_HEAD + body);
	wire_skip(&f->out, YAMUX_HEAD + body);
}

static inline void says_nothing(struct fixture *f)
{
	drain(f);
	if (f->out.len > 0)
		fail_msg("it says something: type %d, %zu bytes", f->out.p[f->out.at + 1], f->out.len);
}

/* The session measures the round trip as soon as it hears something, and not again before it
 * has an answer: the scripts do without. */
static inline void swallow_ping(struct fixture *f)
{
	hears(f, YAMUX_WINDOW, 0, 1000000, 0, 0);
	says(f, YAMUX_PING, YAMUX_SYN, 0, 1);
	says_nothing(f);
}

static inline struct gn_mux_stream *open_stream(struct fixture *f)
{
	struct gn_mux_stream *st = NULL;

	assert_int_equal(f->ops->open(f->ses, &st), 0);
	st->on_events = on_events;
	st->arg = f;
	return st;
}

/* And the far end has heard of it, and said so. */
static inline struct gn_mux_stream *open_acked(struct fixture *f)
{
	struct gn_mux_stream *st = open_stream(f);

	says(f, YAMUX_WINDOW, YAMUX_SYN, st->id, 0);
	hears(f, YAMUX_WINDOW, YAMUX_ACK, st->id, 0, 0);
	return st;
}

static inline struct gn_mux_stream *accept_stream(struct fixture *f, uint32_t id)
{
	unsigned was = f->n_came;

	hears(f, YAMUX_WINDOW, YAMUX_SYN, id, 0, 0);
	assert_int_equal(f->n_came, was + 1);
	says(f, YAMUX_WINDOW, YAMUX_ACK, id, 0);
	assert_int_equal(f->came[was % EVENT_SLOTS]->id, id);
	return f->came[was % EVENT_SLOTS];
}

static inline void put(struct fixture *f, struct gn_mux_stream *st, size_t n)
{
	uint8_t *p = calloc(1, n);

	assert_int_equal(gn_pipe_put(&st->tx, p, n), 0);
	f->ops->touch(st);
	free(p);
}

static inline void take(struct fixture *f, struct gn_mux_stream *st, size_t n)
{
	assert_true(gn_pipe_len(&st->rx) >= n);
	gn_pipe_skip(&st->rx, n);
	f->ops->touch(st);
}

static inline void shut(struct fixture *f, struct gn_mux_stream *st)
{
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->touch(st);
}

static inline void broken(struct fixture *f, int err, uint32_t code)
{
	says(f, YAMUX_GO_AWAY, 0, 0, code);
	says_nothing(f);
	assert_int_equal(f->ses->err, err);
	assert_true(f->ses->is_remote_go_away);
	assert_int_equal(f->out.end, GN_EOF);
}

#endif
