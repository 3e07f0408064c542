/* SPDX-License-Identifier: MIT */
/* The rate of lines about unknown peers: a token bucket per IPv4 address or IPv6 /64, in a bounded table. */
#include "common/netblock.h"

#include "support/support.h"

static struct netblock_table table;
static struct {
	struct netblock block;
	uint64_t n, sum;
	unsigned calls;
} reported;

static void on_suppressed(const struct netblock *o, uint64_t n)
{
	reported.block = *o;
	reported.n = n;
	reported.sum += n;
	reported.calls++;
}

static int setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof table);
	memset(&reported, 0, sizeof reported);
	return 0;
}

static struct netblock of(const char *text)
{
	struct gn_multiaddr *a;
	struct netblock o;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	netblock_of(a, &o);
	gn_multiaddr_free(a);
	return o;
}

static const char *text_of(const char *addr)
{
	static char text[NETBLOCK_TEXT_MAX];
	struct netblock o = of(addr);

	return netblock_format(&o, text);
}

static bool take(const struct netblock *o, gn_time now)
{
	return netblock_take(&table, o, now, on_suppressed);
}

static void an_address_is_its_ipv4_address_or_its_ipv6_network(void **state)
{
	struct netblock none;
	char text[NETBLOCK_TEXT_MAX];

	(void)state;
	assert_string_equal(text_of("/ip4/192.0.2.7/tcp/9"), "192.0.2.7");
	assert_string_equal(text_of("/ip6/2001:db8:1:2:3:4:5:6/tcp/9"), "2001:db8:1:2::/64");
	assert_string_equal(text_of("/ip6/::ffff:192.0.2.7/tcp/9"), "192.0.2.7");
	assert_string_equal(text_of("/ip6zone/eth0/ip6/fe80::1/tcp/9"), "fe80:0:0:0::/64");
	assert_string_equal(text_of("/dns4/example.org/tcp/9"), "other addresses");
	netblock_of(NULL, &none);
	assert_string_equal(netblock_format(&none, text), "other addresses");
}

static bool is_loopback(const char *addr)
{
	struct netblock b = of(addr);

	return netblock_is_loopback(&b);
}

static void the_loopback_is_127_8_and_the_ipv6_address_1(void **state)
{
	(void)state;
	assert_false(is_loopback("/ip4/126.255.255.255/tcp/9"));
	assert_true(is_loopback("/ip4/127.0.0.0/tcp/9"));
	assert_true(is_loopback("/ip4/127.255.255.255/tcp/9"));
	assert_false(is_loopback("/ip4/128.0.0.0/tcp/9"));
	assert_true(is_loopback("/ip6/::1/tcp/9"));
	assert_true(is_loopback("/ip6/::ffff:127.0.0.1/tcp/9"));
	assert_false(is_loopback("/ip6/0:0:0:1::1/tcp/9"));
	assert_false(is_loopback("/dns4/localhost/tcp/9"));
}

static void a_burst_passes_and_then_a_line_a_second(void **state)
{
	struct netblock o = of("/ip4/192.0.2.7/tcp/9"), other = of("/ip4/192.0.2.8/tcp/9");
	gn_time now = 1000 * GN_SEC;
	unsigned passed = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		passed += take(&o, now);
	assert_int_equal(passed, NETBLOCK_BURST);
	assert_true(take(&other, now));
	assert_int_equal(reported.calls, 0);
	assert_true(take(&o, now + GN_SEC));
	assert_int_equal(reported.n, 1000 - NETBLOCK_BURST);
	assert_int_equal(reported.block.bytes[3], 7);
	assert_false(take(&o, now + GN_SEC));
	for (passed = 0, now += GN_SEC; now < 1061 * GN_SEC; now += GN_MSEC)
		passed += take(&o, now);
	assert_in_range(passed, 58, 60);
}

static void suppressed_lines_are_counted_afterwards(void **state)
{
	struct netblock o = of("/ip4/192.0.2.7/tcp/9"), other = of("/ip4/192.0.2.8/tcp/9");

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		take(&o, GN_SEC);
	assert_true(take(&other, 100 * GN_SEC));
	assert_int_equal(reported.n, 90);
}

static void further_addresses_share_one_entry(void **state)
{
	struct netblock o = {.family = 6};
	unsigned passed = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		memcpy(o.bytes, &i, sizeof i);
		passed += take(&o, GN_SEC);
	}
	assert_in_range(passed, NETBLOCK_MAX, NETBLOCK_MAX + NETBLOCK_BURST);
	/* The full table does not affect earlier entries, and later it has room for new ones. */
	memset(o.bytes, 0, sizeof o.bytes);
	assert_true(take(&o, GN_SEC));
	assert_true(take(&o, 100 * GN_SEC));
	assert_int_equal(reported.sum, 100000 - passed);
	memset(o.bytes, 0xee, sizeof o.bytes);
	for (passed = 0; take(&o, 100 * GN_SEC); passed++)
		;
	assert_int_equal(passed, NETBLOCK_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_address_is_its_ipv4_address_or_its_ipv6_network, setup),
		cmocka_unit_test_setup(the_loopback_is_127_8_and_the_ipv6_address_1, setup),
		cmocka_unit_test_setup(a_burst_passes_and_then_a_line_a_second, setup),
		cmocka_unit_test_setup(suppressed_lines_are_counted_afterwards, setup),
		cmocka_unit_test_setup(further_addresses_share_one_entry, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
