/* SPDX-License-Identifier: MIT */
/* What mem.c and mem_link.c share, within the mem transport. */
#ifndef GN_TRANSPORT_MEM_LINK_H
#define GN_TRANSPORT_MEM_LINK_H

#include "transport/mem.h"

/* The listeners and connections of one loop. */
struct gn_mem {
	struct gn_loop *loop;
	struct gn_mem_cfg cfg; /* buffer is never 0 */
	uint64_t random;       /* state of the generator */
	struct gn_list listeners, pairs;
	uint64_t next; /* the next number to pick */
};

/* What is in flight to one end, and what has arrived there and is unread.  Each part has the instant of
 * its arrival. */
struct gn_mem_way {
	struct gn_list chunks;
	size_t used;     /* bytes in chunks */
	gn_time stalled; /* nothing arrives before this instant */
	bool has_fin;    /* the sender has ended its side */
	gn_time fin;
	int err; /* the reset; 0: none */
	gn_time err_at;
};

struct gn_mem_pair;

struct gn_mem_end {
	struct gn_link link;
	struct gn_mem_pair *pair;
	int side;         /* 0: the dialer's, 1: the listener's */
	unsigned watched; /* events that on_ready reports */
	bool is_ended, is_closing;
	struct gn_mem_way in;
	struct gn_task task;
	struct gn_timer arrival, limit; /* of the next part of in; of closing */
	struct gn_list queued;          /* in the listener's queue before on_link */
};

struct gn_mem_pair {
	struct gn_list link;
	struct gn_mem *mem;
	size_t buffer;
	struct gn_mem_end *end[2]; /* NULL: freed.  The pair is freed with its second end */
};

/* Makes /memory/n, which the caller frees.  0 or -ENOMEM. */
int gn_mem_addr_encode(uint64_t n, struct gn_multiaddr **out);

/* Makes a connection between the numbers `from` (the dialer's) and `to`.  0 or -ENOMEM. */
int gn_mem_pair_new(struct gn_mem *mem, uint64_t from, uint64_t to, struct gn_mem_pair **out);
void gn_mem_pair_cut(struct gn_mem_pair *pair);
void gn_mem_pair_stall(struct gn_mem_pair *pair, bool from_dialer, gn_time until);
/* Frees an end, and resets the other one. */
void gn_mem_end_abort(struct gn_mem_end *end);
/* Frees an end.  The other one is not notified. */
void gn_mem_end_free(struct gn_mem_end *end);

#endif
