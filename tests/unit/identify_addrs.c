/* SPDX-License-Identifier: MIT */
/* Identify and the addresses of a node: identify sends announced addresses to peers, and adds the addresses
 * that peers observe to node->own. */
#include "protocols/identify.h"
#include "support/support.h"

static int setup(void **state)
{
	struct gn_mem_cfg mem = {.seed = 1, .delay = 5 * GN_MSEC};
	struct net *w = calloc(1, sizeof *w);

	assert_non_null(w);
	net_init(w, 2, NULL);
	gn_mem_set(w->loop, &mem);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct net *w = *state;

	net_fini(w);
	free(w);
	return 0;
}

static void on_done(void *arg, int err, const struct gn_identify_info *info)
{
	(void)arg;
	(void)info;
	assert_int_equal(err, 0);
}

/* Starts an identify operation, for which node 0 dials node 1. */
static void ask(struct net *w)
{
	const struct gn_multiaddr *addrs[] = {w->addr[1]};
	struct gn_identify_cfg cfg = {.target = {.addrs = addrs, .n_addrs = 1}, .on_done = on_done};
	struct gn_identify *op;

	assert_int_equal(gn_identify_start(w->node[0], &cfg, &op), 0);
}

/* Runs until the node has a connection and its identify request is pending. */
static void run_to_query(struct net *w, size_t node)
{
	for (int k = 0; k < 1000; k++) {
		const struct gn_conn *c = net_conn(w, node, 0);
		const struct gn_identify_peer *peer =
			c != NULL ? gn_identify_peer_find(gn_node_service(c->node, &gn_service_identify), c) : NULL;

		if (peer != NULL && peer->query != NULL)
			return;
		net_run(w, GN_MSEC);
	}
	fail_msg("node %zu never asks", node);
}

/* Returns whether the node has stored this address of the other node. */
static bool knows_addr(struct net *w, size_t node, const char *text)
{
	struct gn_multiaddr *a = net_addr(text);
	struct gn_identify_view v;
	bool has = false;

	assert_int_equal(gn_identify_get(net_conn(w, node, 0), &v), 0);
	for (size_t i = 0; i < v.info.n_listen; i++)
		has |= gn_multiaddr_is_equal(v.info.listen[i], a);
	gn_identify_view_fini(&v);
	gn_multiaddr_free(a);
	return has;
}

static void an_announced_address_is_pushed_and_so_is_its_end(void **state)
{
	struct net *w = *state;
	struct gn_multiaddr *a = net_addr("/ip4/8.8.8.8/tcp/4001");

	assert_int_equal(gn_addr_announce(w->node[1], a), 0);
	ask(w);
	net_run(w, GN_SEC);
	assert_true(knows_addr(w, 0, "/ip4/8.8.8.8/tcp/4001"));
	assert_int_equal(gn_addr_withdraw(w->node[1], a), 0);
	net_run(w, 2 * GN_SEC);
	assert_false(knows_addr(w, 0, "/ip4/8.8.8.8/tcp/4001"));
	assert_int_equal(gn_addr_announce(w->node[1], a), 0);
	net_run(w, 2 * GN_SEC);
	assert_true(knows_addr(w, 0, "/ip4/8.8.8.8/tcp/4001"));
	gn_multiaddr_free(a);
}

static void set_remote(struct net *w, size_t node, const char *text)
{
	struct gn_conn *c = net_conn(w, node, 0);

	gn_multiaddr_free(c->remote);
	c->remote = net_addr(text);
}

static void an_address_that_a_peer_observed_becomes_a_candidate(void **state)
{
	struct net *w = *state;
	const struct gn_own_addr *a;
	struct gn_multiaddr *want;

	ask(w);
	run_to_query(w, 1);
	set_remote(w, 0, "/ip4/9.9.9.9/tcp/7");
	set_remote(w, 1, "/ip4/8.8.8.8/tcp/9");
	net_run(w, GN_SEC);
	/* Node 1 was dialled, so the observed address is that of its listener.  Node 0 dialled and has no TCP
	 * listener, so the address observed of it is not usable. */
	assert_int_equal(w->node[0]->own.n[GN_OWN_OBSERVED], 0);
	assert_int_equal(w->node[1]->own.n[GN_OWN_OBSERVED], 1);
	a = gn_list_first(&w->node[1]->own.addrs[GN_OWN_OBSERVED], struct gn_own_addr, link);
	want = net_addr("/ip4/9.9.9.9/tcp/7");
	assert_true(gn_multiaddr_is_equal(a->addr, want));
	assert_int_equal(a->state, GN_OWN_CANDIDATE);
	gn_multiaddr_free(want);
}

static struct gn_link_ops ops;

static bool always(struct gn_link *link)
{
	(void)link;
	return true;
}

static void the_address_of_a_connection_dialled_from_a_listener_becomes_a_candidate(void **state)
{
	struct net *w = *state;
	const struct gn_own_addr *a;
	struct gn_multiaddr *want = net_addr("/ip4/8.8.8.8/tcp/9");

	ask(w);
	run_to_query(w, 0);
	set_remote(w, 0, "/ip4/9.9.9.9/tcp/7");
	set_remote(w, 1, "/ip4/8.8.8.8/tcp/9");
	ops = *net_conn(w, 0, 0)->link->ops;
	ops.is_from_listener = always;
	net_conn(w, 0, 0)->link->ops = &ops;
	net_run(w, GN_SEC);
	assert_int_equal(w->node[0]->own.n[GN_OWN_OBSERVED], 1);
	a = gn_list_first(&w->node[0]->own.addrs[GN_OWN_OBSERVED], struct gn_own_addr, link);
	assert_true(gn_multiaddr_is_equal(a->addr, want));
	gn_multiaddr_free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_announced_address_is_pushed_and_so_is_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_that_a_peer_observed_becomes_a_candidate, setup, teardown),
		cmocka_unit_test_setup_teardown(the_address_of_a_connection_dialled_from_a_listener_becomes_a_candidate,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
