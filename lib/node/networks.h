/* SPDX-License-Identifier: MIT */
/*
 * The networks that connections go to and come from, and what each of them has of the node.  A
 * network is one IPv4 address or one IPv6 /64: about what a single party can have many ports or
 * addresses of at no cost.  An IPv4 address that is mapped into IPv6 is that IPv4 address.
 * Connections without an IP address (mem) share one entry, to which no share applies.
 *
 * The entries are in a hash table under a random seed, so that finding one takes constant time
 * whatever addresses the peers choose.
 */
#ifndef GN_NODE_NETWORKS_H
#define GN_NODE_NETWORKS_H

#include <stdbool.h>
#include <stdint.h>

#include "addr/multiaddr.h"
#include "base/budget.h"
#include "base/list.h"

enum gn_network_kind { GN_NETWORK_NONE, GN_NETWORK_IP4, GN_NETWORK_IP6 };

struct gn_network {
	struct gn_network *next; /* in its bucket */
	enum gn_network_kind kind;
	uint64_t key;     /* the address, or its first 8 bytes */
	bool is_loopback; /* any number of connections may come from here */
	unsigned refs;    /* connections that point here, in whatever state */
	unsigned conns;   /* inbound ones that were admitted */
	unsigned pending; /* inbound ones that were not */
	unsigned n_negotiating;
	struct gn_list negotiating; /* inbound streams_open that have no protocol yet, the oldest first */
	struct gn_budget budget;    /* its share of the node's memory */
};

struct gn_networks {
	struct gn_network **buckets;
	unsigned n_buckets, n;
	uint64_t seed;
	struct gn_budget *memory; /* the node's */
};

void gn_networks_init(struct gn_networks *t, struct gn_budget *memory);
void gn_networks_fini(struct gn_networks *t); /* all references have been given back */
/* The network of a remote address, with one reference more; NULL without memory. */
struct gn_network *gn_networks_get(struct gn_networks *t, const struct gn_multiaddr *remote);
/* Gives a reference back; the last one frees the network.  net may be NULL. */
void gn_networks_put(struct gn_networks *t, struct gn_network *net);
/* What the streams of a connection to the network are charged to. */
struct gn_budget *gn_network_budget(struct gn_network *net);

#endif
