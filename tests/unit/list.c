/* SPDX-License-Identifier: MIT */
#include "base/list.h"

#include "support/support.h"

struct item {
	int v;
	struct gn_list link;
};

static void assert_order(struct gn_list *head, const char *order)
{
	struct gn_list *pos;
	size_t i = 0;

	gn_list_for_each(pos, head)
		assert_int_equal(gn_list_entry(pos, struct item, link)->v, order[i++]);
	assert_int_equal(order[i], '\0');
	i = strlen(order);
	for (pos = head->prev; pos != head; pos = pos->prev)
		assert_int_equal(gn_list_entry(pos, struct item, link)->v, order[--i]);
	assert_int_equal(i, 0);
}

static void a_list_keeps_its_order_while_entries_are_deleted(void **state)
{
	struct item a = {.v = 'a'}, b = {.v = 'b'}, c = {.v = 'c'};
	struct gn_list head, other, *pos, *tmp;

	(void)state;
	gn_list_init(&head);
	gn_list_init(&other);
	gn_list_init(&a.link);
	gn_list_init(&b.link);
	gn_list_init(&c.link);
	assert_true(gn_list_is_empty(&head));
	assert_true(gn_list_is_empty(&a.link));
	assert_null(gn_list_first(&head, struct item, link));
	gn_list_del(&a.link); /* no effect, as it is on no list */

	gn_list_add_tail(&head, &b.link);
	gn_list_add_tail(&head, &c.link);
	gn_list_add_head(&head, &a.link);
	assert_order(&head, "abc");
	assert_false(gn_list_is_empty(&a.link));
	assert_ptr_equal(gn_list_first(&head, struct item, link), &a);

	gn_list_del(&b.link);
	gn_list_del(&b.link);
	assert_true(gn_list_is_empty(&b.link));
	assert_order(&head, "ac");

	gn_list_splice(&head, &other);
	assert_order(&head, "ac");
	gn_list_add_tail(&other, &b.link);
	gn_list_splice(&other, &head);
	assert_order(&other, "bac");
	assert_order(&head, "");

	gn_list_for_each_safe(pos, tmp, &other)
		gn_list_del(pos);
	assert_true(gn_list_is_empty(&other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_list_keeps_its_order_while_entries_are_deleted)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
