/* SPDX-License-Identifier: MIT */
/*
 * The networks of the remote addresses of connections, and the resources that each network uses.  A network is one
 * IPv4 address or one IPv6 /64, because one host can use all addresses of a /64 at no cost.  An IPv4-mapped IPv6
 * address counts as the IPv4 address.  Connections without an IP address (mem) share one entry, to which no limit
 * per address applies.
 *
 * The entries are in a hash table with a random seed, so that a lookup takes constant time whatever addresses the
 * peers choose.
 */
#ifndef GN_NODE_NETWORKS_H
#define GN_NODE_NETWORKS_H

#include <stdbool.h>
#include <stdint.h>

#include "addr/multiaddr.h"
#include "base/scope.h"
#include "base/list.h"
#include "base/pqueue.h"

enum gn_network_kind { GN_NETWORK_NONE, GN_NETWORK_IP4, GN_NETWORK_IP6 };

struct gn_network {
	struct gn_network *next; /* in the bucket */
	enum gn_network_kind kind;
	uint64_t key;                 /* the IPv4 address, or the first 8 bytes of the IPv6 address */
	bool is_loopback;             /* limits.conns_per_addr does not apply */
	unsigned refs;                /* connections that point here, in any state */
	unsigned conns;               /* inbound connections that count as ADMITTED */
	unsigned pending;             /* the length of pending_conns */
	struct gn_list pending_conns; /* that count as PENDING or REFUSED, gn_conn.link_network, the oldest first */
	struct gn_list unused_conns;  /* that may be closed to make room, gn_conn.link_network; see limits.c */
	struct gn_pqueue_node by_pending, by_conns; /* in the queues of struct gn_networks */
	unsigned n_negotiating;
	struct gn_list negotiating; /* inbound streams that have no protocol yet, the oldest first */
	struct gn_scope scope;      /* what all of its connections hold */
};

struct gn_networks {
	struct gn_network **buckets;
	unsigned n_buckets, n;
	uint64_t seed;
	struct gn_scope *memory; /* the node's */
	/* The networks with pending connections, and those with unused ones.  The network with the most pending
	 * connections, or with the most connections, is the first; of two with as many that with the older one. */
	struct gn_pqueue by_pending, by_conns;
	uint64_t visits; /* networks and connections that admission has visited; tests read it */
};

void gn_networks_init(struct gn_networks *t, struct gn_scope *memory);
void gn_networks_fini(struct gn_networks *t); /* all references must have been released */
/* Finds or adds the network of a remote address and takes a reference.  NULL when out of memory. */
struct gn_network *gn_networks_get(struct gn_networks *t, const struct gn_multiaddr *remote);
/* Releases a reference; the last one frees the network.  net may be NULL. */
void gn_networks_put(struct gn_networks *t, struct gn_network *net);
/* Puts the network into the queues, or moves it there, after its counters or the heads of its lists have changed. */
void gn_networks_rank(struct gn_networks *t, struct gn_network *net);

#endif
