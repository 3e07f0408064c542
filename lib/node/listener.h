/* SPDX-License-Identifier: MIT */
/* The listeners of a node: gn_node_listen() and gn_node_unlisten() of gn.h, and this function.  The bound address of each
 * listener, wildcards included, is in node->own while it listens; of more than GN_OWN_MAX, the first ones. */
#ifndef GN_NODE_LISTENER_H
#define GN_NODE_LISTENER_H

#include "gn.h"

void gn_listeners_close(struct gn_node *node);

#endif
