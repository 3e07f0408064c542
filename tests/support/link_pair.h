/* SPDX-License-Identifier: MIT */
/*
 * The fixture of tests/conform/transport.c: a listener, a dialer, the two ends of a link, and a loop that
 * fails the test when it has run for LINK_TIME_LIMIT.
 */
#ifndef GN_SUPPORT_LINK_PAIR_H
#define GN_SUPPORT_LINK_PAIR_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "transport/mem.h"

#define LINK_TIME_LIMIT (20 * GN_SEC) /* after this time a test that waits fails */

struct link_variant {
	const char *name;
	const struct gn_transport_ops *ops;
	const char *addr;
	bool is_virtual;
	struct gn_mem_cfg mem;
};

struct link_pair;

/* One end of a link and its user, which sends `to_send` bytes of a pattern, ends its direction when end_after
 * is set, and compares the bytes that it reads with the pattern. */
struct link_end {
	struct link_pair *f;
	struct gn_link *link;
	size_t to_send, sent, got;
	size_t unit; /* the most bytes that one call reads or writes */
	bool end_after, has_ended;
	bool holds; /* the user does not read */
	int err;    /* GN_EOF or the error that ended reading; 0 until then */
	unsigned seen;
	int calls;
};

struct link_pair {
	const struct link_variant *v;
	struct gn_loop *loop;
	void *state; /* the state of the transport */
	struct gn_link_listener *listener;
	struct gn_multiaddr *bound;
	struct gn_link_dial *dial;
	struct gn_timer guard;
	bool is_late;
	bool closes_listener, cancels_dial; /* done from inside on_link */
	int err, dones, links;
	struct link_end a, b; /* a is the dialer's end, b the listener's */
};

void link_end_want(struct link_end *s);

void link_end_read(struct link_end *s);

/* Makes one call of the link's write with three views, one of which is empty.  Returns its result. */
ptrdiff_t link_end_write_some(struct link_end *s);

ptrdiff_t link_end_write(struct link_end *s);

void link_end_init(struct link_end *s, struct gn_link *link);

void link_end_abort(struct link_end *s);

/* Runs the loop until the condition holds; fails the test after LINK_TIME_LIMIT. */
#define link_pair_until(f, cond) link_pair_until_by(f, cond, GN_NEVER)
/* The same for a condition that no event reports: it is checked again after the time `wait` at the latest. */
#define link_pair_until_by(f, cond, wait)                                   \
	do {                                                                \
		gn_timer_start(&(f)->guard, LINK_TIME_LIMIT);               \
		while (!(cond)) {                                           \
			assert_int_equal(gn_loop_turn((f)->loop, wait), 0); \
			assert_false((f)->is_late);                         \
		}                                                           \
		gn_timer_stop(&(f)->guard);                                 \
	} while (0)

void link_pair_on_link(void *arg, struct gn_link *link);

void link_pair_on_done(void *arg, int err, struct gn_link *link);

void link_pair_dial(struct link_pair *f, const struct gn_multiaddr *addr);

void link_pair_connect(struct link_pair *f);

int link_pair_setup(void **state);

int link_pair_teardown(void **state);

#endif
