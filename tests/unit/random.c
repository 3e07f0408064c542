/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include "support/support.h"

static void random_bytes_differ(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0}, zeros[32] = {0};
	bool seen[3] = {false};

	(void)state;
	gn_random(a, sizeof(a));
	gn_random(b, sizeof(b));
	assert_memory_not_equal(a, zeros, sizeof(a));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(gn_random_below(0), 0);
	assert_int_equal(gn_random_below(1), 0);
	for (int i = 0; i < 500; i++) {
		uint32_t v = gn_random_below(3);

		assert_true(v < 3);
		seen[v] = true;
	}
	assert_true(seen[0] && seen[1] && seen[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_bytes_differ)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
