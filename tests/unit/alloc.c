/* SPDX-License-Identifier: MIT */
/* Each allocation of the library fails once: those for creating a node, for a dial, for received data, and
 * for a stream and its bytes.  Each time the operation succeeds or reports an error, no bytes are lost
 * without an error, nothing leaks, and the node serves the next peer.  See support/heap.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

/* A client dials, sends and receives.  Returns how its stream ended. */
static int exchange(struct test_node *t, struct gn_node *node)
{
	const struct gn_multiaddr *addrs[1] = {t->addr};
	struct echo_client h = {0};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = "/echo",
				  .kind = GN_BYTES,
				  .on_done = echo_client_on_done,
				  .arg = &h};
	struct gn_dial *op;
	int r = gn_dial_start(node, &cfg, &op);

	if (r != 0)
		return r;
	TEST_NODE_UNTIL(t, h.is_ended, 60 * GN_SEC);
	gn_channel_free(h.ch);
	/* An end of stream is received only after all bytes, whichever allocation fails. */
	if (h.err == GN_EOF)
		assert_int_equal(h.got, ECHO_CLIENT_BYTES);
	return h.err;
}

/* Runs the exchange once; how_many allocations fail, beginning with number `fail`.  Returns the number of all
 * allocations. */
static size_t run(bool is_virtual, size_t fail, size_t how_many, int *err)
{
	struct gn_limits lim;
	struct gn_node *client;
	struct gn_key *key;
	struct test_node t;
	size_t live = heap.blocks;
	size_t n;

	test_node_init(&t, is_virtual, NULL);
	gn_limits_init(&lim);
	if (!is_virtual)
		lim.accept = lim.negotiate = lim.attempt = GN_SEC;
	key = test_node_key(9);
	client = test_node_node(t.loop, key, &lim);
	heap_on(fail, how_many);
	*err = exchange(&t, client);
	/* Identify completes in both directions, and links close. */
	test_node_run(&t, is_virtual ? 3 * GN_SEC : 3 * GN_MSEC);
	n = heap.n;
	heap_off();
	gn_node_free(client);
	gn_key_free(key);
	test_node_serves(&t);
	test_node_quiet(&t);
	test_node_fini(&t);
	assert_int_equal(heap.blocks, live);
	return n;
}

static void each_failed_allocation_is_survived(void **state)
{
	size_t n, good = 0;
	int err;

	(void)state;
	run(true, 0, 1, &err); /* makes the allocations that occur once in a process */
	n = run(true, 0, 1, &err);
	assert_int_equal(err, GN_EOF);
	assert_true(n > 50);
	for (size_t i = 1; i <= n; i++) {
		run(true, i, 1, &err);
		assert_true(err < 0);
		good += err == GN_EOF;
	}
	/* The library recovers from some failures and reports the others. */
	assert_true(good < n);
}

static void each_failed_allocation_over_tcp_is_survived(void **state)
{
	size_t n;
	int err;

	(void)state;
	run(false, 0, 1, &err);
	n = run(false, 0, 1, &err);
	assert_int_equal(err, GN_EOF);
	for (size_t i = 1; i <= n; i++)
		run(false, i, 1, &err);
}

/* Ten consecutive allocations fail. */
static void a_period_without_memory_is_survived(void **state)
{
	size_t n;
	int err;

	(void)state;
	run(true, 0, 1, &err);
	n = run(true, 0, 1, &err);
	for (size_t i = 1; i <= n; i += 3) {
		run(true, i, 10, &err);
		assert_true(err < 0);
	}
}

/* Creates a node, adds a protocol and a listener, and gets its addresses.  Returns 0 or the error. */
static int make(struct gn_loop *loop, const struct gn_key *key)
{
	struct gn_protocol_cfg proto = {.id = "/echo", .kind = GN_BYTES, .on_open = test_node_echo};
	struct gn_multiaddr *at = NULL, *bound = NULL, **addrs;
	struct gn_node_cfg cfg;
	struct gn_node *node = NULL;
	size_t n;
	int r;

	memset(&cfg, 0, sizeof cfg);
	cfg.loop = loop;
	cfg.key = key;
	cfg.components = test_node_components();
	gn_limits_init(&cfg.limits);
	r = gn_node_new(&cfg, &node);
	if (r == 0)
		r = gn_protocol_add(node, &proto);
	if (r == 0)
		r = gn_multiaddr_parse("/ip4/0.0.0.0/tcp/0", &at, NULL);
	if (r == 0)
		r = gn_node_listen(node, at, &bound);
	if (r == 0 && (r = gn_node_addrs(node, &addrs, &n)) == 0)
		gn_multiaddrs_free(addrs, n);
	gn_multiaddr_free(at);
	gn_multiaddr_free(bound);
	gn_node_free(node);
	return r;
}

static void making_a_node_survives_failed_allocations(void **state)
{
	struct gn_key *key = test_node_key(1);
	size_t n, good = 0;

	(void)state;
	for (size_t i = 0, last = 0; i <= last; i++) {
		size_t live = heap.blocks;
		struct gn_loop *loop;
		int r;

		heap_on(i, 1);
		r = gn_loop_new(&loop);
		if (r == 0) {
			r = make(loop, key);
			gn_loop_free(loop);
		}
		n = heap.n;
		heap_off();
		if (i == 0) {
			assert_int_equal(r, 0);
			last = n;
			continue;
		}
		assert_true(r == -ENOMEM || r == 0);
		good += r == 0;
		assert_int_equal(heap.blocks, live);
	}
	/* A failure of gn_interfaces_get() only affects the order of addresses, and one of gn_interfaces_watch_new() only
	 * that their changes are noticed. */
	assert_true(good <= 5);
	gn_key_free(key);
}

/* The peer's bytes arrive in pieces, so that each pipe has to buffer some. */
static void inbound_bytes_survive_failed_allocations(void **state)
{
	static const struct gn_mem_cfg pieces = {.seed = 3, .max_chunk = 7000, .delay = GN_MSEC, .buffer = 1 << 20};
	static const uint8_t junk[8000];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i == 0 || i <= n; i++) {
		size_t live = heap.blocks;
		struct test_node t;
		struct raw_peer f;

		test_node_init(&t, true, NULL);
		assert_int_equal(gn_mem_set(t.loop, &pieces), 0);
		raw_peer_open(&f, &t, 2);
		test_node_run(&t, 100 * GN_MSEC);
		for (uint32_t k = 0; k < 5; k++)
			raw_peer_stream(&f, 2 * k + 1, k % 2 ? "/echo" : "/hold");
		for (uint32_t k = 0; k < 100; k++)
			raw_peer_data(&f, 0, 2 * (k % 5) + 1, junk, sizeof junk);
		raw_peer_set_reading(&f, false); /* receiving would allocate memory in the fixture */
		raw_peer_seal(&f);
		heap_on(i, 1);
		test_node_run(&t, 300 * GN_MSEC);
		if (i == 0)
			n = heap.n;
		heap_off();
		raw_peer_abort(&f);
		test_node_quiet(&t);
		test_node_serves(&t);
		test_node_quiet(&t);
		test_node_fini(&t);
		if (i > 0)
			assert_int_equal(heap.blocks, live);
	}
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failed_allocation_is_survived),
		cmocka_unit_test(each_failed_allocation_over_tcp_is_survived),
		cmocka_unit_test(a_period_without_memory_is_survived),
		cmocka_unit_test(making_a_node_survives_failed_allocations),
		cmocka_unit_test(inbound_bytes_survive_failed_allocations),
	};

	REQUIRE(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
