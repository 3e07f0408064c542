/* SPDX-License-Identifier: MIT */
/* The table of served protocols: node/registry.h. */
#include <errno.h>

#include "node/registry.h"
#include "stack/select.h"
#include "support/support.h"

static int find(struct gn_registry *r, const char *id)
{
	return gn_registry_find(r, id, strlen(id));
}

static int add(struct gn_registry *r, const char *id)
{
	char copy[GN_SELECT_ID_MAX + 16];
	struct gn_registry_entry e = {.id = copy};
	int err;

	assert_true(strlen(id) < sizeof copy);
	strcpy(copy, id);
	err = gn_registry_add(r, &e);
	memset(copy, 'x', sizeof copy); /* the table has a copy of its own */
	return err;
}

static void an_empty_table_knows_no_protocol(void **state)
{
	struct gn_registry r = {0};

	(void)state;
	assert_int_equal(find(&r, "/a"), GN_ENOPROTO);
	assert_null(gn_registry_show(&r, 0));
	assert_int_equal(gn_registry_del(&r, "/a"), -ENOENT);
	gn_registry_fini(&r);
}

static void only_the_whole_name_is_found(void **state)
{
	struct gn_registry r = {0};

	(void)state;
	assert_int_equal(add(&r, "/abc"), 0);
	assert_int_equal(add(&r, "/abcd"), 0);
	assert_int_equal(find(&r, "/abc"), 0);
	assert_int_equal(find(&r, "/abcd"), 1);
	assert_int_equal(find(&r, "/ab"), GN_ENOPROTO);
	assert_int_equal(find(&r, "/abcde"), GN_ENOPROTO);
	assert_int_equal(find(&r, "/abx"), GN_ENOPROTO);
	assert_int_equal(find(&r, ""), GN_ENOPROTO);
	assert_int_equal(gn_registry_find(&r, "/abcd", 4), 0); /* the name need not end with a NUL */
	gn_registry_fini(&r);
}

static void a_name_has_from_one_byte_to_the_maximum(void **state)
{
	char longest[GN_SELECT_ID_MAX + 2];
	struct gn_registry r = {0};

	(void)state;
	memset(longest, 'a', sizeof longest);
	longest[GN_SELECT_ID_MAX + 1] = '\0';
	assert_int_equal(add(&r, longest), -EINVAL);
	longest[GN_SELECT_ID_MAX] = '\0';
	assert_int_equal(add(&r, longest), 0);
	assert_int_equal(find(&r, longest), 0);
	assert_int_equal(add(&r, ""), -EINVAL);
	assert_int_equal(add(&r, "b"), 0);
	gn_registry_fini(&r);
}

static void a_name_with_a_newline_is_invalid(void **state)
{
	struct gn_registry r = {0};

	(void)state;
	assert_int_equal(add(&r, "/a\n"), -EINVAL);
	assert_int_equal(add(&r, "\n/a"), -EINVAL);
	assert_int_equal(r.n, 0);
	gn_registry_fini(&r);
}

static void a_name_is_added_once(void **state)
{
	struct gn_registry r = {0};

	(void)state;
	assert_int_equal(add(&r, "/a"), 0);
	assert_int_equal(add(&r, "/b"), 0);
	assert_int_equal(add(&r, "/a"), -EEXIST);
	assert_int_equal(add(&r, "/b"), -EEXIST);
	assert_int_equal(gn_registry_del(&r, "/a"), 0);
	assert_int_equal(add(&r, "/a"), 0);
	gn_registry_fini(&r);
}

static void a_free_place_is_used_again(void **state)
{
	struct gn_registry r = {0};

	(void)state;
	assert_int_equal(add(&r, "/a"), 0);
	assert_int_equal(add(&r, "/b"), 0);
	assert_int_equal(add(&r, "/c"), 0);
	assert_int_equal(gn_registry_del(&r, "/b"), 0);
	assert_int_equal(find(&r, "/b"), GN_ENOPROTO);
	assert_int_equal(find(&r, "/c"), 2); /* the others keep their places */
	assert_int_equal(add(&r, "/d"), 0);
	assert_int_equal(find(&r, "/d"), 1);
	assert_int_equal(r.n, 3);
	assert_int_equal(add(&r, "/e"), 0);
	assert_int_equal(find(&r, "/e"), 3);
	gn_registry_fini(&r);
}

static void hidden_and_deleted_names_are_not_shown(void **state)
{
	struct gn_registry_entry hidden = {.id = (char[]){"/hidden"}, .hidden = true};
	struct gn_registry r = {0};

	(void)state;
	assert_int_equal(add(&r, "/a"), 0);
	assert_int_equal(gn_registry_add(&r, &hidden), 0);
	assert_int_equal(add(&r, "/b"), 0);
	assert_int_equal(add(&r, "/c"), 0);
	assert_int_equal(gn_registry_del(&r, "/b"), 0);
	assert_int_equal(find(&r, "/hidden"), 1);
	assert_string_equal(gn_registry_show(&r, 0), "/a");
	assert_string_equal(gn_registry_show(&r, 1), "/c");
	assert_null(gn_registry_show(&r, 2));
	assert_null(gn_registry_show(&r, SIZE_MAX));
	gn_registry_fini(&r);
}

static void count_free(void *arg)
{
	++*(unsigned *)arg;
}

static void an_entry_that_goes_calls_on_free_once(void **state)
{
	unsigned n[2] = {0, 0};
	struct gn_registry_entry a = {.id = (char[]){"/a"}, .on_free = count_free, .arg = &n[0]};
	struct gn_registry_entry b = {.id = (char[]){"/b"}, .on_free = count_free, .arg = &n[1]};
	struct gn_registry r = {0};

	(void)state;
	assert_int_equal(gn_registry_add(&r, &a), 0);
	assert_int_equal(gn_registry_add(&r, &b), 0);
	assert_int_equal(gn_registry_add(&r, &b), -EEXIST);
	assert_int_equal(n[1], 0); /* a failed add does not own arg */
	assert_int_equal(add(&r, "/c"), 0);
	assert_int_equal(gn_registry_del(&r, "/a"), 0);
	assert_int_equal(n[0], 1);
	assert_int_equal(gn_registry_del(&r, "/a"), -ENOENT);
	assert_int_equal(n[0], 1);
	gn_registry_fini(&r);
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 1);
	assert_int_equal(r.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_knows_no_protocol),
		cmocka_unit_test(only_the_whole_name_is_found),
		cmocka_unit_test(a_name_has_from_one_byte_to_the_maximum),
		cmocka_unit_test(a_name_with_a_newline_is_invalid),
		cmocka_unit_test(a_name_is_added_once),
		cmocka_unit_test(a_free_place_is_used_again),
		cmocka_unit_test(hidden_and_deleted_names_are_not_shown),
		cmocka_unit_test(an_entry_that_goes_calls_on_free_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
