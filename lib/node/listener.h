/* SPDX-License-Identifier: MIT */
/* Listeners of a node: gn_node_listen() and gn_node_unlisten() of gn.h, and these. */
#ifndef GN_NODE_LISTENER_H
#define GN_NODE_LISTENER_H

#include "gn.h"

enum { GN_LISTENERS_MAX = 64 }; /* looked at when addresses are told */

void gn_listeners_close(struct gn_node *node);
/* The addresses that are listened on, wildcards as they are; borrowed.  How many. */
int gn_listeners_bound(const struct gn_node *node, const struct gn_multiaddr **out, int max);

#endif
