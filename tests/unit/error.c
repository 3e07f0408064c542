/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "support/support.h"

static void test_ours(void **state)
{
	(void)state;
	for (int err = GN_EAGAIN; err >= GN_ENOZONE; err--) {
		assert_string_not_equal(gn_strerror(err), "unknown error");
		assert_true(strncmp(gn_errname(err), "GN_E", 4) == 0);
		for (int other = GN_EAGAIN; other > err; other--) {
			assert_string_not_equal(gn_strerror(err), gn_strerror(other));
			assert_string_not_equal(gn_errname(err), gn_errname(other));
		}
	}
	assert_string_equal(gn_errname(GN_ERESET), "GN_ERESET");
}

static void test_system(void **state)
{
	(void)state;
	assert_string_equal(gn_errname(-ECONNREFUSED), "ECONNREFUSED");
	assert_string_equal(gn_errname(-ENOSPC), "ENOSPC");
	assert_string_equal(gn_strerror(-ENOENT), strerror(ENOENT));
}

static void test_unknown(void **state)
{
	static const int errs[] = {1, INT_MAX, INT_MIN, -999, GN_ENOZONE - 1, -5000};

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		assert_string_equal(gn_strerror(errs[i]), "unknown error");
		assert_string_equal(gn_errname(errs[i]), "UNKNOWN");
	}
	assert_string_equal(gn_errname(0), "OK");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
