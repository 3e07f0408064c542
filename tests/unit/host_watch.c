/* SPDX-License-Identifier: MIT */
/* lib/node/host_watch: changes of this host's addresses.  The Makefile wraps the functions of lib/loop that ask the
 * system, and this file replaces them. */
#include "node/host_watch.h"

#include <errno.h>

#include "loop/interfaces.h"
#include "loop/socket.h"
#include "node/service.h"
#include "support/support.h"

/* The host. */
static struct gn_ifaddr host[2];
static size_t n_host;
static unsigned n_watches;
static int watch_err;
static void (*host_on_change)(void *arg);
static void *host_arg;

/* What the node has reported. */
static unsigned n_new, n_lost, n_changes;

int __wrap_gn_ifaddrs_get(struct gn_ifaddr **out, size_t *n);
int __wrap_gn_interfaces_get(struct gn_interfaces **out);
int __wrap_gn_interfaces_watch_new(struct gn_loop *loop, void (*on_change)(void *arg), void *arg,
				   struct gn_interfaces_watch **out);
void __wrap_gn_interfaces_watch_free(struct gn_interfaces_watch *w);

int __wrap_gn_ifaddrs_get(struct gn_ifaddr **out, size_t *n)
{
	*out = calloc(n_host + 1, sizeof **out);
	assert_non_null(*out);
	memcpy(*out, host, n_host * sizeof *host);
	*n = n_host;
	return 0;
}

int __wrap_gn_interfaces_get(struct gn_interfaces **out)
{
	(void)out;
	return -ENOSYS;
}

int __wrap_gn_interfaces_watch_new(struct gn_loop *loop, void (*on_change)(void *arg), void *arg,
				   struct gn_interfaces_watch **out)
{
	(void)loop;
	if (watch_err != 0)
		return watch_err;
	n_watches++;
	host_on_change = on_change;
	host_arg = arg;
	*out = (struct gn_interfaces_watch *)&n_watches;
	return 0;
}

void __wrap_gn_interfaces_watch_free(struct gn_interfaces_watch *w)
{
	n_watches -= w != NULL;
}

static void host_set(size_t i, uint8_t last)
{
	host[i] = (struct gn_ifaddr){.addr = {.family = 4, .ip = {10, 0, 0, last}}, .prefix = 24};
}

/* ---- the node ---- */

static void on_event(void *arg, const struct gn_event *event)
{
	(void)arg;
	n_new += event->type == GN_EVENT_ADDR_NEW;
	n_lost += event->type == GN_EVENT_ADDR_LOST;
}

static void tune(struct gn_node_cfg *cfg)
{
	fake_transport_tune(cfg);
	cfg->on_event = on_event;
}

static int counter_start(struct gn_node *node, const void *config, void **state)
{
	(void)config;
	*state = node;
	return 0;
}

static void counter_stop(void *state)
{
	(void)state;
}

static void counter_on_change(void *state)
{
	(void)state;
	n_changes++;
}

static const struct gn_service_ops counter = {.name = "counter",
					      .start = counter_start,
					      .stop = counter_stop,
					      .on_change = counter_on_change};

static int setup(void **state)
{
	struct net *w = calloc(1, sizeof *w);

	assert_non_null(w);
	fake_transport_err = 0;
	watch_err = 0;
	n_host = 1;
	host_set(0, 1);
	net_init(w, 1, tune);
	assert_int_equal(gn_service_attach(w->node[0], &counter, NULL), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct net *w = *state;

	net_fini(w);
	assert_int_equal(n_watches, 0);
	free(w);
	return 0;
}

static struct gn_listener *listen_on(struct net *w, const char *text)
{
	struct gn_multiaddr *a = net_addr(text);
	const struct gn_listener_cfg cfg = {.addr = a};
	struct gn_listener *l;

	assert_int_equal(gn_listener_open(w->node[0], &cfg, &l), 0);
	gn_multiaddr_free(a);
	return l;
}

/* The host's interfaces have changed. */
static void change(struct net *w)
{
	n_new = n_lost = n_changes = 0;
	host_on_change(host_arg);
	net_run(w, GN_SEC);
}

/* ---- the tests ---- */

static void only_a_listener_on_a_wildcard_is_watched(void **state)
{
	struct net *w = *state;
	struct gn_listener *first, *second;

	assert_int_equal(n_watches, 0);
	listen_on(w, "/ip4/10.0.0.1/tcp/7");
	assert_int_equal(n_watches, 0);
	first = listen_on(w, "/ip4/0.0.0.0/tcp/8");
	assert_int_equal(n_watches, 1);
	second = listen_on(w, "/ip6/::/tcp/8");
	assert_int_equal(n_watches, 1);
	gn_listener_close(first);
	assert_int_equal(n_watches, 1);
	gn_listener_close(second);
	assert_int_equal(n_watches, 0);
}

static void a_closing_node_does_not_watch(void **state)
{
	struct net *w = *state;

	listen_on(w, "/ip4/0.0.0.0/tcp/8");
	assert_int_equal(gn_node_close(w->node[0], 0, NULL, NULL), 0);
	assert_int_equal(n_watches, 0);
}

static void a_new_address_is_reported(void **state)
{
	struct net *w = *state;
	struct gn_multiaddr **addrs;
	size_t n, now;

	listen_on(w, "/ip4/0.0.0.0/tcp/8");
	net_run(w, GN_SEC);
	assert_int_equal(gn_node_addrs(w->node[0], &addrs, &n), 0);
	gn_multiaddrs_free(addrs, n);
	host_set(1, 2);
	n_host = 2;
	change(w);
	assert_int_equal(gn_node_addrs(w->node[0], &addrs, &now), 0);
	gn_multiaddrs_free(addrs, now);
	assert_int_equal(now, n + 1);
	assert_int_equal(n_new, 1);
	assert_int_equal(n_lost, 0);
	assert_int_equal(n_changes, 1);
}

static void an_address_that_became_another_one_is_reported(void **state)
{
	struct net *w = *state;

	listen_on(w, "/ip4/0.0.0.0/tcp/8");
	net_run(w, GN_SEC);
	host_set(0, 9);
	change(w);
	assert_int_equal(n_new, 1);
	assert_int_equal(n_lost, 1);
	assert_int_equal(n_changes, 1);
}

static void a_change_that_leaves_the_addresses_is_not_reported(void **state)
{
	struct net *w = *state;

	listen_on(w, "/ip4/0.0.0.0/tcp/8");
	net_run(w, GN_SEC);
	change(w); /* the node does not remember the addresses from before the first change */
	change(w);
	assert_int_equal(n_changes, 0);
	assert_int_equal(n_new + n_lost, 0);
	n_host = 0;
	change(w);
	assert_int_equal(n_changes, 1);
	assert_int_equal(n_lost, 1);
	change(w);
	assert_int_equal(n_changes, 0);
}

static void without_a_watch_the_node_listens_all_the_same(void **state)
{
	struct net *w = *state;

	watch_err = -ENOSYS;
	listen_on(w, "/ip4/0.0.0.0/tcp/8");
	assert_int_equal(n_watches, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(only_a_listener_on_a_wildcard_is_watched),
		TEST(a_closing_node_does_not_watch),
		TEST(a_new_address_is_reported),
		TEST(an_address_that_became_another_one_is_reported),
		TEST(a_change_that_leaves_the_addresses_is_not_reported),
		TEST(without_a_watch_the_node_listens_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
