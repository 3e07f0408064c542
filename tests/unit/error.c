/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "support/support.h"

static void each_own_code_has_a_name_and_a_text(void **state)
{
	(void)state;
	for (int err = GN_EAGAIN; err >= GN_ENOADDR; err--) {
		assert_string_not_equal(gn_strerror(err), "unknown error");
		assert_true(strncmp(gn_errname(err), "GN_E", 4) == 0);
		for (int other = GN_EAGAIN; other > err; other--) {
			assert_string_not_equal(gn_strerror(err), gn_strerror(other));
			assert_string_not_equal(gn_errname(err), gn_errname(other));
		}
	}
	assert_string_equal(gn_errname(GN_ERESET), "GN_ERESET");
}

static void system_errors_have_the_text_of_the_system(void **state)
{
	(void)state;
	assert_string_equal(gn_errname(-ECONNREFUSED), "ECONNREFUSED");
	assert_string_equal(gn_errname(-ENOSPC), "ENOSPC");
	assert_string_equal(gn_strerror(-ENOENT), strerror(ENOENT));
}

static void unknown_codes_have_a_text(void **state)
{
	static const int errs[] = {1, INT_MAX, INT_MIN, -999, GN_ENOADDR - 1, -5000};

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
		cmocka_unit_test(each_own_code_has_a_name_and_a_text),
		cmocka_unit_test(system_errors_have_the_text_of_the_system),
		cmocka_unit_test(unknown_codes_have_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
