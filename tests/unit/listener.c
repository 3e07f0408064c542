/* SPDX-License-Identifier: MIT */
/* The listeners of a node: node/listener.h, gn_node_listen() and gn_node_unlisten(). */
#include <errno.h>

#include "node/listener.h"
#include "support/support.h"

/* Node 0 listens with the fake transport, and nodes 1 and 2 with mem. */
static int setup(void **state)
{
	struct net *w = calloc(1, sizeof *w);

	assert_non_null(w);
	fake_transport_err = 0;
	net_init(w, 1, fake_transport_tune);
	gn_node_unlisten(w->node[0]);
	for (w->n = 1; w->n < 3; w->n++)
		net_add(w, w->n, NULL);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	net_fini(*state);
	free(*state);
	return 0;
}

static int listen_on(struct net *w, size_t node, const char *text, struct gn_multiaddr **bound)
{
	struct gn_multiaddr *a = net_addr(text);
	int err = gn_node_listen(w->node[node], a, bound);

	gn_multiaddr_free(a);
	return err;
}

/* Dials node 1 from node 2.  Returns the result. */
static int dial(struct net *w)
{
	const struct gn_multiaddr *addrs[1] = {w->addr[1]};
	struct outcome o;

	outcome_dial(w->node[2], &o, addrs, 1);
	net_run(w, GN_SEC);
	assert_int_equal(o.done, 1);
	if (o.ch != NULL)
		gn_channel_free(o.ch);
	return o.err;
}

static void an_address_that_no_transport_serves_is_refused(void **state)
{
	struct net *w = *state;
	struct gn_multiaddr *bound = NULL;

	assert_int_equal(listen_on(w, 1, "/ip4/192.0.2.1/udp/1", &bound), GN_ENOTRANS);
	assert_null(bound);
}

static void the_error_of_the_transport_is_returned(void **state)
{
	struct net *w = *state;
	struct gn_multiaddr *bound = NULL;
	const struct gn_multiaddr *list[1];

	fake_transport_err = -EADDRINUSE;
	assert_int_equal(listen_on(w, 0, "/ip4/192.0.2.1/tcp/1", &bound), -EADDRINUSE);
	assert_null(bound);
	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 1), 0);
	fake_transport_err = 0;
	assert_int_equal(listen_on(w, 0, "/ip4/192.0.2.1/tcp/1", NULL), 0);
}

static void a_bound_address_has_its_number_and_the_peer_id(void **state)
{
	struct net *w = *state;
	struct gn_multiaddr *bound;
	struct gn_peer_id id;

	assert_int_equal(listen_on(w, 1, "/memory/0", &bound), 0);
	assert_true(gn_multiaddr_peer(bound, &id) == 0);
	assert_true(gn_peer_id_is_equal(&id, &w->node[1]->id));
	gn_multiaddr_free(w->addr[1]);
	w->addr[1] = bound;
	assert_int_equal(dial(w), 0);
}

static void bound_addresses_come_in_the_order_of_listening(void **state)
{
	struct net *w = *state;
	const struct gn_multiaddr *list[4] = {NULL};

	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 4), 0);
	for (int i = 1; i <= 3; i++) {
		char text[64];

		snprintf(text, sizeof text, "/ip4/192.0.2.1/tcp/%d", i);
		assert_int_equal(listen_on(w, 0, text, NULL), 0);
	}
	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 4), 3);
	for (int i = 1; i <= 3; i++) {
		char want[64], *text = gn_multiaddr_format(list[i - 1]);

		snprintf(want, sizeof want, "/ip4/192.0.2.1/tcp/%d", i);
		assert_string_equal(text, want); /* without /p2p */
		free(text);
	}
}

static void at_most_max_bound_addresses_are_stored(void **state)
{
	struct net *w = *state;
	const struct gn_multiaddr *list[3] = {NULL};

	assert_int_equal(listen_on(w, 0, "/ip4/192.0.2.1/tcp/1", NULL), 0);
	assert_int_equal(listen_on(w, 0, "/ip4/192.0.2.1/tcp/2", NULL), 0);
	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 0), 0);
	assert_null(list[0]);
	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 1), 1);
	assert_non_null(list[0]);
	assert_null(list[1]);
	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 2), 2);
	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 3), 2);
	assert_null(list[2]);
}

static void unlisten_closes_each_listener_once(void **state)
{
	struct net *w = *state;
	const struct gn_multiaddr *list[1];
	unsigned before = fake_transport_n_closed;

	assert_int_equal(listen_on(w, 0, "/ip4/192.0.2.1/tcp/1", NULL), 0);
	assert_int_equal(listen_on(w, 0, "/ip4/192.0.2.1/tcp/2", NULL), 0);
	gn_node_unlisten(w->node[0]);
	assert_int_equal(fake_transport_n_closed, before + 2);
	assert_int_equal(gn_own_advertised(&w->node[0]->own, 0, list, 1), 0);
	gn_node_unlisten(w->node[0]);
	assert_int_equal(fake_transport_n_closed, before + 2);
}

static void a_dial_succeeds_only_while_the_node_listens(void **state)
{
	struct net *w = *state;

	gn_node_unlisten(w->node[1]);
	assert_int_equal(dial(w), -ECONNREFUSED);
	assert_int_equal(listen_on(w, 1, "/memory/101", NULL), 0);
	assert_int_equal(dial(w), 0);
}

static void unlisten_keeps_the_connections(void **state)
{
	struct net *w = *state;
	struct gn_conn *c;

	assert_int_equal(dial(w), 0);
	gn_node_unlisten(w->node[1]);
	net_run(w, 5 * GN_SEC);
	c = net_conn(w, 1, 0);
	assert_non_null(c);
	assert_true(gn_conn_is_usable(c));
}

static void a_link_becomes_an_inbound_connection(void **state)
{
	struct net *w = *state;
	struct gn_conn *c;

	assert_int_equal(dial(w), 0);
	c = net_conn(w, 1, 0);
	assert_non_null(c);
	assert_null(net_conn(w, 1, 1));
	assert_true(c->inbound);
	assert_int_equal(c->origin, GN_ORIGIN_INBOUND);
	assert_true(gn_peer_id_is_equal(gn_conn_peer(c), &w->node[2]->id));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_address_that_no_transport_serves_is_refused), T(the_error_of_the_transport_is_returned),
		T(a_bound_address_has_its_number_and_the_peer_id), T(bound_addresses_come_in_the_order_of_listening),
		T(at_most_max_bound_addresses_are_stored),         T(unlisten_closes_each_listener_once),
		T(a_dial_succeeds_only_while_the_node_listens),    T(unlisten_keeps_the_connections),
		T(a_link_becomes_an_inbound_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
