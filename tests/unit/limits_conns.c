/* SPDX-License-Identifier: MIT */
/* The limits on connections, which peers try to exceed.  Loopback addresses have no limit on connections per
 * address.  A test that needs an address with this limit clears the property is_loopback of 127.0.0.x. */

#include "node/limits.h"
#include "support/support.h"

enum { PEERS = 12 };

static const uint8_t one[4] = {127, 0, 0, 1}, two[4] = {127, 0, 0, 2}, three[4] = {127, 0, 0, 3};
static struct gn_network *held;

static int setup(void **state)
{
	(void)state;
	gn_limits_init(&test_limits);
	held = NULL;
	return 0;
}

static void stop(struct test_node *t)
{
	test_node_quiet(t);
	test_node_serves(t);
	test_node_quiet(t);
	gn_networks_put(&t->node->networks, held);
	test_node_fini(t);
}

/* Subjects 127.0.0.x to the limits of other addresses, as long as the node exists. */
static void is_far(struct test_node *t, uint8_t x)
{
	struct gn_ip ip = {.addr = {127, 0, 0, x}};
	struct gn_multiaddr *a;

	assert_int_equal(gn_multiaddr_from_ip(&ip, &a), 0);
	held = gn_networks_get(&t->node->networks, a);
	assert_non_null(held);
	assert_true(held->is_loopback);
	held->is_loopback = false;
	gn_multiaddr_free(a);
}

/* Asserts that the peer was informed of this limit and that its connection ends. */
static void expect_go_away(struct test_node *t, struct raw_peer *f, uint32_t code)
{
	TEST_NODE_UNTIL(t, f->is_away, 5 * GN_SEC);
	assert_int_equal(f->away_code, code);
	f->link->ops->end(f->link);
	TEST_NODE_UNTIL(t, f->err != 0, 5 * GN_SEC);
	raw_peer_abort(f);
}

static void holds_a_stream(struct test_node *t, struct raw_peer *f)
{
	unsigned was = t->opened;

	raw_peer_stream(f, 1, "/hold");
	raw_peer_seal(f);
	TEST_NODE_UNTIL(t, t->opened == was + 1, 5 * GN_SEC);
}

/* ---- the limit conns ---- */

static void past_conns_the_peer_is_informed(void **state)
{
	struct raw_peer peers[PEERS];
	struct test_node t;

	(void)state;
	test_limits.conns = 4;
	test_node_init(&t, true, &test_limits);
	for (uint8_t i = 0; i < 4; i++)
		raw_peer_open(&peers[i], &t, (uint8_t)(i + 2));
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 4, GN_SEC);
	/* The last connection within the limit is admitted, and the next one is refused. */
	raw_peer_open(&peers[4], &t, 7);
	expect_go_away(&t, &peers[4], GN_GO_AWAY_CONNS);
	assert_int_equal(peers[3].err, 0);
	assert_false(peers[3].is_away);
	assert_int_equal(echo_client_try(&t, 50), GN_ECONNS);
	raw_peer_abort(&peers[0]);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 3, GN_SEC);
	test_node_serves(&t);
	for (int i = 1; i < 4; i++)
		raw_peer_abort(&peers[i]);
	stop(&t);
}

/* A connection counts towards `conns` only when it is secured. */
static void pending_connections_do_not_count_as_conns(void **state)
{
	struct raw_peer peers[PEERS];
	struct test_node t;

	(void)state;
	test_limits.conns = 2;
	test_node_init(&t, true, &test_limits);
	for (int i = 0; i < PEERS; i++)
		raw_peer_connect(&peers[i], &t, 2);
	test_node_run(&t, 20 * GN_MSEC);
	assert_int_equal(t.node->n_pending, PEERS);
	test_node_serves(&t);
	for (int i = 0; i < PEERS; i++) {
		assert_int_equal(peers[i].err, 0);
		raw_peer_abort(&peers[i]);
	}
	stop(&t);
}

static void few_peers_are_informed_at_once(void **state)
{
	struct raw_peer peers[PEERS];
	unsigned away = 0, reset = 0;
	struct test_node t;

	(void)state;
	test_limits.conns = 1;
	test_node_init(&t, true, &test_limits);
	for (uint8_t i = 0; i < PEERS; i++)
		raw_peer_open(&peers[i], &t, (uint8_t)(i + 2));
	test_node_run(&t, 20 * GN_MSEC);
	/* The peers do not close: 1 is admitted, 8 are informed, 3 are dropped. */
	for (int i = 0; i < PEERS; i++) {
		away += peers[i].is_away;
		reset += peers[i].err == GN_ERESET && !peers[i].is_away;
	}
	assert_int_equal(away, 8);
	assert_int_equal(reset, PEERS - 9);
	assert_int_equal(t.node->n_refused, 8);
	/* The connections of the informed peers are dropped after a while. */
	TEST_NODE_UNTIL(&t, t.node->n_refused == 0, 5 * GN_SEC);
	for (int i = 0; i < PEERS; i++)
		raw_peer_abort(&peers[i]);
	stop(&t);
}

/* Dialled connections count towards `conns`, and dials beyond the limit fail. */
static void dialled_connections_count(void **state)
{
	struct gn_node *other;
	struct gn_key *key = test_node_key(7);
	const struct gn_multiaddr *addr;
	struct outcome o;
	struct raw_peer f[2];
	struct test_node t;

	(void)state;
	test_limits.conns = 2;
	test_node_init(&t, true, &test_limits);
	other = test_node_node(t.loop, key, &test_limits);
	test_node_serve(other, &t);
	addr = test_node_listen(other, "/memory/8");
	for (int i = 0; i < 2; i++)
		raw_peer_open(&f[i], &t, (uint8_t)(i + 2));
	outcome_dial(t.node, &o, &addr, 1);
	TEST_NODE_UNTIL(&t, o.done > 0, GN_SEC);
	assert_int_equal(o.err, GN_ELIMIT);
	assert_int_equal(t.node->n_conns, 2);
	raw_peer_abort(&f[0]);
	TEST_NODE_UNTIL(&t, t.node->n_conns == 1, GN_SEC);
	outcome_dial(t.node, &o, &addr, 1);
	TEST_NODE_UNTIL(&t, o.done > 0, GN_SEC);
	assert_int_equal(o.err, 0);
	gn_channel_free(o.ch);
	raw_peer_abort(&f[1]);
	gn_node_free(other);
	gn_key_free(key);
	gn_multiaddr_free((struct gn_multiaddr *)(uintptr_t)addr);
	stop(&t);
}

/* All connections come from one address without a limit of its own, and none has a stream. */
static void one_address_does_not_keep_all_connections(void **state)
{
	struct raw_peer peers[4], other, late;
	struct test_node t;

	(void)state;
	test_limits.conns = 4;
	test_node_init(&t, false, &test_limits);
	raw_peer_open_from(&peers[0], &t, 2, two);
	holds_a_stream(&t, &peers[0]);
	for (uint8_t i = 1; i < 4; i++)
		raw_peer_open_from(&peers[i], &t, (uint8_t)(i + 2), two);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 4, 5 * GN_SEC);
	/* Connections that are younger than a second are not closed. */
	raw_peer_open_from(&late, &t, 20, three);
	expect_go_away(&t, &late, GN_GO_AWAY_CONNS);
	test_node_run(&t, GN_SEC + 50 * GN_MSEC);
	/* The next connection of this address is refused.  One of another address replaces the oldest unused
	 * connection. */
	raw_peer_open_from(&late, &t, 21, two);
	expect_go_away(&t, &late, GN_GO_AWAY_CONNS);
	raw_peer_open_from(&other, &t, 22, three);
	holds_a_stream(&t, &other);
	assert_int_equal(t.node->n_admitted, 4);
	TEST_NODE_UNTIL(&t, peers[1].err != 0, 5 * GN_SEC);
	assert_int_equal(peers[0].err, 0);
	assert_int_equal(peers[2].err, 0);
	assert_int_equal(peers[3].err, 0);
	assert_int_equal(other.err, 0);
	for (int i = 0; i < 4; i++)
		raw_peer_abort(&peers[i]);
	raw_peer_abort(&other);
	stop(&t);
}

/* A connection that is closing frees its place late, so another one is closed to make room. */
static void a_closing_connection_makes_no_room(void **state)
{
	struct raw_peer foes[4], other;
	struct test_node t;

	(void)state;
	test_limits.conns = 4;
	test_node_init(&t, false, &test_limits);
	for (uint8_t i = 0; i < 4; i++)
		raw_peer_open_from(&foes[i], &t, (uint8_t)(i + 2), two);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 4, 5 * GN_SEC);
	test_node_run(&t, GN_SEC + 50 * GN_MSEC);
	gn_conn_close(test_node_first_conn(&t));
	assert_int_equal(t.node->n_admitted, 4);
	raw_peer_open_from(&other, &t, 22, three);
	holds_a_stream(&t, &other);
	TEST_NODE_UNTIL(&t, foes[1].err != 0, 5 * GN_SEC);
	assert_true(foes[2].err == 0 && foes[3].err == 0);
	for (int i = 0; i < 4; i++)
		raw_peer_abort(&foes[i]);
	raw_peer_abort(&other);
	stop(&t);
}

/* A connection that was closed to make room is in no counter, so it has 10 s, even if it makes progress all the time. */
static void a_peer_that_was_closed_to_make_room_cannot_stay(void **state)
{
	static const uint8_t ping[32];
	struct raw_peer f;
	struct test_node t;
	struct gn_conn *c;

	(void)state;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	raw_peer_stream(&f, 1, "/ipfs/ping/1.0.0");
	raw_peer_seal(&f);
	c = test_node_first_conn(&t);
	TEST_NODE_UNTIL(&t, c->n_used == 1, 5 * GN_SEC);
	gn_conn_count_as(c, GN_COUNT_NONE);
	gn_conn_close(c);
	for (int s = 0; s < 9; s++) {
		raw_peer_data(&f, 0, 1, ping, sizeof ping);
		raw_peer_seal(&f);
		test_node_run(&t, GN_SEC);
	}
	assert_int_equal(t.node->n_conns, 1);
	for (int s = 0; s < 5; s++) {
		raw_peer_data(&f, 0, 1, ping, sizeof ping);
		raw_peer_seal(&f);
		test_node_run(&t, GN_SEC);
	}
	assert_int_equal(t.node->n_conns, 0);
	raw_peer_abort(&f);
	stop(&t);
}

/* Inbound connections that carry streams take all places but 1/32, and the rest is for the dials of this node. */
static void inbound_connections_leave_places_for_dials(void **state)
{
	enum { CONNS = 32 };
	static struct raw_peer peers[CONNS];
	struct test_node t;

	(void)state;
	test_limits.conns = CONNS;
	test_node_init(&t, true, &test_limits);
	for (uint8_t i = 0; i < CONNS - 1; i++) {
		raw_peer_open(&peers[i], &t, (uint8_t)(i + 2));
		holds_a_stream(&t, &peers[i]);
	}
	assert_int_equal(t.node->n_admitted, CONNS - 1);
	raw_peer_open(&peers[CONNS - 1], &t, CONNS + 1);
	expect_go_away(&t, &peers[CONNS - 1], GN_GO_AWAY_CONNS);
	assert_int_equal(t.node->n_admitted, CONNS - 1);
	assert_true(gn_node_has_place(t.node));
	t.node->n_admitted++; /* as if one were dialled */
	assert_false(gn_node_has_place(t.node));
	t.node->n_admitted--;
	for (int i = 0; i < CONNS - 1; i++)
		raw_peer_abort(&peers[i]);
	stop(&t);
}

/* ---- the limit conns_per_addr ---- */

static void past_conns_per_addr_the_peer_is_informed(void **state)
{
	struct raw_peer peers[3], late, other;
	struct test_node t;

	(void)state;
	test_limits.conns_per_addr = 3;
	test_node_init(&t, false, &test_limits);
	is_far(&t, 2);
	for (uint8_t i = 0; i < 3; i++)
		raw_peer_open_from(&peers[i], &t, (uint8_t)(i + 2), two);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == 3, 5 * GN_SEC);
	raw_peer_open_from(&late, &t, 20, two);
	expect_go_away(&t, &late, GN_GO_AWAY_CONNS_PER_ADDR);
	for (int i = 0; i < 3; i++)
		assert_false(peers[i].is_away || peers[i].err != 0);
	raw_peer_open_from(&other, &t, 21, three);
	holds_a_stream(&t, &other);
	raw_peer_abort(&other);
	/* After one connection has ended, another one is admitted. */
	raw_peer_abort(&peers[0]);
	TEST_NODE_UNTIL(&t, held->conns == 2, 5 * GN_SEC);
	raw_peer_open_from(&late, &t, 22, two);
	holds_a_stream(&t, &late);
	raw_peer_abort(&late);
	for (int i = 1; i < 3; i++)
		raw_peer_abort(&peers[i]);
	stop(&t);
}

static void the_loopback_has_no_limit_of_connections(void **state)
{
	struct raw_peer peers[PEERS];
	struct test_node t;

	(void)state;
	test_limits.conns_per_addr = 3;
	test_node_init(&t, false, &test_limits);
	for (uint8_t i = 0; i < PEERS; i++)
		raw_peer_open_from(&peers[i], &t, (uint8_t)(i + 2), two);
	TEST_NODE_UNTIL(&t, t.node->n_admitted == PEERS, 5 * GN_SEC);
	for (int i = 0; i < PEERS; i++) {
		assert_false(peers[i].is_away);
		raw_peer_abort(&peers[i]);
	}
	stop(&t);
}

/* A peer is served although other peers at its address connect and send nothing. */
static void silent_connections_do_not_count_as_conns_per_addr(void **state)
{
	struct raw_peer peers[PEERS], client;
	struct test_node t;

	(void)state;
	test_limits.conns_per_addr = 3;
	test_limits.conns_pending = 8;
	test_node_init(&t, false, &test_limits);
	is_far(&t, 2);
	for (int i = 0; i < PEERS; i++)
		raw_peer_connect_from(&peers[i], &t, 2, two);
	TEST_NODE_UNTIL(&t, t.node->n_pending == 8, 5 * GN_SEC);
	raw_peer_open_from(&client, &t, 20, two);
	holds_a_stream(&t, &client);
	for (int i = 0; i < PEERS; i++)
		raw_peer_abort(&peers[i]);
	raw_peer_abort(&client);
	stop(&t);
}

/* ---- the limit conns_pending ---- */

static void the_oldest_pending_of_the_largest_address_is_closed(void **state)
{
	struct raw_peer peers[PEERS], slow;
	struct test_node t;

	(void)state;
	test_limits.conns_pending = 4;
	test_node_init(&t, false, &test_limits);
	/* The slow peer connects before all others. */
	raw_peer_connect_from(&slow, &t, 9, three);
	for (int i = 0; i < PEERS; i++) {
		raw_peer_connect_from(&peers[i], &t, 2, i % 2 ? one : two);
		TEST_NODE_UNTIL(&t, peers[i].dial == NULL, GN_SEC);
		test_node_run(&t, 2 * GN_MSEC);
		assert_true(t.node->n_pending <= 4);
	}
	TEST_NODE_UNTIL(&t, peers[PEERS - 4].err != 0, 5 * GN_SEC);
	for (int i = 0; i < PEERS; i++)
		assert_int_equal(peers[i].err, i < PEERS - 3 ? GN_ERESET : 0);
	raw_peer_noise_1(&slow);
	raw_peer_noise_3(&slow, true);
	holds_a_stream(&t, &slow);
	test_node_serves(&t);
	raw_peer_abort(&slow);
	for (int i = 0; i < PEERS; i++)
		raw_peer_abort(&peers[i]);
	stop(&t);
}

/* Silent connections of several addresses are made repeatedly while no time passes. */
static void silent_connections_do_not_delay_others(void **state)
{
	struct raw_peer peers[PEERS];
	struct test_node t;
	gn_time begin;

	(void)state;
	test_limits.conns_pending = 4;
	test_node_init(&t, true, &test_limits);
	for (int i = 0; i < PEERS; i++)
		raw_peer_begin(&peers[i], &t, 2);
	test_node_run(&t, 20 * GN_MSEC);
	assert_int_equal(t.node->n_pending, 4);
	for (int round = 0; round < 20; round++) {
		begin = gn_loop_now(t.loop);
		test_node_serves(&t);
		assert_true(gn_loop_now(t.loop) - begin < GN_SEC);
		raw_peer_abort(&peers[round % PEERS]);
		raw_peer_begin(&peers[round % PEERS], &t, 2);
	}
	for (int i = 0; i < PEERS; i++)
		raw_peer_abort(&peers[i]);
	stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(past_conns_the_peer_is_informed, setup),
		cmocka_unit_test_setup(pending_connections_do_not_count_as_conns, setup),
		cmocka_unit_test_setup(few_peers_are_informed_at_once, setup),
		cmocka_unit_test_setup(dialled_connections_count, setup),
		cmocka_unit_test_setup(one_address_does_not_keep_all_connections, setup),
		cmocka_unit_test_setup(a_closing_connection_makes_no_room, setup),
		cmocka_unit_test_setup(a_peer_that_was_closed_to_make_room_cannot_stay, setup),
		cmocka_unit_test_setup(inbound_connections_leave_places_for_dials, setup),
		cmocka_unit_test_setup(past_conns_per_addr_the_peer_is_informed, setup),
		cmocka_unit_test_setup(the_loopback_has_no_limit_of_connections, setup),
		cmocka_unit_test_setup(silent_connections_do_not_count_as_conns_per_addr, setup),
		cmocka_unit_test_setup(the_oldest_pending_of_the_largest_address_is_closed, setup),
		cmocka_unit_test_setup(silent_connections_do_not_delay_others, setup),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
