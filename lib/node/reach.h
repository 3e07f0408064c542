/* SPDX-License-Identifier: MIT */
/*
 * The interface of components that make this host reachable from elsewhere: port mappings, reservations with relays.
 * Such a component gives the node own addresses, each with a lifetime, which the node advertises, and reports how
 * it fares.
 *
 * tests/conform/reach.c tests what every such component has to guarantee.
 */
#ifndef GN_NODE_REACH_H
#define GN_NODE_REACH_H

#include "gn.h"
#include "node/own.h"

/*     IDLE -- there is something to do --> TRYING
 *     TRYING -- an address was added --> UP
 *     TRYING, UP -- an error, and no address is left --> FAILED
 *     FAILED -- it tries again --> TRYING
 *     any -- nothing is to be done any more --> IDLE
 */
enum gn_reach_state {
	GN_REACH_STATE_IDLE,   /* the node has no listener that needs it */
	GN_REACH_STATE_TRYING, /* it has no address yet */
	GN_REACH_STATE_UP,     /* it has added at least one address that is valid */
	GN_REACH_STATE_FAILED, /* it has no address, and waits before it tries again */
};
const char *gn_reach_state_name(enum gn_reach_state state); /* "idle", "trying", "up", "failed" */

struct gn_reach_status {
	enum gn_reach_state state;
	int err;       /* of the last failure; 0 in IDLE and UP */
	gn_time retry; /* FAILED: when it tries again, on the loop's clock; else GN_NEVER */
};

/* The node's side of an attached component. */
struct gn_reach_link;

struct gn_reach_ops {
	const char *name;
	enum gn_own_origin origin; /* of its addresses: GN_OWN_MAPPED or GN_OWN_RESERVED */
	/* Creates the state.  link is for the functions below, until stop returns.  config is what
	 * gn_reach_attach() was given, valid during the call; NULL: defaults.  0 or an error, after which link is
	 * invalid. */
	int (*start)(struct gn_reach_link *link, const void *config, void **state);
	/* Frees the state, and releases mappings and reservations as far as that does not wait.  The node then withdraws
	 * the addresses that are left. */
	void (*stop)(void *state);
	/* The addresses at which the node listens have changed, or those of this host.  Not from inside start.  May be
	 * NULL. */
	void (*on_change)(void *state);
};

/* ---- for the component ---- */

struct gn_node *gn_reach_node(const struct gn_reach_link *link);
/* Adds an own address, or sets the instant at which it expires.  GN_ELIMIT: GN_OWN_MAX; -ENOMEM. */
int gn_reach_add(struct gn_reach_link *link, const struct gn_multiaddr *addr, gn_time expires);
/* Removes an own address; no effect if the component has not added it, or it has expired. */
void gn_reach_del(struct gn_reach_link *link, const struct gn_multiaddr *addr);
/* Reports the present state; on_status is called if it is another one than before. */
void gn_reach_report(struct gn_reach_link *link, const struct gn_reach_status *status);

/* ---- for the node and its program ---- */

struct gn_reach_cfg {
	const void *config; /* of the component */
	/* The status has changed.  Called from the loop, never from inside gn_reach_attach() and gn_reach_detach(); of
	 * several changes before it is called only the last one is reported.  May be NULL. */
	void (*on_status)(void *arg, const struct gn_reach_status *status);
	void *arg;
};
/* Attaches a component.  Errors as gn_attached_add(). */
int gn_reach_attach(struct gn_node *node, const struct gn_reach_ops *ops, const struct gn_reach_cfg *cfg);
/* Stops a component, and withdraws its addresses.  Not from inside a function of this component; it may be called
 * inside on_status.  -ENOENT: it is not attached. */
int gn_reach_detach(struct gn_node *node, const struct gn_reach_ops *ops);
/* The status that was reported last; IDLE before the first.  -ENOENT: it is not attached. */
int gn_reach_get(const struct gn_node *node, const struct gn_reach_ops *ops, struct gn_reach_status *out);
/* gn_node_changed() calls this: notifies the components. */
void gn_reaches_changed(struct gn_node *node);

#endif
