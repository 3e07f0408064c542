/* SPDX-License-Identifier: MIT */
/* The listeners of a node: gn_node_listen() and gn_node_unlisten() of gn.h, and these functions. */
#ifndef GN_NODE_LISTENER_H
#define GN_NODE_LISTENER_H

#include "gn.h"

enum { GN_LISTENERS_MAX = 64 }; /* listeners whose addresses are advertised */

void gn_listeners_close(struct gn_node *node);
/* Stores up to max bound addresses, wildcards included, borrowed until their listener is closed.  Returns how
 * many. */
int gn_listeners_bound(const struct gn_node *node, const struct gn_multiaddr **out, int max);

#endif
