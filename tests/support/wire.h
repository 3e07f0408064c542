/* SPDX-License-Identifier: MIT */
/* A stack without a socket: one end of a connection whose bytes a test carries by hand, and
 * the wire that they wait on in between.  Used by tests and fuzzers alike. */
#ifndef GN_SUPPORT_WIRE_H
#define GN_SUPPORT_WIRE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/stack.h"
#include "support/require.h"
#include "support/rng.h"

struct wire {
	uint8_t *p;
	size_t at, len, room; /* bytes p[at] to p[at + len - 1] are on their way */
	size_t total;         /* that were ever put on it */
	int end;              /* behind them */
};

void wire_put(struct wire *w, const void *p, size_t n);

void wire_skip(struct wire *w, size_t n);

void wire_fini(struct wire *w);

/* Up to max bytes of what a pipe shows, and its end once it is drained.  What came?  More is
 * peeked at than is taken, as a socket does that takes part of what it is given. */
bool wire_take(struct wire *w, struct gn_pipe *from, size_t max);

/* Up to max bytes go into a pipe, by a read into the I/O buffers or as a copy; then the end. */
bool wire_give(struct wire *w, struct gn_pipe *to, size_t max, bool by_read);

enum { SIDE_STEPS = 16 };

struct side {
	struct gn_iobuf *iobuf;
	struct gn_pipe rx, tx;
	struct gn_stack stack;
	int steps[SIDE_STEPS]; /* what layers said, in order */
	unsigned n_steps;
	unsigned work; /* how often the stack asked to be pumped */
	/* Called for each step, if set; may push. */
	void (*on_step)(struct side *s, struct gn_layer *l, int what);
	void *arg;
	int chosen; /* for those who select */
};

void side_init(struct side *s, struct gn_iobuf *iobuf);

void side_fini(struct side *s);

bool side_said(const struct side *s, int what);

/* Until nothing moves. */
int side_pump(struct side *s, gn_time now);

/* Bytes for its bottom, from memory. */
void side_feed(struct side *s, const void *p, size_t n, gn_time now);

/* All that it has to send, appended to w. */
void side_drain(struct side *s, struct wire *w, gn_time now);

struct pair {
	struct gn_iobuf iobuf[2]; /* the second is used when not shared */
	struct side side[2];
	struct wire wire[2]; /* wire[i] carries what side[i] sends */
	gn_time now;
};

/* shared: both live on one thread and lend from one iobuf. */
void pair_init(struct pair *p, bool shared);

void pair_fini(struct pair *p);

/* Carries up to `max` bytes each way in pieces, pumping in between.  What moved? */
bool pair_carry(struct pair *p, size_t max, bool by_read);

/* Until nothing is left to carry. */
void pair_run(struct pair *p, size_t max, bool by_read);

/* The same over pieces of random sizes; how many carries at most. */
void pair_run_random(struct pair *p, struct rng *r, size_t max, unsigned rounds);

#endif
