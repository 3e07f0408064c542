/* SPDX-License-Identifier: MIT */
/*
 * The service interface: a protocol that the node itself runs on its connections, such
 * as identify.  A component of the layer "protocols".
 */
#ifndef GN_NODE_SERVICE_H
#define GN_NODE_SERVICE_H

#include "gn.h"

struct gn_conn;

struct gn_service_ops {
	const char *name;
	/* Adds its protocols to the node.  *state is handed to the others. */
	int (*start)(struct gn_node *node, void **state);
	void (*stop)(struct gn_node *node, void *state);
	/* A connection is open: streams may be opened on it.  May be NULL, as the next two. */
	void (*on_conn)(void *state, struct gn_conn *c);
	/* It is about to go; every stream on it is gone already. */
	void (*on_gone)(void *state, struct gn_conn *c);
	/* Protocols or listening addresses of this node have changed. */
	void (*on_change)(void *state);
};

#endif
