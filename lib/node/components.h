/* SPDX-License-Identifier: MIT */
/*
 * The states of a node's transports and securities.  The node starts them before its services, in the order
 * of its lists, and stops them in reverse when no connection, dial or listener of it is left.
 */
#ifndef GN_NODE_COMPONENTS_H
#define GN_NODE_COMPONENTS_H

#include "gn.h"

struct gn_component {
	const void *ops; /* struct gn_transport_ops or gn_security_ops */
	void *state;
	void (*stop)(void *state); /* may be NULL */
};

struct gn_component_states {
	struct gn_component *started;
	size_t n;
};

/* Starts the transports and then the securities of cfg for the node.  When one fails, those before it are
 * stopped.  0; -EINVAL: cfg configures a component that it does not list, or one that has no
 * configuration; -ENOMEM; or the error of the component's start. */
int gn_components_start(struct gn_component_states *states, struct gn_node *node, const struct gn_node_cfg *cfg);
/* Also when none is started. */
void gn_components_stop(struct gn_component_states *states);
/* The state of a component, by its ops; NULL when it has none. */
void *gn_components_state(const struct gn_component_states *states, const void *ops);

/* The configuration of a component; NULL: it has its defaults. */
const void *gn_components_config(const struct gn_node_cfg *cfg, const void *ops);

#endif
