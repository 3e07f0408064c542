/* SPDX-License-Identifier: MIT */
/* Peers with a session that open and reset streams as fast as they can, or do not read.  The memory and time
 * that they use stay bounded. */
#include "support/support.h"

static void streams_that_are_reset_at_once_hold_no_memory(void **state)
{
	struct test_node t;
	struct raw_peer f;
	uint32_t id = 1;

	(void)state;
	raw_peer_start(&f, &t);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 200; i++, id += 2) {
			raw_peer_stream(&f, id, i % 2 ? "/hold" : "/echo");
			raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, id, 0);
		}
		raw_peer_seal(&f);
		test_node_run(&t, GN_MSEC);
		assert_true(t.node->scope.used <= (size_t)test_limits.streams_per_conn * YAMUX_WINDOW_INITIAL);
		if (f.err != 0)
			break;
	}
	assert_int_equal(t.n_held, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

/* The resets are sent in separate records, so that each stream reaches its protocol handler before. */
static void streams_that_are_reset_after_opening_hold_no_memory(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	for (uint32_t id = 1; id < 3000; id += 2) {
		raw_peer_stream(&f, id, "/hold");
		raw_peer_seal(&f);
		test_node_run(&t, 100 * GN_USEC);
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, id, 0);
		raw_peer_seal(&f);
		test_node_run(&t, 100 * GN_USEC);
	}
	assert_int_equal(f.err, 0);
	assert_int_equal(t.opened, 1500);
	assert_int_equal(t.n_held, 0);
	assert_true(t.node->scope.used <= 2 * YAMUX_WINDOW_INITIAL);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void refusals_to_a_peer_that_does_not_read_are_bounded(void **state)
{
	struct test_node t;
	struct raw_peer f;
	uint32_t id = 1;

	(void)state;
	test_limits.streams_per_conn = 8;
	raw_peer_start(&f, &t);
	raw_peer_set_reading(&f, false);
	for (int round = 0; round < 300 && f.err == 0; round++) {
		for (int i = 0; i < 100; i++, id += 2)
			raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_SYN, id, 0);
		raw_peer_seal(&f);
		test_node_run(&t, GN_MSEC);
		if (gn_list_is_empty(&t.node->conns))
			break;
		assert_true(t.node->scope.used <= 9 * YAMUX_WINDOW_INITIAL);
		assert_true(gn_pipe_len(gn_conn_tx(test_node_first_conn(&t))) <= GN_IOBUF_TX);
	}
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void run_without_reading(struct test_node *t)
{
	struct raw_peer f;

	raw_peer_open(&f, t, 2);
	test_node_run(t, 50 * GN_MSEC);
	raw_peer_set_reading(&f, false);
	for (uint32_t i = 0; i < 4; i++) {
		raw_peer_stream(&f, 2 * i + 1, "/flood");
		raw_peer_frame(&f, YAMUX_WINDOW, 0, 2 * i + 1, 1 << 30);
	}
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(t, t->opened == 4, 5 * GN_SEC);
	test_node_run(t, 20 * GN_MSEC);
	for (unsigned i = 0; i < t->n_held; i++) {
		struct gn_channel_state st;

		gn_channel_state(t->held[i], &st);
		assert_true(st.queued <= 256 * 1024);
	}
	/* Meanwhile another client is served.  This peer is dropped, as it does not answer a ping. */
	test_node_serves(t);
	TEST_NODE_UNTIL(t, t->node->n_conns == 0, 10 * GN_SEC);
	assert_int_equal(t->n_held, 0);
	raw_peer_abort(&f);
	test_node_stop(t);
}

static void a_peer_that_does_not_read_is_dropped_by_the_ping_limit(void **state)
{
	struct test_node t;

	(void)state;
	test_limits.keepalive = 200 * GN_MSEC;
	test_limits.ping = 200 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	run_without_reading(&t);
	test_node_init(&t, false, &test_limits);
	run_without_reading(&t);
}

/* The peer never opens the window, but answers pings. */
static void a_closed_window_holds_only_what_is_queued(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	raw_peer_stream(&f, 1, "/flood");
	raw_peer_seal(&f);
	test_node_run(&t, 60 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_true(f.data <= YAMUX_WINDOW_INITIAL + 200);
	assert_int_equal(t.n_held, 1);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(streams_that_are_reset_at_once_hold_no_memory, test_limits_reset),
		cmocka_unit_test_setup(streams_that_are_reset_after_opening_hold_no_memory, test_limits_reset),
		cmocka_unit_test_setup(refusals_to_a_peer_that_does_not_read_are_bounded, test_limits_reset),
		cmocka_unit_test_setup(a_peer_that_does_not_read_is_dropped_by_the_ping_limit, test_limits_reset),
		cmocka_unit_test_setup(a_closed_window_holds_only_what_is_queued, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
