/* SPDX-License-Identifier: MIT */
/* lib/loop/interfaces on the interfaces of this host.  tests/lab/addresses.bats tests hosts with several
 * interfaces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "loop/interfaces.h"
#include "loop/loop.h"
#include "loop/socket.h"

static void the_loopback_is_neither_default_nor_virtual(void **state)
{
	struct gn_interfaces *all;
	struct gn_ifaddr *list;
	size_t n, loopbacks = 0;

	(void)state;
	assert_int_equal(gn_interfaces_get(&all), 0);
	assert_int_equal(gn_ifaddrs_get(&list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(list[i].index > 0);
		if (!list[i].is_loopback)
			continue;
		loopbacks++;
		assert_int_equal(gn_interfaces_kind(all, list[i].index, list[i].addr.family), GN_INTERFACE_OTHER);
	}
	assert_true(loopbacks > 0);
	free(list);
	gn_interfaces_free(all);
}

static void an_unknown_interface_is_an_other_one(void **state)
{
	struct gn_interfaces *all;

	(void)state;
	assert_int_equal(gn_interfaces_get(&all), 0);
	assert_int_equal(gn_interfaces_kind(all, UINT32_MAX, 4), GN_INTERFACE_OTHER);
	assert_int_equal(gn_interfaces_kind(NULL, 1, 6), GN_INTERFACE_OTHER);
	gn_interfaces_free(all);
	gn_interfaces_free(NULL);
}

static void on_change(void *arg)
{
	++*(unsigned *)arg;
}

static void a_watch_is_silent_while_nothing_changes(void **state)
{
	struct gn_interfaces_watch *w;
	struct gn_loop *loop;
	unsigned changes = 0;

	(void)state;
	assert_int_equal(gn_loop_new(&loop), 0);
	assert_int_equal(gn_interfaces_watch_new(loop, on_change, &changes, &w), 0);
	assert_int_equal(gn_loop_turn(loop, GN_MSEC), 0);
	assert_int_equal(changes, 0);
	gn_interfaces_watch_free(w);
	gn_interfaces_watch_free(NULL);
	gn_loop_free(loop);
}

static void a_virtual_loop_has_no_interfaces_to_watch(void **state)
{
	struct gn_interfaces_watch *w;
	struct gn_loop *loop;

	(void)state;
	assert_int_equal(gn_loop_new_virtual(&loop), 0);
	assert_int_equal(gn_interfaces_watch_new(loop, on_change, NULL, &w), -EINVAL);
	gn_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loopback_is_neither_default_nor_virtual),
		cmocka_unit_test(an_unknown_interface_is_an_other_one),
		cmocka_unit_test(a_watch_is_silent_while_nothing_changes),
		cmocka_unit_test(a_virtual_loop_has_no_interfaces_to_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
