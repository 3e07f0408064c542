/* SPDX-License-Identifier: MIT */
/*
 * The transport for tests: connections in memory, between /memory/N addresses of one loop.  Listening on N =
 * 0 picks a number.  It behaves as TCP does, and keeps TCP's order: bytes that have arrived are read before a
 * reset that came behind them.  All randomness comes from the seed, so a run on a virtual loop is the same
 * each time.
 *
 * A dial takes the delay twice, to the listener and back.  Dialing an address where nobody listens fails with
 * -ECONNREFUSED.
 */
#ifndef GN_TRANSPORT_MEM_H
#define GN_TRANSPORT_MEM_H

#include "transport/transport.h"

struct gn_mem_cfg {
	uint64_t seed;
	size_t max_chunk; /* reads and writes take a random number of bytes from 1 to this; 0: all they can */
	gn_time delay;    /* one way */
	size_t buffer;    /* bytes in flight and unread, in each direction; 0: 64 KiB */
};

/* Sets the configuration of the loop.  buffer applies to connections that are dialed from now on, the
 * others to all.  0 or -ENOMEM. */
int gn_mem_set(struct gn_loop *loop, const struct gn_mem_cfg *cfg);

/* Faults.  The connections of a loop are numbered from 0 in the order in which they were made.  A
 * connection counts until both of its ends are freed, and the numbers of later ones then move down.  These
 * functions call nobody back before they return, and may be called from inside any callback. */
size_t gn_mem_count(struct gn_loop *loop);
/* Resets connection i at both ends: bytes that have arrived can be read, those in flight are lost.  0 or
 * -ENOENT. */
int gn_mem_cut(struct gn_loop *loop, size_t i);
void gn_mem_cut_all(struct gn_loop *loop);
/* The listener on a number fails with err, and is down (transport.h).  0 or -ENOENT. */
int gn_mem_fail_listener(struct gn_loop *loop, uint64_t at, int err);
/* Nothing arrives for `howlong` in one direction of connection i: from the dialer, or to it.  Bytes that
 * are written meanwhile arrive afterwards.  Of overlapping stalls the one that ends last counts.  0 or
 * -ENOENT. */
int gn_mem_stall(struct gn_loop *loop, size_t i, bool from_dialer, gn_time howlong);

#endif
