/* SPDX-License-Identifier: MIT */
/*
 * Notices that the addresses of this host change, while the node listens on a wildcard address, whose meaning depends
 * on them, or has a listener that retries.  Other nodes, such as that of a program that only dials, pay nothing for it.
 */
#ifndef GN_NODE_HOST_WATCH_H
#define GN_NODE_HOST_WATCH_H

#include "gn.h"

struct gn_interfaces_watch;

struct gn_host_watch {
	struct gn_interfaces_watch *watch; /* NULL: it is off */
	bool has_hash;
	uint64_t hash; /* of the addresses at the last change */
};

/* The listeners have changed: turns the watch on or off.  When the host's addresses change later, listeners that retry
 * try, and if the node's addresses have changed, gn_node_changed() is called from the loop.  Where changes cannot be watched, nothing happens. */
void gn_host_watch_update(struct gn_node *node);
/* Turns the watch off. */
void gn_host_watch_stop(struct gn_node *node);

#endif
