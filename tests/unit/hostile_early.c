/* SPDX-License-Identifier: MIT */
/* Peers that attack before there is a session, or by their answer to identify; and a process without free
 * descriptors or memory. */
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"

/* ---- before the session ---- */

/* At each step of the negotiation the peer sends as many random bytes as the link accepts. */
static void garbage_before_a_session_ends_the_connection(void **state)
{
	static uint8_t junk[1 << 16];
	struct rng r;

	(void)state;
	rng_seed(&r, 7);
	for (int i = 0; i < 60; i++) {
		struct test_node t;
		struct raw_peer f;

		test_node_init(&t, true, &test_limits);
		raw_peer_connect(&f, &t, 2);
		rng_fill(&r, junk, sizeof junk);
		if (i % 3 == 1)
			raw_peer_send_text(&f, RAW_PEER_SELECT);
		if (i % 3 == 2)
			raw_peer_noise_1(&f);
		if (i % 2)
			memset(junk, i, sizeof junk);
		for (int k = 0; k < 4; k++)
			raw_peer_put(&f, junk, sizeof junk);
		TEST_NODE_UNTIL(&t, t.node->n_conns == 0, 12 * GN_SEC);
		raw_peer_abort(&f);
		test_node_quiet(&t);
		if (i % 10 == 0)
			test_node_serves(&t);
		test_node_fini(&t);
	}
}

/* The peer requests lists and never reads the answers. */
static void ls_without_reading_is_bounded(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.accept = 300 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	raw_peer_connect(&f, &t, 2);
	raw_peer_set_reading(&f, false);
	raw_peer_send_text(&f, RAW_PEER_SELECT);
	for (int i = 0; i < 100000; i++)
		wire_put(&f.out, "\x03ls\n", 4);
	raw_peer_flush(&f);
	for (int i = 0; i < 290 && t.node->n_conns > 0; i++) {
		test_node_run(&t, GN_MSEC);
		if (t.node->n_conns > 0)
			assert_true(gn_pipe_len(gn_conn_rx(test_node_first_conn(&t))) +
					    gn_pipe_len(gn_conn_tx(test_node_first_conn(&t))) <=
				    40 * 1024);
	}
	TEST_NODE_UNTIL(&t, t.node->n_conns == 0, GN_SEC);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

/* The peer sends the length of a handshake message, but never the whole message. */
static void an_unauthenticated_peer_holds_little_memory(void **state)
{
	static const uint8_t junk[8000];
	struct raw_peer f[20];
	struct test_node t;

	(void)state;
	test_limits.accept = 300 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	for (int i = 0; i < 20; i++) {
		raw_peer_connect(&f[i], &t, 2);
		raw_peer_send_text(&f[i], RAW_PEER_SELECT RAW_PEER_NOISE "\x1f\xff");
		raw_peer_put(&f[i], junk, sizeof junk);
	}
	test_node_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->n_conns, 20);
	for (struct gn_list *at = t.node->conns.next; at != &t.node->conns; at = at->next)
		assert_true(gn_pipe_len(gn_conn_rx(gn_list_entry(at, struct gn_conn, link_node))) <= 8002);
	for (int i = 0; i < 20; i++)
		raw_peer_abort(&f[i]);
	test_node_stop(&t);
}

/* The handshake has a signature of another key, a flipped bit, or no payload. */
static void a_malformed_handshake_ends_the_connection(void **state)
{
	static const char *const muxers[] = {"/yamux/1.0.0"};

	(void)state;
	for (int how = 0; how < 5; how++) {
		uint8_t payload[4096], msg[6000];
		struct test_node t;
		struct raw_peer f;
		size_t n;

		test_node_init(&t, true, &test_limits);
		raw_peer_connect(&f, &t, 2);
		raw_peer_noise_1(&f);
		TEST_NODE_UNTIL(&t, raw_peer_has_2(&f), GN_SEC);
		wire_skip(&f.in, 28);
		noise_peer_read(&f.noise, 2, &f.in);
		n = noise_peer_payload(&f.noise, muxers, 1, payload);
		if (how == 0) /* another identity key */
			payload[10] ^= 1;
		if (how == 1)
			payload[60] ^= 1;
		if (how == 2)
			n = 0;
		if (how == 3)
			memset(payload, 0xff, n);
		n = noise_peer_write(&f.noise, 3, payload, n, msg);
		if (how == 4)
			msg[40] ^= 1;
		raw_peer_put(&f, msg, n);
		TEST_NODE_UNTIL(&t, f.err != 0, GN_SEC);
		raw_peer_abort(&f);
		test_node_stop(&t);
	}
}

/* ---- identify ---- */

/* Runs a peer that answers the node's identify request with `times` copies of the bytes. */
static void identify_answer(const uint8_t *body, size_t n, size_t times)
{
	static const char agreed[] = RAW_PEER_SELECT "\x0f/ipfs/id/1.0.0\n";
	struct test_node t;
	struct raw_peer f;

	raw_peer_start(&f, &t);
	TEST_NODE_UNTIL(&t, f.syns == 1, GN_SEC); /* the node's stream has id 2 */
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_ACK, 2, 0);
	raw_peer_data(&f, 0, 2, agreed, sizeof agreed - 1);
	raw_peer_seal(&f);
	for (size_t i = 0; i < times && f.err == 0 && f.rsts == 0; i++) {
		raw_peer_data(&f, 0, 2, body, n);
		raw_peer_seal(&f);
		test_node_run(&t, GN_MSEC);
	}
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_FIN, 2, 0);
	raw_peer_seal(&f);
	test_node_run(&t, 10 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_true(t.node->scope.used <= YAMUX_WINDOW_INITIAL);
	raw_peer_stream(&f, 1, "/echo");
	raw_peer_data(&f, YAMUX_FIN, 1, "hello", 5);
	raw_peer_seal(&f);
	f.data = 0;
	TEST_NODE_UNTIL(&t, f.data >= 5, GN_SEC);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void malformed_answers_to_identify_are_survived(void **state)
{
	static uint8_t junk[60000];
	uint8_t *deep = malloc(8000);
	size_t n = 0;

	(void)state;
	assert_non_null(deep);
	identify_answer((const uint8_t *)"", 0, 1);
	identify_answer((const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, 1);
	identify_answer((const uint8_t *)"\x80", 1, 1);
	identify_answer((const uint8_t *)"\x7f", 1, 1);             /* the length exceeds the message */
	identify_answer((const uint8_t *)"\xff\xff\xff\x07", 4, 1); /* announces 16 MiB */
	identify_answer(junk, sizeof junk, 200);                    /* thousands of empty messages */
	/* 3990 bytes contain 1995 empty protocol names. */
	n = gn_uvarint_encode(3990, deep);
	for (int i = 0; i < 1995; i++) {
		deep[n++] = 0x1a;
		deep[n++] = 0;
	}
	identify_answer(deep, n, 1);
	/* The addresses are malformed. */
	n = gn_uvarint_encode(4000, deep);
	for (int i = 0; i < 1000; i++) {
		memcpy(deep + n, "\x12\x02\xff\xff", 4);
		n += 4;
	}
	identify_answer(deep, n, 1);
	/* Each message has a field whose length exceeds the message. */
	memset(junk, 0x0a, sizeof junk);
	identify_answer(junk, sizeof junk, 200);
	free(deep);
}

static void an_identify_that_is_never_answered_times_out(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	TEST_NODE_UNTIL(&t, f.syns == 1, GN_SEC);
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_ACK, 2, 0);
	raw_peer_seal(&f);
	test_node_run(&t, 30 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->scope.used, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

/* ---- a lack of descriptors and memory ---- */

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Without free descriptors the listener waits without using CPU time.  It accepts again when there are
 * some. */
static void a_lack_of_descriptors_does_not_spin(void **state)
{
	struct rlimit was, few;
	struct raw_peer f[8];
	struct test_node t;
	int used[64], n = 0, keep;
	double cpu;

	(void)state;
	test_node_init(&t, false, &test_limits);
	for (int i = 0; i < 8; i++)
		raw_peer_connect(&f[i], &t, (uint8_t)(2 + i));
	TEST_NODE_UNTIL(&t, t.node->n_conns == 8, GN_SEC);
	for (int i = 0; i < 8; i++)
		raw_peer_abort(&f[i]);
	test_node_quiet(&t);
	/* Creates the sockets of the peers, then uses all other descriptors. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	keep = dup(0);
	assert_true(keep >= 0);
	few = was;
	few.rlim_cur = (rlim_t)keep + 6;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 2; i++)
		raw_peer_begin(&f[i], &t, (uint8_t)(2 + i));
	while (n < 64 && (used[n] = dup(keep)) >= 0)
		n++;
	cpu = cpu_seconds();
	test_node_run(&t, 500 * GN_MSEC);
	assert_true(cpu_seconds() - cpu < 0.25); /* the loop waits */
	assert_int_equal(t.node->n_conns, 0);
	/* A dial without a descriptor fails. */
	assert_int_not_equal(echo_client_try(&t, 40), GN_EOF);
	while (n > 0)
		close(used[--n]);
	close(keep);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	TEST_NODE_UNTIL(&t, t.node->n_conns == 2, 2 * GN_SEC);
	for (int i = 0; i < 2; i++)
		raw_peer_abort(&f[i]);
	test_node_stop(&t);
}

static size_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long size = 0, pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &size, &pages), 2);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void one_hostile_round(struct test_node *t, unsigned i)
{
	static const uint8_t junk[4096];
	struct raw_peer f;

	raw_peer_connect(&f, t, (uint8_t)(2 + i % 7));
	switch (i % 6) {
	case 0:
		raw_peer_put(&f, junk, sizeof junk);
		break;
	case 1:
		raw_peer_noise_1(&f);
		break;
	case 2:
		raw_peer_noise_1(&f);
		raw_peer_noise_3(&f, false);
		raw_peer_put(&f, junk, 100);
		break;
	case 3:
		raw_peer_noise_1(&f);
		raw_peer_noise_3(&f, true);
		for (uint32_t k = 0; k < 300; k++)
			raw_peer_stream(&f, 2 * k + 1, "/hold");
		break;
	case 4:
		raw_peer_noise_1(&f);
		raw_peer_noise_3(&f, true);
		for (uint32_t k = 0; k < 10; k++) {
			raw_peer_stream(&f, 2 * k + 1, k % 2 ? "/flood" : "/hold");
			raw_peer_data(&f, 0, 2 * k + 1, junk, sizeof junk);
			raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, 2 * k + 1, 0);
		}
		break;
	default:
		raw_peer_noise_1(&f);
		raw_peer_noise_3(&f, true);
		raw_peer_data(&f, YAMUX_SYN, 1, junk, sizeof junk);
	}
	raw_peer_seal(&f);
	test_node_run(t, 2 * GN_MSEC);
	raw_peer_abort(&f);
	TEST_NODE_UNTIL(t, t->node->n_conns == 0, 10 * GN_SEC);
	assert_int_equal(t->node->scope.used, 0);
	assert_int_equal(t->n_held, 0);
}

static void thousands_of_hostile_peers_leave_no_memory(void **state)
{
	struct test_node t;
	size_t before;

	(void)state;
	test_node_init(&t, true, &test_limits);
	for (unsigned i = 0; i < 300; i++)
		one_hostile_round(&t, i);
	before = resident();
	for (unsigned i = 0; i < 3000; i++)
		one_hostile_round(&t, i);
#ifndef __SANITIZE_ADDRESS__ /* the allocator of the sanitizer keeps freed memory */
	assert_true(resident() < before + (2 << 20));
#else
	(void)before;
#endif
	test_node_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(garbage_before_a_session_ends_the_connection, test_limits_reset),
		cmocka_unit_test_setup(ls_without_reading_is_bounded, test_limits_reset),
		cmocka_unit_test_setup(an_unauthenticated_peer_holds_little_memory, test_limits_reset),
		cmocka_unit_test_setup(a_malformed_handshake_ends_the_connection, test_limits_reset),
		cmocka_unit_test_setup(malformed_answers_to_identify_are_survived, test_limits_reset),
		cmocka_unit_test_setup(an_identify_that_is_never_answered_times_out, test_limits_reset),
		cmocka_unit_test_setup(a_lack_of_descriptors_does_not_spin, test_limits_reset),
		cmocka_unit_test_setup(thousands_of_hostile_peers_leave_no_memory, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
