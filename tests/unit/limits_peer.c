/* SPDX-License-Identifier: MIT */
/* The limits `memory` and `memory_per_peer`, which a peer tries to use up: with bytes that the program does not read, on
 * one connection or on several, from one address or from several. */
#include "node/stream.h"
#include "support/support.h"

enum { STREAMS = 16, PIECE = 16000, WINDOW_PIECES = 16 /* 256,000 bytes */ };

static const uint8_t two[4] = {127, 0, 0, 2}, three[4] = {127, 0, 0, 3};

/* Opens streams of /hold from number `first` on, which the node's program does not read. */
static void hold(struct raw_peer *f, unsigned first, unsigned n)
{
	for (uint32_t i = first; i < first + n; i++)
		raw_peer_stream(f, 2 * i + 1, "/hold");
	raw_peer_seal(f);
}

/* Sends a piece of data on each of the streams, and waits until other connections have used the I/O buffers. */
static void send_pieces(struct raw_peer *f, unsigned n)
{
	static const uint8_t junk[PIECE];

	for (uint32_t i = 0; i < n; i++)
		raw_peer_data(f, 0, 2 * i + 1, junk, sizeof junk);
	raw_peer_seal(f);
}

/* The connection of the node whose peer is this one. */
static struct gn_conn *conn_of(const struct test_node *t, uint8_t seed)
{
	struct gn_key *key = test_node_key(seed);
	struct gn_peer_id id;
	struct gn_conn *c;

	gn_key_id(key, &id);
	gn_key_free(key);
	c = gn_node_find_conn(t->node, &id, 0);
	assert_non_null(c);
	return c;
}

/* ---- the boundary ---- */

static void a_peer_at_its_limit_gets_no_new_stream(void **state)
{
	struct gn_stream out;
	struct test_node t;
	struct raw_peer f;
	struct gn_conn *c;
	size_t left;

	(void)state;
	test_limits.memory_per_peer = 1 << 20;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	test_node_run(&t, 11 * GN_SEC); /* the streams of identify have ended */
	f.rsts = 0;
	c = test_node_first_conn(&t);
	/* One byte is left. */
	left = (1 << 20) - 1 - c->peer->scope.used;
	gn_scope_force(&c->scope, left);
	hold(&f, 0, 1);
	TEST_NODE_UNTIL(&t, t.opened == 1, GN_SEC);
	assert_int_equal(gn_stream_open(&out, c, "/x", 0), 0);
	gn_stream_reset(&out);
	gn_stream_close(&out);
	/* No byte is left. */
	test_node_run(&t, 10 * GN_MSEC);
	assert_int_equal(c->peer->scope.used, (1 << 20) - 1);
	gn_scope_force(&c->scope, 1);
	f.rsts = 0;
	hold(&f, 1, 1);
	TEST_NODE_UNTIL(&t, f.rsts == 1, GN_SEC);
	assert_int_equal(t.opened, 1);
	assert_int_equal(gn_stream_open(&out, c, "/x", 0), GN_ELIMIT);
	test_node_serves(&t); /* another peer */
	gn_scope_give(&c->scope, left + 1);
	hold(&f, 2, 1);
	TEST_NODE_UNTIL(&t, t.opened == 2, GN_SEC);
	assert_int_equal(f.err, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

/* Received bytes that fit into memory_per_peer are kept, and one block more resets the stream that needs it. */
static void what_overflows_resets_its_stream_and_the_session_goes_on(void **state)
{
	struct test_node t;
	struct raw_peer f;
	struct gn_conn *c;
	size_t left;

	(void)state;
	test_limits.memory_per_peer = 1 << 20;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	test_node_run(&t, 11 * GN_SEC);
	f.rsts = 0;
	c = test_node_first_conn(&t);
	hold(&f, 0, 2);
	TEST_NODE_UNTIL(&t, t.opened == 2, GN_SEC);
	/* There is room for the block of one piece. */
	left = (1 << 20) - gn_block_room(PIECE) - c->peer->scope.used;
	gn_scope_force(&c->scope, left);
	send_pieces(&f, 1);
	test_node_serves(&t);
	assert_int_equal(f.rsts, 0);
	assert_int_equal(c->peer->scope.used, 1 << 20);
	gn_channel_free(t.held[0]);
	t.held[0] = t.held[--t.n_held];
	test_node_run(&t, 10 * GN_MSEC);
	assert_int_equal(c->peer->scope.used, left);
	f.rsts = 0;
	/* There is room for a byte less. */
	gn_scope_force(&c->scope, 1);
	{
		static const uint8_t junk[PIECE];

		raw_peer_data(&f, 0, 3, junk, sizeof junk);
		raw_peer_seal(&f);
	}
	test_node_run(&t, 10 * GN_MSEC);
	assert_int_equal(gn_channel_error(t.held[0]), 0); /* the bytes are still in the I/O buffers */
	test_node_serves(&t);
	test_node_run(&t, 10 * GN_MSEC);
	assert_int_equal(f.rsts, 1);
	assert_int_equal(c->peer->scope.used, left + 1);
	gn_scope_give(&c->scope, left + 1);
	/* The session goes on. */
	f.data = 0;
	raw_peer_stream(&f, 101, "/echo");
	raw_peer_data(&f, 0, 101, "ping", 4);
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, f.data >= 27 + 4, GN_SEC);
	assert_int_equal(f.err, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

/* ---- several connections of a peer ---- */

static void two_connections_of_a_peer_share_its_memory(void **state)
{
	struct test_node t;
	struct raw_peer f[2];
	struct gn_peer *peer;

	(void)state;
	test_limits.memory_per_peer = 1 << 20;
	test_node_init(&t, false, &test_limits);
	raw_peer_open_from(&f[0], &t, 2, two);
	raw_peer_open_from(&f[1], &t, 2, three);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 2, 5 * GN_SEC);
	peer = conn_of(&t, 2)->peer;
	assert_int_equal(peer->n_conns, 2);
	for (int k = 0; k < 2; k++)
		hold(&f[k], 0, STREAMS);
	TEST_NODE_UNTIL(&t, t.opened == 2 * STREAMS, 5 * GN_SEC);
	assert_true(peer->scope.streams >= 2 * STREAMS);
	for (int i = 0; i < WINDOW_PIECES; i++) {
		for (int k = 0; k < 2; k++)
			send_pieces(&f[k], STREAMS);
		test_node_run(&t, 10 * GN_MSEC);
		assert_true(peer->scope.used <= 1 << 20);
	}
	test_node_serves(&t);
	TEST_NODE_UNTIL(&t, f[0].rsts > 0 && f[1].rsts > 0, 5 * GN_SEC);
	assert_int_equal(f[0].err, 0);
	assert_int_equal(f[1].err, 0);
	/* What one connection gives back, the other may use. */
	raw_peer_abort(&f[0]);
	TEST_NODE_UNTIL(&t, peer->n_conns == 1, 5 * GN_SEC);
	while (t.n_held > 0)
		test_node_drop(&t, t.held[0]);
	TEST_NODE_UNTIL(&t, peer->scope.used == 0, 5 * GN_SEC);
	hold(&f[1], 100, 1);
	TEST_NODE_UNTIL(&t, t.n_held == 1, 5 * GN_SEC);
	raw_peer_abort(&f[1]);
	test_node_stop(&t);
}

/* ---- the others ---- */

/* One peer sends all that its windows allow, and another one is served and may fill its window, too. */
static void one_peer_that_takes_all_it_can_leaves_others_their_windows(void **state)
{
	struct raw_peer f, other;
	struct test_node t;
	size_t most = 0;

	(void)state;
	test_limits.memory = 8 << 20; /* a peer may use 1 MiB */
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	raw_peer_open(&other, &t, 3);
	test_node_run(&t, 11 * GN_SEC);
	hold(&f, 0, STREAMS);
	TEST_NODE_UNTIL(&t, t.opened == STREAMS, GN_SEC);
	f.rsts = other.rsts = 0;
	for (int i = 0; i < WINDOW_PIECES; i++) {
		send_pieces(&f, STREAMS);
		test_node_run(&t, 10 * GN_MSEC);
		most = t.node->scope.used > most ? t.node->scope.used : most;
	}
	assert_true(most > (1 << 20) / 2 && most <= 1 << 20);
	assert_true(f.rsts > 0 && f.rsts <= STREAMS);
	hold(&other, 0, 2);
	TEST_NODE_UNTIL(&t, t.opened == STREAMS + 2, GN_SEC);
	for (int i = 0; i < WINDOW_PIECES; i++) {
		send_pieces(&other, 2);
		send_pieces(&f, STREAMS);
		test_node_run(&t, 10 * GN_MSEC);
	}
	test_node_serves(&t);
	assert_int_equal(other.rsts, 0);
	assert_true(conn_of(&t, 3)->peer->scope.used >= 2 * (WINDOW_PIECES - 1) * PIECE);
	raw_peer_abort(&f);
	raw_peer_abort(&other);
	test_node_stop(&t);
}

/* Peer ids cost nothing: many peers of one address together use at most half of the memory. */
static void peers_of_one_address_leave_memory_to_others(void **state)
{
	enum { PEERS = 6 };
	struct raw_peer f[PEERS], other;
	struct test_node t;

	(void)state;
	test_limits.memory = 4 << 20;
	test_limits.memory_per_peer = 1 << 20;
	test_node_init(&t, false, &test_limits);
	for (uint8_t k = 0; k < PEERS; k++) {
		raw_peer_open_from(&f[k], &t, (uint8_t)(k + 2), two);
		hold(&f[k], 0, STREAMS);
	}
	TEST_NODE_UNTIL(&t, t.opened == PEERS * STREAMS, 5 * GN_SEC);
	for (int i = 0; i < WINDOW_PIECES; i++) {
		for (int k = 0; k < PEERS; k++)
			send_pieces(&f[k], STREAMS);
		test_node_run(&t, 20 * GN_MSEC);
		assert_true(t.node->scope.used <= 2 << 20);
	}
	assert_true(t.node->scope.used > 1 << 20);
	raw_peer_open_from(&other, &t, 20, three);
	hold(&other, 0, 2);
	for (int i = 0; i < WINDOW_PIECES; i++) {
		send_pieces(&other, 2);
		test_node_run(&t, 20 * GN_MSEC);
	}
	test_node_serves(&t);
	assert_int_equal(other.rsts, 0);
	for (int k = 0; k < PEERS; k++)
		raw_peer_abort(&f[k]);
	raw_peer_abort(&other);
	test_node_stop(&t);
}

/* ---- before the handshake ---- */

/* A pending connection is charged to its network, and to its peer only when that has proved its identity. */
static void a_connection_moves_from_its_network_to_its_peer(void **state)
{
	struct test_node t;
	struct raw_peer f;
	struct gn_conn *c;

	(void)state;
	test_node_init(&t, true, &test_limits);
	raw_peer_connect(&f, &t, 2);
	test_node_run(&t, GN_MSEC);
	c = test_node_first_conn(&t);
	assert_null(c->scope.peer);
	gn_scope_force(&c->scope, 5000);
	assert_int_equal(c->network->scope.used, 5000);
	raw_peer_noise_1(&f);
	raw_peer_noise_3(&f, true);
	TEST_NODE_UNTIL(&t, c->session != NULL, GN_SEC);
	assert_ptr_equal(c->scope.peer, &c->peer->scope);
	assert_true(c->peer->scope.used >= 5000);
	assert_int_equal(c->peer->scope.used, t.node->scope.used);
	gn_scope_give(&c->scope, 5000);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_peer_at_its_limit_gets_no_new_stream, test_limits_reset),
		cmocka_unit_test_setup(what_overflows_resets_its_stream_and_the_session_goes_on, test_limits_reset),
		cmocka_unit_test_setup(two_connections_of_a_peer_share_its_memory, test_limits_reset),
		cmocka_unit_test_setup(one_peer_that_takes_all_it_can_leaves_others_their_windows, test_limits_reset),
		cmocka_unit_test_setup(peers_of_one_address_leave_memory_to_others, test_limits_reset),
		cmocka_unit_test_setup(a_connection_moves_from_its_network_to_its_peer, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
