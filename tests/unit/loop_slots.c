/* SPDX-License-Identifier: MIT */
/* lib/loop: values that the users of a loop share in slots. */
#include "support/cmocka.h"

#include <errno.h>

#include "loop/loop.h"

static unsigned n_made, n_freed;
static bool make_fails;

static int make_shared(void **value)
{
	if (make_fails)
		return -ENOMEM;
	n_made++;
	*value = &n_made;
	return 0;
}

static void free_shared(void *value)
{
	assert_ptr_equal(value, &n_made);
	n_freed++;
}

static void a_shared_slot_is_freed_by_its_last_user(void **state)
{
	static const struct gn_slot_ops ops = {make_shared, free_shared}, other = {make_shared, free_shared};
	struct gn_loop *loop;
	void *a = NULL, *b = NULL, *c = NULL;

	(void)state;
	assert_int_equal(gn_loop_new_virtual(&loop), 0);
	n_made = n_freed = 0;
	make_fails = true;
	assert_int_equal(gn_loop_slot_acquire(loop, &ops, &a), -ENOMEM);
	assert_null(a);
	make_fails = false;
	assert_int_equal(gn_loop_slot_acquire(loop, &ops, &a), 0);
	assert_int_equal(gn_loop_slot_acquire(loop, &ops, &b), 0);
	assert_ptr_equal(a, b);
	assert_int_equal(n_made, 1);
	assert_int_equal(gn_loop_slot_acquire(loop, &other, &c), 0); /* other ops have a separate slot */
	assert_int_equal(n_made, 2);
	gn_loop_slot_release(loop, &ops);
	assert_int_equal(n_freed, 0);
	gn_loop_slot_release(loop, &ops);
	assert_int_equal(n_freed, 1);
	assert_int_equal(gn_loop_slot_acquire(loop, &ops, &a), 0); /* the value is created again */
	assert_int_equal(n_made, 3);
	gn_loop_slot_release(loop, &ops);
	gn_loop_slot_release(loop, &other);
	assert_int_equal(n_freed, 3);
	gn_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_slot_is_freed_by_its_last_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
