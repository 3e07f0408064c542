/* SPDX-License-Identifier: MIT */
#include "addr/multiaddr.h"

#include <errno.h>

#include "support/support.h"

/* Returns the address in an allocation of exactly its size, so that sanitizers detect a read past its end. */
static struct gn_multiaddr *parse(const char *text)
{
	struct gn_multiaddr *a = NULL;
	size_t where = 0;
	int err = gn_multiaddr_parse(text, &a, &where);

	if (err < 0)
		fail_msg("%s: %s at %zu", text, gn_errname(err), where);
	return a;
}

static void assert_text(const struct gn_multiaddr *a, const char *text)
{
	char *s = gn_multiaddr_format(a);

	assert_non_null(s);
	assert_string_equal(s, text);
	free(s);
}

static void check(const char *text, const char *canonical, const char *hex)
{
	struct gn_multiaddr *a = parse(text), *b;
	size_t n, len;
	uint8_t *bytes = unhex(hex, &n);
	const uint8_t *p = gn_multiaddr_bytes(a, &len);

	assert_hex(p, len, hex);
	assert_text(a, canonical);
	assert_int_equal(gn_multiaddr_decode(bytes, n, &b), 0);
	assert_true(gn_multiaddr_is_equal(a, b));
	assert_int_equal(gn_multiaddr_compare(a, b), 0);
	assert_text(b, canonical);
	gn_multiaddr_free(a);
	gn_multiaddr_free(b);
	free(bytes);
}

static void on_valid(char **field)
{
	size_t n;
	uint8_t *bytes = unhex(field[1], &n);
	char *slash;

	check(field[0], field[0], field[1]);
	/* Trailing slashes are dropped. */
	slash = malloc(strlen(field[0]) + 3);
	assert_non_null(slash);
	(void)sprintf(slash, "%s//", field[0]);
	check(slash, field[0], field[1]);
	free(slash);
	/* A truncated address is either another address or malformed, and nothing is read past its end. */
	for (size_t k = 0; k < n; k++) {
		uint8_t *part = malloc(k > 0 ? k : 1);
		struct gn_multiaddr *a;

		assert_non_null(part);
		memcpy(part, bytes, k);
		if (gn_multiaddr_decode(part, k, &a) == 0)
			gn_multiaddr_free(a);
		free(part);
	}
	free(bytes);
}

static void on_canonical(char **field)
{
	check(field[0], field[1], field[2]);
}

static void on_invalid_text(char **field)
{
	struct gn_multiaddr *a = NULL;
	size_t where = SIZE_MAX;

	if (gn_multiaddr_parse(field[0], &a, &where) != GN_EFORMAT)
		fail_msg("'%s' was taken", field[0]);
	assert_null(a);
	assert_true(where <= strlen(field[0]));
	assert_int_equal(gn_multiaddr_parse(field[0], &a, NULL), GN_EFORMAT);
}

static void on_invalid_hex(char **field)
{
	struct gn_multiaddr *a = NULL;
	size_t n;
	uint8_t *p = unhex(field[0], &n);
	int err = gn_multiaddr_decode(p, n, &a);

	if (err != GN_EFORMAT && err != GN_ETRUNC)
		fail_msg("%s (%s) was taken: %d", field[0], field[1], err);
	assert_null(a);
	free(p);
}

static void vectors_parse_and_format(void **state)
{
	(void)state;
	vectors_each("multiaddr-valid.tsv", on_valid);
	vectors_each("multiaddr-canonical.tsv", on_canonical);
	vectors_each("multiaddr-invalid-text.txt", on_invalid_text);
	vectors_each("multiaddr-invalid-hex.tsv", on_invalid_hex);
}

/* Rare texts, and texts that other implementations treat differently. */
static void several_texts_mean_one_address(void **state)
{
	(void)state;
	check("/ip6/::ffff:127.0.0.1", "/ip6/::ffff:127.0.0.1", "2900000000000000000000ffff7f000001");
	check("/ip6/::ffff:7f00:1", "/ip6/::ffff:127.0.0.1", "2900000000000000000000ffff7f000001");
	/* js-multiaddr writes a unix path as one percent-encoded segment. */
	check("/unix/%2Ftmp%2Fx", "/unix/tmp/x", "9003062f746d702f78");
	check("/unix/%2ftmp%2fa%20b", "/unix/tmp/a b", "9003082f746d702f612062");
	check("/unix/a%20b", "/unix/a%20b", "9003062f6125323062"); /* go-multiaddr does not decode it */
	/* Paths that would be parsed differently, or contain control characters, are written in the form of
	 * js-multiaddr. */
	check("/unix/%2F%252Fa", "/unix/%2F%252Fa", "9003052f25324661");
	check("/unix/%2Fa%2F", "/unix/%2Fa%2F", "9003032f612f");
	check("/unix/%2Fa%1B", "/unix/%2Fa%1B", "9003032f611b");
	check("/unix/%2F", "/unix/%2F", "9003012f");
	/* The zone may precede or follow the address. */
	check("/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip6zone/eth0/ip6/fe80::1/tcp/1",
	      "2a0465746830"
	      "29fe800000000000000000000000000001"
	      "060001");
	check("/ip6/fe80::1/ip6zone/eth0/tcp/1", "/ip6/fe80::1/ip6zone/eth0/tcp/1",
	      "29fe800000000000000000000000000001"
	      "2a0465746830"
	      "060001");
	/* An http-path of js-multiaddr begins with a slash. */
	check("/http-path/%2Ftmp", "/http-path/%2Ftmp", "e103042f746d70");
	check("/memory/18446744073709551615", "/memory/18446744073709551615", "8906ffffffffffffffff");
	check("/dns4/b\xc3\xbc"
	      "cher.example/tcp/1",
	      "/dns4/b\xc3\xbc"
	      "cher.example/tcp/1",
	      "360f62c3bc636865722e6578616d706c65"
	      "060001");
}

static void onion_and_garlic_addresses_convert(void **state)
{
	static const char garlic32[] = "/garlic32/566niximlxdzpanmn4qouucvua3k7neniwss47li5r6ugoertzuq";
	struct gn_multiaddr *a, *b;
	char text[600], *s;

	(void)state;
	check("/onion/timaq4ygg2iegci7:80", "/onion/timaq4ygg2iegci7:80", "bc039a18087306369043091f0050");
	a = parse("/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234");
	assert_text(a, "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234");
	gn_multiaddr_free(a);
	a = parse(garlic32);
	assert_text(a, garlic32);
	gn_multiaddr_free(a);
	/* A destination of 387 bytes has 516 characters, which include the two that only I2P's alphabet
	 * has. */
	(void)strcpy(text, "/garlic64/");
	memset(text + 10, 'A', 516);
	text[10] = '~', text[11] = '-', text[526] = '\0';
	a = parse(text);
	s = gn_multiaddr_format(a);
	assert_non_null(s);
	assert_string_equal(s, text);
	free(s);
	text[10] = '_';
	assert_int_equal(gn_multiaddr_parse(text, &b, NULL), GN_EFORMAT);
	gn_multiaddr_free(a);
}

static void malformed_addresses_are_rejected(void **state)
{
	static const char *const texts[] = {
		"ip4/1.2.3.4",
		"//ip4/1.2.3.4",
		"/ip4//tcp/1",
		"/ip4/1.2.3",
		"/ip4/1.2.3.4.5",
		"/ip4/01.2.3.4",
		"/ip4/1.2.3.4 /tcp/1",
		"/ip6/fe80::1%eth0",
		"/ip6/::g",
		"/tcp/+1",
		"/tcp/ 1",
		"/tcp/1x",
		"/tcp/99999999999999999999",
		"/memory/18446744073709551616",
		"/dns/a\x1b[31m",
		"/dns/\xc3",
		"/dns/\xc0\xaf",
		"/dns/\xc2\x85",
		"/sni/a\nb",
		"/unix/%2Fa%00b",
		"/unix/%2Fa%2",
		"/http-path/%zz",
		"/http-path/%2",
		"/onion/timaq4ygg2iegci7:0",
		"/onion/timaq4ygg2iegci:80",
		"/onion/timaq4ygg2iegci7",
		"/onion3/abc:1",
		"/garlic32/abcd",
		"/garlic64/AAAA",
		"/certhash/uEiDDq4_x",
		"/certhash/!abc",
		"/IP4/1.2.3.4",
		"/ip4/1.2.3.4/tcp/1/ /x",
		"/own/ff",
		"/p2p/16Uiu2",
		"/tcp/1#token",
		"/ipcidr/-1",
		"/wss/443",
	};
	static const char *const bytes[] = {
		"3504610a6262",                 /* a newline in a name */
		"350261c3",                     /* truncated UTF-8 */
		"9003022f610601bb",             /* a unix path that is not last */
		"9003022f00",                   /* a unix path with a NUL */
		"d20302aabb",                   /* certhash that is no multihash */
		"d203021201",                   /* certhash without its digest of 1 byte */
		"a503050003616263",             /* p2p with an identity hash of no key */
		"bc039a18087306369043091f0000", /* onion address with port 0 */
		"8180c001",                     /* unregistered code for private use */
		"ffffffff0f",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gn_multiaddr *a = NULL;
		size_t where;

		if (gn_multiaddr_parse(texts[i], &a, &where) != GN_EFORMAT)
			fail_msg("'%s' was taken", texts[i]);
		assert_true(where <= strlen(texts[i]));
	}
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		char *field[2];
		char hex[100], why[] = "list";

		(void)strcpy(hex, bytes[i]);
		field[0] = hex;
		field[1] = why;
		on_invalid_hex(field);
	}
}

static void an_error_has_its_position(void **state)
{
	static const struct {
		const char *text;
		size_t where;
	} bad[] = {
		{"", 0},
		{"x", 0},
		{"/", 0},
		{"/ipx/1", 1},
		{"/ip4/1.2.3.4/tcp/70000", 17},
		{"/ip4/1.2.3.4/tcp", 16},
		{"/ip4/1.2.3.4/tcp/", 16},
		{"/ip4/1.2.3.4/foo/1", 13},
		{"/ip4//tcp/1", 5},
		{"/tcp/1//ws", 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct gn_multiaddr *a;
		size_t where = 999;

		assert_int_equal(gn_multiaddr_parse(bad[i].text, &a, &where), GN_EFORMAT);
		assert_int_equal(where, bad[i].where);
	}
}

static void lengths_are_bounded(void **state)
{
	size_t n = 40000;
	char *text = malloc(n + 1), *s;
	uint8_t bytes[2 * 65];
	struct gn_multiaddr *a;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(bytes); i += 2)
		bytes[i] = 0xdd, bytes[i + 1] = 0x03;
	assert_int_equal(gn_multiaddr_decode(bytes, sizeof(bytes), &a), GN_ETOOBIG);
	assert_int_equal(gn_multiaddr_decode(bytes, sizeof(bytes) - 2, &a), 0);
	s = gn_multiaddr_format(a);
	assert_int_equal(strlen(s), 64 * 3);
	gn_multiaddr_free(a);
	free(s);
	text[0] = '\0';
	for (int i = 0; i < 65; i++)
		(void)strcat(text, "/ws");
	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), GN_ETOOBIG);
	memset(text, 'a', n);
	text[n] = '\0';
	memcpy(text, "/dns/", 5);
	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), GN_ETOOBIG);
	text[5000] = '\0';
	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), GN_ETOOBIG);
	text[4000] = '\0';
	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	gn_multiaddr_free(a);
	/* The longest text of an address of the maximum size. */
	memset(text, '\0', n);
	(void)strcpy(text, "/http-path/");
	for (size_t i = 0; i < GN_MULTIADDR_MAX - 4; i++)
		memcpy(text + 11 + 3 * i, "%FF", 3);
	a = parse(text);
	assert_text(a, text);
	gn_multiaddr_free(a);
	free(text);
}

static void parts_are_found(void **state)
{
	static const char text[] =
		"/ip4/1.2.3.4/tcp/80/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/p2p-circuit/p2p/"
		"12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv";
	static const uint32_t tcp[] = {GN_MA_IP4, GN_MA_TCP},
			      circuit[] = {GN_MA_IP4, GN_MA_TCP, GN_MA_P2P, GN_MA_P2P_CIRCUIT};
	struct gn_multiaddr *a = parse(text), *b = parse("/ip4/1.2.3.4/tcp/80"), *c = parse("/p2p-circuit");
	struct gn_multiaddr_part part;
	struct gn_peer_id id;
	char s[GN_PEER_ID_TEXT_MAX];
	struct gn_cursor cur;
	unsigned count = 0;

	(void)state;
	gn_multiaddr_walk(a, &cur);
	while (gn_multiaddr_next(&cur, &part))
		count++;
	assert_int_equal(count, 5);
	assert_true(gn_multiaddr_find(a, GN_MA_P2P, &part));
	assert_int_equal(part.len, 34);
	assert_int_equal(part.size, 2 + 1 + 34);
	assert_true(gn_multiaddr_find_last(a, GN_MA_P2P, &part));
	assert_int_equal(part.len, 38);
	assert_true(gn_multiaddr_has(a, GN_MA_P2P_CIRCUIT));
	assert_false(gn_multiaddr_has(a, GN_MA_UDP));
	assert_int_equal(gn_multiaddr_peer(a, &id), 0);
	assert_string_equal(gn_peer_id_format(&id, s), "12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv");
	assert_int_equal(gn_multiaddr_peer(b, &id), GN_ENONAME);
	assert_true(gn_multiaddr_is_shape(b, tcp, 2));
	assert_false(gn_multiaddr_is_shape(b, tcp, 1));
	assert_false(gn_multiaddr_is_shape(a, tcp, 2));
	assert_true(gn_multiaddr_is_shape(a, circuit, 4));
	assert_false(gn_multiaddr_is_shape(b, circuit, 4));
	assert_true(gn_multiaddr_compare(b, a) < 0);
	assert_true(gn_multiaddr_compare(a, b) > 0);
	assert_true(gn_multiaddr_compare(b, c) < 0);
	assert_false(gn_multiaddr_is_equal(a, b));
	gn_multiaddr_free(a);
	gn_multiaddr_free(b);
	gn_multiaddr_free(c);
	gn_multiaddr_free(NULL);
}

static void a_program_may_add_protocols(void **state)
{
	struct gn_multiaddr *a;

	(void)state;
	assert_int_equal(gn_multiaddr_parse("/room/lobby", &a, NULL), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_protocol_add(0x300000, "room", -1), 0);
	assert_int_equal(gn_multiaddr_protocol_add(0x3fffff, "slot", 3), 0);
	assert_int_equal(gn_multiaddr_protocol_add(0x300002, "flag", 0), 0);
	check("/room/lobby/slot/0a0b0c/flag", "/room/lobby/slot/0a0b0c/flag",
	      "8080c001"
	      "056c6f626279"
	      "ffffff01"
	      "0a0b0c"
	      "8280c001");
	assert_int_equal(gn_multiaddr_parse("/slot/0a0b", &a, NULL), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_parse("/slot/0a0b0c0d", &a, NULL), GN_EFORMAT);
	/* Adding the same protocol again succeeds.  A protocol with the same code or name as another one
	 * fails. */
	assert_int_equal(gn_multiaddr_protocol_add(0x300000, "room", -1), 0);
	assert_int_equal(gn_multiaddr_protocol_add(0x300000, "room", 0), -EEXIST);
	assert_int_equal(gn_multiaddr_protocol_add(0x300000, "other", -1), -EEXIST);
	assert_int_equal(gn_multiaddr_protocol_add(0x300009, "room", -1), -EEXIST);
	assert_int_equal(gn_multiaddr_protocol_add(0x300009, "tcp", -1), -EEXIST);
	assert_int_equal(gn_multiaddr_protocol_add(0x300009, "ipfs", -1), -EEXIST);
	assert_int_equal(gn_multiaddr_protocol_add(0x2fffff, "below", -1), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_protocol_add(0x400000, "above", -1), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_protocol_add(0x300009, "", -1), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_protocol_add(0x300009, "a/b", -1), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_protocol_add(0x300009, "x", -2), GN_EFORMAT);
	assert_int_equal(gn_multiaddr_protocol_add(0x300009, "x", 256), GN_EFORMAT);
	for (uint32_t i = 0; i < 29; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "n%u", (unsigned)i);
		assert_int_equal(gn_multiaddr_protocol_add(0x310000 + i, name, 0), 0);
	}
	assert_int_equal(gn_multiaddr_protocol_add(0x320000, "toomany", 0), GN_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_parse_and_format),
		cmocka_unit_test(several_texts_mean_one_address),
		cmocka_unit_test(onion_and_garlic_addresses_convert),
		cmocka_unit_test(malformed_addresses_are_rejected),
		cmocka_unit_test(an_error_has_its_position),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(parts_are_found),
		cmocka_unit_test(a_program_may_add_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
