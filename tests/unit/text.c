/* SPDX-License-Identifier: MIT */
/* The filter for text that a peer chose: which characters it passes, and that malformed UTF-8 does not
 * evade it. */
#include "base/text.h"

#include "support/support.h"

static const char *filter(const char *text, size_t n)
{
	static char out[256];
	size_t len = gn_text_filter(text, n, out, sizeof out);

	assert_int_equal(len, strlen(out));
	return out;
}

static void a_character_encodes_and_decodes(void **state)
{
	uint8_t b[4];
	uint32_t back;

	(void)state;
	for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
		size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		for (size_t i = n - 1; i > 0; i--)
			b[i] = (uint8_t)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
		b[0] = (uint8_t)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c >> 6 * (n - 1));
		back = 0;
		if (c >= 0xd800 && c < 0xe000) {
			assert_int_equal(gn_utf8_decode(b, n, &back), 0);
			continue;
		}
		assert_int_equal(gn_utf8_decode(b, n, &back), n);
		assert_int_equal(back, c);
		assert_int_equal(gn_utf8_decode(b, n - 1, &back), 0);
	}
}

static void safe_text_is_unchanged(void **state)
{
	static const char *const texts[] = {
		"",       "rust-libp2p/0.54.1",    "Grüße",          "Ελληνικά", "עברית", "العربية",
		"日本語", "🦀 \xf4\x8f\xbf\xbf", "a\u00a0b\u200b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_string_equal(filter(texts[i], strlen(texts[i])), texts[i]);
}

static void control_characters_are_replaced(void **state)
{
	(void)state;
	assert_string_equal(filter("a\0b", 3), "a?b");
	for (int c = 1; c < 0x20; c++)
		assert_string_equal(filter((char[]){'a', (char)c, 'b'}, 3), "a?b");
	assert_string_equal(filter("a\x7f"
				   "b",
				   3),
			    "a?b");
	for (int c = 0x80; c < 0xa0; c++)
		assert_string_equal(filter((char[]){'a', '\xc2', (char)c, 'b'}, 4), "a?b");
	assert_string_equal(filter("\x1b[31mred", 8), "?[31mred");
}

static void bidirectional_controls_and_separators_are_replaced(void **state)
{
	static const char *const texts[] = {
		"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d",
		"\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u2028", "\u2029",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_string_equal(filter(texts[i], strlen(texts[i])), "?");
}

static void invalid_utf8_is_replaced(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"\x9b", "?"},                /* the C1 control CSI in an 8-bit encoding */
		{"a\xff", "a?"},              /* a byte that does not occur in UTF-8 */
		{"\xc0\x9b", "??"},           /* overlong ESC */
		{"\xe0\x80\x9b", "???"},      /* overlong */
		{"\xf0\x80\x80\x9b", "????"}, /* overlong */
		{"\xe0\x82\x9b", "???"},      /* overlong CSI */
		{"\xed\xa0\x80", "???"},      /* a surrogate */
		{"\xf4\x90\x80\x80", "????"}, /* above U+10FFFF */
		{"\xe2\x80", "??"},           /* cut off */
		{"\xe2\x80X", "??X"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(filter(cases[i].text, strlen(cases[i].text)), cases[i].want);
}

static void a_long_result_is_cut_between_characters(void **state)
{
	char out[6], in_place[] = "a\xc2\x9b"
				  "b\xc3\xa9";

	(void)state;
	assert_int_equal(gn_text_filter("aééé", 7, out, sizeof out), 5);
	assert_string_equal(out, "aéé");
	assert_int_equal(gn_text_filter("aaéé", 6, out, sizeof out), 4);
	assert_string_equal(out, "aaé");
	assert_int_equal(gn_text_filter("abc", 3, out, 1), 0);
	assert_string_equal(out, "");
	assert_int_equal(gn_text_filter(in_place, strlen(in_place), in_place, sizeof in_place), 5);
	assert_string_equal(in_place, "a?bé");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_character_encodes_and_decodes),
		cmocka_unit_test(safe_text_is_unchanged),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(bidirectional_controls_and_separators_are_replaced),
		cmocka_unit_test(invalid_utf8_is_replaced),
		cmocka_unit_test(a_long_result_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
