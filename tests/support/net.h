/* SPDX-License-Identifier: MIT */
/*
 * Several nodes on one virtual loop, which reach one another over the mem transport.  Node i has the key of
 * test_node_key(i + 1) and listens on /memory/(100 + i).
 */
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
#include "support/test_node.h"

enum { NET_NODES = 4 };

struct net {
	struct gn_loop *loop;
	size_t n;
	struct gn_key *key[NET_NODES];
	struct gn_node *node[NET_NODES];
	struct gn_multiaddr *addr[NET_NODES]; /* with /p2p */
};

/* Parses an address; the caller frees it. */
struct gn_multiaddr *net_addr(const char *text);

/* Makes node i.  tune may change its configuration; it may be NULL. */
void net_add(struct net *w, size_t i, void (*tune)(struct gn_node_cfg *cfg));

/* Makes the loop and n nodes, at most NET_NODES; tune as above. */
void net_init(struct net *w, size_t n, void (*tune)(struct gn_node_cfg *cfg));

void net_fini(struct net *w);

/* Turns the loop until this much virtual time has passed, or the loop has nothing more to wait for. */
void net_run(struct net *w, gn_time howlong);

/* Connects node `from` to node `to`, which the nodes' identify services need; fails the test if that does not succeed. */
void net_connect(struct net *w, size_t from, size_t to);

/* Returns the i-th connection of a node, or NULL when there are fewer.  Connections that have ended do not
 * count. */
struct gn_conn *net_conn(struct net *w, size_t node, size_t i);

#endif
