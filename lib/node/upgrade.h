/* SPDX-License-Identifier: MIT */
/* The upgrade of a link to a session: which layer follows which. */
#ifndef GN_NODE_UPGRADE_H
#define GN_NODE_UPGRADE_H

#include "gn.h"
#include "stack/stack.h"

struct gn_conn;

/* The protocol ids of the components of one kind, in order of preference, as multistream-select offers them. */
struct gn_upgrade_ids {
	const char **ids; /* borrowed from the components */
	size_t n;
};

/* What all connections of a node are upgraded with. */
struct gn_upgrade {
	const struct gn_components *components; /* borrowed */
	struct gn_upgrade_ids securities;
	struct gn_upgrade_ids muxers; /* NULL-ended, as struct gn_secure_cfg needs it */
};

/* 0 or -ENOMEM; gn_upgrade_fini() is due in both cases. */
int gn_upgrade_init(struct gn_upgrade *u, const struct gn_components *components);
void gn_upgrade_fini(struct gn_upgrade *u);

/* Pushes the first layers of a connection.  0, -ENOMEM or the error of a layer's init. */
int gn_upgrade_start(struct gn_conn *c);
/* For struct gn_stack_cfg: pushes the layer that follows, arg is the connection. */
void gn_upgrade_on_step(void *arg, struct gn_stack *s, struct gn_layer *l, int what);

#endif
