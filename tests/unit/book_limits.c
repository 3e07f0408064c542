/* SPDX-License-Identifier: MIT */
/* The limits of the address book: which peers it drops when it is full, and its limit of memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/book_fixture.h"

static bool calloc_fails;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* The Makefile links this program so that the library's calls of calloc() come here. */
void *__wrap_calloc(size_t n, size_t size)
{
	return calloc_fails ? NULL : __real_calloc(n, size);
}

/* ---- which peer is dropped ---- */

static void fill(void)
{
	for (unsigned i = 0; i < GN_BOOK_PEERS_MAX; i++)
		assert_int_equal(book_add(i, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, GN_NEVER, 0), 0);
	assert_int_equal(gn_book_count(book), GN_BOOK_PEERS_MAX);
}

static void of_4097_peers_the_oldest_one_leaves(void **state)
{
	(void)state;
	fill();
	assert_true(book_has(0));
	assert_int_equal(book_add(GN_BOOK_PEERS_MAX, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, GN_NEVER, 0), 0);
	assert_int_equal(gn_book_count(book), GN_BOOK_PEERS_MAX);
	assert_false(book_has(0));
	assert_true(book_has(1) && book_has(GN_BOOK_PEERS_MAX));
	/* A change of a known peer needs no room, and does not count as a use of the peer. */
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/2", GN_BOOK_IDENTIFY, GN_NEVER, 0), 0);
	assert_true(book_has(2));
	assert_int_equal(book_add(GN_BOOK_PEERS_MAX + 1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, GN_NEVER, 0), 0);
	assert_false(book_has(1));
}

static void peers_that_were_reached_or_named_leave_last(void **state)
{
	(void)state;
	fill();
	assert_true(book_succeeded(0, "/ip4/1.2.3.4/tcp/1", 1));
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/2", GN_BOOK_USER, GN_NEVER, 0), 0);
	for (unsigned i = 0; i < 2 * GN_BOOK_PEERS_MAX; i++)
		assert_int_equal(book_add(GN_BOOK_PEERS_MAX + i, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, GN_NEVER, 0),
				 0);
	assert_true(book_has(0) && book_has(1));
	assert_false(book_has(2));
	/* When all peers were reached, the book drops the one whose last success is the oldest. */
	for (unsigned i = GN_BOOK_PEERS_MAX + 2; i < 2 * GN_BOOK_PEERS_MAX; i++)
		assert_true(book_succeeded(GN_BOOK_PEERS_MAX + i, "/ip4/1.2.3.4/tcp/1", 1));
	assert_true(book_succeeded(0, "/ip4/1.2.3.4/tcp/1", 2));
	assert_int_equal(book_add(1000000, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, GN_NEVER, 0), 0);
	assert_true(book_has(0) && book_has(1000000));
	assert_false(book_has(1));
}

static void held_peers_never_leave(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GN_BOOK_PEERS_MAX; i++)
		assert_int_equal(book_hold(i, 0), 0);
	assert_int_equal(book_add(GN_BOOK_PEERS_MAX, "/ip4/1.2.3.4/tcp/1", GN_BOOK_USER, GN_NEVER, 0), GN_ELIMIT);
	assert_int_equal(book_hold(GN_BOOK_PEERS_MAX, 0), GN_ELIMIT);
	assert_false(book_has(GN_BOOK_PEERS_MAX));
	assert_int_equal(book_hold(7, 0), 0);
	book_release(7, 0);
	assert_int_equal(book_hold(GN_BOOK_PEERS_MAX, 0), GN_ELIMIT);
	book_release(7, 0);
	assert_true(book_has(7));
	assert_int_equal(book_hold(GN_BOOK_PEERS_MAX, 0), 0);
	assert_false(book_has(7));
}

static void the_addresses_of_a_held_peer_do_not_expire_and_last_30_min_after_it(void **state)
{
	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, 100, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/2", GN_BOOK_IDENTIFY, 10, 0), 0);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/3", GN_BOOK_IDENTIFY, 500 + GN_BOOK_KEEP + 1, 0), 0);
	/* A hold does not restore addresses that have expired. */
	assert_int_equal(book_hold(1, 10), 0);
	book_assert_addrs(1, 200, "/ip4/1.2.3.4/tcp/3 /ip4/1.2.3.4/tcp/1 ");
	assert_true(book_failed(1, "/ip4/1.2.3.4/tcp/1", 200));
	assert_int_equal(book_hold(1, 300), 0);
	book_release(1, 400);
	book_assert_addrs(1, 450, "/ip4/1.2.3.4/tcp/3 /ip4/1.2.3.4/tcp/1 ");
	book_release(1, 500);
	book_assert_addrs(1, 500 + GN_BOOK_KEEP - 1, "/ip4/1.2.3.4/tcp/3 /ip4/1.2.3.4/tcp/1 ");
	book_assert_addrs(1, 500 + GN_BOOK_KEEP, "/ip4/1.2.3.4/tcp/3 ");
	book_assert_addrs(1, 500 + GN_BOOK_KEEP + 1, "");
}

static void a_release_is_a_use(void **state)
{
	(void)state;
	fill();
	assert_int_equal(book_hold(0, 0), 0);
	book_release(0, 0);
	assert_int_equal(book_add(GN_BOOK_PEERS_MAX, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, GN_NEVER, 0), 0);
	assert_true(book_has(0));
	assert_false(book_has(1));
}

/* ---- memory ---- */

/* Gives the peer 32 addresses of 256 bytes each, and a record and protocols of the largest size. */
static void fatten(unsigned peer)
{
	static const uint8_t record[GN_BOOK_RECORD_LEN_MAX];
	static char name[GN_BOOK_PROTOCOLS_LEN_MAX];
	const char *const names[] = {name};
	const struct gn_book_addrs none = {{GN_BOOK_RECORD, GN_NEVER}, NULL, 0};
	struct gn_peer_id id = book_peer_id(peer);
	char *text = book_long_name(GN_BOOK_ADDR_LEN_MAX - 3);

	memset(name, 'n', sizeof name - 1);
	for (unsigned i = 0; i < GN_BOOK_ADDRS_MAX; i++) {
		text[5] = (char)('A' + i);
		assert_int_equal(book_add(peer, text, GN_BOOK_IDENTIFY, GN_NEVER, 0), 0);
	}
	free(text);
	assert_int_equal(book_set_record(peer, 1, record, sizeof record, &none), 0);
	assert_int_equal(gn_book_set_protocols(book, &id, names, 1, 0), 0);
}

static void the_book_has_at_most_8_mib(void **state)
{
	unsigned fit, n = 1000;
	size_t one;
	int err;

	(void)state;
	fatten(0);
	one = gn_book_bytes(book);
	assert_in_range(one, 12 * 1024, 13 * 1024);
	fit = (unsigned)(GN_BOOK_BYTES_MAX / one);
	for (unsigned i = 1; i < fit; i++)
		fatten(i);
	assert_int_equal(gn_book_count(book), fit);
	assert_int_equal(gn_book_bytes(book), fit * one);
	fatten(fit);
	assert_int_equal(gn_book_count(book), fit);
	assert_false(book_has(0));
	assert_true(gn_book_bytes(book) <= GN_BOOK_BYTES_MAX);
	/* Held peers are not dropped, neither to add other peers nor to enlarge the block of a held one. */
	for (unsigned i = 1; i <= fit; i++)
		assert_int_equal(book_hold(i, 0), 0);
	while ((err = book_hold(n, 0)) == 0)
		n++;
	assert_int_equal(err, GN_ELIMIT);
	assert_true(gn_book_count(book) < GN_BOOK_PEERS_MAX);
	assert_int_equal(gn_book_count(book), fit + n - 1000);
	assert_int_equal(book_add(1000, "/ip4/1.2.3.4/tcp/1", GN_BOOK_USER, GN_NEVER, 0), GN_ELIMIT);
	book_release(n - 1, 0);
	assert_int_equal(book_add(1000, "/ip4/1.2.3.4/tcp/1", GN_BOOK_USER, GN_NEVER, 0), 0);
	assert_false(book_has(n - 1));
	assert_true(gn_book_bytes(book) <= GN_BOOK_BYTES_MAX);
	assert_true(book_has(1));
}

static void an_ordinary_peer_takes_less_than_2_kib(void **state)
{
	static const char *const names[] = {"/ipfs/id/1.0.0",   "/ipfs/id/push/1.0.0",
					    "/ipfs/ping/1.0.0", "/libp2p/circuit/relay/0.2.0/stop",
					    "/libp2p/dcutr",    "/ipfs/kad/1.0.0"};
	static const uint8_t record[400];
	const struct gn_book_addrs none = {{GN_BOOK_RECORD, GN_NEVER}, NULL, 0};
	struct gn_peer_id id = book_peer_id(1);

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(book_add(1, book_on_port(i), GN_BOOK_IDENTIFY, 1, 0), 0);
	assert_int_equal(gn_book_set_protocols(book, &id, names, 6, 0), 0);
	assert_int_equal(book_set_record(1, 1, record, sizeof record, &none), 0);
	assert_true(gn_book_bytes(book) < 2048);
	assert_int_equal(book_hold(2, 0), 0);
	assert_true(gn_book_bytes(book) < 2048 + 160);
}

static void without_memory_nothing_changes(void **state)
{
	static const char *const names[] = {"/a"};
	const struct gn_book_addrs none = {{GN_BOOK_IDENTIFY, GN_NEVER}, NULL, 0};
	struct gn_peer_id id = book_peer_id(1);
	struct gn_book_record r;
	struct gn_book *other;

	(void)state;
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/1", GN_BOOK_IDENTIFY, 100, 0), 0);
	calloc_fails = true;
	assert_int_equal(gn_book_new(&other), -ENOMEM);
	assert_int_equal(book_add(1, "/ip4/1.2.3.4/tcp/2", GN_BOOK_IDENTIFY, 100, 0), -ENOMEM);
	assert_int_equal(book_add(2, "/ip4/1.2.3.4/tcp/2", GN_BOOK_IDENTIFY, 100, 0), -ENOMEM);
	assert_int_equal(gn_book_replace(book, &id, &none, 0), -ENOMEM);
	assert_int_equal(book_set_record(1, 1, "one", 3, &none), -ENOMEM);
	assert_int_equal(gn_book_set_protocols(book, &id, names, 1, 0), -ENOMEM);
	assert_int_equal(book_hold(2, 0), -ENOMEM);
	/* These calls allocate nothing. */
	assert_int_equal(book_hold(1, 0), 0);
	assert_true(book_succeeded(1, "/ip4/1.2.3.4/tcp/1", 1));
	book_release(1, 0);
	calloc_fails = false;
	book_assert_addrs(1, 0, "/ip4/1.2.3.4/tcp/1 ");
	assert_false(gn_book_record(book, &id, &r));
	assert_null(gn_book_protocol(book, &id, 0));
	assert_false(book_has(2));
	assert_int_equal(gn_book_count(book), 1);
	gn_book_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOOK_TEST(of_4097_peers_the_oldest_one_leaves),
		BOOK_TEST(peers_that_were_reached_or_named_leave_last),
		BOOK_TEST(held_peers_never_leave),
		BOOK_TEST(the_addresses_of_a_held_peer_do_not_expire_and_last_30_min_after_it),
		BOOK_TEST(a_release_is_a_use),
		BOOK_TEST(the_book_has_at_most_8_mib),
		BOOK_TEST(an_ordinary_peer_takes_less_than_2_kib),
		BOOK_TEST(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
