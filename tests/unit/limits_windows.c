/* SPDX-License-Identifier: MIT */
/* The limits `memory` and `window`, which bound the growth of the windows of streams. */
#include "support/support.h"

/* Returns the largest window of a stream that receives as much as its window allows, over a path with a delay
 * of 20 ms. */
static size_t widest_window(size_t window, size_t memory_max, size_t per_peer)
{
	static const struct gn_mem_cfg path = {.delay = 20 * GN_MSEC, .buffer = (size_t)16 << 20};
	static const uint8_t junk[32768];
	struct test_node t;
	struct raw_peer f;
	size_t most = 0, sent = 0;

	gn_limits_init(&test_limits);
	test_limits.window = window;
	test_limits.memory = memory_max;
	test_limits.memory_per_peer = per_peer;
	test_node_init(&t, true, &test_limits);
	assert_int_equal(gn_mem_set(t.loop, &path), 0);
	raw_peer_open(&f, &t, 2);
	raw_peer_stream(&f, 1, "/sink");
	raw_peer_seal(&f);
	test_node_run(&t, 200 * GN_MSEC);
	sent = 64;
	for (int i = 0; i < 400; i++) {
		const struct gn_conn *c = gn_list_entry(t.node->conns.next, struct gn_conn, link_node);
		const struct yamux_stream *s = yamux_stream_find(yamux_of(c->session), 1);

		assert_int_equal(f.err, 0);
		while (sent + sizeof junk <= YAMUX_WINDOW_INITIAL + f.credit) {
			raw_peer_data(&f, 0, 1, junk, sizeof junk);
			sent += sizeof junk;
		}
		raw_peer_seal(&f);
		test_node_run(&t, 5 * GN_MSEC);
		if (s != NULL && s->window > most)
			most = s->window;
		assert_true(t.node->scope.used <= memory_max);
	}
	raw_peer_abort(&f);
	test_node_stop(&t);
	return most;
}

static void a_window_grows_to_the_limit_and_leaves_memory_to_others(void **state)
{
	const size_t much = (size_t)256 << 20;

	(void)state;
	assert_int_equal(widest_window(256 << 10, much, 0), 256 << 10);
	assert_int_equal(widest_window(1 << 20, much, 0), 1 << 20);
	/* Growth uses at most half of the memory, and three quarters of that of the peer. */
	assert_true(widest_window((size_t)64 << 20, 4 << 20, 4 << 20) <= (2 << 20) + YAMUX_WINDOW_INITIAL);
	assert_true(widest_window((size_t)64 << 20, much, 4 << 20) <= (3 << 20) + YAMUX_WINDOW_INITIAL);
	assert_true(widest_window((size_t)64 << 20, much, 4 << 20) > 2 << 20);
	assert_true(widest_window((size_t)64 << 20, much, 512 << 10) <= (384 << 10) + YAMUX_WINDOW_INITIAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_window_grows_to_the_limit_and_leaves_memory_to_others, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
