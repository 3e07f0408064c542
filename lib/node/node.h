/* SPDX-License-Identifier: MIT */
/*
 * The node: it owns the connections, the listeners, the operations and the protocols, and enforces
 * the limits.
 */
#ifndef GN_NODE_NODE_H
#define GN_NODE_NODE_H

#include "gn.h"
#include "loop/loop.h"
#include "mux/session.h"
#include "node/components.h"
#include "node/networks.h"
#include "node/own.h"
#include "node/registry.h"
#include "node/service.h"
#include "stack/iobuf.h"
#include "transport/transport.h"

enum { GN_NODE_CHOICES = 8 }; /* the most securities, and muxers, of a node */

struct gn_conn;

struct gn_node {
	struct gn_loop *loop;
	struct gn_node_cfg cfg;
	struct gn_key *key;
	struct gn_peer_id id;
	char *agent;
	struct gn_iobuf *iobuf; /* the loop's, which all nodes on it share */
	struct gn_budget budget;
	struct gn_registry registry;

	const char *security_ids[GN_NODE_CHOICES + 1], *muxer_ids[GN_NODE_CHOICES + 1];
	size_t n_securities, n_muxers;

	struct gn_list conns, listeners, dials;
	struct gn_list pending; /* connections that count as PENDING or REFUSED, oldest first */
	unsigned n_conns;       /* the length of conns, which includes connections without a link */
	unsigned n_pending;     /* the length of pending */
	unsigned n_refused;     /* of those, that count as REFUSED */
	unsigned n_admitted;    /* connections that count as ADMITTED */
	struct gn_networks networks;
	struct gn_own own;                          /* the addresses of this node */
	uint64_t bytes_in, bytes_out;               /* of connections that were freed */
	uint64_t frames_in, frames_out, n_channels; /* of all channels; n_channels are open */
	gn_time since;

	struct gn_timer trim_timer; /* returns freed memory to the system */

	struct gn_component_states components; /* of the transports and securities */
	struct gn_list services;               /* struct service of service.c */
	uint32_t service_slots;                /* that are in use */

	bool is_closing;
	bool is_being_freed;
	bool is_past_limit; /* the limit of gn_node_close() has expired */
	struct gn_timer close_timer;
	struct gn_task close_task;
	void (*on_closed)(void *arg);
	void *closed_arg;
};

/* upgrade.c */
void gn_node_name_components(struct gn_node *node);

/* limits.c */
/* Replaces each limit of 0 by its default; afterwards keepalive and idle are 0 where they were GN_NEVER. */
void gn_limits_fill(struct gn_limits *limits);
/* To be called before an inbound connection is created: while too many are pending, closes the oldest pending
 * connection of the network that has the most.  0, or GN_ELIMIT: the node is closing, or the limit is 0. */
int gn_node_make_room(struct gn_node *node);
/* Whether the limit of connections is reached, for outbound ones. */
bool gn_node_is_full(const struct gn_node *node);
/* Checks the limits for one more inbound stream: 0, GN_ELIMIT, or GN_ECLOSED when the connection is closing. */
int gn_node_admits_stream(struct gn_node *node, const struct gn_conn *c);

/* node.c */
/* A connection to the peer that is open and takes streams, or NULL. */
struct gn_conn *gn_node_find_conn(struct gn_node *node, const struct gn_peer_id *peer);
/* The first transport that serves the address, or NULL. */
const struct gn_transport_ops *gn_node_transport(struct gn_node *node, const struct gn_multiaddr *addr);
void gn_node_conn_freed(struct gn_node *node);
/* A stream or a connection has freed memory, which may be returned to the system. */
void gn_node_released(struct gn_node *node);
/* A connection has lost its link: closing may be complete. */
void gn_node_close_check(struct gn_node *node);

#endif
