/* SPDX-License-Identifier: MIT */
/* The limits of inbound streams, per connection and per peer.  A stream beyond them is reset, and the
 * session continues. */
#include "support/support.h"

/* All streams are opened in one record, before the peer can be informed of a refusal. */
static void a_connection_has_streams_per_conn_inbound_streams(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.streams_per_conn = 4;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	for (uint32_t i = 0; i < 100; i++)
		raw_peer_stream(&f, 2 * i + 1, "/hold");
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, f.rsts == 96, GN_SEC);
	assert_int_equal(t.opened, 4);
	test_node_run(&t, GN_SEC);
	assert_int_equal(f.rsts, 96);
	assert_int_equal(f.err, 0);
	assert_false(f.is_away);
	/* A stream that ends makes room for another. */
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	raw_peer_seal(&f);
	test_node_run(&t, 10 * GN_MSEC);
	raw_peer_stream(&f, 1001, "/hold");
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, t.opened == 5, GN_SEC);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void a_stream_counts_until_the_peer_has_ended_it(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.streams_per_conn = 8;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	for (uint32_t i = 0; i < 50; i++)
		raw_peer_stream(&f, 2 * i + 1, "/ipfs/id/1.0.0");
	raw_peer_seal(&f);
	test_node_run(&t, GN_SEC);
	for (uint32_t i = 50; i < 200; i++) {
		raw_peer_stream(&f, 2 * i + 1, "/ipfs/id/1.0.0");
		raw_peer_seal(&f);
		test_node_run(&t, 100 * GN_MSEC);
	}
	assert_true(
		((struct gn_conn *)gn_list_entry(t.node->conns.next, struct gn_conn, link_node))->session->streams <=
		8 + 1);
	assert_true(t.node->scope.used <= 9 * YAMUX_WINDOW_INITIAL);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void the_connections_of_a_peer_share_streams_per_peer(void **state)
{
	struct raw_peer f[3];
	struct test_node t;

	(void)state;
	test_limits.streams_per_conn = 4;
	test_limits.streams_per_peer = 6;
	test_node_init(&t, true, &test_limits);
	for (int i = 0; i < 3; i++) { /* the third connection is that of another peer */
		raw_peer_open(&f[i], &t, i < 2 ? 2 : 3);
		for (uint32_t k = 0; k < 5; k++)
			raw_peer_stream(&f[i], 2 * k + 1, "/hold");
		raw_peer_seal(&f[i]);
		test_node_run(&t, 100 * GN_MSEC);
	}
	assert_int_equal(f[0].rsts, 1);
	assert_int_equal(f[1].rsts, 3);
	assert_int_equal(f[2].rsts, 1);
	assert_int_equal(t.opened, 4 + 2 + 4);
	for (int i = 0; i < 3; i++)
		raw_peer_abort(&f[i]);
	test_node_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_connection_has_streams_per_conn_inbound_streams, test_limits_reset),
		cmocka_unit_test_setup(a_stream_counts_until_the_peer_has_ended_it, test_limits_reset),
		cmocka_unit_test_setup(the_connections_of_a_peer_share_streams_per_peer, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
