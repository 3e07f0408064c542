/* SPDX-License-Identifier: MIT */
/* The line of --progress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gn-cat/progress.c"

static void shows_in(size_t most, uint64_t total, double rate, long long size, const char *text)
{
	struct progress_state s = {.total = total, .rate = rate, .size = size};
	char line[PROGRESS_LINE];

	progress_format(&s, most, line);
	assert_string_equal(line, text);
}

#define shows(total, rate, size, text) shows_in(PROGRESS_LINE, total, rate, size, text)

static void sizes_have_three_digits(void **state)
{
	(void)state;
	shows(0, -1, -1, "0B");
	shows(1023, -1, -1, "1023B");
	shows(1024, -1, -1, "1.00K");
	shows(10 * 1024 + 512, -1, -1, "10.5K");
	shows(1023 * 1024, -1, -1, "1023K");
	shows(1024 * 1024 - 1, -1, -1, "1.00M");
	shows((uint64_t)5 << 40, -1, -1, "5.00T");
	shows(UINT64_MAX, -1, -1, "16.0E");
}

static void the_rate_follows_the_size(void **state)
{
	(void)state;
	shows(2048, 1024, -1, "2.00K 1.00K/s");
	shows(2048, 0, 4096, "2.00K/4.00K 50% 0B/s");
}

static void total_and_time_left_need_a_size(void **state)
{
	(void)state;
	shows(1048576, 1048576, 4 * 1048576, "1.00M/4.00M 25% 1.00M/s 0:03 left");
	shows(1000, 1, 1000 + 3725, "1000B/4.61K 21% 1B/s 1:02:05 left");
	shows(4096, 1024, 4096, "4.00K/4.00K 100% 1.00K/s 0:00 left");
	shows(4096, -1, 8192, "4.00K/8.00K 50%");
	shows(1, 1, INT64_MAX, "1B/8.00E 0% 1B/s 100:00:00 left");
	/* The file has grown past the known size, or the size is 0. */
	shows(5000, 1024, 4096, "4.88K 1.00K/s");
	shows(5000, 1024, 0, "4.88K 1.00K/s");
}

static void parts_are_left_out_until_it_fits(void **state)
{
	(void)state;
	shows_in(33, 1048576, 1048576, 4 * 1048576, "1.00M/4.00M 25% 1.00M/s 0:03 left");
	shows_in(32, 1048576, 1048576, 4 * 1048576, "1.00M/4.00M 25% 1.00M/s 0:03");
	shows_in(27, 1048576, 1048576, 4 * 1048576, "1.00M 25% 1.00M/s 0:03");
	shows_in(19, 1048576, 1048576, 4 * 1048576, "25% 1.00M/s 0:03");
	shows_in(15, 1048576, 1048576, 4 * 1048576, "25% 1.00M/s");
	shows_in(10, 1048576, 1048576, 4 * 1048576, "1.00M 25%");
	shows_in(8, 1048576, 1048576, 4 * 1048576, "25%");
	shows_in(2, 1048576, 1048576, 4 * 1048576, "");
	shows_in(0, 1048576, 1048576, 4 * 1048576, "");
	shows_in(13, 2048, 1024, -1, "2.00K 1.00K/s");
	shows_in(12, 2048, 1024, -1, "2.00K");
}

static void a_line_always_fits(void **state)
{
	static const uint64_t totals[] = {0, 999, 1047000, UINT64_MAX / 3};
	static const double rates[] = {-1, 0, 3, 1e6, 1e18};
	static const long long sizes[] = {-1, 0, 1, 1048576, INT64_MAX};
	char line[PROGRESS_LINE];

	(void)state;
	for (size_t most = 0; most < 50; most++) {
		for (size_t i = 0; i < 4 * 5 * 5; i++) {
			struct progress_state s = {totals[i % 4], rates[i / 4 % 5], sizes[i / 20]};

			progress_format(&s, most, line);
			assert_true(strlen(line) <= most);
			assert_true(most < 7 || line[0] != '\0');
			progress_format_end(&s, GN_SEC, "direct", most, line);
			assert_true(strlen(line) <= most);
			assert_true(most < 7 || line[0] != '\0');
		}
	}
}

static void the_summary_has_bytes_rate_and_path(void **state)
{
	struct progress_state s = {.total = 3 * 1048576, .rate = 1048576, .size = -1};
	char line[PROGRESS_LINE];

	(void)state;
	progress_format_end(&s, 3 * GN_SEC, "direct", 30, line);
	assert_string_equal(line, "3.00M 1.00M/s 0:03 direct");
	progress_format_end(&s, 3 * GN_SEC, "relay", 19, line);
	assert_string_equal(line, "3.00M 1.00M/s relay");
	progress_format_end(&s, 3 * GN_SEC, "direct", 19, line);
	assert_string_equal(line, "3.00M direct");
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
	/* The transfer was fast and is slow now.  The rate is that of the last seconds. */
	for (int i = 3; i < 40; i++)
		rate = progress_rate_add(&r, i * GN_SEC, 1000000 + (uint64_t)i * 10);
	assert_true(rate > 9.99 && rate < 10.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_three_digits),
		cmocka_unit_test(the_rate_follows_the_size),
		cmocka_unit_test(total_and_time_left_need_a_size),
		cmocka_unit_test(parts_are_left_out_until_it_fits),
		cmocka_unit_test(a_line_always_fits),
		cmocka_unit_test(the_summary_has_bytes_rate_and_path),
		cmocka_unit_test(the_rate_is_that_of_the_last_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
