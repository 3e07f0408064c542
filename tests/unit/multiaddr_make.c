/* SPDX-License-Identifier: MIT */
#include "addr/multiaddr.h"
#include "support/support.h"

#define RELAY "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC"
#define PEER "12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv"

static struct gn_multiaddr *parse(const char *text)
{
	struct gn_multiaddr *a = NULL;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	return a;
}

/* Asserts that the call succeeded and made the address `text`, and frees it. */
static void assert_made(int err, struct gn_multiaddr **made, const char *text)
{
	char *s;

	assert_int_equal(err, 0);
	s = gn_multiaddr_format(*made);
	assert_non_null(s);
	assert_string_equal(s, text);
	free(s);
	gn_multiaddr_free(*made);
	*made = NULL;
}

static void encapsulation_appends(void **state)
{
	struct gn_multiaddr *a = parse("/ip4/1.2.3.4/tcp/80"), *b = parse("/tls/ws"), *u = parse("/unix/a"),
			    *out = NULL;
	uint8_t port[2] = {0x10, 0x01};

	(void)state;
	assert_made(gn_multiaddr_dup(a, &out), &out, "/ip4/1.2.3.4/tcp/80");
	assert_made(gn_multiaddr_encapsulate(a, b, &out), &out, "/ip4/1.2.3.4/tcp/80/tls/ws");
	assert_made(gn_multiaddr_encapsulate_text(a, "/ws", &out), &out, "/ip4/1.2.3.4/tcp/80/ws");
	assert_made(gn_multiaddr_encapsulate_part(a, GN_MA_UDP, port, 2, &out), &out, "/ip4/1.2.3.4/tcp/80/udp/4097");
	assert_made(gn_multiaddr_encapsulate_part(a, GN_MA_SNI, "x.y", 3, &out), &out, "/ip4/1.2.3.4/tcp/80/sni/x.y");
	out = NULL;
	assert_int_equal(gn_multiaddr_encapsulate_text(a, "ws", &out), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_encapsulate_part(a, GN_MA_UDP, port, 1, &out), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_encapsulate_part(a, GN_MA_SNI, "x/y", 3, &out), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_encapsulate_part(a, GN_MA_SNI, "", 0, &out), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_encapsulate_part(a, 5, NULL, 0, &out), GN_EFORMAT);
	/* No component may follow a unix path. */
	assert_int_equal(gn_multiaddr_encapsulate(u, b, &out), GN_EFORMAT);
	assert_null(out);
	gn_multiaddr_free(a);
	gn_multiaddr_free(b);
	gn_multiaddr_free(u);
}

static void a_result_that_is_too_long_is_rejected(void **state)
{
	struct gn_multiaddr *a = parse("/ws/ws/ws/ws"), *out;

	(void)state;
	while (gn_multiaddr_encapsulate(a, a, &out) == 0) {
		gn_multiaddr_free(a);
		a = out;
	}
	assert_int_equal(gn_multiaddr_encapsulate(a, a, &out), GN_ETOOBIG);
	gn_multiaddr_free(a);
}

static void decapsulation_removes_from_the_last_match(void **state)
{
	struct gn_multiaddr *a = parse("/ip4/1.2.3.4/udp/1/ip4/1.2.3.4/tcp/2"), *ip = parse("/ip4/1.2.3.4"),
			    *out = NULL;
	struct gn_multiaddr *ws = parse("/ws"), *two = parse("/ip4/1.2.3.4/tcp/2"), *sni, *tcp = parse("/tcp/1");

	(void)state;
	assert_made(gn_multiaddr_decapsulate(a, ip, &out), &out, "/ip4/1.2.3.4/udp/1");
	assert_made(gn_multiaddr_decapsulate(a, two, &out), &out, "/ip4/1.2.3.4/udp/1");
	out = NULL;
	assert_int_equal(gn_multiaddr_decapsulate(a, ws, &out), GN_ENONAME);
	assert_int_equal(gn_multiaddr_decapsulate(a, a, &out), GN_ENONAME); /* the result would be empty */
	assert_int_equal(gn_multiaddr_decapsulate(ip, a, &out), GN_ENONAME);
	assert_null(out);
	/* The bytes of /tcp/1 (06 00 01) within a value are not a component. */
	assert_int_equal(gn_multiaddr_decode((const uint8_t *)"\x04\x7f\x06\x00\x01\xdd\x03", 7, &sni), 0);
	assert_int_equal(gn_multiaddr_decapsulate(sni, tcp, &out), GN_ENONAME);
	gn_multiaddr_free(a);
	gn_multiaddr_free(ip);
	gn_multiaddr_free(ws);
	gn_multiaddr_free(two);
	gn_multiaddr_free(sni);
	gn_multiaddr_free(tcp);
}

static void a_part_is_replaced(void **state)
{
	struct gn_multiaddr *a = parse("/dns/example.com/tcp/80/ws"), *ip = parse("/ip4/1.2.3.4"), *out = NULL;
	struct gn_multiaddr_part part;

	(void)state;
	assert_true(gn_multiaddr_find(a, GN_MA_DNS, &part));
	assert_made(gn_multiaddr_replace(a, &part, ip, &out), &out, "/ip4/1.2.3.4/tcp/80/ws");
	assert_made(gn_multiaddr_replace(a, &part, NULL, &out), &out, "/tcp/80/ws");
	assert_true(gn_multiaddr_find(a, GN_MA_WS, &part));
	assert_made(gn_multiaddr_replace(a, &part, ip, &out), &out, "/dns/example.com/tcp/80/ip4/1.2.3.4");
	assert_true(gn_multiaddr_find(ip, GN_MA_IP4, &part));
	assert_int_equal(gn_multiaddr_replace(ip, &part, NULL, &out), GN_ENONAME);
	gn_multiaddr_free(a);
	gn_multiaddr_free(ip);
}

static void a_peer_id_is_added_and_found(void **state)
{
	struct gn_multiaddr *a = parse("/ip4/1.2.3.4/tcp/80"), *with = parse("/ip4/1.2.3.4/tcp/80/p2p/" PEER);
	struct gn_multiaddr *circuit = parse("/tcp/1/p2p/" RELAY "/p2p-circuit"), *alone = parse("/p2p/" PEER),
			    *out = NULL;
	struct gn_peer_id id, relay;

	(void)state;
	assert_int_equal(gn_peer_id_parse(PEER, &id), 0);
	assert_int_equal(gn_peer_id_parse(RELAY, &relay), 0);
	assert_made(gn_multiaddr_without_peer(a, &out), &out, "/ip4/1.2.3.4/tcp/80");
	assert_made(gn_multiaddr_without_peer(with, &out), &out, "/ip4/1.2.3.4/tcp/80");
	assert_made(gn_multiaddr_without_peer(circuit, &out), &out, "/tcp/1/p2p/" RELAY "/p2p-circuit");
	assert_made(gn_multiaddr_with_peer(a, &id, &out), &out, "/ip4/1.2.3.4/tcp/80/p2p/" PEER);
	assert_made(gn_multiaddr_with_peer(with, &id, &out), &out, "/ip4/1.2.3.4/tcp/80/p2p/" PEER);
	assert_made(gn_multiaddr_with_peer(circuit, &id, &out), &out, "/tcp/1/p2p/" RELAY "/p2p-circuit/p2p/" PEER);
	assert_made(gn_multiaddr_with_peer(NULL, &id, &out), &out, "/p2p/" PEER);
	out = NULL;
	assert_int_equal(gn_multiaddr_with_peer(with, &relay, &out), GN_EPEERID);
	assert_int_equal(gn_multiaddr_without_peer(alone, &out), GN_ENONAME);
	assert_null(out);
	gn_multiaddr_free(a);
	gn_multiaddr_free(with);
	gn_multiaddr_free(circuit);
	gn_multiaddr_free(alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encapsulation_appends),
		cmocka_unit_test(a_result_that_is_too_long_is_rejected),
		cmocka_unit_test(decapsulation_removes_from_the_last_match),
		cmocka_unit_test(a_part_is_replaced),
		cmocka_unit_test(a_peer_id_is_added_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
