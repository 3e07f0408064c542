/* SPDX-License-Identifier: MIT */
/* lib/node/names, against a DNS server in this process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "support/support.h"
#include "node/names.h"

#define ID1 "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"
#define ID2 "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"

static const struct dns_entry zone[] = {
	{"both.test", GN_DNS_A, "192.0.2.1"},
	{"both.test", GN_DNS_A, "192.0.2.2"},
	{"both.test", GN_DNS_AAAA, "2001:db8::1"},
	{"four.test", GN_DNS_A, "192.0.2.4"},
	{"silent.test", GN_DNS_A, NULL},
	{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr=/ip4/192.0.2.9/tcp/1/p2p/" ID1},
	{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr=/ip6/2001:db8::9|/tcp/2/p2p/" ID2},
	{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr=/ip4/192.0.2.10/tcp/3"},
	{"_dnsaddr.boot.test", GN_DNS_TXT, "v=spf1 dnsaddr=/ip4/192.0.2.66/tcp/1/p2p/" ID1},
	{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr="},
	{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr=/ip4/no"},
	{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr=/dnsaddr/deep.test/p2p/" ID1},
	{"_dnsaddr.deep.test", GN_DNS_TXT, "dnsaddr=/dns/both.test/tcp/5/p2p/" ID1},
	{"_dnsaddr.deep.test", GN_DNS_TXT, "dnsaddr=/ip4/192.0.2.9/tcp/1/p2p/" ID1},
	{"_dnsaddr.ring.test", GN_DNS_TXT, "dnsaddr=/dnsaddr/ring.test/p2p/" ID1},
	{"_dnsaddr.fan.test", GN_DNS_TXT, "dnsaddr=/dnsaddr/fan.test/p2p/" ID1 "/p2p-circuit/p2p/" ID1},
	{"_dnsaddr.fan.test", GN_DNS_TXT, "dnsaddr=/dnsaddr/fan.test/p2p/" ID1 "/p2p-circuit/p2p/" ID2},
	{NULL, GN_DNS_A, NULL},
};

struct fix {
	struct gn_loop *loop;
	struct dns_server server;
	struct gn_names *op;
	int calls, err, n_failed, failed;
	bool cancels;
	char got[16384];  /* the resulting addresses, one a line */
	char names[4096]; /* the names that these addresses came from, one a line, '-' for none */
};

static int set_up(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	if (f == NULL || gn_loop_new(&f->loop) != 0)
		return -1;
	dns_server_start(&f->server, f->loop, zone);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;

	dns_server_stop(&f->server);
	gn_loop_free(f->loop);
	free(f);
	return 0;
}

static void on_done(void *arg, int err, struct gn_resolved *resolved, size_t n)
{
	struct fix *f = arg;

	f->calls++;
	f->err = err;
	f->op = NULL;
	assert_true((err == 0) == (n > 0));
	for (size_t i = 0; i < n; i++) {
		char *text = gn_multiaddr_format(resolved[i].addr);

		assert_false(gn_names_is_in(resolved[i].addr));
		strcat(f->got, text);
		strcat(f->got, "\n");
		strcat(f->names, resolved[i].name != NULL ? resolved[i].name : "-");
		strcat(f->names, " ");
		free(text);
	}
	gn_resolved_free(resolved, n);
	gn_loop_stop(f->loop);
}

static void on_failed(void *arg, const struct gn_multiaddr *addr, int err)
{
	struct fix *f = arg;

	assert_non_null(addr);
	assert_true(err < 0);
	f->n_failed++;
	f->failed = err;
	if (f->cancels) {
		gn_names_cancel(f->op);
		f->op = NULL;
		gn_loop_stop(f->loop);
	}
}

static void start(struct fix *f, const char *const *texts)
{
	struct gn_multiaddr *addrs[128];
	struct gn_names_cfg cfg = {.loop = f->loop, .on_done = on_done, .on_failed = on_failed, .arg = f};

	for (; texts[cfg.n_addrs] != NULL; cfg.n_addrs++)
		assert_int_equal(gn_multiaddr_parse(texts[cfg.n_addrs], &addrs[cfg.n_addrs], NULL), 0);
	cfg.addrs = (const struct gn_multiaddr *const *)addrs;
	f->calls = f->n_failed = f->err = f->failed = 0;
	f->got[0] = f->names[0] = '\0';
	f->server.asked = 0;
	assert_int_equal(gn_names_resolve(&cfg, &f->op), 0);
	assert_int_equal(f->calls + f->n_failed, 0);
	for (size_t i = 0; i < cfg.n_addrs; i++)
		gn_multiaddr_free(addrs[i]);
}

static void resolve(struct fix *f, const char *const *texts)
{
	start(f, texts);
	gn_loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void addresses_without_names_pass_through(void **state)
{
	struct fix *f = *state;

	resolve(f, LIST("/ip4/192.0.2.7/tcp/1", "/ip6/::1/tcp/2", "/ip4/192.0.2.7/tcp/1", "/memory/5"));
	assert_int_equal(f->err, 0);
	assert_string_equal(f->got, "/ip4/192.0.2.7/tcp/1\n/ip6/::1/tcp/2\n/memory/5\n");
	assert_int_equal(f->server.asked, 0);
}

static void host_names_become_addresses(void **state)
{
	struct fix *f = *state;

	resolve(f, LIST("/ip4/192.0.2.7/tcp/1", "/dns/both.test/tcp/2/p2p/" ID1, "/dns4/both.test/tcp/3",
			"/dns6/both.test/tcp/4", "/dns/four.test/udp/5", "/ip4/192.0.2.2/tcp/3"));
	assert_int_equal(f->err, 0);
	assert_int_equal(f->n_failed, 0);
	assert_string_equal(f->got, "/ip4/192.0.2.7/tcp/1\n"
				    "/ip6/2001:db8::1/tcp/2/p2p/" ID1 "\n"
				    "/ip4/192.0.2.1/tcp/2/p2p/" ID1 "\n"
				    "/ip4/192.0.2.2/tcp/2/p2p/" ID1 "\n"
				    "/ip4/192.0.2.1/tcp/3\n"
				    "/ip6/2001:db8::1/tcp/4\n"
				    "/ip4/192.0.2.4/udp/5\n"
				    "/ip4/192.0.2.2/tcp/3\n");
	assert_string_equal(f->names, "- both.test both.test both.test both.test both.test four.test - ");
}

static void names_that_do_not_resolve_are_reported(void **state)
{
	struct fix *f = *state;

	resolve(f, LIST("/dns/nobody.test/tcp/1", "/dns6/four.test/tcp/2", "/ip4/192.0.2.7/tcp/1"));
	assert_int_equal(f->err, 0);
	assert_int_equal(f->n_failed, 2);
	assert_int_equal(f->failed, GN_ENONAME);
	assert_string_equal(f->got, "/ip4/192.0.2.7/tcp/1\n");

	resolve(f, LIST("/dns/nobody.test/tcp/1"));
	assert_int_equal(f->err, GN_ENONAME);
	assert_int_equal(f->n_failed, 1);
	assert_string_equal(f->got, "");
}

static void dnsaddr_records_are_followed(void **state)
{
	struct fix *f = *state;

	resolve(f, LIST("/dnsaddr/boot.test"));
	assert_string_equal(f->got, "/ip4/192.0.2.9/tcp/1/p2p/" ID1 "\n"
				    "/ip6/2001:db8::9/tcp/2/p2p/" ID2 "\n"
				    "/ip4/192.0.2.10/tcp/3\n"
				    "/ip6/2001:db8::1/tcp/5/p2p/" ID1 "\n"
				    "/ip4/192.0.2.1/tcp/5/p2p/" ID1 "\n"
				    "/ip4/192.0.2.2/tcp/5/p2p/" ID1 "\n");
	assert_string_equal(f->names, "boot.test boot.test boot.test both.test both.test both.test ");

	resolve(f, LIST("/dnsaddr/boot.test/p2p/" ID1));
	assert_string_equal(f->got, "/ip4/192.0.2.9/tcp/1/p2p/" ID1 "\n"
				    "/ip6/2001:db8::1/tcp/5/p2p/" ID1 "\n"
				    "/ip4/192.0.2.1/tcp/5/p2p/" ID1 "\n"
				    "/ip4/192.0.2.2/tcp/5/p2p/" ID1 "\n");

	resolve(f, LIST("/dnsaddr/boot.test/p2p/" ID2 "/p2p-circuit/p2p/" ID1));
	assert_string_equal(f->got, "/ip6/2001:db8::9/tcp/2/p2p/" ID2 "/p2p-circuit/p2p/" ID1 "\n");

	/* When the suffix is not a peer id, it must match as a whole. */
	resolve(f, LIST("/dnsaddr/boot.test/tcp/3"));
	assert_string_equal(f->got, "/ip4/192.0.2.10/tcp/3\n");

	resolve(f, LIST("/dnsaddr/deep.test/p2p/" ID2));
	assert_int_equal(f->err, GN_ENONAME);
}

/* Resolves chains of names, each of which refers to the next, of the maximum length and of one more. */
static void the_depth_of_dnsaddr_is_bounded(void **state)
{
	struct fix *f = *state;
	static struct dns_entry chain[GN_NAMES_DEPTH + 2];
	static char name[GN_NAMES_DEPTH + 2][32], data[GN_NAMES_DEPTH + 2][64];

	for (int i = 0; i <= GN_NAMES_DEPTH; i++) {
		snprintf(name[i], sizeof name[i], "_dnsaddr.c%d.test", i);
		snprintf(data[i], sizeof data[i], "dnsaddr=/dnsaddr/c%d.test", i - 1);
		chain[i] = (struct dns_entry){name[i], GN_DNS_TXT, data[i]};
	}
	f->server.zone = chain;
	snprintf(data[0], sizeof data[0], "dnsaddr=/memory/7");
	resolve(f, LIST("/dnsaddr/c31.test"));
	assert_string_equal(f->got, "/memory/7\n");
	assert_int_equal(f->server.asked, GN_NAMES_DEPTH);
	resolve(f, LIST("/dnsaddr/c32.test"));
	assert_int_equal(f->err, GN_ELIMIT);
	assert_int_equal(f->server.asked, GN_NAMES_DEPTH);
}

static void queries_and_results_are_bounded(void **state)
{
	struct fix *f = *state;
	const char *many[129];
	char text[128][40];
	unsigned lines = 0;

	/* A name that refers to itself is dropped at once. */
	resolve(f, LIST("/dnsaddr/ring.test/p2p/" ID1));
	assert_int_equal(f->err, GN_ENONAME);
	assert_int_equal(f->server.asked, 1);

	resolve(f, LIST("/dnsaddr/fan.test"));
	assert_true(f->err < 0);
	assert_in_range(f->server.asked, 1, 256);

	for (unsigned i = 0; i < 128; i++) {
		snprintf(text[i], sizeof text[i], "/ip4/192.0.2.1/tcp/%u", i + 1);
		many[i] = text[i];
	}
	many[128] = NULL;
	resolve(f, many);
	assert_int_equal(f->err, 0);
	for (const char *p = f->got; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, GN_NAMES_RESULTS);
}

/* A longer name is rejected before it reaches the resolver.  A name of 255 bytes is rejected by the
 * resolver. */
static void a_name_of_more_than_255_bytes_does_not_resolve(void **state)
{
	struct fix *f = *state;
	char text[400];

	for (int len = 255; len <= 256; len++) {
		size_t n = (size_t)sprintf(text, "/dns4/");

		for (int i = 0; i < len; i++)
			text[n++] = i % 50 == 49 ? '.' : 'a';
		strcpy(text + n, "/tcp/1");
		resolve(f, LIST(text));
		assert_int_equal(f->err, len <= 255 ? GN_EFORMAT : GN_ENONAME);
		assert_int_equal(f->server.asked, 0);
	}
}

/* The other queries start when earlier ones have ended. */
static void at_most_eight_queries_run_at_once(void **state)
{
	struct fix *f = *state;
	const char *many[21];
	char text[20][40];

	f->server.holds = true;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text[i], sizeof text[i], "/dns4/both.test/tcp/%u", i + 1);
		many[i] = text[i];
	}
	many[20] = NULL;
	start(f, many);
	while (f->calls == 0) {
		unsigned before = f->server.together;

		gn_loop_turn(f->loop, 20 * GN_MSEC);
		if (f->server.together > 0 && f->server.together == before)
			dns_server_flush(&f->server);
	}
	assert_int_equal(f->err, 0);
	assert_int_equal(f->server.asked, 20);
	assert_int_equal(f->server.most, 8);
}

static void a_resolution_may_be_cancelled_at_any_time(void **state)
{
	struct fix *f = *state;

	/* Cancel before the first query. */
	start(f, LIST("/dns/both.test/tcp/1"));
	gn_names_cancel(f->op);
	/* Cancel while queries are running. */
	start(f, LIST("/dns/both.test/tcp/1", "/dns4/silent.test/tcp/1"));
	while (f->server.asked < 3)
		gn_loop_turn(f->loop, GN_SEC);
	gn_names_cancel(f->op);
	assert_int_equal(f->calls, 0);
	/* Cancel when the answer has arrived and is not delivered yet. */
	start(f, LIST("/dns4/both.test/tcp/1"));
	while (f->server.asked < 1)
		gn_loop_turn(f->loop, GN_SEC);
	gn_names_cancel(f->op);
	assert_int_equal(f->calls, 0);
	/* Cancel from inside on_failed. */
	f->cancels = true;
	start(f, LIST("/dns/nobody.test/tcp/1", "/dns/both.test/tcp/1", "/dns/nobody2.test/tcp/1"));
	gn_loop_run(f->loop);
	assert_int_equal(f->n_failed, 1);
	assert_int_equal(f->calls, 0);
}

static void a_virtual_loop_resolves_no_names(void **state)
{
	struct fix *f = *state;
	struct gn_loop *real = f->loop;

	assert_int_equal(gn_loop_new_virtual(&f->loop), 0);
	resolve(f, LIST("/dns/both.test/tcp/1", "/memory/1"));
	assert_int_equal(f->n_failed, 1);
	assert_int_equal(f->failed, -ENOTSUP);
	assert_string_equal(f->got, "/memory/1\n");
	gn_loop_free(f->loop);
	f->loop = real;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses_without_names_pass_through, set_up, tear_down),
		cmocka_unit_test_setup_teardown(host_names_become_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_that_do_not_resolve_are_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dnsaddr_records_are_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_depth_of_dnsaddr_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(queries_and_results_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_of_more_than_255_bytes_does_not_resolve, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_most_eight_queries_run_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_resolution_may_be_cancelled_at_any_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_virtual_loop_resolves_no_names, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
