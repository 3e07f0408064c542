/* SPDX-License-Identifier: MIT */
#include "support/support.h"

static void on_valid(char **field)
{
	uint64_t v = strtoull(field[0], NULL, 10), got = ~v;
	uint8_t buf[GN_UVARINT_MAX];
	size_t n;
	uint8_t *p = unhex(field[1], &n);

	assert_int_equal(gn_uvarint_encode(v, buf), n);
	assert_memory_equal(buf, p, n);
	assert_int_equal(gn_uvarint_decode(p, n, &got), n);
	assert_true(got == v);
	for (size_t k = 0; k < n; k++)
		assert_int_equal(gn_uvarint_decode(p, k, &got), GN_EAGAIN);
	free(p);
}

static void on_invalid(char **field)
{
	uint64_t got = 12345;
	size_t n;
	uint8_t *p = unhex(field[0], &n);
	bool is_short = strcmp(field[1], "nothing") == 0 || strcmp(field[1], "no end") == 0;

	assert_int_equal(gn_uvarint_decode(p, n, &got), is_short ? GN_EAGAIN : GN_EFORMAT);
	assert_true(got == 12345);
	free(p);
}

static void vectors_decode(void **state)
{
	(void)state;
	vectors_each("uvarint-valid.tsv", on_valid);
	vectors_each("uvarint-invalid.tsv", on_invalid);
}

static void each_length_survives_a_round_trip(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 63; bits++) {
		uint64_t v = (uint64_t)1 << bits, got = 0;
		uint8_t buf[GN_UVARINT_MAX];
		size_t n = gn_uvarint_encode(v, buf);

		assert_int_equal(n, bits / 7 + 1);
		assert_int_equal(gn_uvarint_decode(buf, n, &got), n);
		assert_true(got == v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_decode),
		cmocka_unit_test(each_length_survives_a_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
