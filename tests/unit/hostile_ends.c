/* SPDX-License-Identifier: MIT */
/* Peers with a session that end it, or its records, in ways that the specifications do not allow. */
#include "support/support.h"

static void streams_after_go_away_are_served_only_for_code_0(void **state)
{
	static const uint32_t codes[] = {GN_GO_AWAY_NORMAL, GN_GO_AWAY_PROTOCOL, GN_GO_AWAY_GATED, 12345};

	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		struct test_node t;
		struct raw_peer f;

		test_limits.first_stream = 500 * GN_MSEC;
		test_limits.idle = 500 * GN_MSEC;
		raw_peer_start(&f, &t);
		raw_peer_stream(&f, 1, "/hold");
		raw_peer_seal(&f);
		test_node_run(&t, 10 * GN_MSEC);
		raw_peer_frame(&f, YAMUX_GO_AWAY, 0, 0, codes[i]);
		for (uint32_t k = 1; k < 50; k++)
			raw_peer_stream(&f, 2 * k + 1, "/hold");
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		raw_peer_frame(&f, YAMUX_GO_AWAY, 0, 0, codes[i]);
		raw_peer_seal(&f);
		test_node_run(&t, 100 * GN_MSEC);
		assert_int_equal(t.opened, i == 0 ? 50 : 1);
		raw_peer_abort(&f);
		test_node_stop(&t);
	}
}

static void a_peer_that_sends_on_after_go_away_is_dropped(void **state)
{
	static const uint8_t junk[1000];
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	raw_peer_frame(&f, YAMUX_GO_AWAY, 0, 0, GN_GO_AWAY_PROTOCOL);
	raw_peer_seal(&f);
	for (int i = 0; i < 400 && t.node->n_conns > 0; i++) {
		raw_peer_put(&f, junk, sizeof junk); /* these are not records */
		test_node_run(&t, 10 * GN_MSEC);
	}
	assert_int_equal(t.node->n_conns, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void a_broken_record_ends_the_connection(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		uint8_t rec[64] = {0};
		size_t n = 0;
		struct test_node t;
		struct raw_peer f;

		raw_peer_start(&f, &t);
		raw_peer_stream(&f, 1, "/hold");
		raw_peer_seal(&f);
		test_node_run(&t, 10 * GN_MSEC);
		if (how == 0) { /* wrong tag */
			n = noise_peer_seal(&f.noise, "abc", 3, rec);
			rec[n - 1] ^= 1;
		} else if (how == 1) { /* record that is shorter than a tag */
			rec[1] = 15;
			n = 17;
		} else if (how == 2) { /* repeated record */
			n = noise_peer_seal(&f.noise, "", 0, rec);
			raw_peer_put(&f, rec, n);
		} else { /* end of the link within a record */
			n = noise_peer_seal(&f.noise, "abc", 3, rec) - 1;
		}
		raw_peer_put(&f, rec, n);
		if (how == 3)
			f.link->ops->end(f.link);
		TEST_NODE_UNTIL(&t, t.node->n_conns == 0, 5 * GN_SEC);
		assert_int_equal(t.n_held, 0);
		raw_peer_abort(&f);
		test_node_stop(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(streams_after_go_away_are_served_only_for_code_0, test_limits_reset),
		cmocka_unit_test_setup(a_peer_that_sends_on_after_go_away_is_dropped, test_limits_reset),
		cmocka_unit_test_setup(a_broken_record_ends_the_connection, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
