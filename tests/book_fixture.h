/* SPDX-License-Identifier: MIT */
/* An address book for a test, with peers that are numbers and addresses that are text. */
#ifndef GN_TESTS_BOOK_FIXTURE_H
#define GN_TESTS_BOOK_FIXTURE_H

#include "node/book.h"
#include "support/support.h"

static struct gn_book *book;
static inline int setup(void **state)
{
	(void)state;
	return gn_book_new(&book);
}

static inline int teardown(void **state)
{
	(void)state;
	gn_book_free(book);
	return 0;
}

static inline struct gn_peer_id peer_id(unsigned i)
{
	struct gn_peer_id id = {.len = 38, .bytes = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20}};

	memcpy(id.bytes + 6, &i, sizeof i);
	return id;
}

static inline struct gn_multiaddr *parse(const char *text)
{
	struct gn_multiaddr *a = NULL;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	return a;
}

static inline int add(unsigned peer, const char *text, enum gn_book_origin origin, gn_time expires, gn_time now)
{
	const struct gn_book_source source = {origin, expires};
	struct gn_peer_id id = peer_id(peer);
	struct gn_multiaddr *a = parse(text);
	int err = gn_book_add(book, &id, a, &source, now);

	gn_multiaddr_free(a);
	return err;
}

static inline bool failed(unsigned peer, const char *text, gn_time now)
{
	struct gn_peer_id id = peer_id(peer);
	struct gn_multiaddr *a = parse(text);
	bool is_known = gn_book_failed(book, &id, a, now);

	gn_multiaddr_free(a);
	return is_known;
}

static inline bool succeeded(unsigned peer, const char *text, gn_time now)
{
	struct gn_peer_id id = peer_id(peer);
	struct gn_multiaddr *a = parse(text);
	bool is_known = gn_book_succeeded(book, &id, a, now);

	gn_multiaddr_free(a);
	return is_known;
}

static inline bool has(unsigned peer)
{
	struct gn_peer_id id = peer_id(peer);

	return gn_book_has(book, &id);
}

static inline int hold(unsigned peer, gn_time now)
{
	struct gn_peer_id id = peer_id(peer);

	return gn_book_hold(book, &id, now);
}

static inline void release(unsigned peer, gn_time now)
{
	struct gn_peer_id id = peer_id(peer);

	gn_book_release(book, &id, now);
}

static inline size_t addrs(unsigned peer, gn_time now, struct gn_book_addr out[GN_BOOK_ADDRS_MAX])
{
	struct gn_peer_id id = peer_id(peer);

	return gn_book_addrs(book, &id, now, out);
}

/* The addresses of the peer, best first, with a blank behind each. */
static inline void assert_addrs(unsigned peer, gn_time now, const char *want)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];
	size_t n = addrs(peer, now, out);
	char text[GN_BOOK_ADDRS_MAX * 64] = "";

	for (size_t i = 0; i < n; i++) {
		struct gn_multiaddr *a;
		char *s;

		assert_int_equal(gn_multiaddr_decode(out[i].bytes, out[i].len, &a), 0);
		s = gn_multiaddr_format(a);
		assert_non_null(s);
		assert_true(strlen(text) + strlen(s) + 2 < sizeof text);
		strcat(strcat(text, s), " ");
		free(s);
		gn_multiaddr_free(a);
	}
	assert_string_equal(text, want);
}

/* /ip4/1.2.3.4/tcp/PORT; the text is overwritten by the next call. */
static inline const char *on_port(unsigned port)
{
	static char text[40];

	(void)snprintf(text, sizeof text, "/ip4/1.2.3.4/tcp/%u", port);
	return text;
}

/* /dns/x...x of n bytes. */
static inline char *long_name(size_t n)
{
	char *text = malloc(n + 10);

	assert_non_null(text);
	strcpy(text, "/dns/");
	memset(text + 5, 'x', n);
	text[5 + n] = '\0';
	return text;
}

static inline int set_record(unsigned peer, uint64_t seq, const void *envelope, size_t n,
			     const struct gn_book_addrs *list)
{
	const struct gn_book_record r = {seq, envelope, n};
	struct gn_peer_id id = peer_id(peer);

	return gn_book_set_record(book, &id, &r, list, 0);
}

#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
