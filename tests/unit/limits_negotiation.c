/* SPDX-License-Identifier: MIT */
/* Inbound streams that negotiate their protocol: their maximum number, the memory that they use, and that a
 * peer which proposes protocols may open many of them at once. */

#include "support/support.h"
#include "node/negotiating.h"

enum { BURST = 100 };

static const uint8_t two[4] = {127, 0, 0, 2}, three[4] = {127, 0, 0, 3};

/* Opens a peer and waits until the streams of identify have ended. */
static void raw_peer_settle(struct raw_peer *f, struct test_node *t, uint8_t seed)
{
	raw_peer_open(f, t, seed);
	test_node_run(t, 11 * GN_SEC);
	assert_int_equal(f->err, 0);
	assert_int_equal(t->node->scope.used, 0);
	f->rsts = 0;
}

/* The next two functions queue the SYNs and the proposals of n streams with the ids first, first + 2, ... */
static void syns(struct raw_peer *f, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		raw_peer_frame(f, YAMUX_WINDOW, YAMUX_SYN, first + 2 * i, 0);
}

static void proposals(struct raw_peer *f, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		raw_peer_data(f, 0, first + 2 * i, RAW_PEER_SELECT "\x06/hold\n", 27);
}

static unsigned negotiating(const struct test_node *t)
{
	return gn_list_entry(t->node->conns.next, struct gn_conn, link_node)->n_negotiating;
}

/* ---- the limit of a connection ---- */

/* Opens n silent streams.  Returns how many of them are reset after 1 s, which is before their limit. */
static unsigned silent(uint32_t n)
{
	unsigned rsts;
	struct test_node t;
	struct raw_peer f;

	test_node_init(&t, true, &test_limits);
	raw_peer_settle(&f, &t, 2);
	syns(&f, 1, n);
	raw_peer_seal(&f);
	test_node_run(&t, 900 * GN_MSEC);
	assert_int_equal(f.rsts, 0);
	assert_int_equal(negotiating(&t), n);
	assert_int_equal(t.node->scope.used, 0); /* these streams reserve no memory */
	test_node_run(&t, 200 * GN_MSEC);
	rsts = f.rsts;
	assert_int_equal(negotiating(&t), n - rsts);
	test_node_run(&t, 8 * GN_SEC);
	assert_int_equal(f.rsts, rsts);
	/* A stream with a proposal is served meanwhile. */
	syns(&f, 2 * n + 1, 1);
	proposals(&f, 2 * n + 1, 1);
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, t.opened == 1, GN_SEC);
	test_node_run(&t, 2 * GN_SEC);
	assert_int_equal(f.rsts, n);
	assert_int_equal(f.err, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
	return rsts;
}

static void past_16_of_a_connection_silent_streams_are_reset(void **state)
{
	(void)state;
	assert_int_equal(silent(16), 0);
	assert_int_equal(silent(17), 1);
	assert_int_equal(silent(200), 184);
}

/* The number of streams stays the same although the peer opens new ones continually. */
static void opening_and_resetting_gains_no_streams(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_node_init(&t, true, &test_limits);
	raw_peer_settle(&f, &t, 2);
	for (uint32_t i = 0; i < 60; i++) {
		syns(&f, 1 + 40 * i, 20);
		raw_peer_seal(&f);
		test_node_run(&t, 500 * GN_MSEC);
		assert_true(negotiating(&t) <= 16 + 2 * 20);
		assert_int_equal(t.node->scope.used, 0);
	}
	assert_int_equal(f.err, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

/* ---- bursts of streams ---- */

static void bursts(bool together, gn_time between)
{
	struct test_node t;
	struct raw_peer f;

	test_node_init(&t, true, &test_limits);
	raw_peer_settle(&f, &t, 2);
	if (together) {
		for (uint32_t i = 0; i < BURST; i++) {
			syns(&f, 1 + 2 * i, 1);
			proposals(&f, 1 + 2 * i, 1);
		}
	} else {
		syns(&f, 1, BURST);
		if (between > 0) {
			raw_peer_seal(&f);
			test_node_run(&t, between);
		}
		proposals(&f, 1, BURST);
	}
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, t.opened == BURST, GN_SEC);
	assert_int_equal(f.rsts, 0);
	assert_int_equal(negotiating(&t), 0);
	assert_int_equal(t.node->scope.used, 0); /* nothing is held yet */
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void a_burst_of_streams_is_served(void **state)
{
	(void)state;
	bursts(true, 0);
	bursts(false, 0);
	/* The proposals arrive in a later packet, as from programs with several threads. */
	bursts(false, 300 * GN_MSEC);
}

/* ---- the limit of an address ---- */

static void an_address_has_64_and_others_their_own(void **state)
{
	struct gn_network *net;
	struct raw_peer f[6], other;
	struct test_node t;

	(void)state;
	test_node_init(&t, false, &test_limits);
	for (uint8_t i = 0; i < 6; i++) {
		raw_peer_open_from(&f[i], &t, (uint8_t)(i + 2), two);
		syns(&f[i], 1, 16);
		raw_peer_seal(&f[i]);
	}
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 6, 5 * GN_SEC);
	net = gn_list_entry(t.node->conns.next, struct gn_conn, link_node)->network;
	TEST_NODE_UNTIL(&t, net->n_negotiating == 6 * 16, 5 * GN_SEC);
	test_node_serves(&t); /* a client at 127.0.0.1 */
	TEST_NODE_UNTIL(&t, net->n_negotiating == 64, 5 * GN_SEC);
	raw_peer_open_from(&other, &t, 20, three);
	raw_peer_stream(&other, 1, "/hold");
	raw_peer_seal(&other);
	TEST_NODE_UNTIL(&t, t.opened == 1, 5 * GN_SEC);
	for (int i = 0; i < 6; i++)
		raw_peer_abort(&f[i]);
	raw_peer_abort(&other);
	test_node_stop(&t);
}

static void an_address_never_has_more_than_a_burst(void **state)
{
	struct gn_network *net;
	struct raw_peer f[5];
	struct test_node t;

	(void)state;
	test_node_init(&t, false, &test_limits);
	for (uint8_t i = 0; i < 5; i++)
		raw_peer_open_from(&f[i], &t, (uint8_t)(i + 2), two);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 5, 5 * GN_SEC);
	net = gn_list_entry(t.node->conns.next, struct gn_conn, link_node)->network;
	for (int i = 0; i < 5; i++) {
		syns(&f[i], 1, 250);
		raw_peer_seal(&f[i]);
		TEST_NODE_UNTIL(&t, net->n_negotiating >= (i == 0 ? 250 : GN_NEGOTIATING_BURST), 5 * GN_SEC);
		assert_true(net->n_negotiating <= GN_NEGOTIATING_BURST);
	}
	/* A stream with a proposal is served nevertheless. */
	raw_peer_stream(&f[0], 1001, "/hold");
	raw_peer_seal(&f[0]);
	TEST_NODE_UNTIL(&t, t.opened == 1, 5 * GN_SEC);
	for (int i = 0; i < 5; i++)
		raw_peer_abort(&f[i]);
	test_node_stop(&t);
}

/* ---- memory ---- */

/* When the memory is used up, a stream is reset after the answer was sent, so that the peer does not interpret the
 * reset as a refusal of the protocol. */
static void a_lack_of_memory_is_not_reported_as_a_missing_protocol(void **state)
{
	struct gn_scope *scope;
	struct test_node t;
	struct raw_peer f;
	size_t left;

	(void)state;
	test_node_init(&t, true, &test_limits);
	raw_peer_settle(&f, &t, 2);
	f.data = 0;
	scope = &test_node_first_conn(&t)->scope;
	left = t.node->scope.max - t.node->scope.used;
	gn_scope_force(scope, left);
	for (uint32_t i = 0; i < 6; i++)
		raw_peer_stream(&f, 2 * i + 1, "/hold");
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, f.rsts == 6, GN_SEC);
	assert_int_equal(t.opened, 0);
	assert_int_equal(f.data, 6 * 27);
	assert_int_equal(f.err, 0);
	assert_int_equal(echo_client_try(&t, 50), GN_ERESET);
	gn_scope_give(scope, left);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(past_16_of_a_connection_silent_streams_are_reset, test_limits_reset),
		cmocka_unit_test_setup(opening_and_resetting_gains_no_streams, test_limits_reset),
		cmocka_unit_test_setup(a_burst_of_streams_is_served, test_limits_reset),
		cmocka_unit_test_setup(an_address_has_64_and_others_their_own, test_limits_reset),
		cmocka_unit_test_setup(an_address_never_has_more_than_a_burst, test_limits_reset),
		cmocka_unit_test_setup(a_lack_of_memory_is_not_reported_as_a_missing_protocol, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
