/* SPDX-License-Identifier: MIT */
/* Two nodes, of which the first logs its events about peers: GN_EVENT_CONNECTED, GN_EVENT_GONE and GN_EVENT_PATH. */
#ifndef GN_SUPPORT_PEER_EVENTS_H
#define GN_SUPPORT_PEER_EVENTS_H

#include "support/net.h"

extern struct gn_event peer_events[8]; /* their addr is not valid */
extern size_t peer_events_n;           /* in peer_events; the test sets it to 0 to begin again */

/* Logs the events of the node that is made with the configuration. */
void peer_events_tune(struct gn_node_cfg *cfg);
/* Makes the nodes, which are not connected. */
void peer_events_net_init(struct net *w);

#endif
