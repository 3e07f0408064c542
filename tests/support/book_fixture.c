/* SPDX-License-Identifier: MIT */
#include "support/book_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gn_book *book;
int book_setup(void **state)
{
	(void)state;
	return gn_book_new(&book);
}

int book_teardown(void **state)
{
	(void)state;
	gn_book_free(book);
	return 0;
}

struct gn_peer_id book_peer_id(unsigned i)
{
	struct gn_peer_id id = {.len = 38, .bytes = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20}};

	memcpy(id.bytes + 6, &i, sizeof i);
	return id;
}

struct gn_multiaddr *book_parse(const char *text)
{
	struct gn_multiaddr *a = NULL;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	return a;
}

int book_add(unsigned peer, const char *text, enum gn_book_origin origin, gn_time expires, gn_time now)
{
	const struct gn_book_source source = {origin, expires};
	struct gn_peer_id id = book_peer_id(peer);
	struct gn_multiaddr *a = book_parse(text);
	int err = gn_book_add(book, &id, a, &source, now);

	gn_multiaddr_free(a);
	return err;
}

bool book_failed(unsigned peer, const char *text, gn_time now)
{
	struct gn_peer_id id = book_peer_id(peer);
	struct gn_multiaddr *a = book_parse(text);
	bool is_known = gn_book_failed(book, &id, a, now);

	gn_multiaddr_free(a);
	return is_known;
}

bool book_succeeded(unsigned peer, const char *text, gn_time now)
{
	struct gn_peer_id id = book_peer_id(peer);
	struct gn_multiaddr *a = book_parse(text);
	bool is_known = gn_book_succeeded(book, &id, a, now);

	gn_multiaddr_free(a);
	return is_known;
}

bool book_has(unsigned peer)
{
	struct gn_peer_id id = book_peer_id(peer);

	return gn_book_has(book, &id);
}

int book_hold(unsigned peer, gn_time now)
{
	struct gn_peer_id id = book_peer_id(peer);

	return gn_book_hold(book, &id, now);
}

void book_release(unsigned peer, gn_time now)
{
	struct gn_peer_id id = book_peer_id(peer);

	gn_book_release(book, &id, now);
}

size_t book_addrs(unsigned peer, gn_time now, struct gn_book_addr out[GN_BOOK_ADDRS_MAX])
{
	struct gn_peer_id id = book_peer_id(peer);

	return gn_book_addrs(book, &id, now, out);
}

void book_assert_addrs(unsigned peer, gn_time now, const char *want)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];
	size_t n = book_addrs(peer, now, out);
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

const char *book_on_port(unsigned port)
{
	static char text[40];

	(void)snprintf(text, sizeof text, "/ip4/1.2.3.4/tcp/%u", port);
	return text;
}

char *book_long_name(size_t n)
{
	char *text = malloc(n + 10);

	assert_non_null(text);
	strcpy(text, "/dns/");
	memset(text + 5, 'x', n);
	text[5 + n] = '\0';
	return text;
}

int book_set_record(unsigned peer, uint64_t seq, const void *envelope, size_t n, const struct gn_book_addrs *list)
{
	const struct gn_book_record r = {seq, envelope, n};
	struct gn_peer_id id = book_peer_id(peer);

	return gn_book_set_record(book, &id, &r, list, 0);
}
