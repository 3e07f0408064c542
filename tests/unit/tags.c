/* SPDX-License-Identifier: MIT */
/* The tags of peers: gn_peer.h, node/tags.h. */
#include <errno.h>
#include <limits.h>

#include "node/tags.h"
#include "support/support.h"

static size_t calloc_fails; /* the number of the call that fails, from 1; 0: none */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return calloc_fails > 0 && --calloc_fails == 0 ? NULL : __real_calloc(n, size);
}

static struct net w;

static int setup(void **state)
{
	(void)state;
	net_init(&w, 1, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	net_fini(&w);
	return 0;
}

static struct gn_peer_id peer_id(unsigned i)
{
	struct gn_peer_id id = {.len = 34, .bytes = {0x12, 0x20, (uint8_t)i, (uint8_t)(i >> 8)}};

	return id;
}

static int tag(unsigned i, const char *name, int weight)
{
	struct gn_peer_id id = peer_id(i);

	return gn_peer_tag(w.node[0], &id, name, weight);
}

static int protect(unsigned i, const char *name)
{
	struct gn_peer_id id = peer_id(i);

	return gn_peer_protect(w.node[0], &id, name);
}

static void unprotect(unsigned i, const char *name)
{
	struct gn_peer_id id = peer_id(i);

	gn_peer_unprotect(w.node[0], &id, name);
}

static void assert_value(unsigned i, int64_t weight, bool is_protected)
{
	struct gn_peer_id id = peer_id(i);
	struct gn_peer_value value;

	gn_peer_value(w.node[0], &id, &value);
	assert_true(value.weight == weight);
	assert_int_equal(value.is_protected, is_protected);
}

static void the_weight_of_a_peer_is_the_sum_of_its_tags(void **state)
{
	char dht[] = "dht"; /* the text counts, not the pointer */

	(void)state;
	assert_value(1, 0, false);
	assert_int_equal(tag(1, "dht", 5), 0);
	assert_int_equal(tag(1, "relay", -7), 0);
	assert_value(1, -2, false);
	assert_int_equal(tag(1, dht, 10), 0);
	assert_value(1, 3, false);
	assert_int_equal(tag(1, "relay", 0), 0);
	assert_value(1, 10, false);
	assert_value(2, 0, false);
	assert_int_equal(tag(1, "a", INT_MAX), 0);
	assert_int_equal(tag(1, "b", INT_MAX), 0);
	assert_value(1, 2 * (int64_t)INT_MAX + 10, false);
}

static void a_peer_is_protected_until_each_name_has_ended_it(void **state)
{
	(void)state;
	assert_int_equal(protect(1, "a"), 0);
	assert_int_equal(protect(1, "a"), 0);
	assert_int_equal(protect(1, "b"), 0);
	unprotect(1, "a");
	unprotect(1, "c");
	unprotect(2, "b");
	assert_value(1, 0, true);
	unprotect(1, "b");
	assert_value(1, 0, false);
	unprotect(1, "b");
	assert_int_equal(w.node[0]->n_tagged, 0);
}

static void a_name_may_protect_and_have_a_weight(void **state)
{
	(void)state;
	assert_int_equal(tag(1, "a", 4), 0);
	assert_int_equal(protect(1, "a"), 0);
	assert_int_equal(tag(1, "a", 0), 0);
	assert_value(1, 0, true);
	assert_int_equal(tag(1, "a", 3), 0);
	unprotect(1, "a");
	assert_value(1, 3, false);
}

static void the_last_tag_frees_the_entry(void **state)
{
	(void)state;
	assert_int_equal(tag(1, "a", 0), 0);
	assert_int_equal(w.node[0]->peers.n, 0);
	assert_int_equal(tag(1, "a", 1), 0);
	assert_int_equal(tag(1, "b", 1), 0);
	assert_int_equal(w.node[0]->peers.n, 1);
	assert_int_equal(tag(1, "a", 0), 0);
	assert_int_equal(w.node[0]->peers.n, 1);
	assert_int_equal(tag(1, "b", 0), 0);
	assert_int_equal(w.node[0]->peers.n, 0);
	assert_int_equal(w.node[0]->n_tagged, 0);
}

static void tags_outlive_a_connection(void **state)
{
	struct gn_peer_value value;

	(void)state;
	net_add(&w, 1, NULL);
	w.n = 2;
	net_connect(&w, 0, 1);
	assert_int_equal(gn_peer_tag(w.node[0], &w.node[1]->id, "a", 9), 0);
	gn_conn_abort(net_conn(&w, 0, 0), GN_ECLOSED);
	net_run(&w, GN_SEC);
	assert_int_equal(w.node[0]->n_conns, 0);
	gn_peer_value(w.node[0], &w.node[1]->id, &value);
	assert_true(value.weight == 9);
	net_connect(&w, 0, 1);
	gn_tags_value(net_conn(&w, 0, 0)->peer, &value);
	assert_true(value.weight == 9);
	assert_int_equal(gn_peer_tag(w.node[0], &w.node[1]->id, "a", 0), 0);
	assert_non_null(net_conn(&w, 0, 0)->peer);
}

static void a_peer_has_eight_tags(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};

	(void)state;
	for (int i = 0; i < GN_PEER_TAGS; i++)
		assert_int_equal(tag(1, names[i], 1), 0);
	assert_int_equal(tag(1, names[GN_PEER_TAGS], 1), GN_ELIMIT);
	assert_int_equal(protect(1, names[GN_PEER_TAGS]), GN_ELIMIT);
	assert_value(1, GN_PEER_TAGS, false);
	assert_int_equal(tag(1, names[0], 2), 0);
	assert_int_equal(tag(1, names[3], 0), 0);
	assert_int_equal(protect(1, names[GN_PEER_TAGS]), 0);
	assert_value(1, GN_PEER_TAGS, true);
}

static void a_node_has_256_tagged_peers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GN_TAGGED_PEERS; i++)
		assert_int_equal(i % 2 != 0 ? tag(i, "a", 1) : protect(i, "a"), 0);
	assert_int_equal(tag(GN_TAGGED_PEERS, "a", 1), GN_ELIMIT);
	assert_int_equal(protect(GN_TAGGED_PEERS, "a"), GN_ELIMIT);
	assert_int_equal(w.node[0]->peers.n, GN_TAGGED_PEERS);
	assert_int_equal(tag(GN_TAGGED_PEERS - 1, "b", 1), 0);
	unprotect(0, "a");
	assert_int_equal(tag(GN_TAGGED_PEERS, "a", 1), 0);
	assert_value(GN_TAGGED_PEERS, 1, false);
}

static void bad_arguments_are_refused(void **state)
{
	struct gn_peer_id none = {0};

	(void)state;
	assert_int_equal(tag(1, NULL, 1), -EINVAL);
	assert_int_equal(tag(1, "", 1), -EINVAL);
	assert_int_equal(protect(1, NULL), -EINVAL);
	assert_int_equal(gn_peer_tag(w.node[0], &none, "a", 1), -EINVAL);
	assert_int_equal(gn_peer_protect(w.node[0], &none, "a"), -EINVAL);
	unprotect(1, NULL);
	assert_int_equal(w.node[0]->peers.n, 0);
}

static void a_failed_allocation_changes_nothing(void **state)
{
	size_t n = 0;
	int err;

	(void)state;
	do {
		calloc_fails = ++n;
		err = tag(1, "a", 1);
		calloc_fails = 0;
		assert_int_equal(w.node[0]->n_tagged, err == 0);
		assert_int_equal(w.node[0]->peers.n, err == 0);
		assert_true(err == 0 || err == -ENOMEM);
	} while (err != 0);
	assert_true(n > 2);
}

int main(void)
{
#define TAGS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TAGS_TEST(the_weight_of_a_peer_is_the_sum_of_its_tags),
		TAGS_TEST(a_peer_is_protected_until_each_name_has_ended_it),
		TAGS_TEST(a_name_may_protect_and_have_a_weight),
		TAGS_TEST(the_last_tag_frees_the_entry),
		TAGS_TEST(tags_outlive_a_connection),
		TAGS_TEST(a_peer_has_eight_tags),
		TAGS_TEST(a_node_has_256_tagged_peers),
		TAGS_TEST(bad_arguments_are_refused),
		TAGS_TEST(a_failed_allocation_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
