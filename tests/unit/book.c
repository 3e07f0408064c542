/* SPDX-License-Identifier: MIT */
/* The address book: addresses, results of dialling, records and protocols.  book_limits.c tests which peers
 * are dropped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/book_fixture.h"

/* ---- addresses ---- */

static void an_address_that_is_added_twice_keeps_the_longer_life_and_the_more_trusted_origin(void **state)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];

	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, 100, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_RECORD, 50, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_INBOUND, 99, 0), 0);
	assert_int_equal(book_addrs(1, 0, out), 1);
	assert_int_equal(out[0].origin, GN_BOOK_RECORD);
	assert_int_equal(out[0].expires, 100);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_INBOUND, 101, 0), 0);
	assert_int_equal(book_addrs(1, 0, out), 1);
	assert_int_equal(out[0].expires, 101);
	assert_true(out[0].succeeded == GN_BOOK_NO_TIME && out[0].failed == GN_BOOK_NO_TIME);
	assert_true(out[0].rests_until == GN_BOOK_NO_TIME);
}

static void an_address_expires_at_its_very_time(void **state)
{
	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, 100, 0), 0);
	book_assert_addrs(1, 99, "/ip4/1.2.3.4/tcp/1 ");
	book_assert_addrs(1, 100, "");
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/1", 99));
	assert_false(book_failed(1, "/ip4/1.2.3.4/tcp/1", 100));
	assert_false(book_succeeded(1, "/ip4/1.2.3.4/tcp/1", 100));
	/* A change of the peer removes expired addresses from the block; an address that never expires
	 * stays. */
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/2", GN_BOOK_IDENTIFY, GN_NEVER, 100), 0);
	book_assert_addrs(1, 0, "/ip4/1.2.3.4/tcp/2 ");
	book_assert_addrs(1, GN_NEVER - 1, "/ip4/1.2.3.4/tcp/2 ");
}

static void the_peers_own_id_is_cut_off_and_other_ids_are_refused(void **state)
{
	struct gn_peer_id id = book_peer_id(1);
	char text[GN_PEER_ID_TEXT_MAX], own[200], bare[200];

	(void)state;
	gn_peer_id_format(&id, text);
	(void)snprintf(own, sizeof own, "/ip4/1.2.3.4/tcp/1/p2p/%s", text);
	(void)snprintf(bare, sizeof bare, "/p2p/%s", text);
	assert_int_equal(book_add(1, own, GN_BOOK_USER, 100, 0), 0);
	book_assert_addrs(1, 0, "/ip4/1.2.3.4/tcp/1 ");
	assert_true(book_failed(1, own, 0));
	assert_int_equal(book_add(1, bare, GN_BOOK_USER, 100, 0), GN_ENONAME);
	assert_int_equal(book_add(2, own, GN_BOOK_USER, 100, 0), GN_EPEERID);
	assert_false(book_failed(2, own, 0));
	assert_false(book_has(2));
	/* A /p2p of a relay in the middle is kept as part of the address. */
	(void)snprintf(own, sizeof own, "/ip4/1.2.3.4/tcp/1/p2p/%s/p2p-circuit", text);
	assert_int_equal(book_add(3, own, GN_BOOK_USER, 100, 0), 0);
}

static void an_address_has_at_most_256_bytes(void **state)
{
	/* The code takes one byte, and the length two. */
	char *fits = book_long_name(GN_BOOK_ADDR_LEN_MAX - 3), *over = book_long_name(GN_BOOK_ADDR_LEN_MAX - 2);
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];

	(void)state;
	assert_int_equal(book_add(1, fits, GN_BOOK_DNS, 100, 0), 0);
	assert_int_equal(book_add(1, over, GN_BOOK_DNS, 100, 0), GN_ETOOBIG);
	assert_int_equal(book_addrs(1, 0, out), 1);
	assert_int_equal(out[0].len, GN_BOOK_ADDR_LEN_MAX);
	free(fits);
	free(over);
}

static void a_peer_has_at_most_32_addresses_and_the_least_useful_one_leaves(void **state)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];

	(void)state;
	for (unsigned i = 0; i < GN_BOOK_ADDRS_MAX; i++)
		assert_int_equal(book_add(1, book_on_port(i), GN_BOOK_IDENTIFY, 100 + i, 0), 0);
	assert_int_equal(book_addrs(1, 0, out), GN_BOOK_ADDRS_MAX);
	/* A 33rd address is refused when its origin is less trusted.  One that is as useful replaces the
	 * first to expire. */
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/99", GN_BOOK_INBOUND, 1000, 0), GN_ELIMIT);
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/0", 1));
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/32", GN_BOOK_IDENTIFY, 101, 0), 0);
	assert_int_equal(book_addrs(1, 0, out), GN_BOOK_ADDRS_MAX);
	assert_false(book_failed(1, "/ip4/1.2.3.4/tcp/0", 1));
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/1", 1));
	/* An address whose dial failed is dropped before all others, even for one of a less trusted
	 * origin. */
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/33", GN_BOOK_INBOUND, 50, 0), 0);
	assert_false(book_failed(1, "/ip4/1.2.3.4/tcp/1", 1));
	/* An expired address is replaced first. */
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/34", GN_BOOK_INBOUND, 60, 50), 0);
	assert_int_equal(book_addrs(1, 0, out), GN_BOOK_ADDRS_MAX);
	assert_false(book_failed(1, "/ip4/1.2.3.4/tcp/33", 1));
}

static void addresses_of_the_user_never_leave_for_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GN_BOOK_ADDRS_MAX; i++) {
		assert_int_equal(book_add(1, book_on_port(i), GN_BOOK_USER, GN_NEVER, 0), 0);
		assert_true(book_failed(1, book_on_port(i), 1));
	}
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/99", GN_BOOK_RECORD, GN_NEVER, 0), GN_ELIMIT);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/99", GN_BOOK_USER, GN_NEVER, 0), 0);
}

static void addresses_come_in_the_order_of_their_use(void **state)
{
	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_INBOUND, 100, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/2", GN_BOOK_IDENTIFY, 100, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/3", GN_BOOK_IDENTIFY, 101, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/4", GN_BOOK_IDENTIFY, 90, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/5", GN_BOOK_RECORD, 100, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/6", GN_BOOK_USER, 100, 0), 0);
	assert_true(book_succeeded(1, "/ip4/1.2.3.4/tcp/4", 5));
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/5", 5));
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/6", 5));
	book_assert_addrs(1, 10,
			  "/ip4/1.2.3.4/tcp/6 /ip4/1.2.3.4/tcp/4 /ip4/1.2.3.4/tcp/3 /ip4/1.2.3.4/tcp/2 "
			  "/ip4/1.2.3.4/tcp/1 /ip4/1.2.3.4/tcp/5 ");
}

/* ---- results of dialling ---- */

static void a_failed_address_rests_5_s_and_twice_as_long_each_time_up_to_10_min(void **state)
{
	static const gn_time rests[] = {5, 10, 20, 40, 80, 160, 320, 600, 600};
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];

	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_DNS, GN_NEVER, 0), 0);
	for (unsigned i = 0; i < 300; i++) {
		size_t k = i < sizeof rests / sizeof rests[0] ? i : sizeof rests / sizeof rests[0] - 1;

		assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/1", 1000 * i));
		assert_int_equal(book_addrs(1, 0, out), 1);
		assert_int_equal(out[0].failed, 1000 * i);
		assert_int_equal(out[0].rests_until, 1000 * i + rests[k] * GN_SEC);
		assert_true(out[0].succeeded == GN_BOOK_NO_TIME);
	}
	assert_true(book_succeeded(1, "/ip4/1.2.3.4/tcp/1", 7));
	assert_int_equal(book_addrs(1, 0, out), 1);
	assert_true(out[0].rests_until == GN_BOOK_NO_TIME);
	assert_int_equal(out[0].failures, 0);
	assert_int_equal(out[0].succeeded, 7);
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/1", 8));
	assert_int_equal(book_addrs(1, 0, out), 1);
	assert_int_equal(out[0].rests_until, 8 + 5 * GN_SEC);
	assert_int_equal(out[0].succeeded, 7);
}

static void an_address_of_the_user_does_not_rest(void **state)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];

	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_DNS, GN_NEVER, 0), 0);
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/1", 1));
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_USER, GN_NEVER, 0), 0);
	assert_int_equal(book_addrs(1, 0, out), 1);
	assert_int_equal(out[0].failures, 1);
	assert_true(out[0].rests_until == GN_BOOK_NO_TIME);
}

static void results_for_unknown_peers_and_addresses_are_ignored(void **state)
{
	(void)state;
	assert_false(book_failed(1, "/ip4/1.2.3.4/tcp/1", 1));
	assert_false(book_succeeded(1, "/ip4/1.2.3.4/tcp/1", 1));
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_DNS, GN_NEVER, 0), 0);
	assert_false(book_failed(1, "/ip4/1.2.3.4/tcp/2", 1));
	assert_false(book_failed(1, "/ip4/1.2.3.4/tcp/1/ws", 1));
	assert_int_equal(gn_book_count(book), 1);
}

/* ---- lists, records, protocols ---- */

struct list {
	struct gn_multiaddr *a[64];
	struct gn_book_addrs list;
};

static void list_make(struct list *l, enum gn_book_origin origin, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		l->a[i - from] = book_parse(book_on_port(i));
	l->list = (struct gn_book_addrs){{origin, 1000}, (const struct gn_multiaddr *const *)l->a, to - from};
}

static void list_free(struct list *l)
{
	for (size_t i = 0; i < l->list.n; i++)
		gn_multiaddr_free(l->a[i]);
}

static void a_list_replaces_the_addresses_of_its_origin_only(void **state)
{
	struct gn_peer_id id = book_peer_id(1);
	struct list l;

	(void)state;
	assert_int_equal(book_add(1, "/ip4/9.9.9.9/tcp/9", GN_BOOK_DNS, 1000, 0), 0);
	list_make(&l, GN_BOOK_IDENTIFY, 1, 4);
	assert_int_equal(gn_book_replace(book, &id, &l.list, 0), 0);
	list_free(&l);
	assert_true(book_succeeded(1, "/ip4/1.2.3.4/tcp/3", 5));
	list_make(&l, GN_BOOK_IDENTIFY, 3, 5);
	assert_int_equal(gn_book_replace(book, &id, &l.list, 0), 0);
	list_free(&l);
	/* An address that is in both lists keeps the result of its dial. */
	book_assert_addrs(1, 0, "/ip4/9.9.9.9/tcp/9 /ip4/1.2.3.4/tcp/3 /ip4/1.2.3.4/tcp/4 ");
	list_make(&l, GN_BOOK_IDENTIFY, 0, 0);
	assert_int_equal(gn_book_replace(book, &id, &l.list, 0), 0);
	book_assert_addrs(1, 0, "/ip4/9.9.9.9/tcp/9 ");
}

static void of_a_list_what_does_not_fit_is_left_out(void **state)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];
	struct gn_peer_id id = book_peer_id(1);
	struct list l;

	(void)state;
	assert_int_equal(book_add(1, "/ip4/9.9.9.9/tcp/9", GN_BOOK_USER, 1000, 0), 0);
	list_make(&l, GN_BOOK_IDENTIFY, 0, 64);
	assert_int_equal(gn_book_replace(book, &id, &l.list, 0), 0);
	list_free(&l);
	assert_int_equal(book_addrs(1, 0, out), GN_BOOK_ADDRS_MAX);
	assert_int_equal(out[0].origin, GN_BOOK_USER);
}

static void only_a_record_with_a_higher_number_replaces_one(void **state)
{
	struct gn_peer_id id = book_peer_id(1);
	struct gn_book_record r;
	struct list l;

	(void)state;
	assert_false(gn_book_record(book, &id, &r));
	list_make(&l, GN_BOOK_INBOUND, 1, 3);
	assert_int_equal(book_set_record(1, 7, "seven", 5, &l.list), 0);
	list_free(&l);
	list_make(&l, GN_BOOK_INBOUND, 2, 4);
	assert_int_equal(book_set_record(1, 6, "six", 3, &l.list), GN_EORDER);
	assert_int_equal(book_set_record(1, 7, "SEVEN", 5, &l.list), GN_EORDER);
	book_assert_addrs(1, 0, "/ip4/1.2.3.4/tcp/1 /ip4/1.2.3.4/tcp/2 ");
	assert_int_equal(book_set_record(1, 8, "eight!", 6, &l.list), 0);
	list_free(&l);
	book_assert_addrs(1, 0, "/ip4/1.2.3.4/tcp/2 /ip4/1.2.3.4/tcp/3 ");
	assert_true(gn_book_record(book, &id, &r));
	assert_int_equal(r.seq, 8);
	assert_int_equal(r.len, 6);
	assert_memory_equal(r.envelope, "eight!", 6);
}

static void the_first_record_may_have_any_number(void **state)
{
	const struct gn_book_addrs none = {{GN_BOOK_RECORD, 1000}, NULL, 0};

	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_DNS, 1000, 0), 0);
	assert_int_equal(book_set_record(1, 0, "zero", 4, &none), 0);
	assert_int_equal(book_set_record(1, 0, "zero", 4, &none), GN_EORDER);
	assert_int_equal(book_set_record(1, UINT64_MAX, "last", 4, &none), 0);
	book_assert_addrs(1, 0, "/ip4/1.2.3.4/tcp/1 ");
}

static void a_record_has_at_most_2048_bytes(void **state)
{
	static const uint8_t bytes[GN_BOOK_RECORD_LEN_MAX + 1];
	const struct gn_book_addrs none = {{GN_BOOK_RECORD, 1000}, NULL, 0};

	(void)state;
	assert_int_equal(book_set_record(1, 1, bytes, GN_BOOK_RECORD_LEN_MAX + 1, &none), GN_ETOOBIG);
	assert_false(book_has(1));
	assert_int_equal(book_set_record(1, 1, bytes, GN_BOOK_RECORD_LEN_MAX, &none), 0);
}

static void protocols_are_replaced_as_a_whole(void **state)
{
	static const char *const two[] = {"/a/1", "/b/1"}, *const one[] = {"/c/1"};
	struct gn_peer_id id = book_peer_id(1);

	(void)state;
	assert_null(gn_book_protocol(book, &id, 0));
	assert_int_equal(gn_book_set_protocols(book, &id, two, 2, 0), 0);
	assert_string_equal(gn_book_protocol(book, &id, 0), "/a/1");
	assert_string_equal(gn_book_protocol(book, &id, 1), "/b/1");
	assert_null(gn_book_protocol(book, &id, 2));
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_DNS, 1000, 0), 0);
	assert_string_equal(gn_book_protocol(book, &id, 1), "/b/1");
	assert_int_equal(gn_book_set_protocols(book, &id, one, 1, 0), 0);
	assert_string_equal(gn_book_protocol(book, &id, 0), "/c/1");
	assert_null(gn_book_protocol(book, &id, 1));
	assert_int_equal(gn_book_set_protocols(book, &id, NULL, 0, 0), 0);
	assert_null(gn_book_protocol(book, &id, 0));
}

static void protocols_that_do_not_fit_are_left_out(void **state)
{
	static char fits[GN_BOOK_PROTOCOLS_LEN_MAX - 4 + 1], over[GN_BOOK_PROTOCOLS_LEN_MAX + 1];
	const char *const lists[] = {over, "/a/", fits, "/b"};
	struct gn_peer_id id = book_peer_id(1);

	(void)state;
	/* With its NUL, `over` is one byte too long.  After "/a/", `fits` uses all of the remaining bytes. */
	memset(over, 'o', GN_BOOK_PROTOCOLS_LEN_MAX);
	memset(fits, 'f', GN_BOOK_PROTOCOLS_LEN_MAX - 5);
	assert_int_equal(gn_book_set_protocols(book, &id, lists, 4, 0), 0);
	assert_string_equal(gn_book_protocol(book, &id, 0), "/a/");
	assert_string_equal(gn_book_protocol(book, &id, 1), fits);
	assert_null(gn_book_protocol(book, &id, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOOK_TEST(an_address_that_is_added_twice_keeps_the_longer_life_and_the_more_trusted_origin),
		BOOK_TEST(an_address_expires_at_its_very_time),
		BOOK_TEST(the_peers_own_id_is_cut_off_and_other_ids_are_refused),
		BOOK_TEST(an_address_has_at_most_256_bytes),
		BOOK_TEST(a_peer_has_at_most_32_addresses_and_the_least_useful_one_leaves),
		BOOK_TEST(addresses_of_the_user_never_leave_for_others),
		BOOK_TEST(addresses_come_in_the_order_of_their_use),
		BOOK_TEST(a_failed_address_rests_5_s_and_twice_as_long_each_time_up_to_10_min),
		BOOK_TEST(an_address_of_the_user_does_not_rest),
		BOOK_TEST(results_for_unknown_peers_and_addresses_are_ignored),
		BOOK_TEST(a_list_replaces_the_addresses_of_its_origin_only),
		BOOK_TEST(of_a_list_what_does_not_fit_is_left_out),
		BOOK_TEST(only_a_record_with_a_higher_number_replaces_one),
		BOOK_TEST(the_first_record_may_have_any_number),
		BOOK_TEST(a_record_has_at_most_2048_bytes),
		BOOK_TEST(protocols_are_replaced_as_a_whole),
		BOOK_TEST(protocols_that_do_not_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
