/* SPDX-License-Identifier: MIT */
#include "addr/multiaddr.h"
#include "support/support.h"

static struct gn_multiaddr *parse(const char *text)
{
	struct gn_multiaddr *a = NULL;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	return a;
}

/* Converts the multiaddr to an IP address and back.  The result is `written`, which has the zone first, and
 * `rest` is what follows the IP address and the port. */
static void check(const char *text, const char *written, const char *rest)
{
	struct gn_multiaddr *a = parse(text), *b;
	struct gn_ip ip, same;
	struct gn_cursor c;
	char *s;

	assert_int_equal(gn_multiaddr_to_ip(a, &ip, &c), 0);
	assert_hex(c.p, gn_cursor_left(&c), rest);
	assert_int_equal(gn_multiaddr_from_ip(&ip, &b), 0);
	s = gn_multiaddr_format(b);
	assert_non_null(s);
	assert_string_equal(s, written);
	assert_int_equal(gn_multiaddr_to_ip(b, &same, NULL), 0);
	assert_memory_equal(&ip, &same, sizeof(ip));
	free(s);
	gn_multiaddr_free(a);
	gn_multiaddr_free(b);
}

static void ip_addresses_convert_both_ways(void **state)
{
	struct gn_multiaddr *a;
	struct gn_ip ip;

	(void)state;
	check("/ip4/1.2.3.4/tcp/80/ws", "/ip4/1.2.3.4/tcp/80", "dd03");
	check("/ip4/1.2.3.4/udp/65535", "/ip4/1.2.3.4/udp/65535", "");
	check("/ip4/1.2.3.4/ws", "/ip4/1.2.3.4", "dd03");
	check("/ip6/fe80::1/ip6zone/eth0/tcp/1", "/ip6zone/eth0/ip6/fe80::1/tcp/1", "");
	check("/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip6zone/eth0/ip6/fe80::1/tcp/1", "");
	check("/ip6/::1", "/ip6/::1", "");
	a = parse("/dns/example.com/tcp/1");
	assert_int_equal(gn_multiaddr_to_ip(a, &ip, NULL), GN_ENONAME);
	gn_multiaddr_free(a);
	a = parse("/ip6zone/a/ip6/fe80::1/ip6zone/b");
	assert_int_equal(gn_multiaddr_to_ip(a, &ip, NULL), GN_ENONAME);
	gn_multiaddr_free(a);
	a = parse("/ip6zone/a/ip4/1.2.3.4");
	assert_int_equal(gn_multiaddr_to_ip(a, &ip, NULL), GN_ENONAME);
	gn_multiaddr_free(a);
	a = parse("/ip6zone/a234567890123456789012345678901234567890123456789012345678901234/ip6/::1");
	assert_int_equal(gn_multiaddr_to_ip(a, &ip, NULL), GN_ENONAME); /* no room for the NUL */
	gn_multiaddr_free(a);
}

static void each_address_has_its_scope(void **state)
{
	static const struct {
		const char *text;
		enum gn_ip_scope scope;
	} list[] = {
		{"/ip4/0.0.0.0", GN_SCOPE_UNSPECIFIED},
		{"/ip4/0.1.2.3", GN_SCOPE_OTHER},
		{"/ip4/0.255.255.255", GN_SCOPE_OTHER},
		{"/ip4/1.0.0.0", GN_SCOPE_PUBLIC},
		{"/ip4/127.255.0.1", GN_SCOPE_LOOPBACK},
		{"/ip4/10.255.255.255", GN_SCOPE_PRIVATE},
		{"/ip4/11.0.0.0", GN_SCOPE_PUBLIC},
		{"/ip4/9.255.255.255", GN_SCOPE_PUBLIC},
		{"/ip4/100.63.255.255", GN_SCOPE_PUBLIC},
		{"/ip4/100.64.0.0", GN_SCOPE_PRIVATE},
		{"/ip4/100.127.255.255", GN_SCOPE_PRIVATE},
		{"/ip4/100.128.0.0", GN_SCOPE_PUBLIC},
		{"/ip4/169.254.1.1", GN_SCOPE_LINK},
		{"/ip4/172.15.255.255", GN_SCOPE_PUBLIC},
		{"/ip4/172.16.0.0", GN_SCOPE_PRIVATE},
		{"/ip4/172.31.255.255", GN_SCOPE_PRIVATE},
		{"/ip4/172.32.0.0", GN_SCOPE_PUBLIC},
		{"/ip4/192.0.2.1", GN_SCOPE_OTHER},
		{"/ip4/192.168.1.1", GN_SCOPE_PRIVATE},
		{"/ip4/192.169.0.0", GN_SCOPE_PUBLIC},
		{"/ip4/198.17.255.255", GN_SCOPE_PUBLIC},
		{"/ip4/198.18.0.0", GN_SCOPE_OTHER},
		{"/ip4/198.19.255.255", GN_SCOPE_OTHER},
		{"/ip4/198.51.100.9", GN_SCOPE_OTHER},
		{"/ip4/203.0.113.9", GN_SCOPE_OTHER},
		{"/ip4/203.0.114.0", GN_SCOPE_PUBLIC},
		{"/ip4/223.255.255.255", GN_SCOPE_PUBLIC},
		{"/ip4/224.0.0.1", GN_SCOPE_OTHER},
		{"/ip4/240.0.0.1", GN_SCOPE_OTHER},
		{"/ip4/255.255.255.255", GN_SCOPE_OTHER},
		{"/ip4/8.8.8.8/tcp/1", GN_SCOPE_PUBLIC},
		{"/ip6/::", GN_SCOPE_UNSPECIFIED},
		{"/ip6/::1", GN_SCOPE_LOOPBACK},
		{"/ip6/::2", GN_SCOPE_OTHER},
		{"/ip6/fe80::1", GN_SCOPE_LINK},
		{"/ip6zone/x/ip6/febf::1", GN_SCOPE_LINK},
		{"/ip6/fec0::1", GN_SCOPE_OTHER},
		{"/ip6/fc00::1", GN_SCOPE_PRIVATE},
		{"/ip6/fdff::1", GN_SCOPE_PRIVATE},
		{"/ip6/ff02::1", GN_SCOPE_OTHER},
		{"/ip6/2001:db8::1", GN_SCOPE_OTHER},
		{"/ip6/2001:db9::1", GN_SCOPE_PUBLIC},
		{"/ip6/2000::1", GN_SCOPE_PUBLIC},
		{"/ip6/3fff::1", GN_SCOPE_PUBLIC},
		{"/ip6/4000::1", GN_SCOPE_OTHER},
		{"/ip6/64:ff9b::808:808", GN_SCOPE_OTHER},
		{"/ip6/::ffff:10.1.2.3", GN_SCOPE_PRIVATE},
		{"/ip6/::ffff:8.8.8.8", GN_SCOPE_PUBLIC},
		{"/ip6/::ffff:127.0.0.1", GN_SCOPE_LOOPBACK},
		{"/dns/example.com/tcp/1", GN_SCOPE_NONE},
		{"/memory/1", GN_SCOPE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct gn_multiaddr *a = parse(list[i].text);
		enum gn_ip_scope scope = gn_multiaddr_scope(a);

		if (scope != list[i].scope)
			fail_msg("%s has scope %d", list[i].text, (int)scope);
		assert_int_equal(gn_multiaddr_is_public(a), scope == GN_SCOPE_PUBLIC);
		assert_int_equal(gn_multiaddr_is_loopback(a), scope == GN_SCOPE_LOOPBACK);
		assert_int_equal(gn_multiaddr_is_private(a), scope == GN_SCOPE_PRIVATE || scope == GN_SCOPE_LINK);
		gn_multiaddr_free(a);
	}
}

static void an_address_has_a_meaning_in_networks_of_its_scope(void **state)
{
	static const char *const texts[] = {"/ip4/9.9.9.9", "/ip4/203.0.113.1", "/dns/a.test", "/ip4/10.0.0.1",
					    "/ip6/fe80::1", "/ip4/127.0.0.1",   "/ip4/0.0.0.0"};
	static const struct {
		enum gn_ip_scope scope;
		size_t n; /* the first n have a meaning */
	} cases[] = {{GN_SCOPE_PUBLIC, 3}, {GN_SCOPE_OTHER, 3},    {GN_SCOPE_PRIVATE, 5},
		     {GN_SCOPE_LINK, 5},   {GN_SCOPE_LOOPBACK, 6}, {GN_SCOPE_NONE, 6}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			struct gn_multiaddr *a = parse(texts[k]);

			if (gn_multiaddr_is_for(a, cases[i].scope) != (k < cases[i].n))
				fail_msg("%s in scope %d", texts[k], (int)cases[i].scope);
			gn_multiaddr_free(a);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_addresses_convert_both_ways),
		cmocka_unit_test(each_address_has_its_scope),
		cmocka_unit_test(an_address_has_a_meaning_in_networks_of_its_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
