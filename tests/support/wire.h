/* SPDX-License-Identifier: MIT */
/*
 * Stacks without a socket.  A side is a stack with the two pipes below it; a wire is a queue of the bytes
 * that one side has sent and the other has not received; a pair is two sides and the wires between them.
 * Nothing moves unless a test or a fuzzer calls a function of this header.
 */
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
	size_t at, len, room; /* the bytes in transit are p[at] to p[at + len - 1] */
	size_t total;         /* the number of bytes that were ever put on the wire */
	int end;              /* the end or error that follows the bytes; 0: none yet */
};

void wire_put(struct wire *w, const void *p, size_t n);

void wire_skip(struct wire *w, size_t n);

void wire_fini(struct wire *w);

/*
 * Moves up to max bytes from a pipe to the wire, and the end of the pipe once it is drained.  Returns true
 * when anything was moved.  It may consume less than it has peeked at, like a socket that accepts only a
 * part.
 */
bool wire_take(struct wire *w, struct gn_pipe *from, size_t max);

/* Moves up to max bytes from the wire into a pipe, by a read into the I/O buffers or by a copy, and then
 * the end.  Returns true when anything was moved. */
bool wire_give(struct wire *w, struct gn_pipe *to, size_t max, bool by_read);

enum { SIDE_STEPS = 16 };

struct side {
	struct gn_iobuf *iobuf;
	struct gn_pipe rx, tx;
	struct gn_stack stack;
	int steps[SIDE_STEPS]; /* the events of the layers that were reported to on_step, in order */
	unsigned n_steps;
	unsigned work; /* the number of calls of on_work */
	/* Called for each step unless it is NULL.  It may push a layer. */
	void (*on_step)(struct side *s, struct gn_layer *l, int what);
	void *arg;
	int chosen; /* the protocol that a select layer chose, for tests that set it; -1: none */
};

void side_init(struct side *s, struct gn_iobuf *iobuf);

void side_fini(struct side *s);

/* Returns true when `what` is one of the steps that were recorded. */
bool side_returned(const struct side *s, int what);

/* Pumps the stack until it has no more work.  Returns 0 or the error of the stack. */
int side_pump(struct side *s, gn_time now);

/* Puts bytes into the pipe below the stack, and pumps it. */
void side_feed(struct side *s, const void *p, size_t n, gn_time now);

/* Pumps the stack, and appends everything that it sends to w. */
void side_drain(struct side *s, struct wire *w, gn_time now);

struct pair {
	struct gn_iobuf iobuf[2]; /* the second one is used unless they share one */
	struct side side[2];
	struct wire wire[2]; /* wire[i] carries what side[i] sends */
	gn_time now;
};

/* shared: both sides use one iobuf, like connections on one thread. */
void pair_init(struct pair *p, bool shared);

void pair_fini(struct pair *p);

/* Moves up to `max` bytes in each direction, and pumps both sides.  Returns true when anything was moved. */
bool pair_carry(struct pair *p, size_t max, bool by_read);

/* Calls pair_carry() until nothing is left to move. */
void pair_run(struct pair *p, size_t max, bool by_read);

/* The same in pieces of random sizes.  It makes at most `rounds` calls of pair_carry(). */
void pair_run_random(struct pair *p, struct rng *r, size_t max, unsigned rounds);

#endif
