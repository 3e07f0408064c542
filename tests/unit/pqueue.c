/* SPDX-License-Identifier: MIT */
#include "support/cmocka.h"

#include "base/list.h"
#include "base/pqueue.h"
#include "support/rng.h"

enum { ENTRIES = 200 };

struct entry {
	struct gn_pqueue_node node;
	uint64_t key;
};

static struct entry *entry_of(struct gn_pqueue_node *node)
{
	return gn_list_entry(node, struct entry, node);
}

static bool is_before(struct gn_pqueue_node *a, struct gn_pqueue_node *b)
{
	return entry_of(a)->key < entry_of(b)->key;
}

static void an_empty_queue_has_no_first_entry(void **state)
{
	struct gn_pqueue q = {.is_before = is_before};
	struct entry e = {.key = 1};

	(void)state;
	assert_null(gn_pqueue_first(&q));
	gn_pqueue_del(&q, &e.node); /* it is in no queue */
	assert_null(gn_pqueue_first(&q));
	gn_pqueue_add(&q, &e.node);
	assert_ptr_equal(gn_pqueue_first(&q), &e.node);
	gn_pqueue_del(&q, &e.node);
	gn_pqueue_del(&q, &e.node);
	assert_null(gn_pqueue_first(&q));
}

/* Entries are added, changed and removed at random; each time the first one is compared with the least of an array. */
static void the_first_entry_is_before_all_others(void **state)
{
	static struct entry entries[ENTRIES];
	struct gn_pqueue q = {.is_before = is_before};
	struct rng r;

	(void)state;
	rng_seed(&r, 1);
	for (int i = 0; i < 20000; i++) {
		struct entry *e = &entries[rng_below(&r, ENTRIES)], *least = NULL;

		gn_pqueue_del(&q, &e->node);
		e->key = rng_below(&r, 50);
		if (!rng_one_in(&r, 3))
			gn_pqueue_add(&q, &e->node);
		for (int k = 0; k < ENTRIES; k++)
			if (gn_pqueue_has(&q, &entries[k].node) && (least == NULL || entries[k].key < least->key))
				least = &entries[k];
		if (least == NULL)
			assert_null(gn_pqueue_first(&q));
		else
			assert_int_equal(entry_of(gn_pqueue_first(&q))->key, least->key);
	}
}

static void removing_the_first_entry_takes_logarithmic_time(void **state)
{
	enum { MANY = 4096, LOG = 12 };
	static struct entry entries[MANY];
	struct gn_pqueue q = {.is_before = is_before};
	uint64_t last = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 2);
	for (int i = 0; i < MANY; i++) {
		entries[i].key = rng_below(&r, 1 << 20);
		gn_pqueue_add(&q, &entries[i].node);
	}
	assert_true(q.compares < MANY);
	q.compares = 0;
	for (int i = 0; i < MANY; i++) {
		struct entry *e = entry_of(gn_pqueue_first(&q));

		assert_true(e->key >= last);
		last = e->key;
		gn_pqueue_del(&q, &e->node);
	}
	assert_true(q.compares < 2 * MANY * LOG);
	assert_null(gn_pqueue_first(&q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_queue_has_no_first_entry),
		cmocka_unit_test(the_first_entry_is_before_all_others),
		cmocka_unit_test(removing_the_first_entry_takes_logarithmic_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
