/* SPDX-License-Identifier: MIT */
/*
 * The connection manager: it closes the least valuable connections of a node that has more than limits.conns_high of
 * them, as gn_peer.h has it, and it knows which connections only lookups use.
 *
 * A trim takes O(n log n) for n connections, and visits their streams.  There is at most one in MANAGER_INTERVAL, however many connections come
 * in between, so it costs less than a handshake for each of them.  Limits.c is what protects a node whose limit of
 * connections is reached: the manager only makes that rare.
 */
#ifndef GN_NODE_MANAGER_H
#define GN_NODE_MANAGER_H

#include "gn.h"
#include "loop/loop.h"

struct gn_conn;

enum {
	GN_MANAGER_GRACE = 20,   /* s: younger connections are not closed */
	GN_MANAGER_INTERVAL = 5, /* s between two trims */
	GN_TRANSIENT_IDLE = 10,  /* s without a stream, after which a transient connection is closed */
};

struct gn_manager {
	struct gn_node *node;
	struct gn_timer timer;
	gn_time next;    /* the earliest time of the next trim */
	uint64_t visits; /* connections that trims have visited; tests read it */
};

void gn_manager_init(struct gn_manager *m, struct gn_node *node);
void gn_manager_fini(struct gn_manager *m);
/* There is one more connection, which counts as ADMITTED.  Calls nothing; a trim runs from the loop. */
void gn_manager_admitted(struct gn_manager *m);

/* A dial has ended with this connection.  A connection that was dialled is transient while only dials with
 * is_transient or is_probe have used it. */
void gn_conn_used_by_dial(struct gn_conn *c, bool is_transient);

#endif
