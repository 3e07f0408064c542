/* SPDX-License-Identifier: MIT */
/* Nodes on one virtual loop, over the mem transport: node i listens on /memory/(100 + i). */
#ifndef GN_SUPPORT_NET_H
#define GN_SUPPORT_NET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr.h"
#include "id/key.h"
#include "loop/loop.h"
#include "node/conn.h"
#include "node/node.h"
#include "support/require.h"
#include "transport/mem.h"

enum { NET_NODES = 4 };

struct net {
	struct gn_loop *loop;
	size_t n;
	struct gn_key *key[NET_NODES];
	struct gn_node *node[NET_NODES];
	struct gn_multiaddr *addr[NET_NODES]; /* with /p2p */
};

struct gn_multiaddr *net_addr(const char *text);

/* Node i; tune may change its configuration. */
void net_add(struct net *w, size_t i, void (*tune)(struct gn_node_cfg *cfg));

void net_init(struct net *w, size_t n, void (*tune)(struct gn_node_cfg *cfg));

void net_fini(struct net *w);

/* Lets so much time pass. */
void net_run(struct net *w, gn_time howlong);

/* The i-th connection of a node that is not gone; NULL. */
struct gn_conn *net_conn(struct net *w, size_t node, size_t i);

#endif
