/* SPDX-License-Identifier: MIT */
/* The two halves of the mem transport: what mem.c asks of mem_link.c. */
#ifndef GN_TRANSPORT_MEM_LINK_H
#define GN_TRANSPORT_MEM_LINK_H

#include "transport/mem.h"

/* All that is in memory on one loop. */
struct gn_mem {
	struct gn_loop *loop;
	struct gn_mem_cfg cfg; /* buffer is never 0 */
	uint64_t random;
	struct gn_list listeners, pairs;
	uint64_t next; /* the address that is given to the next one who asks for none */
};

/* What is on the way to one end.  Everything in it comes at an instant. */
struct gn_mem_way {
	struct gn_list chunks;
	size_t used;     /* bytes in them */
	gn_time stalled; /* nothing comes before this */
	bool has_fin;
	gn_time fin;
	int err;
	gn_time err_at;
};

struct gn_mem_pair;

struct gn_mem_end {
	struct gn_link link;
	struct gn_mem_pair *pair;
	int side; /* 0: the dialer's */
	unsigned want;
	bool is_ended, is_closing;
	struct gn_mem_way in;
	struct gn_task task;
	struct gn_timer arrival, limit;
	struct gn_list queued; /* with a listener */
};

struct gn_mem_pair {
	struct gn_list link;
	struct gn_mem *mem;
	size_t buffer;
	struct gn_mem_end *end[2]; /* NULL: given up */
};

/* /memory/n */
int gn_mem_addr_encode(uint64_t n, struct gn_multiaddr **out);

int gn_mem_pair_new(struct gn_mem *mem, uint64_t from, uint64_t to, struct gn_mem_pair **out);
void gn_mem_pair_cut(struct gn_mem_pair *pair);
void gn_mem_pair_stall(struct gn_mem_pair *pair, bool from_dialer, gn_time until);
void gn_mem_end_abort(struct gn_mem_end *end);
/* Without a word to the other end. */
void gn_mem_end_free(struct gn_mem_end *end);

#endif
