/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include "support/support.h"

static void sums_saturate_at_both_ends(void **state)
{
	(void)state;
	assert_true(gn_time_add(1, 2) == 3);
	assert_true(gn_time_add(GN_NEVER, -5) == GN_NEVER);
	assert_true(gn_time_add(-5, GN_NEVER) == GN_NEVER);
	assert_true(gn_time_add(GN_NEVER - 1, 1) == GN_NEVER);
	assert_true(gn_time_add(GN_NEVER - 1, 2) == GN_NEVER);
	assert_true(gn_time_add(INT64_MIN, -1) == INT64_MIN);
	assert_true(gn_time_sub(5, 7) == -2);
	assert_true(gn_time_sub(GN_NEVER, 7) == GN_NEVER);
	assert_true(gn_time_sub(GN_NEVER - 1, -7) == GN_NEVER);
	assert_true(gn_time_sub(5, INT64_MIN) == GN_NEVER);
	assert_true(gn_time_sub(INT64_MIN, 1) == INT64_MIN);
	assert_true(gn_time_min(1, 2) == 1 && gn_time_max(1, 2) == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sums_saturate_at_both_ends)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
