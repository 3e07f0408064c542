/* SPDX-License-Identifier: MIT */
/* Address arguments of the tools in the forms that users type and paste (cmd/common/address*.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/address.h"
#include "common/exit.h"
#include "common/secret.h"

#define ID "12D3KooWLyM1jaZZMVs5u6YPk6KGE4dMwhqWSkPBz6iHKXBmNHDX"
#define ADDR "/ip4/192.0.2.7/tcp/4040/p2p/" ID
#define TOKEN "gezdgnbvgy3tqojqgezdgnbvgy"

static void white_space_around_an_address_is_accepted(void **state)
{
	static const char *const texts[] = {
		ADDR "#" TOKEN,          " " ADDR "#" TOKEN,         ADDR "#" TOKEN "\n",   ADDR "#" TOKEN "\r\n",
		"\t" ADDR "#" TOKEN " ", "\r\n" ADDR "#" TOKEN "\r", ADDR "#" TOKEN "\v\f",
	};
	struct address a;
	struct fault f;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(address_parse_peer(texts[i], &a, &f), 0);
		text = gn_multiaddr_format(a.addr);
		assert_string_equal(text, ADDR);
		assert_string_equal(a.token, TOKEN);
		free(text);
		address_fini(&a);
	}
}

static void expect_message(int (*parse)(const char *, struct address *, struct fault *), const char *text,
			   const char *part)
{
	struct address a;
	struct fault f;

	assert_int_equal(parse(text, &a, &f), -1);
	if (strstr(f.text, part) == NULL)
		fail_msg("'%s': '%s' is not in '%s'", text, part, f.text);
	if (strstr(f.text, "gezdgnb") != NULL || strstr(f.text, "GEZDGNB") != NULL)
		fail_msg("'%s': the message shows the token: '%s'", text, f.text);
}

static void other_formats_get_a_message_with_the_right_one(void **state)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"192.0.2.7:4040", " /ip4/192.0.2.7/tcp/4040/p2p/ID"},
		{"192.0.2.7:4040#" TOKEN, " /ip4/192.0.2.7/tcp/4040/p2p/ID"},
		{"192.0.2.7", " /ip4/192.0.2.7/tcp/PORT/p2p/ID"},
		{"host:4040", " /dns/host/tcp/4040/p2p/ID"},
		{"there.example:4040", " /dns/there.example/tcp/4040/p2p/ID"},
		{"there.example", " /dns/there.example/tcp/PORT/p2p/ID"},
		{"localhost", " /dns/localhost/tcp/PORT/p2p/ID"},
		{"[2001:db8::1]:4040", " /ip6/2001:db8::1/tcp/4040/p2p/ID"},
		{"[2001:db8::1]", " /ip6/2001:db8::1/tcp/PORT/p2p/ID"},
		{"2001:db8::1", " /ip6/2001:db8::1/tcp/PORT/p2p/ID"},
		{"[fe80::1%eth0]:7", " /ip6zone/eth0/ip6/fe80::1/tcp/7/p2p/ID"},
		{"fe80::1%eth0", " /ip6zone/eth0/ip6/fe80::1/tcp/PORT/p2p/ID"},
		{"tcp://192.0.2.7:4040", " /ip4/192.0.2.7/tcp/4040/p2p/ID"},
		{"tcp://host:4040/", " /dns/host/tcp/4040/p2p/ID"},
		{"https://[2001:db8::1]:4040/path", " /ip6/2001:db8::1/tcp/4040/p2p/ID"},
		{"/ip4/192.0.2.7:4040", " /ip4/192.0.2.7/tcp/4040/p2p/ID, "},
		{"/ip4/192.0.2.7:4040/p2p/" ID, " /ip4/192.0.2.7/tcp/4040/p2p/" ID},
		{"/ip4/192.0.2.7/4040", " /ip4/192.0.2.7/tcp/4040/p2p/ID, "},
		{"/ip4/192.0.2.7/4040/p2p/" ID, " /ip4/192.0.2.7/tcp/4040/p2p/" ID},
		{"/192.0.2.7:4040", " /ip4/192.0.2.7/tcp/4040/p2p/ID, "},
		{"/192.0.2.7/tcp/4040", " /ip4/192.0.2.7/tcp/4040/p2p/ID, "},
		{"/dns/there.example:4040", " /dns/there.example/tcp/4040/p2p/ID, "},
		{"/dns4/there.example:4040", " /dns4/there.example/tcp/4040/p2p/ID, "},
		{"/there.example:4040", " /dns/there.example/tcp/4040/p2p/ID, "},
		{"/ip4/there.example/tcp/4040", " /dns/there.example/tcp/4040/p2p/ID, "},
		{"/ip4/localhost/tcp/4040/p2p/" ID, " /dns/localhost/tcp/4040/p2p/" ID},
		{"/ip4/2001:db8::1/tcp/4040", " /ip6/2001:db8::1/tcp/4040/p2p/ID, "},
		{"/ip6/192.0.2.7/tcp/4040", " /ip4/192.0.2.7/tcp/4040/p2p/ID, "},
		{"/ip6/[2001:db8::1]/tcp/4040", " /ip6/2001:db8::1/tcp/4040/p2p/ID, "},
		{"/ip6/[2001:db8::1]:4040", " /ip6/2001:db8::1/tcp/4040/p2p/ID, "},
		{"/ip6/fe80::1%eth0/tcp/7", " /ip6zone/eth0/ip6/fe80::1/tcp/7/p2p/ID, "},
		{"/ip4/192.0.2.700/tcp", "wrong at character 6: '192.0.2.700' is not an IPv4 address"},
		{ID, "peer id alone"},
		{"word", "an address begins with a /"},
		{"", "is empty"},
		{" \n", "is empty"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_message(address_parse_peer, rows[i].text, rows[i].part);
	expect_message(address_parse, "192.0.2.7:4040", " /ip4/192.0.2.7/tcp/4040");
	expect_message(address_parse, "/ip4/192.0.2.7:4040", " /ip4/192.0.2.7/tcp/4040");
	expect_message(address_parse, ":4040", " /ip4/0.0.0.0/tcp/4040");
	expect_message(address_parse, "*:4040", " /ip4/0.0.0.0/tcp/4040");
	expect_message(address_parse, "host:4040", " /ip4/ADDRESS/tcp/4040");
	expect_message(address_parse, "[::]:4040", " /ip6/::/tcp/4040");
}

static void mistakes_of_pasting_are_named(void **state)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"'" ADDR "#" TOKEN "'", "remove the quotes"},
		{"\"" ADDR "\"", "remove the quotes"},
		{"\xe2\x80\x9c" ADDR "\xe2\x80\x9d", "remove the quotes"},
		{ADDR ADDR, "a second address begins at character"},
		{ADDR " " ADDR, "a second address begins at character"},
		{ADDR "#" TOKEN ADDR "#" TOKEN, "give one address"},
		{ADDR "#" TOKEN " " ADDR "#" TOKEN, "give one address"},
		{"gn-cat: listening on " ADDR, "remove the text before the first /"},
		{"/ip4/192.0.2.7 /tcp/4040", "there is a blank or line end at character 15"},
		{"/ip4/192.0.2.7/tcp/4040", "does not end in /p2p/ID"},
		{"/ip4/192.0.2.7/tcp/4040/p2p", "is incomplete"},
		{"/ip4/192.0.2.7/tcp/4040/p2p/12D3KooWLyM1jaZZM", "is it whole?"},
		{"/ip4/192.0.2.7/tcp", "is incomplete"},
		{ADDR "#", "the token after the # is missing"},
		{ADDR "#GEZDGNBVGY3TQOJQGEZDGNBVGY", "this one has capitals"},
		{ADDR "#" TOKEN "!", "wrong at character"},
		{ADDR "#" TOKEN TOKEN TOKEN, "longer than"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_message(address_parse_peer, rows[i].text, rows[i].part);
}

static void a_malformed_component_is_named_with_what_belongs_there(void **state)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"/ip4/192.0.2.700/udp/1", "character 6: '192.0.2.700' is not an IPv4 address, as in /ip4/192.0.2.7"},
		{"/ip4/192.0.2.7/tcp:4040", "character 16: 'tcp:4040' is not a protocol; a port is written /tcp/4040"},
		{"/ip4/192.0.2.7/tcp/65536", "character 20: '65536' is not a port from 0 to 65535"},
		{"/ip4/192.0.2.7/tcp/http", "character 20: 'http' is not a port from 0 to 65535"},
		{"/ip4/192.0.2.7/tcp/7/" ID, "character 22: '" ID "' is not a protocol; a peer id is written /p2p/"},
		{"/ip4/192.0.2.7/tcp/7/p2p/Qm", "character 26: 'Qm' is not a peer id; is it whole?"},
		{"/dns/a/7", "character 8: '7' is not a protocol; a port is written /tcp/7"},
		{"/ip/192.0.2.7/tcp/7", "character 2: 'ip' is not a protocol"},
		{"//ip4/192.0.2.7/tcp/7", "character 2: there is one / too many"},
		{"/ip4/192.0.2.7//tcp/7", "character 16: there is one / too many"},
		{"/ip4/192.0.2.7/tcp", "is incomplete: /tcp is followed by a port"},
		{"/ip4/192.0.2.7/tcp/", "is incomplete: /tcp is followed by a port"},
		{"/ip4", "is incomplete: /ip4 is followed by an IPv4 address"},
		{"/ip4/192.0.2.7/tcp/4040/p2p", "is incomplete: /p2p is followed by a peer id"},
		{"/dns", "is incomplete: /dns is followed by a value"},
		{"/", "is incomplete"},
		{"//", "is incomplete"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_message(address_parse_peer, rows[i].text, rows[i].part);
}

static void an_address_in_place_of_a_peer_id_is_named_with_its_id(void **state)
{
	struct gn_peer_id id = {0};
	struct fault f;

	(void)state;
	assert_int_equal(address_parse_id(ADDR, &id, &f), -1);
	assert_non_null(strstr(f.text, "is an address; give only its peer id, " ID));
	assert_int_equal(id.len, 0);
	assert_int_equal(address_parse_id("/ip4/192.0.2.7/tcp/4040", &id, &f), -1);
	assert_non_null(strstr(f.text, "is not a peer id, nor a public key"));
	assert_int_equal(address_parse_id(ID, &id, &f), 0);
}

static void a_relayed_address_is_one_address(void **state)
{
	struct address a;
	struct fault f;

	(void)state;
	assert_int_equal(address_parse_peer(ADDR "/p2p-circuit/p2p/" ID, &a, &f), 0);
	address_fini(&a);
}

static void only_one_line_is_read(void **state)
{
	char arg[32], rest[16] = "", *text = NULL;
	struct fault f;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "\r\n  line one \r\nrest", 19), 19);
	/* address_read() closes the descriptor, so the test passes a copy and reads on from the original */
	snprintf(arg, sizeof arg, "@fd:%d", dup(p[0]));
	assert_int_equal(address_read(arg, &text, &f), EXIT_DONE);
	assert_string_equal(text, "line one \r");
	free(text);
	assert_int_equal(read(p[0], rest, sizeof rest - 1), 4);
	assert_string_equal(rest, "rest");
	close(p[0]);
	close(p[1]);
}

static void input_without_a_line_is_rejected(void **state)
{
	char *text = NULL;
	struct fault f;

	(void)state;
	assert_int_equal(address_read("@/dev/null", &text, &f), EXIT_USAGE);
	assert_int_equal(address_read("@/dev/zero", &text, &f), EXIT_USAGE);
	assert_int_equal(address_read("@/no/such/file", &text, &f), EXIT_LOCAL);
	assert_int_equal(address_read("@/", &text, &f), EXIT_LOCAL);
	assert_int_equal(address_read("@", &text, &f), EXIT_USAGE);
	assert_int_equal(address_read("@fd:", &text, &f), EXIT_USAGE);
	assert_int_equal(address_read("@fd:-1", &text, &f), EXIT_USAGE);
	assert_int_equal(address_read("@fd:999", &text, &f), EXIT_USAGE);
	assert_null(text);
}

static void the_token_is_hidden_in_an_argument(void **state)
{
	char with[] = ADDR "#abc", without[] = ADDR;

	(void)state;
	secret_hide_argument(with);
	assert_string_equal(with, ADDR "#***");
	secret_hide_argument(without);
	assert_string_equal(without, ADDR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(white_space_around_an_address_is_accepted),
		cmocka_unit_test(other_formats_get_a_message_with_the_right_one),
		cmocka_unit_test(mistakes_of_pasting_are_named),
		cmocka_unit_test(a_malformed_component_is_named_with_what_belongs_there),
		cmocka_unit_test(an_address_in_place_of_a_peer_id_is_named_with_its_id),
		cmocka_unit_test(a_relayed_address_is_one_address),
		cmocka_unit_test(only_one_line_is_read),
		cmocka_unit_test(input_without_a_line_is_rejected),
		cmocka_unit_test(the_token_is_hidden_in_an_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
