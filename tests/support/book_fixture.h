/* SPDX-License-Identifier: MIT */
/* An address book for a test, with peers that are numbers and addresses that are text. */
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

/* The functions of node/book.h of nearly the same name. */
int book_add(unsigned peer, const char *text, enum gn_book_origin origin, gn_time expires, gn_time now);
bool book_failed(unsigned peer, const char *text, gn_time now);
bool book_succeeded(unsigned peer, const char *text, gn_time now);
bool book_has(unsigned peer);
int book_hold(unsigned peer, gn_time now);
void book_release(unsigned peer, gn_time now);
size_t book_addrs(unsigned peer, gn_time now, struct gn_book_addr out[GN_BOOK_ADDRS_MAX]);
int book_set_record(unsigned peer, uint64_t seq, const void *envelope, size_t n, const struct gn_book_addrs *list);

/* The peer has these valid addresses: text with a blank behind each, the most useful first. */
void book_assert_addrs(unsigned peer, gn_time now, const char *want);

/* /ip4/1.2.3.4/tcp/PORT; the text is overwritten by the next call. */
const char *book_on_port(unsigned port);
/* /dns/NAME with a name of n bytes; the caller frees it. */
char *book_long_name(size_t n);

#endif
