/* SPDX-License-Identifier: MIT */
/* An address book for a test.  Peers are given as numbers and addresses as text. */
#ifndef GN_SUPPORT_BOOK_FIXTURE_H
#define GN_SUPPORT_BOOK_FIXTURE_H

#include "node/book.h"
#include "support/cmocka.h"

#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, book_setup, book_teardown)

extern struct gn_book *book; /* empty at the beginning of each test */

int book_setup(void **state);
int book_teardown(void **state);
struct gn_peer_id book_peer_id(unsigned i);
struct gn_multiaddr *book_parse(const char *text);

/* These call the functions gn_book_* of node/book.h on `book`. */
int book_add(unsigned peer, const char *text, enum gn_book_origin origin, gn_time expires, gn_time now);
bool book_failed(unsigned peer, const char *text, gn_time now);
bool book_succeeded(unsigned peer, const char *text, gn_time now);
bool book_has(unsigned peer);
int book_hold(unsigned peer, gn_time now);
void book_release(unsigned peer, gn_time now);
size_t book_addrs(unsigned peer, gn_time now, struct gn_book_addr out[GN_BOOK_ADDRS_MAX]);
int book_set_record(unsigned peer, uint64_t seq, const void *envelope, size_t n, const struct gn_book_addrs *list);

/* Asserts that the valid addresses of the peer are these, the most useful first.  want is their text, with a
 * blank after each address. */
void book_assert_addrs(unsigned peer, gn_time now, const char *want);

/* Returns the text /ip4/1.2.3.4/tcp/PORT, which the next call overwrites. */
const char *book_on_port(unsigned port);
/* Returns the text /dns/NAME with a name of n bytes.  The caller frees it. */
char *book_long_name(size_t n);

#endif
