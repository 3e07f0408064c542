/* SPDX-License-Identifier: MIT */
/* What tests/conform/transport.c stands on: a listener, a dialer, the two ends of a link, and
 * a loop that does not run for ever. */
#ifndef GN_SUPPORT_LINK_PAIR_H
#define GN_SUPPORT_LINK_PAIR_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "transport/mem.h"

#define LINK_TIME_LIMIT (20 * GN_SEC) /* of a test that hangs */

struct link_variant {
	const char *name;
	const struct gn_transport_ops *ops;
	const char *addr;
	bool is_virtual;
	struct gn_mem_cfg mem;
};

struct link_pair;

/* One end of a link, and what its owner does with it: sends `to_send` bytes of a pattern and
 * then perhaps the end, reads what comes and checks it. */
struct link_end {
	struct link_pair *f;
	struct gn_link *link;
	size_t to_send, sent, got;
	size_t unit; /* the most bytes for one call */
	bool end_after, has_ended;
	bool holds; /* does not read */
	int err;    /* GN_EOF, or what reading ended with */
	unsigned seen;
	int calls;
};

struct link_pair {
	const struct link_variant *v;
	struct gn_loop *loop;
	void *state; /* the transport's */
	struct gn_link_listener *listener;
	struct gn_multiaddr *bound;
	struct gn_link_dial *dial;
	struct gn_timer guard;
	bool is_late;
	bool closes_listener, cancels_dial; /* in on_link */
	int err, dones, links;
	struct link_end a, b; /* the dialer's, the listener's */
};

void link_end_want(struct link_end *s);

void link_end_read(struct link_end *s);

/* Writes in three views, one of them empty.  Returns the result of the last call. */
ptrdiff_t link_end_write_some(struct link_end *s);

ptrdiff_t link_end_write(struct link_end *s);

void link_end_init(struct link_end *s, struct gn_link *link);

void link_end_abort(struct link_end *s);

#define link_pair_until(f, cond) link_pair_until_by(f, cond, GN_NEVER)
/* For what no event tells of: looks again after `wait`. */
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
