/* SPDX-License-Identifier: MIT */
/*
 * The events of a node, as gn_event.h has them.  They are a service, which exists only if the program has set
 * on_event; it keeps the own addresses that were reported.
 */
#ifndef GN_NODE_EVENT_H
#define GN_NODE_EVENT_H

#include "node/service.h"

extern const struct gn_service_ops gn_service_events;

/* A listener has opened (err 0), or was closed because of err; bound is its address.  No effect without on_event. */
void gn_event_listener(struct gn_node *node, const struct gn_multiaddr *bound, int err);

/* Sets whether others can connect to an own address, without /p2p, and reports it if it has changed; for a service such
 * as AutoNAT.  Errors as gn_own_set_reach(). */
int gn_node_set_reach(struct gn_node *node, const struct gn_multiaddr *addr, enum gn_reach reach);

#endif
