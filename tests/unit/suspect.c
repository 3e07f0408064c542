/* SPDX-License-Identifier: MIT */
/* Connections whose peer is silent: gn_conn_check_silence() of node/conn.h, and what uses it. */
#include <errno.h>

#include "node/dialer.h"
#include "node/paths.h"
#include "node/service.h"
#include "support/support.h"

#define TICK GN_MSEC

/* ---- a service that records what it is notified of ---- */

static unsigned n_suspect, n_alive;
static int abort_at_suspect; /* the error with which the callback aborts the connection; 0: it does not */

static int watch_start(struct gn_node *node, const void *config, void **state)
{
	(void)node;
	(void)config;
	*state = &n_suspect;
	return 0;
}

static void watch_stop(void *state)
{
	(void)state;
}

static void watch_on_suspect(void *state, struct gn_conn *c)
{
	(void)state;
	if (c->is_suspect)
		n_suspect++;
	else
		n_alive++;
	if (abort_at_suspect != 0)
		gn_conn_abort(c, abort_at_suspect);
}

static const struct gn_service_ops watch_ops = {.name = "watch",
						.start = watch_start,
						.stop = watch_stop,
						.on_suspect = watch_on_suspect};

static void watch_begin(struct gn_node *node)
{
	n_suspect = n_alive = 0;
	abort_at_suspect = 0;
	assert_int_equal(gn_service_attach(node, &watch_ops, NULL), 0);
}

/* ---- one silent peer ---- */

struct silent {
	struct test_node t;
	struct raw_peer f;
	struct gn_conn *c;
};

/* Connects a peer that answers nothing from now on. */
static void silent_init(struct silent *s, const struct gn_limits *lim)
{
	test_node_init(&s->t, true, lim);
	watch_begin(s->t.node);
	raw_peer_open(&s->f, &s->t, 1);
	s->f.answers = false;
	test_node_run(&s->t, 100 * GN_MSEC);
	s->c = test_node_first_conn(&s->t);
	assert_int_equal(s->c->state, GN_CONN_OPEN);
}

static void silent_fini(struct silent *s)
{
	raw_peer_abort(&s->f);
	test_node_fini(&s->t);
}

/* Runs until the connection has been silent for this long. */
static void silent_run_to(struct silent *s, gn_time silence)
{
	test_node_run(&s->t, s->c->last_alive + silence - gn_loop_now(s->t.loop));
	for (int i = 0; i < 3; i++) /* what is due at this instant */
		gn_loop_turn(s->t.loop, 0);
	assert_true(gn_loop_now(s->t.loop) == s->c->last_alive + silence);
}

static void silent_sends_a_ping(struct silent *s)
{
	raw_peer_frame(&s->f, YAMUX_PING, YAMUX_SYN, 0, 1);
	raw_peer_seal(&s->f);
	test_node_run(&s->t, TICK);
}

static void a_connection_is_suspect_after_30_s_of_silence(void **state)
{
	struct silent s;

	(void)state;
	silent_init(&s, NULL);
	silent_run_to(&s, 30 * GN_SEC - TICK);
	assert_false(s.c->is_suspect);
	assert_int_equal(n_suspect, 0);
	silent_run_to(&s, 30 * GN_SEC);
	assert_true(s.c->is_suspect);
	assert_int_equal(n_suspect, 1);
	assert_true(s.f.pings >= 1);
	silent_run_to(&s, 45 * GN_SEC);
	assert_int_equal(n_suspect, 1);
	assert_int_equal(n_alive, 0);
	assert_true(gn_conn_is_usable(s.c));
	silent_fini(&s);
}

static void a_suspect_connection_ends_after_60_s(void **state)
{
	struct silent s;

	(void)state;
	test_limits.first_stream = GN_NEVER;
	silent_init(&s, &test_limits);
	silent_run_to(&s, 60 * GN_SEC - TICK);
	assert_int_equal(s.c->state, GN_CONN_OPEN);
	assert_int_equal(s.t.node->n_conns, 1);
	test_node_run(&s.t, 4 * GN_SEC);
	assert_int_equal(s.t.node->n_conns, 0);
	assert_int_equal(n_suspect, 1);
	assert_int_equal(n_alive, 0);
	silent_fini(&s);
}

static void a_byte_ends_the_suspicion(void **state)
{
	struct silent s;

	(void)state;
	test_limits.first_stream = GN_NEVER;
	silent_init(&s, &test_limits);
	for (unsigned i = 1; i <= 2; i++) {
		silent_run_to(&s, 30 * GN_SEC);
		assert_int_equal(n_suspect, i);
		assert_int_equal(n_alive, i - 1);
		if (i == 2)
			break;
		/* A byte that completes nothing is enough. */
		raw_peer_put(&s.f, "", 1);
		test_node_run(&s.t, TICK);
		assert_false(s.c->is_suspect);
		assert_int_equal(n_alive, i);
	}
	silent_fini(&s);
}

static void bytes_before_30_s_prevent_it(void **state)
{
	struct silent s;

	(void)state;
	test_limits.first_stream = GN_NEVER;
	silent_init(&s, &test_limits);
	for (int i = 0; i < 5; i++) {
		silent_run_to(&s, 30 * GN_SEC - TICK);
		silent_sends_a_ping(&s);
	}
	assert_int_equal(n_suspect, 0);
	silent_fini(&s);
}

static void the_time_scales_with_the_limits(void **state)
{
	struct silent s;

	(void)state;
	test_limits.keepalive = 3 * GN_SEC;
	test_limits.ping = 9 * GN_SEC;
	silent_init(&s, &test_limits);
	silent_run_to(&s, 6 * GN_SEC - TICK);
	assert_false(s.c->is_suspect);
	silent_run_to(&s, 6 * GN_SEC);
	assert_true(s.c->is_suspect);
	silent_fini(&s);
}

static void without_keep_alive_pings_silence_is_expected(void **state)
{
	struct silent s;

	(void)state;
	test_limits.keepalive = GN_NEVER;
	test_limits.first_stream = GN_NEVER;
	silent_init(&s, &test_limits);
	s.f.answers = true; /* the ping that measures the round trip has an answer */
	test_node_run(&s.t, 1000 * GN_SEC);
	assert_int_equal(s.c->state, GN_CONN_OPEN);
	assert_int_equal(n_suspect, 0);
	silent_fini(&s);
}

static void a_service_may_abort_a_suspect_connection(void **state)
{
	struct silent s;

	(void)state;
	silent_init(&s, NULL);
	abort_at_suspect = GN_ETIMEOUT;
	silent_run_to(&s, 30 * GN_SEC - TICK);
	test_node_run(&s.t, 2 * TICK);
	assert_int_equal(s.t.node->n_conns, 0);
	assert_int_equal(n_suspect, 1);
	silent_fini(&s);
}

static void a_closing_connection_is_not_suspect(void **state)
{
	struct silent s;

	(void)state;
	silent_init(&s, NULL);
	silent_run_to(&s, 30 * GN_SEC - TICK);
	gn_conn_close(s.c);
	test_node_run(&s.t, 10 * GN_SEC);
	assert_int_equal(n_suspect, 0);
	assert_int_equal(s.t.node->n_conns, 0);
	silent_fini(&s);
}

/* ---- two nodes ---- */

static void nodes_init(struct net *w)
{
	peer_events_net_init(w);
	watch_begin(w->node[0]);
}

/* Nothing passes connection i in both directions for this long. */
static void stall(struct net *w, size_t i, gn_time howlong)
{
	assert_int_equal(gn_mem_stall(w->loop, i, false, howlong), 0);
	assert_int_equal(gn_mem_stall(w->loop, i, true, howlong), 0);
}

struct dialed {
	bool is_done;
	int err;
	struct gn_conn *c;
};

static void dialed_on_done(void *arg, int err, struct gn_conn *c)
{
	struct dialed *d = arg;

	assert_false(d->is_done);
	*d = (struct dialed){true, err, c};
}

static void dial(struct net *w, struct dialed *d, gn_time span)
{
	const struct gn_multiaddr *addrs[] = {w->addr[1]};
	struct gn_dialer_cfg cfg = {.target.addrs = addrs, .target.n_addrs = 1, .on_done = dialed_on_done, .arg = d};
	struct gn_dialer *op;

	*d = (struct dialed){0};
	assert_int_equal(gn_dialer_start(w->node[0], &cfg, &op), 0);
	net_run(w, span);
}

static void a_healthy_idle_connection_is_never_suspect(void **state)
{
	struct net w;

	(void)state;
	nodes_init(&w);
	net_connect(&w, 0, 1);
	net_run(&w, 600 * GN_SEC);
	assert_int_equal(net_conn(&w, 0, 0)->state, GN_CONN_OPEN);
	assert_int_equal(n_suspect, 0);
	assert_int_equal(peer_events_n, 1);
	net_fini(&w);
}

static void a_new_dial_makes_a_second_connection(void **state)
{
	struct dialed first, second, third;
	struct net w;

	(void)state;
	nodes_init(&w);
	dial(&w, &first, 100 * GN_MSEC);
	assert_int_equal(first.err, 0);
	stall(&w, 0, 300 * GN_SEC);
	net_run(&w, 31 * GN_SEC);
	assert_true(first.c->is_suspect);
	assert_null(gn_node_find_conn(w.node[0], gn_conn_peer(first.c), 0));
	assert_ptr_equal(gn_node_find_conn(w.node[0], gn_conn_peer(first.c), GN_FIND_SUSPECT), first.c);
	dial(&w, &second, 100 * GN_MSEC);
	assert_int_equal(second.err, 0);
	assert_ptr_not_equal(second.c, first.c);
	/* One that is not suspect is better, even a relayed one. */
	gn_conn_set_path(second.c, GN_PATH_RELAYED, NULL);
	assert_ptr_equal(gn_node_find_conn(w.node[0], gn_conn_peer(first.c), GN_FIND_SUSPECT), second.c);
	dial(&w, &third, 100 * GN_MSEC);
	assert_ptr_equal(third.c, second.c);
	assert_int_equal(peer_events_n, 3);
	assert_int_equal(peer_events[1].type, GN_EVENT_PATH);
	assert_int_equal(peer_events[1].path, GN_PATH_DIRECT);
	assert_int_equal(peer_events[2].path, GN_PATH_RELAYED);
	/* The suspect one ends without an event, because it is not used any more. */
	net_run(&w, 40 * GN_SEC);
	assert_int_equal(w.node[0]->n_conns, 1);
	assert_int_equal(peer_events_n, 3);
	net_fini(&w);
}

static void a_connection_that_is_alive_again_is_used_again(void **state)
{
	struct dialed first, again;
	struct net w;

	(void)state;
	nodes_init(&w);
	dial(&w, &first, 100 * GN_MSEC);
	stall(&w, 0, 35 * GN_SEC);
	net_run(&w, 34 * GN_SEC);
	assert_true(first.c->is_suspect);
	net_run(&w, 2 * GN_SEC);
	assert_false(first.c->is_suspect);
	assert_int_equal(n_alive, 1);
	dial(&w, &again, 100 * GN_MSEC);
	assert_ptr_equal(again.c, first.c);
	assert_int_equal(w.node[0]->n_conns, 1);
	assert_int_equal(peer_events_n, 1);
	net_fini(&w);
}

static void a_dial_that_runs_ends_with_the_connection_that_is_alive_again(void **state)
{
	struct gn_mem_cfg slow = {.delay = GN_SEC};
	struct dialed first, again;
	struct net w;

	(void)state;
	nodes_init(&w);
	dial(&w, &first, 100 * GN_MSEC);
	stall(&w, 0, 35 * GN_SEC);
	net_run(&w, 34 * GN_SEC);
	/* The handshake of a new connection takes longer than the rest of the stall. */
	assert_int_equal(gn_mem_set(w.loop, &slow), 0);
	dial(&w, &again, GN_SEC);
	assert_true(first.c->is_suspect);
	assert_false(again.is_done);
	net_run(&w, 2 * GN_SEC);
	assert_true(again.is_done);
	assert_int_equal(again.err, 0);
	assert_ptr_equal(again.c, first.c);
	net_fini(&w);
}

int main(void)
{
#define SUSPECT_TEST(f) cmocka_unit_test_setup(f, test_limits_reset)
	const struct CMUnitTest tests[] = {
		SUSPECT_TEST(a_connection_is_suspect_after_30_s_of_silence),
		SUSPECT_TEST(a_suspect_connection_ends_after_60_s),
		SUSPECT_TEST(a_byte_ends_the_suspicion),
		SUSPECT_TEST(bytes_before_30_s_prevent_it),
		SUSPECT_TEST(the_time_scales_with_the_limits),
		SUSPECT_TEST(without_keep_alive_pings_silence_is_expected),
		SUSPECT_TEST(a_service_may_abort_a_suspect_connection),
		SUSPECT_TEST(a_closing_connection_is_not_suspect),
		SUSPECT_TEST(a_healthy_idle_connection_is_never_suspect),
		SUSPECT_TEST(a_new_dial_makes_a_second_connection),
		SUSPECT_TEST(a_connection_that_is_alive_again_is_used_again),
		SUSPECT_TEST(a_dial_that_runs_ends_with_the_connection_that_is_alive_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
