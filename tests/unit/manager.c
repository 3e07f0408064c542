/* SPDX-License-Identifier: MIT */
/* The connection manager (node/manager.h, gn_peer.h): which connections a node closes when it has many. */
#include <errno.h>

#include "node/dialer.h"
#include "node/limits.h"
#include "node/stream.h"
#include "support/support.h"

enum { PEERS_MAX = 24, LOW = 4, HIGH = 8 };

#define TICK GN_MSEC
#define GRACE (GN_MANAGER_GRACE * GN_SEC)

/* ---- a node and raw peers that answer its pings ---- */

struct crowd {
	struct test_node t;
	struct raw_peer f[PEERS_MAX];
	struct gn_peer_id id[PEERS_MAX];
	unsigned n;
};

static void crowd_init(struct crowd *w)
{
	memset(w, 0, sizeof *w);
	test_limits.conns = 64;
	test_limits.conns_low = LOW;
	test_limits.conns_high = HIGH;
	test_limits.first_stream = GN_NEVER;
	test_node_init(&w->t, true, &test_limits);
}

static void crowd_fini(struct crowd *w)
{
	for (unsigned i = 0; i < w->n; i++)
		raw_peer_abort(&w->f[i]);
	test_node_fini(&w->t);
}

/* Connects one more peer, and returns its number. */
static unsigned crowd_add(struct crowd *w)
{
	unsigned i = w->n++;

	assert_true(i < PEERS_MAX);
	raw_peer_open(&w->f[i], &w->t, (uint8_t)(i + 2));
	TEST_NODE_UNTIL(&w->t, w->f[i].is_muxed, GN_SEC);
	test_node_run(&w->t, TICK);
	/* It is the last connection of the node. */
	w->id[i] = *gn_conn_peer(gn_list_entry(w->t.node->conns.prev, struct gn_conn, link_node));
	return i;
}

static void crowd_add_n(struct crowd *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		crowd_add(w);
}

static struct gn_conn *crowd_conn(struct crowd *w, unsigned i)
{
	return gn_node_find_conn(w->t.node, &w->id[i], 0);
}

static unsigned crowd_n_open(struct crowd *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n; i++)
		n += crowd_conn(w, i) != NULL;
	return n;
}

/* Asserts which peers have a connection: a character for each, '1' or '0'. */
static void assert_open(struct crowd *w, const char *which)
{
	char is[PEERS_MAX + 1] = "";

	for (unsigned i = 0; i < w->n; i++)
		is[i] = crowd_conn(w, i) != NULL ? '1' : '0';
	assert_string_equal(is, which);
}

/* Runs until the peers that are connected now are past their grace. */
static void crowd_age(struct crowd *w)
{
	test_node_run(&w->t, GRACE + GN_SEC);
}

static void crowd_open_stream(struct crowd *w, unsigned i, uint32_t id, const char *protocol)
{
	unsigned before = crowd_conn(w, i)->n_used;

	raw_peer_stream(&w->f[i], id, protocol);
	raw_peer_seal(&w->f[i]);
	TEST_NODE_UNTIL(&w->t, crowd_conn(w, i)->n_used == before + 1, GN_SEC);
}

/* ---- the marks ---- */

static void the_marks_are_parts_of_conns_by_default(void **state)
{
	struct gn_limits few = {.conns = 8}, many = {.conns = 4096}, high = {.conns_high = 100},
			 both = {.conns_low = 9, .conns_high = 5};
	struct gn_limits zero = {0};

	(void)state;
	gn_limits_fill(&zero);
	assert_true(zero.conns_high == 960 && zero.conns_low == 768);
	gn_limits_fill(&few);
	assert_int_equal(few.conns_high, 8); /* which n_admitted never exceeds */
	gn_limits_fill(&many);
	assert_true(many.conns_high == 3840 && many.conns_low == 3072);
	gn_limits_fill(&high);
	assert_true(high.conns_high == 100 && high.conns_low == 80);
	gn_limits_fill(&both);
	assert_true(both.conns_high == 5 && both.conns_low == 5);
}

static void above_the_high_mark_the_youngest_are_closed_down_to_the_low_mark(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, HIGH);
	crowd_age(&w);
	test_node_run(&w.t, 100 * GN_SEC);
	assert_open(&w, "11111111");
	assert_int_equal(w.t.node->manager.visits, 0);
	/* The new one is in its grace, and not counted. */
	crowd_add(&w);
	assert_open(&w, "111100001");
	/* A connection that is closing counts until it is gone, so its peer cannot stay beside the limits. */
	assert_int_equal(w.t.node->n_admitted, HIGH + 1);
	/* Afterwards the new one is closed only when there are too many again. */
	test_node_run(&w.t, 100 * GN_SEC);
	assert_open(&w, "111100001");
	assert_int_equal(w.t.node->n_admitted, LOW + 1);
	assert_int_equal(w.f[4].is_away, true);
	assert_int_equal(w.f[4].away_code, GN_GO_AWAY_NORMAL);
	crowd_fini(&w);
}

static void young_connections_are_not_closed(void **state)
{
	/* One tick before the end of the grace, and at its end. */
	static const gn_time early[] = {TICK, 0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gn_list *at;
		struct crowd w;

		crowd_init(&w);
		crowd_add_n(&w, HIGH);
		gn_list_for_each(at, &w.t.node->conns)
			gn_list_entry(at, struct gn_conn, link_node)->since = gn_loop_now(w.t.loop);
		test_node_run(&w.t, GRACE - early[i]);
		w.t.node->cfg.limits.conns_high = HIGH - 1;
		gn_manager_admitted(&w.t.node->manager);
		gn_loop_turn(w.t.loop, 0);
		assert_int_equal(w.t.node->manager.visits, HIGH);
		assert_int_equal(crowd_n_open(&w), early[i] > 0 ? HIGH : LOW);
		/* The next trim comes without another connection. */
		test_node_run(&w.t, GN_MANAGER_INTERVAL * GN_SEC + TICK);
		assert_int_equal(crowd_n_open(&w), LOW);
		crowd_fini(&w);
	}
}

static void young_connections_do_not_push_out_old_ones(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, LOW);
	crowd_age(&w);
	crowd_add_n(&w, HIGH);
	test_node_run(&w.t, 10 * GN_SEC);
	assert_open(&w, "111111111111");
	crowd_age(&w);
	for (unsigned i = 0; i < w.n; i++)
		assert_true(i >= LOW || crowd_conn(&w, i) != NULL);
	assert_true(w.t.node->n_admitted <= HIGH);
	crowd_fini(&w);
}

static void there_is_one_trim_in_an_interval(void **state)
{
	struct crowd w;
	gn_time first;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, HIGH + 1); /* the first trim is that of the last one */
	first = gn_loop_now(w.t.loop);
	assert_int_equal(w.t.node->manager.visits, HIGH + 1);
	crowd_add_n(&w, 3);
	test_node_run(&w.t, first + GN_MANAGER_INTERVAL * GN_SEC - 2 * TICK - gn_loop_now(w.t.loop));
	assert_int_equal(w.t.node->manager.visits, HIGH + 1);
	test_node_run(&w.t, 4 * TICK);
	assert_int_equal(w.t.node->manager.visits, HIGH + 1 + HIGH + 4);
	crowd_fini(&w);
}

static void a_closing_node_does_not_trim(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, HIGH + 1);
	assert_true(w.t.node->manager.visits > 0);
	w.t.node->manager.visits = 0;
	for (unsigned i = 0; i < w.n; i++)
		crowd_open_stream(&w, i, 1, "/hold");
	gn_node_close(w.t.node, 100 * GN_SEC, NULL, NULL);
	test_node_run(&w.t, 10 * GN_SEC);
	assert_int_equal(w.t.node->manager.visits, 0);
	while (w.t.n_held > 0)
		test_node_drop(&w.t, w.t.held[0]);
	crowd_fini(&w);
}

/* ---- the value ---- */

static void those_with_the_smallest_weight_are_closed_first(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, HIGH);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[0], "bad", -1), 0);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[1], "good", 3), 0);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[1], "bad", -5), 0);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[6], "good", 3), 0);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[7], "good", 1), 0);
	crowd_age(&w);
	crowd_add(&w);
	assert_open(&w, "001100111");
	crowd_fini(&w);
}

static void streams_that_a_peer_has_opened_are_no_reason_to_keep_it(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, HIGH);
	for (unsigned i = 5; i < 8; i++)
		crowd_open_stream(&w, i, 1, "/ipfs/ping/1.0.0");
	crowd_open_stream(&w, 7, 3, "/ipfs/ping/1.0.0");
	test_node_run(&w.t, GRACE - GN_SEC);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[4], "good", 1), 0);
	w.t.node->cfg.limits.conns_low = 3;
	test_node_run(&w.t, 2 * GN_SEC);
	crowd_add(&w);
	assert_open(&w, "110010001"); /* the youngest were closed */
	crowd_fini(&w);
}

static void a_protected_peer_is_not_closed(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, HIGH);
	/* More than the low mark are protected, and one has a bad weight. */
	for (unsigned i = 2; i < 8; i++)
		assert_int_equal(gn_peer_protect(w.t.node, &w.id[i], "keeper"), 0);
	assert_int_equal(gn_peer_protect(w.t.node, &w.id[7], "other"), 0);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[7], "bad", -100), 0);
	crowd_age(&w);
	crowd_add(&w);
	assert_open(&w, "001111111");
	/* Each protection has to end, and other names do not matter. */
	gn_peer_unprotect(w.t.node, &w.id[6], "other");
	gn_peer_unprotect(w.t.node, &w.id[7], "keeper");
	crowd_age(&w);
	crowd_add_n(&w, 2);
	assert_open(&w, "00111111011");
	gn_peer_unprotect(w.t.node, &w.id[7], "other");
	crowd_age(&w);
	crowd_add(&w);
	assert_open(&w, "001111100001");
	crowd_fini(&w);
}

static void a_connection_with_a_channel_is_not_closed(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, HIGH);
	for (unsigned i = 1; i < 7; i++) {
		crowd_open_stream(&w, i, 1, "/hold");
	}
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[1], "bad", -100), 0);
	crowd_age(&w);
	crowd_add(&w);
	assert_open(&w, "011111101");
	while (w.t.n_held > 0)
		test_node_drop(&w.t, w.t.held[0]);
	crowd_age(&w);
	crowd_add_n(&w, 2);
	/* The tag counts now. */
	assert_open(&w, "00111100011");
	crowd_fini(&w);
}

static void waves_of_strangers_do_not_push_out_valuable_peers(void **state)
{
	struct crowd w;

	(void)state;
	crowd_init(&w);
	crowd_add_n(&w, 3);
	assert_int_equal(gn_peer_tag(w.t.node, &w.id[0], "good", 1), 0);
	assert_int_equal(gn_peer_protect(w.t.node, &w.id[1], "keeper"), 0);
	crowd_open_stream(&w, 2, 1, "/hold");
	for (int wave = 0; wave < 4; wave++) {
		for (unsigned i = 3; i < w.n; i++)
			raw_peer_abort(&w.f[i]);
		w.n = 3;
		crowd_add_n(&w, 20);
		test_node_run(&w.t, wave % 2 != 0 ? 5 * GN_SEC : 2 * GRACE);
		for (unsigned i = 0; i < 3; i++)
			assert_non_null(crowd_conn(&w, i));
		if (wave % 2 == 0)
			assert_true(w.t.node->n_admitted == LOW);
	}
	test_node_drop(&w.t, w.t.held[0]);
	crowd_fini(&w);
}

/* At the limit `conns`, too, where a connection without a stream is closed in favour of another address. */
static void a_full_node_closes_no_tagged_peer(void **state)
{
	static const uint8_t from[][4] = {{127, 0, 0, 1}, {127, 0, 0, 2}, {127, 0, 0, 3}, {127, 0, 0, 4}};
	struct gn_peer_id id[3];
	struct raw_peer f[3], late;
	struct test_node t;
	struct gn_list *at;
	int i = 0;

	(void)state;
	test_limits.conns = 3;
	test_node_init(&t, false, &test_limits);
	for (i = 0; i < 3; i++)
		raw_peer_open_from(&f[i], &t, (uint8_t)(i + 2), from[0]);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 3, 5 * GN_SEC);
	i = 0;
	gn_list_for_each(at, &t.node->conns)
		id[i++] = *gn_conn_peer(gn_list_entry(at, struct gn_conn, link_node));
	assert_int_equal(gn_peer_protect(t.node, &id[0], "keeper"), 0);
	assert_int_equal(gn_peer_tag(t.node, &id[1], "good", 1), 0);
	assert_int_equal(gn_peer_tag(t.node, &id[2], "bad", -1), 0);
	test_node_run(&t, 1200 * GN_MSEC);
	raw_peer_open_from(&late, &t, 20, from[1]);
	TEST_NODE_UNTIL(&t, f[2].err != 0, 5 * GN_SEC);
	assert_int_equal(f[0].err, 0);
	assert_int_equal(f[1].err, 0);
	assert_int_equal(late.err, 0);
	raw_peer_abort(&f[2]);
	/* Without the tags the oldest one is closed. */
	gn_peer_unprotect(t.node, &id[0], "keeper");
	assert_int_equal(gn_peer_tag(t.node, &id[1], "good", 0), 0);
	raw_peer_open_from(&f[2], &t, 21, from[2]);
	TEST_NODE_UNTIL(&t, f[0].err != 0, 5 * GN_SEC);
	assert_int_equal(f[1].err, 0);
	for (i = 0; i < 3; i++)
		raw_peer_abort(&f[i]);
	raw_peer_abort(&late);
	test_node_fini(&t);
}

/* ---- transient connections ---- */

struct dialed {
	bool is_done;
	int err;
	struct gn_conn *c;
};

static void dialed_on_done(void *arg, int err, struct gn_conn *c)
{
	*(struct dialed *)arg = (struct dialed){true, err, c};
}

static struct gn_conn *dial(struct net *w, const struct gn_dialer_cfg *how)
{
	const struct gn_multiaddr *addrs[] = {w->addr[1]};
	struct gn_dialer_cfg cfg = *how;
	struct gn_dialer *op;
	struct dialed d = {0};

	cfg.target.addrs = addrs;
	cfg.target.n_addrs = 1;
	cfg.on_done = dialed_on_done;
	cfg.arg = &d;
	assert_int_equal(gn_dialer_start(w->node[0], &cfg, &op), 0);
	while (!d.is_done)
		assert_int_equal(gn_loop_turn(w->loop, GN_SEC), 0);
	assert_int_equal(d.err, 0);
	return d.c;
}

static const struct gn_dialer_cfg plain = {0}, lookup = {.is_transient = true}, probe = {.is_probe = true};

/* The components without identify, whose streams would prolong the life of a connection. */
static void tune(struct gn_node_cfg *cfg)
{
	static const struct gn_service_ops *const services[] = {&gn_service_ping, NULL};
	static struct gn_components k;

	k = *cfg->components;
	k.services = services;
	cfg->components = &k;
	cfg->limits = test_limits;
	cfg->limits.first_stream = GN_NEVER;
}

/* Whether connection 0 of node 0 is open after so long. */
static bool is_open_after(struct net *w, gn_time span)
{
	net_run(w, span);
	return net_conn(w, 0, 0) != NULL && net_conn(w, 0, 0)->state == GN_CONN_OPEN;
}

static void a_connection_of_lookups_closes_when_it_is_idle(void **state)
{
	const struct gn_dialer_cfg *how[] = {&lookup, &probe};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gn_stream s;
		struct gn_conn *c;
		struct net w;

		net_init(&w, 2, tune);
		c = dial(&w, how[i]);
		assert_true(c->is_transient);
		assert_true(is_open_after(&w, GN_TRANSIENT_IDLE * GN_SEC - TICK));
		assert_int_equal(gn_stream_open(&s, c, "/ipfs/ping/1.0.0", 0), 0);
		s.on_event = NULL;
		assert_true(is_open_after(&w, 29 * GN_SEC)); /* the ping service of the peer waits longer than that */
		gn_stream_reset(&s);
		gn_stream_close(&s);
		assert_true(is_open_after(&w, GN_TRANSIENT_IDLE * GN_SEC - TICK));
		assert_false(is_open_after(&w, GN_SEC));
		net_fini(&w);
	}
}

static void a_connection_that_others_use_is_not_transient(void **state)
{
	struct gn_conn *c;
	struct net w;

	(void)state;
	for (int first = 0; first < 2; first++) {
		net_init(&w, 2, tune);
		c = dial(&w, first == 0 ? &lookup : &plain);
		assert_int_equal(c->is_transient, first == 0);
		assert_ptr_equal(dial(&w, first == 0 ? &plain : &lookup), c);
		assert_false(c->is_transient);
		assert_true(is_open_after(&w, 100 * GN_SEC));
		net_fini(&w);
	}
}

static void a_lookup_does_not_make_an_inbound_connection_transient(void **state)
{
	const struct gn_multiaddr *addrs[1];
	struct outcome o;
	struct net w;

	(void)state;
	net_init(&w, 2, tune);
	addrs[0] = w.addr[0];
	outcome_dial(w.node[1], &o, addrs, 1);
	net_run(&w, GN_SEC);
	assert_int_equal(o.err, 0);
	assert_true(dial(&w, &lookup)->inbound);
	assert_false(net_conn(&w, 0, 0)->is_transient);
	gn_channel_free(o.ch);
	net_fini(&w);
}

static void the_limit_idle_counts_if_it_is_shorter(void **state)
{
	struct gn_stream s;
	struct gn_conn *c;
	struct net w;

	(void)state;
	test_limits.idle = 2 * GN_SEC;
	net_init(&w, 2, tune);
	c = dial(&w, &lookup);
	assert_int_equal(gn_stream_open(&s, c, "/ipfs/ping/1.0.0", 0), 0);
	net_run(&w, GN_SEC);
	gn_stream_reset(&s);
	gn_stream_close(&s);
	assert_true(is_open_after(&w, 2 * GN_SEC - TICK));
	assert_false(is_open_after(&w, GN_SEC));
	net_fini(&w);
}

int main(void)
{
#define MANAGER_TEST(f) cmocka_unit_test_setup(f, test_limits_reset)
	const struct CMUnitTest tests[] = {
		MANAGER_TEST(the_marks_are_parts_of_conns_by_default),
		MANAGER_TEST(above_the_high_mark_the_youngest_are_closed_down_to_the_low_mark),
		MANAGER_TEST(young_connections_are_not_closed),
		MANAGER_TEST(young_connections_do_not_push_out_old_ones),
		MANAGER_TEST(there_is_one_trim_in_an_interval),
		MANAGER_TEST(a_closing_node_does_not_trim),
		MANAGER_TEST(those_with_the_smallest_weight_are_closed_first),
		MANAGER_TEST(streams_that_a_peer_has_opened_are_no_reason_to_keep_it),
		MANAGER_TEST(a_protected_peer_is_not_closed),
		MANAGER_TEST(a_connection_with_a_channel_is_not_closed),
		MANAGER_TEST(waves_of_strangers_do_not_push_out_valuable_peers),
		MANAGER_TEST(a_full_node_closes_no_tagged_peer),
		MANAGER_TEST(a_connection_of_lookups_closes_when_it_is_idle),
		MANAGER_TEST(a_connection_that_others_use_is_not_transient),
		MANAGER_TEST(a_lookup_does_not_make_an_inbound_connection_transient),
		MANAGER_TEST(the_limit_idle_counts_if_it_is_shorter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
