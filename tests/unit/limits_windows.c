/* SPDX-License-Identifier: MIT */
/* The limits `memory` and `window`, which bound the growth of the windows of streams. */
#include "support/support.h"

static size_t sum_of_windows(const struct gn_node *node)
{
	struct gn_list *at;
	size_t n = 0;

	gn_list_for_each(at, &node->conns) {
		const struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);
		const struct yamux *y = c->session != NULL ? yamux_of(c->session) : NULL;

		for (unsigned i = 0; y != NULL && i < y->n_buckets; i++)
			for (const struct yamux_stream *s = y->buckets[i]; s != NULL; s = s->next)
				n += s->window;
	}
	return n;
}

static void windows_together_stay_within_the_memory_limit(void **state)
{
	static const uint8_t junk[16384];
	struct raw_peer f, other;
	struct test_node t;

	(void)state;
	test_limits.memory = 8 * YAMUX_WINDOW_INITIAL;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&other, &t, 3);
	raw_peer_stream(&other, 1, "/echo");
	raw_peer_seal(&other);
	test_node_run(&t, GN_SEC); /* the streams of identify have ended */
	raw_peer_open(&f, &t, 2);
	for (uint32_t i = 0; i < 20; i++)
		raw_peer_stream(&f, 2 * i + 1, "/hold");
	raw_peer_seal(&f);
	test_node_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->budget.used, sum_of_windows(t.node));
	assert_true(t.node->budget.used <= test_limits.memory);
	assert_true(t.opened >= 5 && t.opened <= 7);
	assert_int_equal(f.rsts, 20 - t.opened);
	/* The peer fills all windows, and the program does not read the bytes. */
	for (uint32_t i = 0; i < t.opened; i++)
		for (unsigned k = 0; k < 15; k++)
			raw_peer_data(&f, 0, 2 * i + 1, junk, sizeof junk);
	raw_peer_seal(&f);
	test_node_run(&t, GN_SEC);
	assert_int_equal(f.err, 0);
	assert_true(t.node->budget.used <= test_limits.memory);
	/* Other peers continue with the windows that they have. */
	other.data = 0;
	raw_peer_data(&other, 0, 1, junk, sizeof junk);
	raw_peer_data(&other, 0, 1, junk, sizeof junk);
	raw_peer_seal(&other);
	TEST_NODE_UNTIL(&t, other.data >= 2 * sizeof junk, GN_SEC);
	raw_peer_abort(&f);
	raw_peer_abort(&other);
	test_node_stop(&t);
}

/* Returns the largest window of a stream that receives as much as its window allows, over a path with a delay
 * of 20 ms. */
static size_t widest_window(size_t window, size_t memory_max)
{
	static const struct gn_mem_cfg path = {.delay = 20 * GN_MSEC, .buffer = (size_t)16 << 20};
	static const uint8_t junk[32768];
	struct test_node t;
	struct raw_peer f;
	size_t most = 0, sent = 0;

	gn_limits_init(&test_limits);
	test_limits.window = window;
	test_limits.memory = memory_max;
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
		assert_true(t.node->budget.used <= memory_max);
	}
	raw_peer_abort(&f);
	test_node_stop(&t);
	return most;
}

static void a_window_grows_to_the_limit_and_leaves_memory_to_new_streams(void **state)
{
	(void)state;
	assert_int_equal(widest_window(256 << 10, (size_t)256 << 20), 256 << 10);
	assert_int_equal(widest_window(1 << 20, (size_t)256 << 20), 1 << 20);
	/* Growth uses at most a half of the memory. */
	assert_true(widest_window((size_t)64 << 20, 4 << 20) <= 2 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(windows_together_stay_within_the_memory_limit, test_limits_reset),
		cmocka_unit_test_setup(a_window_grows_to_the_limit_and_leaves_memory_to_new_streams, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
