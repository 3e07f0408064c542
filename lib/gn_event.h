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
	GN_EVENT_REACH,         /* it has become known, or unknown, whether others reach an own address: addr, reach */
};
/* "connected", "gone", "path", "addr-new", "addr-lost", "listener-up", "listener-down", "reach" */
const char *gn_event_name(enum gn_event_type type);

/* Whether others can connect to an own address.  UNKNOWN is the state of each new address, and of one that was lost,
 * which GN_EVENT_ADDR_LOST alone reports.  A service of the node that asks other hosts to dial it back sets the other
 * states; the stock services do not. */
enum gn_reach {
	GN_REACH_UNKNOWN,
	GN_REACH_PUBLIC,  /* a host elsewhere has connected to it */
	GN_REACH_PRIVATE, /* hosts elsewhere have tried to, and could not */
};
const char *gn_reach_name(enum gn_reach reach); /* "unknown", "public", "private" */
/* The state of an address of gn_node_addrs(), with or without /p2p.  UNKNOWN also when it is none of the node's. */
enum gn_reach gn_addr_reach(const struct gn_node *node, const struct gn_multiaddr *addr);

/* Members that the type does not name are zero.  Pointers are valid during the callback. */
struct gn_event {
	enum gn_event_type type;
	int err; /* why the connection ended, or the listener is down: GN_ECLOSED: this node has closed it, also for a limit */
	struct gn_peer_id peer;
	/* The remote address, without /p2p; an own address, with /p2p; or the bound one, without. */
	const struct gn_multiaddr *addr;
	bool inbound;
	enum gn_path path;
	enum gn_reach reach;
};

#ifdef __cplusplus
}
#endif

#endif
