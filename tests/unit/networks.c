/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gn.h"
#include "node/conn.h"

static struct gn_networks table;
static struct gn_scope memory;

static int setup(void **state)
{
	(void)state;
	memory = (struct gn_scope){.max = 1000};
	gn_networks_init(&table, &memory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(table.n, 0);
	gn_networks_fini(&table);
	return 0;
}

static struct gn_network *get(const char *text)
{
	struct gn_multiaddr *a;
	struct gn_network *net;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	net = gn_networks_get(&table, a);
	gn_multiaddr_free(a);
	assert_non_null(net);
	return net;
}

static void same(const char *a, const char *b, bool want)
{
	struct gn_network *x = get(a), *y = get(b);

	if ((x == y) != want)
		fail_msg("%s and %s", a, b);
	gn_networks_put(&table, x);
	gn_networks_put(&table, y);
}

static void a_network_is_an_ip4_address_or_an_ip6_64(void **state)
{
	(void)state;
	same("/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/2", true);
	same("/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1", false);
	same("/ip6/2001:db8:0:1::1/tcp/1", "/ip6/2001:db8:0:1:ffff:ffff:ffff:ffff/tcp/1", true);
	same("/ip6/2001:db8:0:1::1/tcp/1", "/ip6/2001:db8:0:2::1/tcp/1", false);
	same("/ip6/::ffff:192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/1", true);
	same("/ip6/::ffff:192.0.2.1/tcp/1", "/ip6/::ffff:192.0.2.2/tcp/1", false);
	same("/ip6/::1/tcp/1", "/ip4/0.0.0.0/tcp/1", false);
	same("/memory/1", "/memory/2", true);
	same("/memory/1", "/ip4/0.0.0.0/tcp/1", false);
}

static void the_loopback_is_known(void **state)
{
	static const char *const loops[] = {"/ip4/127.0.0.1/tcp/1", "/ip4/127.9.9.9/tcp/1", "/ip6/::1/tcp/1",
					    "/ip6/::ffff:127.0.0.1/tcp/1"};
	struct gn_network *net;

	(void)state;
	for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
		net = get(loops[i]);
		assert_true(net->is_loopback);
		gn_networks_put(&table, net);
	}
	net = get("/ip4/192.0.2.1/tcp/1");
	assert_false(net->is_loopback);
	gn_networks_put(&table, net);
}

static void a_network_is_freed_with_its_last_reference(void **state)
{
	enum { MANY = 3000 };
	static struct gn_network *nets[MANY];
	char text[64];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "/ip4/10.1.%d.%d/tcp/1", i / 250, i % 250);
		nets[i] = get(text);
	}
	assert_int_equal(table.n, MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "/ip4/10.1.%d.%d/tcp/2", i / 250, i % 250);
		assert_ptr_equal(get(text), nets[i]);
		assert_int_equal(nets[i]->refs, 2);
		gn_networks_put(&table, nets[i]);
		assert_int_equal(table.n, MANY - i);
		gn_networks_put(&table, nets[i]);
	}
}

/* ---- the networks with the most connections ---- */

enum { VICTIMS = 1000, VICTIMS_LOG = 10 };

static struct gn_network *victim_nets[VICTIMS];
static struct gn_conn *victim_conns[VICTIMS];

/* Each network has one connection in both of its lists; the numbers of connections are those that count() returns. */
static void victims_init(unsigned (*count)(unsigned i))
{
	char text[64];

	for (unsigned i = 0; i < VICTIMS; i++) {
		struct gn_conn *c = calloc(1, sizeof *c);

		assert_non_null(c);
		snprintf(text, sizeof text, "/ip4/10.1.%u.%u/tcp/1", i / 250, i % 250);
		victim_nets[i] = get(text);
		victim_conns[i] = c;
		c->since = VICTIMS - i; /* the last one is the oldest */
		gn_list_add_tail(&victim_nets[i]->pending_conns, &c->link_network);
		victim_nets[i]->pending = count(i);
		gn_networks_rank(&table, victim_nets[i]);
	}
}

static void victims_fini(void)
{
	for (int i = 0; i < VICTIMS; i++) {
		gn_list_del(&victim_conns[i]->link_network);
		gn_networks_rank(&table, victim_nets[i]);
		gn_networks_put(&table, victim_nets[i]);
		free(victim_conns[i]);
	}
	assert_null(gn_pqueue_first(&table.by_pending));
}

static struct gn_network *victim_first(void)
{
	return gn_list_entry(gn_pqueue_first(&table.by_pending), struct gn_network, by_pending);
}

static unsigned victims_differ(unsigned i)
{
	return i * 37 % VICTIMS + 1;
}

static unsigned victims_are_equal(unsigned i)
{
	(void)i;
	return 1;
}

static void the_network_with_the_most_is_first(void **state)
{
	(void)state;
	victims_init(victims_differ);
	table.by_pending.compares = 0;
	for (unsigned most = VICTIMS; most > 0; most--) {
		struct gn_network *net = victim_first();

		assert_int_equal(net->pending, most);
		net->pending = 0; /* the last */
		gn_networks_rank(&table, net);
	}
	assert_true(table.by_pending.compares < 3 * VICTIMS * VICTIMS_LOG);
	victims_fini();
}

static void of_networks_with_as_many_that_with_the_oldest_is_first(void **state)
{
	(void)state;
	victims_init(victims_are_equal);
	assert_ptr_equal(victim_first(), victim_nets[VICTIMS - 1]);
	victim_nets[3]->pending = 2;
	gn_networks_rank(&table, victim_nets[3]);
	assert_ptr_equal(victim_first(), victim_nets[3]);
	victims_fini();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_network_is_an_ip4_address_or_an_ip6_64, setup, teardown),
		cmocka_unit_test_setup_teardown(the_loopback_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(the_network_with_the_most_is_first, setup, teardown),
		cmocka_unit_test_setup_teardown(of_networks_with_as_many_that_with_the_oldest_is_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_network_is_freed_with_its_last_reference, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
