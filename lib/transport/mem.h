/* SPDX-License-Identifier: MIT */
/*
 * The transport for tests: /memory/N addresses, known on one loop only.  N = 0 picks one when
 * listening.  It has TCP's manners, among them its order: bytes that arrived are read before
 * the reset that came behind them.  Everything random comes from the seed, so on a virtual
 * loop a run is the same each time.
 *
 * A dial takes a way there and a way back; nothing listening there is -ECONNREFUSED.
 */
#ifndef GN_TRANSPORT_MEM_H
#define GN_TRANSPORT_MEM_H

#include "transport/transport.h"

struct gn_mem_cfg {
	uint64_t seed;
	size_t max_chunk; /* reads and writes are of a random size from 1 to this; 0: never cut short */
	gn_time delay;    /* one way */
	size_t buffer;    /* bytes on the way and unread, each direction; 0: 64 KiB */
};

/* For what is dialed from then on, max_chunk and delay for all.  -ENOMEM. */
int gn_mem_set(struct gn_loop *loop, const struct gn_mem_cfg *cfg);

/* Faults.  The connections of a loop are numbered from 0 in the order in which they came to be,
 * those that are gone left out; one is gone when both ends were given up. */
size_t gn_mem_count(struct gn_loop *loop);
/* Resets both ends: what is on the way is lost, what has arrived is read first.  -ENOENT. */
int gn_mem_cut(struct gn_loop *loop, size_t i);
void gn_mem_cut_all(struct gn_loop *loop);
/* Nothing arrives for so long, in the direction from the dialer or to it; what is written
 * meanwhile waits.  Stalls do not add up: the later end counts.  -ENOENT. */
int gn_mem_stall(struct gn_loop *loop, size_t i, bool from_dialer, gn_time howlong);

#endif
