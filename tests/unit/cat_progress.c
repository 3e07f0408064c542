/* SPDX-License-Identifier: MIT */
/* The line of --progress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gn-cat/progress.c"

#define shows(total, rate, size, text)                    \
	do {                                              \
		char line[PROGRESS_LINE];                 \
		progress_format(total, rate, size, line); \
		assert_string_equal(line, text);          \
	} while (0)

static void sizes_have_three_digits(void **state)
{
	(void)state;
	shows(0, -1, -1, "0 B");
	shows(1023, -1, -1, "1023 B");
	shows(1024, -1, -1, "1.00 KiB");
	shows(10 * 1024 + 512, -1, -1, "10.5 KiB");
	shows(1023 * 1024, -1, -1, "1023 KiB");
	shows(1024 * 1024 - 1, -1, -1, "1.00 MiB");
	shows((uint64_t)5 << 40, -1, -1, "5.00 TiB");
	shows(UINT64_MAX, -1, -1, "16.0 EiB");
}

static void the_rate_stands_behind(void **state)
{
	(void)state;
	shows(2048, 1024, -1, "2.00 KiB  1.00 KiB/s");
	shows(2048, 0, 4096, "2.00 KiB  0 B/s");
}

static void what_is_left_is_known_where_the_size_is(void **state)
{
	(void)state;
	shows(1048576, 1048576, 4 * 1048576, "1.00 MiB  1.00 MiB/s  25%  0:03 left");
	shows(1000, 1, 1000 + 3725, "1000 B  1 B/s  21%  1:02:05 left");
	shows(4096, 1024, 4096, "4.00 KiB  1.00 KiB/s");
	shows(5000, 1024, 4096, "4.88 KiB  1.00 KiB/s");
	shows(1, 1, INT64_MAX, "1 B  1 B/s  0%  100:00:00 left");
}

static void the_rate_is_that_of_the_last_seconds(void **state)
{
	struct progress_rate r = {0};
	double rate = -2;

	(void)state;
	assert_true(progress_rate_add(&r, GN_SEC, 0) < 0);
	assert_true(progress_rate_add(&r, GN_SEC, 5) < 0);
	r.n = 0;
	progress_rate_add(&r, GN_SEC, 0);
	rate = progress_rate_add(&r, 2 * GN_SEC, 100);
	assert_true(rate > 99.9 && rate < 100.1);
	/* it was fast once, and is slow now: in the end only that counts */
	for (int i = 3; i < 40; i++)
		rate = progress_rate_add(&r, i * GN_SEC, 1000000 + (uint64_t)i * 10);
	assert_true(rate > 9.99 && rate < 10.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_three_digits),
		cmocka_unit_test(the_rate_stands_behind),
		cmocka_unit_test(what_is_left_is_known_where_the_size_is),
		cmocka_unit_test(the_rate_is_that_of_the_last_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
