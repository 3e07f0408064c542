/* SPDX-License-Identifier: MIT */
/* The limits of struct gn_limits that count something, hit by greedy peers: what one costs is what
 * the limit says, and the node serves the next one.  limits_conns.c has those of connections, limits_time.c those of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

static struct gn_limits lim;

static int setup(void **state)
{
	(void)state;
	gn_limits_init(&lim);
	return 0;
}

static void stop(struct test_node *t)
{
	test_node_quiet(t);
	test_node_serves(t);
	test_node_quiet(t);
	test_node_fini(t);
}

/* ---- streams ---- */

/* All in one record: the limit holds though nobody was told in between. */
static void streams_per_conn(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	lim.streams_per_conn = 4;
	test_node_init(&t, true, &lim);
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
	/* A place becomes free. */
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	raw_peer_seal(&f);
	test_node_run(&t, 10 * GN_MSEC);
	raw_peer_stream(&f, 1001, "/hold");
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, t.opened == 5, GN_SEC);
	raw_peer_abort(&f);
	stop(&t);
}

/* Streams that the program is done with and the peer does not end count as well. */
static void streams_given_up(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	lim.streams_per_conn = 8;
	test_node_init(&t, true, &lim);
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
	assert_true(t.node->budget.used <= 9 * YAMUX_WINDOW_INITIAL);
	raw_peer_abort(&f);
	stop(&t);
}

static void streams_per_peer(void **state)
{
	struct raw_peer f[3];
	struct test_node t;

	(void)state;
	lim.streams_per_conn = 4;
	lim.streams_per_peer = 6;
	test_node_init(&t, true, &lim);
	for (int i = 0; i < 3; i++) { /* the third is somebody else */
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
	stop(&t);
}

/* ---- memory ---- */

static size_t promised(const struct gn_node *node)
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

static void memory(void **state)
{
	static const uint8_t junk[16384];
	struct raw_peer f, other;
	struct test_node t;

	(void)state;
	lim.memory = 8 * YAMUX_WINDOW_INITIAL;
	test_node_init(&t, true, &lim);
	raw_peer_open(&other, &t, 3);
	raw_peer_stream(&other, 1, "/echo");
	raw_peer_seal(&other);
	test_node_run(&t, GN_SEC); /* identify has come and gone */
	raw_peer_open(&f, &t, 2);
	for (uint32_t i = 0; i < 20; i++)
		raw_peer_stream(&f, 2 * i + 1, "/hold");
	raw_peer_seal(&f);
	test_node_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->budget.used, promised(t.node));
	assert_true(t.node->budget.used <= lim.memory);
	assert_true(t.opened >= 5 && t.opened <= 7);
	assert_int_equal(f.rsts, 20 - t.opened);
	/* All that was promised comes, and is kept. */
	for (uint32_t i = 0; i < t.opened; i++)
		for (unsigned k = 0; k < 15; k++)
			raw_peer_data(&f, 0, 2 * i + 1, junk, sizeof junk);
	raw_peer_seal(&f);
	test_node_run(&t, GN_SEC);
	assert_int_equal(f.err, 0);
	assert_true(t.node->budget.used <= lim.memory);
	/* Others go on with what they have. */
	other.data = 0;
	raw_peer_data(&other, 0, 1, junk, sizeof junk);
	raw_peer_data(&other, 0, 1, junk, sizeof junk);
	raw_peer_seal(&other);
	TEST_NODE_UNTIL(&t, other.data >= 2 * sizeof junk, GN_SEC);
	raw_peer_abort(&f);
	raw_peer_abort(&other);
	stop(&t);
}

/* The largest window of any stream while data comes over a long path as fast as it may. */
static size_t widest(size_t window, size_t memory_max)
{
	static const struct gn_mem_cfg path = {.delay = 20 * GN_MSEC, .buffer = (size_t)16 << 20};
	static const uint8_t junk[32768];
	struct test_node t;
	struct raw_peer f;
	size_t most = 0, sent = 0;

	gn_limits_init(&lim);
	lim.window = window;
	lim.memory = memory_max;
	test_node_init(&t, true, &lim);
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
	stop(&t);
	return most;
}

static void window(void **state)
{
	(void)state;
	assert_int_equal(widest(256 << 10, (size_t)256 << 20), 256 << 10);
	assert_int_equal(widest(1 << 20, (size_t)256 << 20), 1 << 20);
	/* Growth never takes what new streams need to begin. */
	assert_true(widest((size_t)64 << 20, 4 << 20) <= 2 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(streams_per_conn, setup), cmocka_unit_test_setup(streams_given_up, setup),
		cmocka_unit_test_setup(streams_per_peer, setup), cmocka_unit_test_setup(memory, setup),
		cmocka_unit_test_setup(window, setup),
	};

	REQUIRE(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
