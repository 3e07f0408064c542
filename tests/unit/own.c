/* SPDX-License-Identifier: MIT */
#include "node/own.h"

#include <errno.h>

#include "support/support.h"

#define DAY (86400 * GN_SEC)

static struct gn_own own;
static bool calloc_fails;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* The Makefile links this program so that the library's calls of calloc() come here. */
void *__wrap_calloc(size_t n, size_t size)
{
	return calloc_fails ? NULL : __real_calloc(n, size);
}

static int setup(void **state)
{
	(void)state;
	gn_own_init(&own);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gn_own_fini(&own);
	return 0;
}

static struct gn_multiaddr *parse(const char *text)
{
	struct gn_multiaddr *a = NULL;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	return a;
}

/* Adds an address.  Returns the error, or whether the advertised addresses have changed. */
static int add(enum gn_own_origin origin, const char *text, gn_time expires)
{
	struct gn_multiaddr *a = parse(text);
	bool changed = false;
	int err = gn_own_add(&own, origin, a, expires, &changed);

	gn_multiaddr_free(a);
	return err < 0 ? err : changed;
}

/* Deletes an address, which must exist.  Returns whether the advertised addresses have changed. */
static int del(enum gn_own_origin origin, const char *text)
{
	struct gn_multiaddr *a = parse(text);
	bool changed = false;

	assert_true(gn_own_del(&own, origin, a, &changed));
	gn_multiaddr_free(a);
	return changed;
}

static int observe(const char *observed, const char *observer, bool is_inbound, gn_time now)
{
	struct gn_multiaddr *a = parse(observed), *b = parse(observer);
	const struct gn_own_report report = {.observed = a, .observer = b, .is_inbound = is_inbound};
	bool changed = true;
	int err = gn_own_observe(&own, &report, now, &changed);

	gn_multiaddr_free(a);
	gn_multiaddr_free(b);
	return err < 0 ? err : changed;
}

/* Reports the address as seen by a peer in network i, on an inbound connection. */
static int report(const char *observed, unsigned i, gn_time now)
{
	char observer[64];

	(void)snprintf(observer, sizeof observer, "/ip4/8.%u.%u.7/tcp/%u", i / 256, i % 256, 1000 + i);
	return observe(observed, observer, true, now);
}

static bool expire(gn_time now)
{
	bool changed;

	gn_own_expire(&own, now, &changed);
	return changed;
}

static void assert_advertised(gn_time now, const char *want)
{
	const struct gn_multiaddr *out[16];
	size_t n = gn_own_advertised(&own, now, out, 16);
	char text[16 * 64] = "";

	for (size_t i = 0; i < n; i++) {
		char *s = gn_multiaddr_format(out[i]);

		assert_non_null(s);
		assert_true(strlen(text) + strlen(s) + 2 < sizeof text);
		strcat(strcat(text, s), " ");
		free(s);
	}
	assert_string_equal(text, want);
}

/* ---- origins and lifetimes ---- */

static void addresses_are_listed_by_origin_and_each_once(void **state)
{
	const struct gn_multiaddr *one[1];

	(void)state;
	assert_int_equal(add(GN_OWN_RESERVED, "/ip4/8.8.8.8/tcp/1", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/4001", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.2/tcp/4001", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_MAPPED, "/ip4/8.8.4.4/tcp/4001", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_ANNOUNCED, "/dns/example.org/tcp/1", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_ANNOUNCED, "/ip4/10.0.0.2/tcp/4001", GN_NEVER), false);
	assert_advertised(0, "/dns/example.org/tcp/1 /ip4/10.0.0.2/tcp/4001 /ip4/8.8.4.4/tcp/4001 "
			     "/ip4/10.0.0.1/tcp/4001 /ip4/8.8.8.8/tcp/1 ");
	assert_int_equal(gn_own_advertised(&own, 0, one, 1), 1);
	assert_int_equal(gn_own_advertised(&own, 0, one, 0), 0);
}

static void a_change_is_one_of_the_advertised_addresses(void **state)
{
	struct gn_multiaddr *a = parse("/ip4/10.0.0.9/tcp/1");
	bool changed = true;

	(void)state;
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/1", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/1", DAY), false);
	assert_int_equal(add(GN_OWN_MAPPED, "/ip4/10.0.0.1/tcp/1", GN_NEVER), false);
	assert_int_equal(del(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/1"), false);
	assert_int_equal(del(GN_OWN_MAPPED, "/ip4/10.0.0.1/tcp/1"), true);
	assert_false(gn_own_del(&own, GN_OWN_MAPPED, a, &changed));
	assert_false(changed);
	assert_advertised(0, "");
	gn_multiaddr_free(a);
}

static void an_address_expires_at_its_very_time(void **state)
{
	(void)state;
	assert_true(gn_own_next_expiry(&own) == GN_NEVER);
	assert_int_equal(add(GN_OWN_MAPPED, "/ip4/8.8.8.8/tcp/1", 100), true);
	assert_int_equal(add(GN_OWN_RESERVED, "/ip4/8.8.8.8/tcp/2", 200), true);
	assert_int_equal(add(GN_OWN_ANNOUNCED, "/ip4/8.8.8.8/tcp/3", GN_NEVER), true);
	assert_int_equal(gn_own_next_expiry(&own), 100);
	assert_advertised(99, "/ip4/8.8.8.8/tcp/3 /ip4/8.8.8.8/tcp/1 /ip4/8.8.8.8/tcp/2 ");
	assert_false(expire(99));
	assert_advertised(100, "/ip4/8.8.8.8/tcp/3 /ip4/8.8.8.8/tcp/2 ");
	assert_true(expire(100));
	assert_false(expire(100));
	assert_int_equal(gn_own_next_expiry(&own), 200);
	/* A second add may also shorten the lifetime. */
	assert_int_equal(add(GN_OWN_RESERVED, "/ip4/8.8.8.8/tcp/2", 150), false);
	assert_int_equal(gn_own_next_expiry(&own), 150);
	assert_true(expire(GN_NEVER - 1));
	assert_advertised(0, "/ip4/8.8.8.8/tcp/3 ");
}

static void an_origin_has_at_most_64_addresses(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < GN_OWN_MAX; i++) {
		(void)snprintf(text, sizeof text, "/ip4/10.0.0.1/tcp/%u", i);
		assert_int_equal(add(GN_OWN_LISTENING, text, GN_NEVER), true);
	}
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/64", GN_NEVER), GN_ELIMIT);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/63", GN_NEVER), false);
	assert_int_equal(add(GN_OWN_MAPPED, "/ip4/10.0.0.1/tcp/64", GN_NEVER), true);
	assert_int_equal(del(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/0"), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/65", GN_NEVER), true);
}

/* ---- reachability ---- */

/* Sets the state of an address.  Returns the error, or whether it has changed. */
static int set_reach(const char *text, enum gn_reach reach)
{
	struct gn_multiaddr *a = parse(text);
	bool changed = false;
	int err = gn_own_set_reach(&own, a, reach, &changed);

	gn_multiaddr_free(a);
	return err < 0 ? err : changed;
}

static enum gn_reach reach_of(const char *text)
{
	struct gn_multiaddr *a = parse(text);
	enum gn_reach reach = gn_own_reach(&own, a);

	gn_multiaddr_free(a);
	return reach;
}

static void the_reach_of_an_address_is_known_while_the_address_is_in_the_table(void **state)
{
	(void)state;
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_PUBLIC), GN_ENONAME);
	assert_int_equal(add(GN_OWN_MAPPED, "/ip4/8.8.8.8/tcp/1", 100), true);
	assert_int_equal(reach_of("/ip4/8.8.8.8/tcp/1"), GN_REACH_UNKNOWN);
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_UNKNOWN), false);
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_PUBLIC), true);
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_PUBLIC), false);
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_PRIVATE), true);
	assert_int_equal(reach_of("/ip4/8.8.8.8/tcp/1"), GN_REACH_PRIVATE);
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_UNKNOWN), true);
	assert_int_equal(own.n_reaches, 0);
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_PUBLIC), true);
	/* While another origin has it, it is known. */
	assert_int_equal(add(GN_OWN_ANNOUNCED, "/ip4/8.8.8.8/tcp/1", GN_NEVER), false);
	(void)expire(100);
	assert_int_equal(reach_of("/ip4/8.8.8.8/tcp/1"), GN_REACH_PUBLIC);
	(void)del(GN_OWN_ANNOUNCED, "/ip4/8.8.8.8/tcp/1");
	assert_int_equal(own.n_reaches, 0);
	assert_int_equal(reach_of("/ip4/8.8.8.8/tcp/1"), GN_REACH_UNKNOWN);
}

static void a_candidate_keeps_its_state_whatever_its_reach(void **state)
{
	(void)state;
	assert_int_equal(report("/ip4/1.2.3.4/tcp/4001", 0, 0), false);
	assert_int_equal(set_reach("/ip4/1.2.3.4/tcp/4001", GN_REACH_PUBLIC), true);
	assert_advertised(0, "");
}

static void a_wildcard_stands_for_addresses_of_its_family_port_and_protocols(void **state)
{
	static const char *const others[] = {"/ip4/8.8.8.8/tcp/2", "/ip4/8.8.8.8/udp/1", "/ip4/8.8.8.8/tcp/1/ws",
					     "/ip6/2a00::1/tcp/1", "/ip4/8.8.8.8",       "/dns4/a.example/tcp/1",
					     "/ip4/8.8.8.8/tcp/3", "/ip6/2a00::1/tcp/3"};

	(void)state;
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/0.0.0.0/tcp/1", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/10.0.0.1/tcp/3", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip6/::/tcp/7/ws", GN_NEVER), true);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(set_reach(others[i], GN_REACH_PUBLIC), GN_ENONAME);
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_PUBLIC), true);
	assert_int_equal(set_reach("/ip6/2a00::1/tcp/7/ws", GN_REACH_PUBLIC), true);
	(void)del(GN_OWN_LISTENING, "/ip4/0.0.0.0/tcp/1");
	assert_int_equal(reach_of("/ip4/8.8.8.8/tcp/1"), GN_REACH_UNKNOWN);
	assert_int_equal(reach_of("/ip6/2a00::1/tcp/7/ws"), GN_REACH_PUBLIC);
}

static void the_reach_of_at_most_64_addresses_is_known(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/0.0.0.0/tcp/1", GN_NEVER), true);
	for (unsigned i = 0; i < GN_OWN_REACH_MAX; i++) {
		(void)snprintf(text, sizeof text, "/ip4/8.8.8.%u/tcp/1", i);
		assert_int_equal(set_reach(text, GN_REACH_PUBLIC), true);
	}
	assert_int_equal(set_reach("/ip4/8.8.8.64/tcp/1", GN_REACH_PUBLIC), GN_ELIMIT);
	assert_int_equal(set_reach("/ip4/8.8.8.63/tcp/1", GN_REACH_PRIVATE), true);
	assert_int_equal(set_reach("/ip4/8.8.8.0/tcp/1", GN_REACH_UNKNOWN), true);
	assert_int_equal(set_reach("/ip4/8.8.8.64/tcp/1", GN_REACH_PUBLIC), true);
}

static void the_reach_stays_unknown_without_memory(void **state)
{
	(void)state;
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/0.0.0.0/tcp/1", GN_NEVER), true);
	calloc_fails = true;
	assert_int_equal(set_reach("/ip4/8.8.8.8/tcp/1", GN_REACH_PUBLIC), -ENOMEM);
	calloc_fails = false;
	assert_int_equal(own.n_reaches, 0);
}

/* ---- observed addresses ---- */

static void an_observed_address_is_advertised_after_four_networks_reported_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS - 1; i++) {
		assert_int_equal(report("/ip4/1.2.3.4/tcp/4001", i, 0), false);
		assert_int_equal(own.n[GN_OWN_OBSERVED], 1);
	}
	/* Repeated reports of one network count once. */
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS - 1; i++)
		assert_int_equal(report("/ip4/1.2.3.4/tcp/4001", i, 1), false);
	assert_advertised(1, "");
	assert_int_equal(report("/ip4/1.2.3.4/tcp/4001", 99, 2), true);
	assert_advertised(2, "/ip4/1.2.3.4/tcp/4001 ");
	assert_int_equal(report("/ip4/1.2.3.4/tcp/4001", 100, 3), false);
}

static void addresses_of_one_network_are_one_observer(void **state)
{
	(void)state;
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip4/8.8.8.1/tcp/1", true, 0), false);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip4/8.8.8.255/tcp/2", true, 0), false);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip6/::ffff:8.8.8.3/tcp/2", true, 0), false);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip6/2a00:1:2:3::1/tcp/2", true, 0), false);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip6/2a00:1:2:ffff::1/tcp/2", true, 0), false);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip6/2a00:1:3:3::1/tcp/2", true, 0), false);
	assert_advertised(0, "");
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip4/8.8.9.1/tcp/1", true, 0), true);
}

static void an_observed_address_leaves_an_hour_after_its_last_report(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS; i++)
		assert_int_equal(report("/ip4/1.2.3.4/tcp/1", i, 0), i + 1 == GN_OWN_CONFIRMATIONS);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 0, 10), false);
	assert_int_equal(gn_own_next_expiry(&own), 10 + GN_OWN_OBSERVED_TIME);
	assert_false(expire(10 + GN_OWN_OBSERVED_TIME - 1));
	assert_true(expire(10 + GN_OWN_OBSERVED_TIME));
	assert_int_equal(own.n[GN_OWN_OBSERVED], 0);
	/* An address that was not confirmed expires without a change of the advertised addresses. */
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 0, 0), false);
	assert_false(expire(GN_OWN_OBSERVED_TIME));
	assert_int_equal(own.n[GN_OWN_OBSERVED], 0);
}

static void reports_older_than_an_hour_do_not_confirm(void **state)
{
	(void)state;
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 0, 0), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 1, 1), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 2, 2), false);
	/* The first report expires at this instant, so it no longer counts. */
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 3, GN_OWN_OBSERVED_TIME), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 4, GN_OWN_OBSERVED_TIME), true);
}

static void only_public_addresses_and_observers_count(void **state)
{
	static const char *const bad[] = {
		"/ip4/10.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1",   "/ip4/0.0.0.0/tcp/1", "/ip4/169.254.0.1/tcp/1",
		"/ip6/fe80::1/tcp/1",  "/dns/example.org/tcp/1", "/memory/1"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(observe(bad[i], "/ip4/8.8.8.8/tcp/1", true, 0), false);
		assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", bad[i], true, 0), false);
	}
	assert_int_equal(observe("/ip4/1.2.3.4", "/ip4/8.8.8.8/tcp/1", true, 0), false);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1/p2p-circuit", "/ip4/8.8.8.8/tcp/1", true, 0), false);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/1", "/ip4/8.8.8.8/tcp/1/p2p-circuit", true, 0), false);
	assert_int_equal(own.n[GN_OWN_OBSERVED], 0);
	assert_int_equal(observe("/ip4/198.51.100.1/tcp/1", "/ip4/203.0.113.1/tcp/1", true, 0), false);
	assert_int_equal(own.n[GN_OWN_OBSERVED], 1);
}

static void a_listening_address_is_not_observed_again(void **state)
{
	(void)state;
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/1.2.3.4/tcp/1", GN_NEVER), true);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 0, 0), false);
	assert_int_equal(own.n[GN_OWN_OBSERVED], 0);
}

static void the_port_of_a_dialled_connection_becomes_that_of_a_listener(void **state)
{
	(void)state;
	/* Without a suitable listener the report is ignored, because the port of an outbound connection is
	 * temporary. */
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/50000", "/ip4/8.0.0.1/tcp/1", false, 0), false);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/127.0.0.1/tcp/1", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip6/::/tcp/2", GN_NEVER), true);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/0.0.0.0/udp/3", GN_NEVER), true);
	assert_int_equal(observe("/ip4/1.2.3.4/tcp/50000", "/ip4/8.0.0.1/tcp/1", false, 0), false);
	assert_int_equal(own.n[GN_OWN_OBSERVED], 0);
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/0.0.0.0/tcp/4001/ws", GN_NEVER), true);
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS; i++) {
		char observed[64], observer[64];

		(void)snprintf(observed, sizeof observed, "/ip4/1.2.3.4/tcp/%u", 50000 + i);
		(void)snprintf(observer, sizeof observer, "/ip4/8.0.%u.1/tcp/1", i);
		assert_int_equal(observe(observed, observer, false, 0), i + 1 == GN_OWN_CONFIRMATIONS);
	}
	assert_int_equal(del(GN_OWN_LISTENING, "/ip4/127.0.0.1/tcp/1"), true);
	assert_int_equal(del(GN_OWN_LISTENING, "/ip6/::/tcp/2"), true);
	assert_int_equal(del(GN_OWN_LISTENING, "/ip4/0.0.0.0/udp/3"), true);
	assert_int_equal(del(GN_OWN_LISTENING, "/ip4/0.0.0.0/tcp/4001/ws"), true);
	assert_advertised(0, "/ip4/1.2.3.4/tcp/4001/ws ");
}

static void the_port_of_a_connection_dialled_from_a_listener_is_kept(void **state)
{
	struct gn_multiaddr *observed = parse("/ip4/1.2.3.4/tcp/50000");

	(void)state;
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/0.0.0.0/tcp/4001", GN_NEVER), true);
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS; i++) {
		struct gn_own_report report = {.observed = observed, .is_from_listener = true};
		struct gn_multiaddr *observer;
		char text[64];
		bool changed;

		(void)snprintf(text, sizeof text, "/ip4/8.0.%u.1/tcp/1", i);
		report.observer = observer = parse(text);
		assert_int_equal(gn_own_observe(&own, &report, 0, &changed), 0);
		assert_int_equal(changed, i + 1 == GN_OWN_CONFIRMATIONS);
		gn_multiaddr_free(observer);
	}
	assert_advertised(0, "/ip4/0.0.0.0/tcp/4001 /ip4/1.2.3.4/tcp/50000 ");
	gn_multiaddr_free(observed);
}

static void one_stranger_neither_fills_the_table_nor_confirms(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS - 1; i++)
		assert_int_equal(report("/ip4/1.2.3.4/tcp/1", i, 0), false);
	/* Of the many reports of one network the newest GN_OWN_PER_OBSERVER are kept. */
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof text, "/ip4/6.6.6.6/tcp/%u", i);
		assert_int_equal(report(text, 500, (gn_time)i), false);
		assert_true(own.n[GN_OWN_OBSERVED] <= 1 + GN_OWN_PER_OBSERVER);
	}
	assert_int_equal(own.n[GN_OWN_OBSERVED], 1 + GN_OWN_PER_OBSERVER);
	assert_int_equal(report("/ip4/6.6.6.6/tcp/998", 500, 2000), false);
	assert_int_equal(own.n[GN_OWN_OBSERVED], 1 + GN_OWN_PER_OBSERVER);
	/* The reports of other networks were not displaced. */
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 600, 2000), true);
}

static void a_network_that_reports_others_no_longer_vouches(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS - 1; i++)
		assert_int_equal(report("/ip4/1.2.3.4/tcp/1", i, 0), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/2", 0, 1), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/3", 0, 2), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 50, 3), false);
	assert_advertised(3, "");
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 51, 3), true);
}

static void of_17_observed_addresses_the_least_confirmed_candidate_leaves(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < GN_OWN_OBSERVED_MAX; i++) {
		(void)snprintf(text, sizeof text, "/ip4/1.2.3.4/tcp/%u", i);
		for (unsigned k = 0; k < (i == 0 ? 1 : 2); k++)
			assert_int_equal(report(text, 2 * i + k, (gn_time)i), false);
	}
	assert_int_equal(own.n[GN_OWN_OBSERVED], GN_OWN_OBSERVED_MAX);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/100", 100, 50), false);
	assert_int_equal(own.n[GN_OWN_OBSERVED], GN_OWN_OBSERVED_MAX);
	/* The address with port 0, which had one observer, was displaced.  New reports of it start from
	 * zero, and displace the address with port 100. */
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS - 1; i++)
		assert_int_equal(report("/ip4/1.2.3.4/tcp/0", 200 + i, 60), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/0", 0, 60), true);
	assert_int_equal(own.n[GN_OWN_OBSERVED], GN_OWN_OBSERVED_MAX);
}

static void advertised_addresses_do_not_leave_for_candidates(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < GN_OWN_OBSERVED_MAX; i++) {
		(void)snprintf(text, sizeof text, "/ip4/1.2.3.4/tcp/%u", i);
		for (unsigned k = 0; k < GN_OWN_CONFIRMATIONS; k++)
			(void)report(text, GN_OWN_CONFIRMATIONS * i + k, 0);
	}
	for (unsigned k = 0; k < GN_OWN_CONFIRMATIONS; k++)
		assert_int_equal(report("/ip4/1.2.3.4/tcp/100", 300 + k, 1), false);
	assert_int_equal(own.n[GN_OWN_OBSERVED], GN_OWN_OBSERVED_MAX);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/0", 1, 1), false);
}

static void an_address_counts_at_most_8_observers(void **state)
{
	struct gn_own_addr *a;

	(void)state;
	for (unsigned i = 0; i < GN_OWN_OBSERVERS_MAX + 1; i++)
		(void)report("/ip4/1.2.3.4/tcp/1", i, (gn_time)i);
	a = gn_list_first(&own.addrs[GN_OWN_OBSERVED], struct gn_own_addr, link);
	assert_int_equal(a->n_observers, GN_OWN_OBSERVERS_MAX);
	assert_int_equal(a->reported, GN_OWN_OBSERVERS_MAX);
	assert_int_equal(a->expires, GN_OWN_OBSERVERS_MAX + GN_OWN_OBSERVED_TIME);
}

static void a_confirmed_address_that_is_announced_is_no_change(void **state)
{
	(void)state;
	assert_int_equal(add(GN_OWN_ANNOUNCED, "/ip4/1.2.3.4/tcp/1", GN_NEVER), true);
	for (unsigned i = 0; i < GN_OWN_CONFIRMATIONS; i++)
		assert_int_equal(report("/ip4/1.2.3.4/tcp/1", i, 0), false);
	assert_int_equal(del(GN_OWN_ANNOUNCED, "/ip4/1.2.3.4/tcp/1"), false);
	assert_advertised(0, "/ip4/1.2.3.4/tcp/1 ");
}

static void a_report_says_that_others_have_expired(void **state)
{
	(void)state;
	assert_int_equal(add(GN_OWN_MAPPED, "/ip4/8.8.8.8/tcp/1", 100), true);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 0, 99), false);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 1, 100), true);
	assert_advertised(100, "");
}

static void without_memory_nothing_is_added(void **state)
{
	(void)state;
	calloc_fails = true;
	assert_int_equal(add(GN_OWN_LISTENING, "/ip4/1.2.3.4/tcp/1", GN_NEVER), -ENOMEM);
	assert_int_equal(report("/ip4/1.2.3.4/tcp/1", 1, 0), -ENOMEM);
	calloc_fails = false;
	assert_advertised(0, "");
	assert_int_equal(own.n[GN_OWN_LISTENING] + own.n[GN_OWN_OBSERVED], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_listed_by_origin_and_each_once),
		TEST(a_change_is_one_of_the_advertised_addresses),
		TEST(an_address_expires_at_its_very_time),
		TEST(an_origin_has_at_most_64_addresses),
		TEST(the_reach_of_an_address_is_known_while_the_address_is_in_the_table),
		TEST(a_candidate_keeps_its_state_whatever_its_reach),
		TEST(a_wildcard_stands_for_addresses_of_its_family_port_and_protocols),
		TEST(the_reach_of_at_most_64_addresses_is_known),
		TEST(the_reach_stays_unknown_without_memory),
		TEST(an_observed_address_is_advertised_after_four_networks_reported_it),
		TEST(addresses_of_one_network_are_one_observer),
		TEST(an_observed_address_leaves_an_hour_after_its_last_report),
		TEST(reports_older_than_an_hour_do_not_confirm),
		TEST(only_public_addresses_and_observers_count),
		TEST(a_listening_address_is_not_observed_again),
		TEST(the_port_of_a_dialled_connection_becomes_that_of_a_listener),
		TEST(the_port_of_a_connection_dialled_from_a_listener_is_kept),
		TEST(one_stranger_neither_fills_the_table_nor_confirms),
		TEST(a_network_that_reports_others_no_longer_vouches),
		TEST(of_17_observed_addresses_the_least_confirmed_candidate_leaves),
		TEST(advertised_addresses_do_not_leave_for_candidates),
		TEST(an_address_counts_at_most_8_observers),
		TEST(a_confirmed_address_that_is_announced_is_no_change),
		TEST(a_report_says_that_others_have_expired),
		TEST(without_memory_nothing_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
