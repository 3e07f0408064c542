/* SPDX-License-Identifier: MIT */
/* The exit codes of the tools for each error (cmd/common/exit.c). */
#include "common/exit.h"

#include <errno.h>

#include "gn.h"
#include "support/support.h"

static void a_dial_that_the_system_refuses_is_unreachable(void **state)
{
	static const int errs[] = {-EACCES,  -EPERM,     -EINVAL,    -EAFNOSUPPORT, -ENETUNREACH, -ECONNREFUSED,
				   GN_EZONE, GN_ENOZONE, GN_ENOADDR, GN_ENOTRANS,   GN_ENONAME,   GN_EUNREACH};

	(void)state;
	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++)
		assert_int_equal(exit_code_of_dial(errs[i]), EXIT_UNREACHED);
}

static void other_errors_of_a_dial_keep_their_codes(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of_dial(0), EXIT_DONE);
	assert_int_equal(exit_code_of_dial(GN_EREFUSED), EXIT_REFUSED);
	assert_int_equal(exit_code_of_dial(GN_EPEERID), EXIT_REFUSED);
	assert_int_equal(exit_code_of_dial(GN_ETIMEOUT), EXIT_TIMEOUT);
	assert_int_equal(exit_code_of_dial(-ETIMEDOUT), EXIT_TIMEOUT);
	assert_int_equal(exit_code_of_dial(-EMFILE), EXIT_LIMIT);
	assert_int_equal(exit_code_of_dial(-ENOMEM), EXIT_LIMIT);
	assert_int_equal(exit_code_of_dial(GN_ERESET), EXIT_RESET);
	assert_int_equal(exit_code_of_dial(GN_ENOPROTO), EXIT_NOPROTO);
	assert_int_equal(exit_code(-EACCES), EXIT_REFUSED); /* a key file */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dial_that_the_system_refuses_is_unreachable),
		cmocka_unit_test(other_errors_of_a_dial_keep_their_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
