/* SPDX-License-Identifier: MIT */
#include "support/session_pair.h"

#include <string.h>

#include "support/carried.h"
#include "support/cmocka.h"

/* ---- yamux: a layer over a pair of pipes ---- */

static void yamux_pair_start(struct session_pair *c, const struct gn_mux_cfg cfg[2])
{
	pair_init(&c->pair, false);
	for (int i = 0; i < 2; i++) {
		struct gn_layer *l;

		assert_int_equal(gn_stack_push(&c->pair.side[i].stack, gn_muxer_yamux.layer, &cfg[i], false, &l), 0);
		c->s[i] = gn_muxer_yamux.session(l);
	}
}

static void yamux_pair_carry(struct session_pair *c)
{
	for (int i = 0; i < 2; i++)
		gn_stack_mark_bottom(&c->pair.side[i].stack);
	pair_run(&c->pair, SIZE_MAX, true);
}

static void yamux_pair_stop(struct session_pair *c)
{
	pair_fini(&c->pair);
}

/* ---- sessions without a layer ---- */

static void direct_pair_start(struct session_pair *c, const struct gn_mux_cfg cfg[2])
{
	direct_mux_init(c->direct, cfg);
	for (int i = 0; i < 2; i++)
		c->s[i] = &c->direct[i].session;
}

static void direct_pair_carry(struct session_pair *c)
{
	direct_mux_carry(c->direct);
}

static void direct_pair_stop(struct session_pair *c)
{
	direct_mux_fini(c->direct);
}

/* ---- yamux over links with pipes of their own ---- */

static void nested_pair_start(struct session_pair *c, const struct gn_mux_cfg cfg[2])
{
	struct carried *w = calloc(1, sizeof *w);

	assert_non_null(w);
	c->carried = w;
	carried_init(w, NULL, NULL);
	w->has_no_conns = true;
	assert_non_null(carried_start(w, w->carrier[0]));
	carried_run(w, GN_MSEC);
	for (int i = 0; i < 2; i++) {
		struct gn_link *link = w->circuits[0].end[i].link;
		struct gn_stack_cfg stack = {.iobuf = w->net.node[i]->iobuf};
		struct gn_layer *l;

		assert_non_null(link);
		stack.rx = link->pipes->rx;
		stack.tx = link->pipes->tx;
		gn_stack_init(&c->nested[i], &stack);
		assert_int_equal(gn_stack_push(&c->nested[i], gn_muxer_yamux.layer, &cfg[i], false, &l), 0);
		c->s[i] = gn_muxer_yamux.session(l);
	}
}

/* The number of bytes that the streams below have sent. */
static uint64_t nested_pair_sent(const struct session_pair *c)
{
	uint64_t sent = 0;

	for (int i = 0; i < 2; i++) {
		const struct gn_link *link = c->carried->circuits[0].end[i].link;

		sent += gn_list_entry(link->pipes->rx, struct gn_mux_stream, rx)->sent;
	}
	return sent;
}

static void nested_pair_carry(struct session_pair *c)
{
	struct carried *w = c->carried;

	for (int idle = 0; idle < 2;) {
		uint64_t before = nested_pair_sent(c);

		for (int i = 0; i < 2; i++) {
			struct gn_link *link = w->circuits[0].end[i].link;

			gn_stack_mark_bottom(&c->nested[i]);
			(void)gn_stack_pump(&c->nested[i], gn_loop_now(w->net.loop), 10000);
			link->ops->touch(link);
		}
		carried_run(w, GN_MSEC);
		idle = nested_pair_sent(c) == before ? idle + 1 : 0;
	}
}

static void nested_pair_stop(struct session_pair *c)
{
	for (int i = 0; i < 2; i++) {
		struct gn_link *link = c->carried->circuits[0].end[i].link;

		gn_stack_fini(&c->nested[i]);
		link->ops->abort(link);
	}
	carried_fini(c->carried);
	free(c->carried);
}

const struct session_kind session_pair_kinds[SESSION_KINDS] = {
	{"yamux", yamux_pair_start, yamux_pair_carry, yamux_pair_stop},
	{"direct", direct_pair_start, direct_pair_carry, direct_pair_stop},
	{"yamux over links with pipes", nested_pair_start, nested_pair_carry, nested_pair_stop},
};

/* ---- owners ---- */

/* Every event of a test passes through this function, which asserts that gn_mux_session_deliver() is
 * running. */
static void session_pair_on_events(void *arg, struct gn_mux_stream *st, unsigned events)
{
	struct session_stream *slot = arg;

	assert_ptr_equal(slot->st, st);
	assert_ptr_equal(slot->c->s[slot->c->side], st->session);
	assert_int_not_equal(events, 0);
	slot->events |= events;
	slot->calls++;
}

static struct session_stream *session_pair_own(struct session_pair *c, int i, struct gn_mux_stream *st)
{
	struct session_stream *slot = &c->streams[i][c->n[i]++];

	assert_true(c->n[i] <= SESSION_PAIR_STREAMS);
	*slot = (struct session_stream){.c = c, .st = st};
	st->on_events = session_pair_on_events;
	st->arg = slot;
	return slot;
}

static void session_pair_on_new(void *arg, struct gn_mux_stream *st)
{
	struct session_pair *c = arg;

	assert_true(c->side >= 0);
	assert_true(st->inbound);
	if (c->rejects) {
		st->session->ops->release(st);
		return;
	}
	assert_int_equal(st->session->ops->establish(st), 0);
	session_pair_own(c, c->side, st);
}

void session_pair_deliver(struct session_pair *c)
{
	for (int i = 0; i < 2; i++) {
		c->side = i;
		for (int n = 0; !gn_list_is_empty(&c->s[i]->events); n++) {
			assert_true(n < 100);
			gn_mux_session_deliver(c->s[i], session_pair_on_new, c);
		}
	}
	c->side = -1;
}

static int session_pair_admit(void *arg)
{
	return ((struct session_pair *)arg)->admits;
}

void session_pair_start(struct session_pair *c, void **state)
{
	struct gn_mux_cfg cfg[2];

	memset(c, 0, sizeof *c);
	c->kind = *state;
	c->side = -1;
	for (int i = 0; i < 2; i++)
		cfg[i] = (struct gn_mux_cfg){.client = i == 0,
					     .window = SESSION_PAIR_WINDOW,
					     .admit = session_pair_admit,
					     .arg = c};
	c->kind->start(c, cfg);
}

void session_pair_stop(struct session_pair *c)
{
	c->kind->stop(c);
}

void session_pair_carry(struct session_pair *c)
{
	c->kind->carry(c);
	session_pair_deliver(c);
}

struct session_stream *session_pair_open(struct session_pair *c, int i)
{
	struct gn_mux_stream *st = NULL;

	assert_int_equal(c->s[i]->ops->open(c->s[i], &st), 0);
	assert_non_null(st);
	assert_false(st->inbound);
	assert_true(st->is_established);
	return session_pair_own(c, i, st);
}

void session_pair_connect(struct session_pair *c, int i, struct session_stream *end[2])
{
	unsigned n = c->n[!i];

	end[i] = session_pair_open(c, i);
	session_pair_carry(c);
	assert_int_equal(c->n[!i], n + 1);
	end[!i] = &c->streams[!i][n];
}

void session_stream_write(struct session_stream *slot, const char *text)
{
	assert_int_equal(gn_pipe_put(&slot->st->tx, text, strlen(text)), 0);
	slot->st->session->ops->touch(slot->st);
}

void session_stream_close(struct session_stream *slot)
{
	gn_pipe_close(&slot->st->tx, GN_EOF);
	slot->st->session->ops->touch(slot->st);
}

void session_stream_expect(struct session_stream *slot, const char *text)
{
	size_t n = strlen(text);
	uint8_t *p;

	assert_int_equal(gn_pipe_len(&slot->st->rx), n);
	assert_int_equal(gn_pipe_whole(&slot->st->rx, n, &p), 0);
	assert_memory_equal(p, text, n);
	gn_pipe_skip(&slot->st->rx, n);
	slot->st->session->ops->touch(slot->st);
}

bool session_stream_has(struct session_stream *slot, unsigned events)
{
	bool is = (slot->events & events) != 0;

	slot->events = 0;
	return is;
}

void session_stream_release(struct session_stream *slot)
{
	slot->st->session->ops->release(slot->st);
	slot->st = NULL;
}
