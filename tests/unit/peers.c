/* SPDX-License-Identifier: MIT */
/* lib/node/peers, and the lookups of the node that use it. */
#include <errno.h>

#include "node/limits.h"
#include "node/peers.h"
#include "support/support.h"

enum { FEW = 10, MANY = 1000 };

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

static bool fails; /* calloc() returns NULL */

void *__wrap_calloc(size_t n, size_t size)
{
	return fails ? NULL : __real_calloc(n, size);
}

static struct gn_peer_id id_of(unsigned i)
{
	struct gn_peer_id id = {.len = 34, .bytes = {0x12, 0x20, [30] = (uint8_t)(i >> 8), (uint8_t)i}};

	return id;
}

/* ---- the table ---- */

static void a_peer_is_freed_with_its_last_reference(void **state)
{
	static struct gn_peer *peers[MANY];
	struct gn_peers t;

	(void)state;
	gn_peers_init(&t, 1);
	for (unsigned i = 0; i < MANY; i++) {
		struct gn_peer_id id = id_of(i);

		assert_null(gn_peers_find(&t, &id));
		peers[i] = gn_peers_get(&t, &id);
		assert_non_null(peers[i]);
	}
	assert_int_equal(t.n, MANY);
	t.visits = 0;
	for (unsigned i = 0; i < MANY; i++) {
		struct gn_peer_id id = id_of(i);

		assert_ptr_equal(gn_peers_find(&t, &id), peers[i]);
		assert_int_equal(peers[i]->refs, 1);
		assert_ptr_equal(gn_peers_get(&t, &id), peers[i]);
		assert_int_equal(peers[i]->refs, 2);
	}
	assert_true(t.visits < 4 * 2 * MANY); /* chains are short */
	for (unsigned i = 0; i < MANY; i++) {
		struct gn_peer_id id = id_of(i);

		gn_peers_put(&t, peers[i]);
		assert_ptr_equal(gn_peers_find(&t, &id), peers[i]);
		gn_peers_put(&t, peers[i]);
		assert_null(gn_peers_find(&t, &id));
	}
	gn_peers_put(&t, NULL);
	assert_int_equal(t.n, 0);
	gn_peers_fini(&t);
}

static void without_memory_no_peer_is_added(void **state)
{
	struct gn_peer_id id = id_of(1);
	struct gn_peers t;
	struct gn_peer *p;

	(void)state;
	gn_peers_init(&t, 1);
	fails = true;
	assert_null(gn_peers_get(&t, &id));
	fails = false;
	assert_int_equal(t.n, 0);
	p = gn_peers_get(&t, &id);
	fails = true;
	assert_ptr_equal(gn_peers_get(&t, &id), p); /* a peer that exists needs no memory */
	fails = false;
	gn_peers_put(&t, p);
	gn_peers_put(&t, p);
	gn_peers_fini(&t);
}

/* ---- many connections ---- */

static struct test_node t;
static struct gn_node *clients[MANY];
static unsigned n_clients;

static void crowd_add(unsigned i)
{
	const struct gn_multiaddr *addr = t.addr;
	struct gn_key *key;
	struct outcome o;

	assert_int_equal(gn_key_new(&key), 0);
	clients[i] = test_node_node(t.loop, key, &test_limits);
	gn_key_free(key);
	outcome_dial(clients[i], &o, &addr, 1);
	TEST_NODE_UNTIL(&t, o.done > 0, 5 * GN_SEC);
	assert_int_equal(o.err, 0);
	gn_channel_end(o.ch);
	gn_channel_free(o.ch);
	n_clients++;
}

/* Everything that the node has visited in order to admit connections and streams and to look up peers. */
static uint64_t crowd_visits(void)
{
	const struct gn_networks *n = &t.node->networks;

	return t.node->peers.visits + n->visits + n->by_pending.compares + n->by_conns.compares;
}

/* The visits for one more connection with one stream, and for the lookup of its peer. */
static uint64_t crowd_cost(void)
{
	uint64_t before = crowd_visits();
	struct gn_peer_id id;
	unsigned i = n_clients;

	crowd_add(i);
	test_node_run(&t, 10 * GN_MSEC); /* until the stream has ended at the node, too */
	gn_node_id(clients[i], &id);
	assert_non_null(gn_node_find_conn(t.node, &id, 0));
	assert_int_equal(t.node->n_admitted, n_clients);
	return crowd_visits() - before;
}

static void a_connection_and_a_stream_cost_the_same_however_many_are_open(void **state)
{
	uint64_t few, many;

	(void)state;
	gn_limits_init(&test_limits);
	test_limits.conns = 2 * MANY;
	test_limits.first_stream = 3600 * GN_SEC;
	test_limits.keepalive = GN_NEVER;
	test_node_init(&t, true, &test_limits);
	while (n_clients < FEW)
		crowd_add(n_clients);
	few = crowd_cost();
	while (n_clients < MANY - 1)
		crowd_add(n_clients);
	many = crowd_cost();
	assert_int_equal(n_clients, MANY);
	assert_int_equal(t.node->peers.n, MANY);
	/* Only the chains of the hash table may differ. */
	assert_true(few > 0 && many <= few + 30);
	for (unsigned i = 0; i < n_clients; i++)
		gn_node_free(clients[i]);
	test_node_run(&t, GN_SEC);
	assert_int_equal(t.node->peers.n, 0);
	test_node_fini(&t);
}

/* ---- one peer ---- */

static void an_expected_peer_has_an_entry_before_it_is_secured(void **state)
{
	struct gn_peer *p;
	struct outcome o;
	struct net w;

	(void)state;
	net_init(&w, 2, NULL);
	outcome_dial(w.node[0], &o, (const struct gn_multiaddr *const *)&w.addr[1], 1);
	p = gn_peers_find(&w.node[0]->peers, &w.node[1]->id);
	assert_non_null(p);
	assert_int_equal(p->n_conns, 0);
	assert_null(gn_node_find_conn(w.node[0], &w.node[1]->id, 0));
	net_run(&w, GN_SEC);
	assert_int_equal(o.err, 0);
	assert_int_equal(p->n_conns, 1);
	assert_int_equal(p->refs, 1);
	assert_ptr_equal(gn_node_find_conn(w.node[0], &w.node[1]->id, 0), net_conn(&w, 0, 0));
	assert_ptr_equal(gn_node_find_conn(w.node[1], &w.node[0]->id, 0), net_conn(&w, 1, 0));
	gn_channel_free(o.ch);
	gn_conn_abort(net_conn(&w, 0, 0), GN_ECLOSED);
	net_run(&w, GN_SEC);
	assert_int_equal(w.node[0]->peers.n, 0);
	assert_int_equal(w.node[1]->peers.n, 0);
	net_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_is_freed_with_its_last_reference),
		cmocka_unit_test(without_memory_no_peer_is_added),
		cmocka_unit_test(a_connection_and_a_stream_cost_the_same_however_many_are_open),
		cmocka_unit_test(an_expected_peer_has_an_entry_before_it_is_secured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
