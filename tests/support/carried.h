/* SPDX-License-Identifier: MIT */
/*
 * Two nodes on one virtual loop, the carrier between them, and connections over streams of it (node/stream_link.h), as a
 * transport of circuits makes them.  Node 0 opens a stream of the protocol /circuit for each; both nodes then make a link
 * over their end of the stream, and a connection over the link.
 *
 * A flow is a stream of the protocol /flow on any connection, on which both ends send a pattern from a source and compare
 * what they receive.
 */
#ifndef GN_SUPPORT_CARRIED_H
#define GN_SUPPORT_CARRIED_H

#include "node/stream_link.h"
#include "support/net.h"

enum { CARRIED_MAX = 128, CARRIED_FLOWS = 128 };

struct carried;

/* The connection at one end. */
struct carried_end {
	struct gn_link *link; /* of circuits that have no connections */
	struct gn_conn *conn; /* see carried_conn() */
	unsigned opened;      /* calls of on_open */
	int err;              /* its argument in the last one, or the result of making the link or the connection */
};

struct carried_circuit {
	struct carried *w;
	struct gn_stream stream; /* of node 0, until the link is made */
	struct carried_end end[2];
};

/* One end of a flow. */
struct carried_flow {
	struct carried *w;
	struct gn_stream s;
	size_t to_send, sent, got;
	bool holds;    /* received bytes are not consumed */
	bool is_ended; /* the stream was closed */
	int err;       /* GN_EOF, or the error that the stream failed with; 0 until then */
};

struct carried {
	struct net net;
	struct gn_conn *carrier[2]; /* valid while the carrier has a link */
	struct carried_circuit circuits[CARRIED_MAX];
	unsigned n, n_accepted;
	bool has_no_conns; /* set by a test: links are made, and no connections */
	bool is_failing;   /* set by a test: allocations fail, so that every step may fail */
	struct carried_flow clients[CARRIED_FLOWS], servers[CARRIED_FLOWS];
	unsigned n_clients, n_servers;
	size_t to_send; /* bytes that the accepting end of a flow sends */
	bool holds;     /* the accepting end of a flow does not read */
};

/* Makes the nodes and the carrier.  mem is the transport's configuration; tune as of net_init(); both may be NULL. */
void carried_init(struct carried *w, const struct gn_mem_cfg *mem, void (*tune)(struct gn_node_cfg *cfg));
/* The same without the carrier. */
void carried_init_nodes(struct carried *w, const struct gn_mem_cfg *mem, void (*tune)(struct gn_node_cfg *cfg));
/* Frees the nodes; a node that a test has freed is NULL in w->net. */
void carried_fini(struct carried *w);
void carried_run(struct carried *w, gn_time span);
/* Runs until nothing is left but timers that are more than a second away. */
void carried_settle(struct carried *w);

/* Starts a circuit over a connection of node 0.  Returns NULL if the stream cannot be opened. */
struct carried_circuit *carried_start(struct carried *w, struct gn_conn *carrier);
/* The same, and waits until both connections are open. */
struct carried_circuit *carried_open(struct carried *w, struct gn_conn *carrier);
/* The connection of one end; NULL when it is gone. */
struct gn_conn *carried_conn(struct carried_circuit *c, int side);
/* The number of connections of a node that have a link. */
unsigned carried_count(struct carried *w, int side);

/* Opens a flow on a connection of node 0; its end sends `to_send` bytes.  Returns NULL if that fails. */
struct carried_flow *carried_flow_start(struct carried *w, struct gn_conn *c, size_t to_send);
/* Consumes what an end that held has received, and all that follows. */
void carried_flow_resume(struct carried_flow *e);

#endif
