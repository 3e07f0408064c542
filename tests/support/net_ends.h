/* SPDX-License-Identifier: MIT */
/*
 * The fixture of tests/unit/node_net.c: the two ends of a channel.  Each end follows a plan, and compares the
 * bytes that it reads with a pattern that both ends can compute.
 */
#ifndef GN_SUPPORT_NET_ENDS_H
#define GN_SUPPORT_NET_ENDS_H

#include "support/net.h"
#include "support/rng.h"

enum { NET_OPS = 12, NET_SEEDS = 400, NET_ID_BYTES = 4, NET_FRAME_MAX = 3000 };

#define NET_ENDS_LIMIT (400 * GN_SEC) /* of virtual time; every operation has ended by then */

extern uint64_t net_seed; /* the seed of the run; NET_MUST prints it when a condition fails */

#define NET_MUST(what)                                                                        \
	do {                                                                                  \
		if (!(what)) {                                                                \
			fprintf(stderr, "%s:%d: seed %llu: not so: %s\n", __FILE__, __LINE__, \
				(unsigned long long)net_seed, #what);                         \
			abort();                                                              \
		}                                                                             \
	} while (0)

enum net_what { NET_OPEN, NET_PING, NET_IDENTIFY };

enum net_plan {
	NET_IN_ORDER, /* writes everything and ends its side */
	NET_RESET,    /* resets the channel after `at` bytes */
	NET_FREE,     /* frees the channel after `at` bytes */
	NET_STOP,     /* only a server: ends its side after `at` bytes, and continues to read */
	NET_LEAVE,    /* frees the channel as soon as it has ended its side */
};

struct net_op;

struct net_world;

/* One end of a channel. */
struct net_end {
	struct net_op *op; /* a server learns it from the first bytes that it reads; NULL until then */
	struct net_world *w;
	bool is_server;
	struct gn_channel *ch;
	struct gn_timer pause;
	bool is_paused;
	enum net_plan plan;
	size_t at;        /* the number of bytes after which the plan takes effect */
	size_t sent, got; /* how many bytes of the pattern were sent and received */
	bool has_ended, eof, dead, drained;
	int err;
	/* A server: the bytes that were read and are not yet written back. */
	uint8_t held[NET_FRAME_MAX];
	size_t n_held;
	bool holds;          /* held contains a frame */
	size_t node;         /* the index of the node that has the channel */
	uint8_t *shown;      /* the whole pattern, of a client that writes by a source */
	struct gn_list link; /* a server: in w->servers until the end of the test */
};

struct net_op {
	struct net_world *w;
	unsigned id;
	enum net_what what;
	size_t from, to;
	size_t total;
	bool frames;
	int expect; /* the result that the dial must have */
	struct gn_timer start, cancel;
	bool is_started, is_done, is_cancelled, cancels_inside, is_lost; /* lost: its node was freed first */
	bool no_protocol;
	int err;
	unsigned calls, rtts, n_attempts;
	struct gn_dial *dial;
	struct gn_ping *ping;
	struct gn_identify *identify;
	struct net_end client, *server;
};

struct net_world {
	struct net net;
	struct rng rng;
	bool faults;
	size_t piece; /* the most bytes that one call reads or writes */
	struct net_op op[NET_OPS];
	size_t n_ops;
	struct gn_timer fault;
	struct gn_list servers;
	struct net_slot {
		struct net_world *w;
		size_t node;
	} slot[NET_NODES];
	int kill; /* the index of a node to be freed next; -1: none */
	bool is_alive[NET_NODES];
	unsigned closed;
};

void net_pattern_fill(const struct net_op *op, size_t at, uint8_t *to, size_t n);

void net_end_init(struct net_end *e, struct net_world *w, bool is_server);

/* The functions of a struct gn_source that sends the pattern in pieces; arg is a struct net_end. */
int net_source_peek(void *arg, struct iovec *v, int max, size_t limit);

void net_source_skip(void *arg, size_t n);

void net_end_take(struct net_end *e, const uint8_t *p, size_t n);

void net_do_end(struct net_end *e);

void net_end_step(struct net_end *e);

void net_on_event(void *arg, struct gn_channel *ch, unsigned events);

void net_plan_make(struct net_end *e, const struct net_op *op);

void net_serve(struct net_world *w, size_t i);

#endif
