/* SPDX-License-Identifier: MIT */
/*
 * gn_event.h: the part of gn.h for the events of a node.  Programs include gn.h, which includes this file.
 *
 * on_event of struct gn_node_cfg is called from the loop, never from inside a call of the program, and only when a
 * state has changed.  Events are delivered in the order in which the states changed.  An event for which there is no
 * memory is lost.  After gn_node_free() none is delivered; the callback may call gn_node_close().
 */
#ifndef GN_EVENT_H
#define GN_EVENT_H

#include "gn.h"

#ifdef __cplusplus
extern "C" {
#endif

enum gn_event_type {
	GN_EVENT_CONNECTED, /* the first connection to a peer has opened: peer, addr, inbound, path */
	GN_EVENT_GONE,      /* the last connection to a peer has ended: peer, addr, inbound, path, err */
	/* New channels to a peer use another connection, because the one before has ended or is silent or the other one is
	 * better (direct, without limits, newer), or the path of the connection has changed: peer, addr, inbound, path. */
	GN_EVENT_PATH,
	GN_EVENT_ADDR_NEW,      /* gn_node_addrs() returns a new address: addr */
	GN_EVENT_ADDR_LOST,     /* gn_node_addrs() no longer returns an address: addr */
	GN_EVENT_LISTENER_UP,   /* a listener is up: addr */
	GN_EVENT_LISTENER_DOWN, /* a listener is down, or could not come up yet: addr, err */
};
/* "connected", "gone", "path", "addr-new", "addr-lost", "listener-up", "listener-down" */
const char *gn_event_name(enum gn_event_type type);

/* Members that the type does not name are zero.  Pointers are valid during the callback. */
struct gn_event {
	enum gn_event_type type;
	int err; /* why the connection ended, or the listener is down: GN_ECLOSED when the program has closed it */
	struct gn_peer_id peer;
	const struct gn_multiaddr
		*addr; /* the remote address without /p2p; an own address with /p2p; the bound one, without */
	bool inbound;
	enum gn_path path;
};

#ifdef __cplusplus
}
#endif

#endif
