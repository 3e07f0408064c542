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
#include "node/attempt.h"
#include "node/book.h"
#include "node/components.h"
#include "node/conn.h"
#include "node/host_watch.h"
#include "node/manager.h"
#include "node/networks.h"
#include "node/own.h"
#include "node/peers.h"
#include "node/registry.h"
#include "node/service.h"
#include "stack/iobuf.h"
#include "transport/transport.h"

struct gn_node {
	struct gn_loop *loop;
	struct gn_node_cfg cfg;
	struct gn_key *key;
	struct gn_peer_id id;
	char *agent;
	struct gn_iobuf *iobuf; /* the loop's, which all nodes on it share */
	struct gn_scope scope;  /* what all connections hold */
	struct gn_registry registry;

	struct gn_conn_env conn_env; /* what its connections share */
	struct gn_list conns, listeners, dials;
	struct gn_attempts attempts; /* of the dials */
	struct gn_list young;        /* unused, and too young to be closed: gn_conn.link_network; see limits.c */
	unsigned n_conns;            /* the length of conns, which includes connections without a link */
	unsigned n_pending;          /* connections that count as PENDING or REFUSED */
	unsigned n_refused;          /* of those, that count as REFUSED */
	unsigned n_admitted;         /* connections that count as ADMITTED */
	struct gn_manager manager;
	struct gn_list tagged; /* struct gn_tags of tags.c */
	unsigned n_tagged;     /* the length of tagged */
	struct gn_networks networks;
	struct gn_peers peers;
	struct gn_own own;                          /* the addresses of this node */
	struct gn_timer own_timer;                  /* the next of them expires */
	struct gn_host_watch host_watch;            /* of the host's addresses, on which some of them depend */
	struct gn_book *book;                       /* of peers; NULL until it is needed, see peerbook.h */
	uint64_t bytes_in, bytes_out;               /* of connections that were freed */
	uint64_t frames_in, frames_out, n_channels; /* of all channels; n_channels are open */
	gn_time since;

	struct gn_timer trim_timer; /* returns freed memory to the system */

	struct gn_component_states components; /* of the transports and securities */
	struct gn_list services;               /* struct service of service.c */
	struct gn_list routers;                /* struct gn_attached, see router.h */
	struct gn_list finders;                /* struct gn_attached, see finder.h */
	struct gn_list reaches;                /* struct gn_attached, see reach.h */
	uint32_t service_slots;                /* that are in use */

	bool is_closing;
	bool is_being_freed;
	bool is_past_limit; /* the limit of gn_node_close() has expired */
	struct gn_timer close_timer;
	struct gn_task close_task;
	void (*on_closed)(void *arg);
	void *closed_arg;
};

/* The first transport that serves the address, or NULL. */
const struct gn_transport_ops *gn_node_transport(struct gn_node *node, const struct gn_multiaddr *addr);
/* node->own was changed: starts its timer, and if `changed`, notifies the services. */
void gn_node_own_changed(struct gn_node *node, bool changed);
/* A stream or a connection has freed memory, which may be returned to the system. */
void gn_node_released(struct gn_node *node);

#endif
