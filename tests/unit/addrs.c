/* SPDX-License-Identifier: MIT */
/* The addresses that a node advertises, gn_node_addrs(): lib/node/addrs.c. */
#include "addr/multiaddr.h"
#include "loop/socket.h"
#include "support/support.h"

struct fix {
	struct net net;
	struct gn_multiaddr **a;
	size_t n;
};

/* Node 0 has no listener: each test adds its own. */
static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	fake_transport_err = 0;
	net_init(&f->net, 1, fake_transport_tune);
	gn_node_unlisten(f->net.node[0]);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	gn_multiaddrs_free(f->a, f->n);
	net_fini(&f->net);
	free(f);
	return 0;
}

static void listen_on(struct fix *f, const char *text)
{
	struct gn_multiaddr *a = net_addr(text);

	assert_int_equal(gn_node_listen(f->net.node[0], a, NULL), 0);
	gn_multiaddr_free(a);
}

static void get(struct fix *f)
{
	gn_multiaddrs_free(f->a, f->n);
	f->a = NULL;
	f->n = 0;
	assert_int_equal(gn_node_addrs(f->net.node[0], &f->a, &f->n), 0);
}

/* Asserts that address i is text followed by the /p2p component of the node. */
static void assert_addr(struct fix *f, size_t i, const char *text)
{
	char want[256], id[GN_PEER_ID_TEXT_MAX], *got;

	assert_true(i < f->n);
	gn_peer_id_format(&f->net.node[0]->id, id);
	snprintf(want, sizeof want, "%s/p2p/%s", text, id);
	got = gn_multiaddr_format(f->a[i]);
	assert_string_equal(got, want);
	free(got);
}

static void a_node_without_a_listener_has_no_address(void **state)
{
	struct fix *f = *state;

	get(f);
	assert_int_equal(f->n, 0);
	gn_multiaddrs_free(NULL, 0);
}

static void an_address_carries_the_peer_id(void **state)
{
	struct fix *f = *state;

	listen_on(f, "/ip4/192.0.2.1/tcp/7");
	get(f);
	assert_int_equal(f->n, 1);
	assert_addr(f, 0, "/ip4/192.0.2.1/tcp/7");
}

static void an_address_is_listed_once(void **state)
{
	struct fix *f = *state;

	listen_on(f, "/ip4/10.0.0.1/tcp/7");
	listen_on(f, "/ip4/10.0.0.2/tcp/7");
	listen_on(f, "/ip4/10.0.0.1/tcp/7");
	listen_on(f, "/ip4/10.0.0.1/tcp/8"); /* another port is another address */
	get(f);
	assert_int_equal(f->n, 3);
	assert_addr(f, 0, "/ip4/10.0.0.1/tcp/7");
	assert_addr(f, 1, "/ip4/10.0.0.2/tcp/7");
	assert_addr(f, 2, "/ip4/10.0.0.1/tcp/8");
}

static void the_widest_scope_comes_first(void **state)
{
	struct fix *f = *state;

	listen_on(f, "/ip6/::1/tcp/1");
	listen_on(f, "/ip4/127.0.0.1/tcp/1");
	listen_on(f, "/ip6/fe80::1/tcp/1");
	listen_on(f, "/ip6/2001:db8::1/tcp/1");
	listen_on(f, "/ip4/192.0.2.1/tcp/1");
	listen_on(f, "/ip6/fd00::1/tcp/1");
	listen_on(f, "/ip4/192.168.0.1/tcp/1");
	listen_on(f, "/ip6/2a00::1/tcp/1");
	listen_on(f, "/ip4/8.8.8.8/tcp/1");
	get(f);
	assert_int_equal(f->n, 9);
	assert_addr(f, 0, "/ip4/8.8.8.8/tcp/1");
	assert_addr(f, 1, "/ip6/2a00::1/tcp/1");
	assert_addr(f, 2, "/ip4/192.168.0.1/tcp/1");
	assert_addr(f, 3, "/ip6/fd00::1/tcp/1");
	assert_addr(f, 4, "/ip4/192.0.2.1/tcp/1");
	assert_addr(f, 5, "/ip6/2001:db8::1/tcp/1");
	assert_addr(f, 6, "/ip6/fe80::1/tcp/1");
	assert_addr(f, 7, "/ip4/127.0.0.1/tcp/1");
	assert_addr(f, 8, "/ip6/::1/tcp/1");
}

static void equal_scopes_keep_the_order_of_listening(void **state)
{
	struct fix *f = *state;

	listen_on(f, "/ip4/8.8.8.8/tcp/3");
	listen_on(f, "/ip4/8.8.8.8/tcp/1");
	listen_on(f, "/ip4/8.8.4.4/tcp/2");
	get(f);
	assert_addr(f, 0, "/ip4/8.8.8.8/tcp/3");
	assert_addr(f, 1, "/ip4/8.8.8.8/tcp/1");
	assert_addr(f, 2, "/ip4/8.8.4.4/tcp/2");
}

/* Returns the number of addresses of a family on this host, without link-local ones. */
static size_t count_host_addrs(int family)
{
	struct gn_ifaddr *ifs;
	size_t n_ifs, n = 0;

	assert_int_equal(gn_ifaddrs_get(&ifs, &n_ifs), 0);
	for (size_t i = 0; i < n_ifs; i++)
		n += ifs[i].addr.family == family && gn_ip_scope(family == 6, ifs[i].addr.ip) != GN_SCOPE_LINK;
	free(ifs);
	return n;
}

static void a_wildcard_becomes_the_hosts_addresses_of_its_family(void **state)
{
	static const char *const wildcard[] = {"/ip4/0.0.0.0/tcp/9", "/ip6/::/tcp/9"};
	struct fix *f = *state;

	for (int i = 0; i < 2; i++) {
		listen_on(f, wildcard[i]);
		get(f);
		assert_int_equal(f->n, count_host_addrs(i == 0 ? 4 : 6));
		for (size_t k = 0; k < f->n; k++) {
			assert_int_not_equal(gn_multiaddr_scope(f->a[k]), GN_SCOPE_UNSPECIFIED);
			assert_int_not_equal(gn_multiaddr_scope(f->a[k]), GN_SCOPE_LINK);
			assert_int_equal(gn_multiaddr_has(f->a[k], GN_MA_IP6), i == 1);
			assert_true(gn_multiaddr_has(f->a[k], GN_MA_P2P));
		}
		gn_node_unlisten(f->net.node[0]);
	}
	assert_true(count_host_addrs(4) > 0); /* there is at least the loopback address */
}

static void an_address_that_a_wildcard_covers_is_listed_once(void **state)
{
	struct fix *f = *state;

	listen_on(f, "/ip4/127.0.0.1/tcp/9");
	listen_on(f, "/ip4/0.0.0.0/tcp/9");
	get(f);
	assert_int_equal(f->n, count_host_addrs(4));
}

static void listeners_past_the_maximum_are_not_advertised(void **state)
{
	struct fix *f = *state;
	char text[64];

	for (int i = 0; i <= GN_OWN_MAX; i++) {
		snprintf(text, sizeof text, "/ip4/8.8.8.8/tcp/%d", 1000 + i);
		listen_on(f, text);
		get(f);
		assert_int_equal(f->n, i < GN_OWN_MAX ? i + 1 : GN_OWN_MAX);
	}
	assert_addr(f, GN_OWN_MAX - 1, "/ip4/8.8.8.8/tcp/1063");
}

/* Announces the address, or withdraws it. */
static int announce(struct fix *f, const char *text)
{
	struct gn_multiaddr *a = net_addr(text);
	int err = gn_addr_announce(f->net.node[0], a);

	gn_multiaddr_free(a);
	return err;
}

static int withdraw(struct fix *f, const char *text)
{
	struct gn_multiaddr *a = net_addr(text);
	int err = gn_addr_withdraw(f->net.node[0], a);

	gn_multiaddr_free(a);
	return err;
}

static void an_announced_address_comes_first_until_it_is_withdrawn(void **state)
{
	struct fix *f = *state;

	listen_on(f, "/ip4/8.8.8.8/tcp/1");
	assert_int_equal(announce(f, "/ip4/10.0.0.1/tcp/2"), 0);
	assert_int_equal(announce(f, "/dns/example.org/tcp/3"), 0);
	assert_int_equal(announce(f, "/ip4/10.0.0.1/tcp/2"), 0);
	get(f);
	assert_int_equal(f->n, 3);
	assert_addr(f, 0, "/ip4/10.0.0.1/tcp/2");
	assert_addr(f, 1, "/dns/example.org/tcp/3");
	assert_addr(f, 2, "/ip4/8.8.8.8/tcp/1");
	assert_int_equal(withdraw(f, "/ip4/10.0.0.1/tcp/2"), 0);
	assert_int_equal(withdraw(f, "/ip4/10.0.0.1/tcp/2"), GN_ENONAME);
	assert_int_equal(withdraw(f, "/ip4/8.8.8.8/tcp/1"), GN_ENONAME);
	get(f);
	assert_int_equal(f->n, 2);
	assert_addr(f, 0, "/dns/example.org/tcp/3");
	assert_int_equal(announce(f, "/ip4/10.0.0.1"), GN_ENOTRANS);
	assert_int_equal(announce(f, "/dns/example.org"), GN_ENOTRANS);
	/* An announced address does not depend on the listeners. */
	gn_node_unlisten(f->net.node[0]);
	get(f);
	assert_int_equal(f->n, 1);
}

static void an_announced_address_may_end_in_the_nodes_own_id_only(void **state)
{
	struct fix *f = *state;
	char own[200], id[GN_PEER_ID_TEXT_MAX];

	gn_peer_id_format(&f->net.node[0]->id, id);
	snprintf(own, sizeof own, "/ip4/8.8.8.8/tcp/1/p2p/%s", id);
	assert_int_equal(announce(f, own), 0);
	get(f);
	assert_int_equal(f->n, 1);
	assert_addr(f, 0, "/ip4/8.8.8.8/tcp/1");
	assert_int_equal(announce(f, "/ip4/8.8.8.8/tcp/1/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC"),
			 GN_EPEERID);
	snprintf(own, sizeof own, "/p2p/%s", id);
	assert_int_equal(announce(f, own), GN_ENONAME);
	assert_int_equal(withdraw(f, "/ip4/8.8.8.8/tcp/1"), 0);
}

static void at_most_64_addresses_are_announced(void **state)
{
	struct fix *f = *state;
	char text[64];

	for (int i = 0; i <= GN_OWN_MAX; i++) {
		snprintf(text, sizeof text, "/ip4/8.8.8.8/tcp/%d", 1000 + i);
		assert_int_equal(announce(f, text), i < GN_OWN_MAX ? 0 : GN_ELIMIT);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_node_without_a_listener_has_no_address),
		T(an_address_carries_the_peer_id),
		T(an_address_is_listed_once),
		T(the_widest_scope_comes_first),
		T(equal_scopes_keep_the_order_of_listening),
		T(a_wildcard_becomes_the_hosts_addresses_of_its_family),
		T(an_address_that_a_wildcard_covers_is_listed_once),
		T(listeners_past_the_maximum_are_not_advertised),
		T(an_announced_address_comes_first_until_it_is_withdrawn),
		T(an_announced_address_may_end_in_the_nodes_own_id_only),
		T(at_most_64_addresses_are_announced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
