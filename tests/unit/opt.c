/* SPDX-License-Identifier: MIT */
/* Options, numbers, forms and JSON of the tools (cmd/common). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/format.h"
#include "common/json.h"
#include "common/limit.h"
#include "common/number.h"
#include "common/opt.h"
#include "gn.h"

struct cfg {
	bool flag;
	unsigned verbose;
	const char *file;
	struct opt_list list;
	gn_time time;
	size_t size;
	const char *maybe;
	bool has_maybe;
};

static int opt_maybe(const struct opt *o, const char *value, void *to, struct fault *f)
{
	struct cfg *c = to;

	(void)o, (void)f;
	c->maybe = value;
	c->has_maybe = true;
	return 0;
}

static const struct opt opts[] = {
	{'f', "flag", NULL, "", opt_flag, offsetof(struct cfg, flag)},
	{'v', "verbose", NULL, "", opt_count, offsetof(struct cfg, verbose)},
	{'k', "key", "FILE", "", opt_string, offsetof(struct cfg, file)},
	{'a', NULL, "X", "", opt_list, offsetof(struct cfg, list)},
	{'t', "time", "T", "", opt_time, offsetof(struct cfg, time)},
	{0, "size", "N", "", opt_size, offsetof(struct cfg, size)},
	{0, "maybe", "[N]", "", opt_maybe, 0},
};

static int parse(struct cfg *c, struct opt_args *args, bool program, struct fault *f, char **argv)
{
	const struct opt_tool tool = {"t", "", "", opts, sizeof opts / sizeof *opts, NULL, program};
	int argc = 0;

	*c = (struct cfg){0};
	f->text[0] = '\0';
	while (argv[argc] != NULL)
		argc++;
	return opt_parse(&tool, c, argc, argv, args, f);
}

#define ARGV(...)                                \
	(char *[])                               \
	{                                        \
		(char[]){"t"}, __VA_ARGS__, NULL \
	}
#define S(text) ((char[]){text})

static void options_are_read_in_every_form(void **state)
{
	struct opt_args args;
	struct fault f;
	struct cfg c;

	(void)state;
	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("-fvvkx"), S("one"), S("-a"), S("1"), S("-a2"), S("two"))),
			 0);
	assert_true(c.flag);
	assert_int_equal(c.verbose, 2);
	assert_string_equal(c.file, "x");
	assert_int_equal(c.list.n, 2);
	assert_string_equal(c.list.v[0], "1");
	assert_string_equal(c.list.v[1], "2");
	assert_int_equal(args.n, 2);
	assert_string_equal(args.operands[0], "one");
	assert_string_equal(args.operands[1], "two");
	assert_null(args.program);
	opt_list_free(&c.list);

	assert_int_equal(
		parse(&c, &args, false, &f, ARGV(S("--key"), S("--"), S("--time=1.5"), S("-"), S("--"), S("-f"))), 0);
	assert_string_equal(c.file, "--");
	assert_true(c.time == 3 * GN_SEC / 2);
	assert_false(c.flag);
	assert_int_equal(args.n, 2);
	assert_string_equal(args.operands[0], "-");
	assert_string_equal(args.operands[1], "-f");

	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("--maybe"), S("3"))), 0);
	assert_true(c.has_maybe);
	assert_null(c.maybe);
	assert_int_equal(args.n, 1);
	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("--maybe=3"))), 0);
	assert_string_equal(c.maybe, "3");
}

static void a_program_ends_the_options(void **state)
{
	struct opt_args args;
	struct fault f;
	struct cfg c;

	(void)state;
	assert_int_equal(parse(&c, &args, true, &f, ARGV(S("x"), S("-f"), S("--"), S("cat"), S("-f"), S("--"))), 0);
	assert_int_equal(args.n, 1);
	assert_string_equal(args.program[0], "cat");
	assert_string_equal(args.program[2], "--");
	assert_null(args.program[3]);
	assert_int_equal(parse(&c, &args, true, &f, ARGV(S("x"), S("--"))), -1);
	assert_string_equal(f.text, "the program after -- is missing");
	assert_int_equal(parse(&c, &args, true, &f, ARGV(S("-k"), S("--"))), 0);
	assert_null(args.program);
}

static void wrong_options_are_rejected(void **state)
{
	static const struct {
		const char *arg, *text;
	} cases[] = {
		{"-x", "-x: there is no such option"},
		{"-fx", "-x: there is no such option"},
		{"--nope", "--nope: there is no such option"},
		{"--nope=1", "--nope: there is no such option"},
		{"--fla", "--fla: there is no such option"},
		{"--flag=1", "--flag: takes no value"},
		{"-k", "-k: FILE is missing"},
		{"--key", "--key: FILE is missing"},
		{"--key=", "--key: is empty"},
		{"--time=1x", "--time: '1x' is not a time; write 500ms, 2s, 1.5m or 1h (a bare number is seconds)"},
		{"-tabc", "-t: 'abc' is not a time; write 500ms, 2s, 1.5m or 1h (a bare number is seconds)"},
		{"--size=1T", "--size: '1T' is not a size; write 512, 64K, 1M or 2G (a bare number is bytes)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct opt_args args;
		struct fault f;
		struct cfg c;
		char arg[32];

		snprintf(arg, sizeof arg, "%s", cases[i].arg);
		assert_int_equal(parse(&c, &args, false, &f, ARGV(arg)), -1);
		assert_string_equal(f.text, cases[i].text);
	}
}

static void help_lists_every_option(void **state)
{
	struct opt_args args;
	struct fault f;
	struct cfg c;

	(void)state;
	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("--help"), S("--nope"))), OPT_HELP);
	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("--version"))), OPT_VERSION);
	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("-h"))), OPT_HELP);
	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("-V"))), OPT_VERSION);
	assert_int_equal(parse(&c, &args, false, &f, ARGV(S("-fh"), S("--nope"))), OPT_HELP);
	assert_int_equal(parse(&c, &args, true, &f, ARGV(S("--"), S("-h"))), 0);
}

static void numbers_have_bounds(void **state)
{
	struct fault f;
	uint64_t v = 7;

	(void)state;
	assert_int_equal(number_parse("18446744073709551615", 0, UINT64_MAX, &v, &f), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(number_parse("18446744073709551616", 0, UINT64_MAX, &v, &f), -1);
	assert_int_equal(number_parse("5", 1, 4, &v, &f), -1);
	assert_string_equal(f.text, "'5' is not from 1 to 4");
	assert_int_equal(number_parse("", 0, 9, &v, &f), -1);
	assert_int_equal(number_parse("-1", 0, 9, &v, &f), -1);
	assert_int_equal(number_parse("+1", 0, 9, &v, &f), -1);
	assert_int_equal(number_parse(" 1", 0, 9, &v, &f), -1);
}

static void a_time_has_a_unit_or_is_seconds(void **state)
{
	static const struct {
		const char *text;
		gn_time want; /* -1: malformed */
	} cases[] = {
		{"0", 0},
		{"10", 10 * GN_SEC},
		{"0.25", GN_SEC / 4},
		{".5", GN_SEC / 2},
		{"0.000000001", 1},
		{"0.0000000019", 1},
		{"500ms", 500 * GN_MSEC},
		{"0.5ms", 500 * GN_USEC},
		{"0.000001ms", 1},
		{"2s", 2 * GN_SEC},
		{"1.5m", 90 * GN_SEC},
		{"1h", 3600 * GN_SEC},
		{"0.999999999h", 3600 * GN_SEC - 3600},
		{"00012s", 12 * GN_SEC},
		{"2305843008s", 2305843008 * GN_SEC}, /* the maximum */
		{"640510h", 640510 * (3600 * GN_SEC)},
		{"2305843009s", -1},
		{"640511h", -1},
		{"9223372036854775808ms", -1},
		{"18446744073709551615", -1},
		{"18446744073709551616h", -1},
		{"99999999999999999999999999999999", -1},
		{"", -1},
		{".", -1},
		{"1.", -1},
		{"1.s", -1},
		{"s", -1},
		{"ms", -1},
		{"1S", -1},
		{"1M", -1},
		{"1 s", -1},
		{" 1", -1},
		{"1s ", -1},
		{"1sec", -1},
		{"1m30s", -1},
		{"1e3", -1},
		{"-1", -1},
		{"+1", -1},
		{"0x10", -1},
		{"1,5", -1},
		{"inf", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f;
		gn_time t = -1;

		if (number_parse_time(cases[i].text, &t, &f) != (cases[i].want < 0 ? -1 : 0) || t != cases[i].want)
			fail_msg("'%s' is %lld", cases[i].text, (long long)t);
		assert_true(t <= NUMBER_TIME_MAX);
	}
}

static void a_size_has_a_unit_or_is_bytes(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: malformed */
	} cases[] = {
		{"0", 0},
		{"512", 512},
		{"64K", 65536},
		{"64k", 65536},
		{"1M", 1 << 20},
		{"3G", (int64_t)3 << 30},
		{"9223372036854775807", INT64_MAX},
		{"8589934591G", INT64_MAX - (1 << 30) + 1},
		{"9223372036854775808", -1},
		{"8589934592G", -1},
		{"99999999999999G", -1},
		{"18446744073709551616", -1},
		{"17179869184G", -1},
		{"", -1},
		{"K", -1},
		{"1KB", -1},
		{"1KiB", -1},
		{"1T", -1},
		{"1m", -1},
		{"1.5K", -1},
		{"-1", -1},
		{" 1", -1},
		{"1 K", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f;
		size_t n = SIZE_MAX;

		if (number_parse_size(cases[i].text, &n, &f) != (cases[i].want < 0 ? -1 : 0) ||
		    (int64_t)n != cases[i].want)
			fail_msg("'%s' is %zu", cases[i].text, n);
	}
}

/* Every format decodes what it has encoded, in any pieces. */
static void text_forms_survive_a_round_trip(void **state)
{
	static const enum format formats[] = {FORMAT_VARINT, FORMAT_LINE, FORMAT_NUL, FORMAT_NETSTRING};
	static const char *const bodies[] = {"", "a", "hello, world", "1:x,"};

	(void)state;
	for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
		uint8_t text[256];
		size_t len = 0, at = 0, have = 0, seen = 0, got = 0;
		struct format_message u;
		struct format_wrap w;

		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(format_encode(formats[k], bodies[i], strlen(bodies[i]), &w), 0);
			memcpy(text + len, w.head, w.n_head);
			len += w.n_head;
			memcpy(text + len, bodies[i], strlen(bodies[i]));
			len += strlen(bodies[i]);
			memcpy(text + len, w.tail, w.n_tail);
			len += w.n_tail;
		}
		while (got < 4) { /* append one byte while the input is incomplete */
			int r = format_decode(formats[k], text + at, have - at, false, 100, &seen, &u);

			if (r == GN_EAGAIN) {
				assert_true(have < len);
				have++;
				continue;
			}
			assert_int_equal(r, 0);
			assert_int_equal(u.len, strlen(bodies[got]));
			assert_memory_equal(u.body, bodies[got], u.len);
			at += u.taken;
			got++;
		}
		assert_int_equal(at, len);
		assert_int_equal(format_decode(formats[k], text + at, 0, true, 100, &seen, &u), GN_EOF);
	}
}

static void text_takes_lines_with_their_ends(void **state)
{
	static const uint8_t text[] = "ab\n\nrest";
	struct format_message u;
	size_t seen = 0;

	(void)state;
	assert_int_equal(format_decode(FORMAT_TEXT, text, 2, false, 3, &seen, &u), GN_EAGAIN);
	assert_int_equal(format_decode(FORMAT_TEXT, text, 8, false, 3, &seen, &u), 0);
	assert_int_equal(u.len, 3);
	assert_int_equal(u.taken, 3);
	assert_int_equal(format_decode(FORMAT_TEXT, text + 3, 5, false, 3, &seen, &u), 0);
	assert_int_equal(u.len, 1);
	assert_int_equal(format_decode(FORMAT_TEXT, text + 4, 4, false, 4, &seen, &u), GN_EAGAIN);
	assert_int_equal(format_decode(FORMAT_TEXT, text + 4, 4, true, 4, &seen, &u), 0);
	assert_int_equal(u.len, 4);
	seen = 0;
	assert_int_equal(format_decode(FORMAT_TEXT, text, 8, false, 2, &seen, &u), GN_ETOOBIG);
}

static void malformed_text_is_rejected(void **state)
{
	struct format_message u;
	struct format_wrap w;
	size_t seen = 0;

	(void)state;
	assert_int_equal(format_encode(FORMAT_LINE, "a\nb", 3, &w), GN_EFORMAT);
	assert_int_equal(format_encode(FORMAT_NUL, "a\0b", 3, &w), GN_EFORMAT);
	assert_int_equal(format_encode(FORMAT_NUL, "a\nb", 3, &w), 0);
	assert_int_equal(format_decode(FORMAT_VARINT, (const uint8_t *)"\x65", 1, false, 100, &seen, &u), GN_ETOOBIG);
	assert_int_equal(format_decode(FORMAT_VARINT, (const uint8_t *)"\x02x", 2, true, 100, &seen, &u), GN_ETRUNC);
	assert_int_equal(format_decode(FORMAT_VARINT, (const uint8_t *)"\x80\x00", 2, false, 100, &seen, &u),
			 GN_EFORMAT);
	assert_int_equal(format_decode(FORMAT_LINE, (const uint8_t *)"abcd", 4, false, 3, &seen, &u), GN_ETOOBIG);
	assert_int_equal(format_decode(FORMAT_NETSTRING, (const uint8_t *)"101:", 4, false, 100, &seen, &u),
			 GN_ETOOBIG);
	assert_int_equal(format_decode(FORMAT_NETSTRING, (const uint8_t *)"1:a;", 4, false, 100, &seen, &u),
			 GN_EFORMAT);
}

static void json_strings_are_escaped(void **state)
{
	struct json j;
	char got[512];
	int ends[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	json_open(&j);
	json_string(&j, "a\"b", "x\\\n\x01 \xc3\xa9 \xff\xc0\x80 \xed\xa0\x80 \xf0\x9f\x98\x80");
	json_array(&j, "l");
	json_string(&j, NULL, NULL);
	json_object(&j, NULL);
	json_int(&j, "n", -5);
	json_end(&j);
	json_end(&j);
	json_seconds(&j, "t", GN_SEC + 5);
	json_bool(&j, "b", true);
	assert_int_equal(json_send(&j, ends[1]), 0);
	n = read(ends[0], got, sizeof got - 1);
	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got,
			    "{\"a\\\"b\":\"x\\\\\\ufffd\\ufffd \xc3\xa9 \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd "
			    "\xf0\x9f\x98\x80\",\"l\":[null,{\"n\":-5}],\"t\":1.000000005,\"b\":true}\n");
	close(ends[0]);
	close(ends[1]);
	json_open(&j);
	assert_true(json_send(&j, -1) < 0);
}

/* ---- limits ---- */

static void a_tool_with_one_peer_lets_it_use_half_of_the_memory(void **state)
{
	struct gn_limits limits;
	struct fault f;

	(void)state;
	gn_limits_init(&limits);
	limits_for_one_peer(&limits);
	assert_int_equal(limits.memory_per_peer, limits.memory / 2);
	assert_int_equal(opt_limit(NULL, "memory-per-peer=1M", &limits, &f), 0);
	limits_for_one_peer(&limits);
	assert_int_equal(limits.memory_per_peer, 1 << 20);
	assert_int_equal(opt_limit(NULL, "memory-per-peer=256K", &limits, &f), 0);
	assert_int_not_equal(opt_limit(NULL, "memory-per-peer=262143", &limits, &f), 0);
	assert_int_equal(limits.memory_per_peer, 256 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read_in_every_form),
		cmocka_unit_test(a_program_ends_the_options),
		cmocka_unit_test(wrong_options_are_rejected),
		cmocka_unit_test(help_lists_every_option),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(a_time_has_a_unit_or_is_seconds),
		cmocka_unit_test(a_size_has_a_unit_or_is_bytes),
		cmocka_unit_test(text_forms_survive_a_round_trip),
		cmocka_unit_test(text_takes_lines_with_their_ends),
		cmocka_unit_test(malformed_text_is_rejected),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(a_tool_with_one_peer_lets_it_use_half_of_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
