/* SPDX-License-Identifier: MIT */
/* The format of token files (cmd/gn-cat/token.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gn-cat/token.c"

#define GOOD "gezdgnbvgy3tqojqgezdgnbvgy"
#define LINE GOOD "\n"
#define SPACED " " GOOD "\r\n"
#define EMPTY_LINES "\n" GOOD "\n\n"
#define TWO GOOD " " GOOD
#define TWO_LINES GOOD "\n" GOOD
#define LONG GOOD GOOD GOOD
#define ADDR "/ip4/192.0.2.7/tcp/1#" GOOD

static void a_line_with_a_token_is_accepted(void **state)
{
	static const char *const texts[] = {GOOD, LINE, SPACED, EMPTY_LINES};
	char token[ADDRESS_TOKEN_MAX + 1];
	struct fault f;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(token_parse(texts[i], token, &f), 0);
		assert_string_equal(token, GOOD);
	}
}

static void other_input_is_rejected_and_not_printed(void **state)
{
	static const char *const texts[] = {
		"",   " \n", "gezdgnbvgy3tqoj", TWO, TWO_LINES, "GEZDGNBVGY3TQOJQGEZDGNBVGY", LONG, "gezdgnbvgy3tqojq1",
		ADDR,
	};
	char token[ADDRESS_TOKEN_MAX + 1];
	struct fault f;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(token_parse(texts[i], token, &f), -1);
		assert_null(strstr(f.text, "gezd"));
		assert_null(strstr(f.text, "GEZD"));
	}
}

static void a_new_token_is_accepted_from_a_file(void **state)
{
	char a[ADDRESS_TOKEN_MAX + 1], b[ADDRESS_TOKEN_MAX + 1];
	struct fault f;

	(void)state;
	token_new(a);
	assert_int_equal(strlen(a), 26);
	assert_int_equal(token_parse(a, b, &f), 0);
	token_new(b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_with_a_token_is_accepted),
		cmocka_unit_test(other_input_is_rejected_and_not_printed),
		cmocka_unit_test(a_new_token_is_accepted_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
