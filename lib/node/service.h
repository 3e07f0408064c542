/* SPDX-License-Identifier: MIT */
/*
 * The interface of services: protocols that the node itself runs on its connections, such as
 * identify.  A service is a component of the layer "protocols".
 */
#ifndef GN_NODE_SERVICE_H
#define GN_NODE_SERVICE_H

#include "gn.h"

struct gn_conn;

struct gn_service_ops {
	const char *name;
	/* Adds its protocols to the node.  *state is passed to the other functions. */
	int (*start)(struct gn_node *node, void **state);
	void (*stop)(struct gn_node *node, void *state);
	/* A connection is open: streams may be opened on it.  This and the next two may be NULL. */
	void (*on_conn)(void *state, struct gn_conn *c);
	/* The connection has ended, and all of its streams with it. */
	void (*on_gone)(void *state, struct gn_conn *c);
	/* The protocols or the listening addresses of this node have changed, or the node is closing. */
	void (*on_change)(void *state);
};

#endif
