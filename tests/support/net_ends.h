/* SPDX-License-Identifier: MIT */
/* What tests/unit/node_net.c is made of: the two ends of a channel, each with a plan of what it
 * does with it, and a pattern of bytes by which either knows what it ought to get. */
#ifndef GN_SUPPORT_NET_ENDS_H
#define GN_SUPPORT_NET_ENDS_H

#include "support/net.h"
#include "support/rng.h"

enum { NET_OPS = 12, NET_SEEDS = 400, NET_ID_BYTES = 4, NET_FRAME_MAX = 3000 };

#define NET_ENDS_LIMIT (400 * GN_SEC) /* of virtual time: by then everything has come to an end */

extern uint64_t net_seed; /* of the run, printed when an assertion fails */

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
	NET_IN_ORDER, /* all is written, then the end */
	NET_RESET,    /* at some byte */
	NET_FREE,     /* likewise */
	NET_STOP,     /* the server: ends its side at some byte, reads on */
	NET_LEAVE,    /* gives the channel up right after its own end */
};

struct net_op;

/* One end of a channel. */
struct net_world;

struct net_end {
	struct net_op *op; /* the server's: not known before its first bytes */
	struct net_world *w;
	bool is_server;
	struct gn_channel *ch;
	struct gn_timer pause;
	bool is_paused;
	enum net_plan plan;
	size_t at;        /* for the plan */
	size_t sent, got; /* bytes of the pattern */
	bool has_ended, eof, dead, drained;
	int err;
	/* the server: what was read and is not written yet */
	uint8_t held[NET_FRAME_MAX];
	size_t n_held;
	bool holds;          /* a frame */
	size_t node;         /* whose channel it is */
	uint8_t *shown;      /* a client that writes by a source: all of the pattern */
	struct gn_list link; /* the server: in w->servers, until the world ends */
};

struct net_op {
	struct net_world *w;
	unsigned id;
	enum net_what what;
	size_t from, to;
	size_t total;
	bool frames;
	int expect; /* what the dial is to end with */
	struct gn_timer start, cancel;
	bool is_started, is_done, is_cancelled, cancels_inside, is_lost; /* lost: its node was freed */
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
	size_t piece; /* most that is read or written at once */
	struct net_op op[NET_OPS];
	size_t n_ops;
	struct gn_timer fault;
	struct gn_list servers;
	struct net_slot {
		struct net_world *w;
		size_t node;
	} slot[NET_NODES];
	int kill; /* this node, soon */
	bool is_alive[NET_NODES];
	unsigned closed;
};

void net_pattern_fill(const struct net_op *op, size_t at, uint8_t *to, size_t n);

void net_end_init(struct net_end *e, struct net_world *w, bool is_server);

/* The pattern in pieces, straight out of memory. */
int net_source_peek(void *arg, struct iovec *v, int max, size_t limit);

void net_source_skip(void *arg, size_t n);

void net_end_take(struct net_end *e, const uint8_t *p, size_t n);

void net_do_end(struct net_end *e);

void net_end_step(struct net_end *e);

void net_on_event(void *arg, struct gn_channel *ch, unsigned events);

void net_plan_make(struct net_end *e, const struct net_op *op);

void net_serve(struct net_world *w, size_t i);

#endif
