/* SPDX-License-Identifier: MIT */
/*
 * gn_listener.h: the part of gn.h for listeners that are closed one by one, and that come up later.  Programs include
 * gn.h, which includes this file.
 *
 * A listener is up while others can connect to it, and otherwise down.  Each change is an event (gn_event.h):
 *     GN_EVENT_LISTENER_UP, with the address that is bound
 *     GN_EVENT_LISTENER_DOWN, with the reason
 * A listener goes down when its socket fails (-EINVAL, -EBADF), when a relay no longer serves it, and, with retry,
 * when its IP address leaves this host (-EADDRNOTAVAIL).  Its address is then no longer among gn_node_addrs().
 */
#ifndef GN_LISTENER_H
#define GN_LISTENER_H

#include "gn.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gn_listener_cfg {
	const struct gn_multiaddr *addr; /* copied; port 0 lets the system choose */
	/* An address that is not available now is no error, and a listener that goes down comes up again: the node tries
	 * after 1 s, then after twice as long each time, at most 60 s; and at once when the addresses of this
	 * host change.  Not available is what is in use, or is of an interface that does not exist or is down.
	 * Without it the node does not try again. */
	bool retry;
};

/* Opens a listener.  The handle is valid until gn_listener_close(), gn_node_unlisten(), gn_node_close() or
 * gn_node_free(), also while the listener is down.  Errors as gn_node_listen(). */
struct gn_listener;
int gn_listener_open(struct gn_node *node, const struct gn_listener_cfg *cfg, struct gn_listener **out);
/* The address that is bound, which is the listener's; NULL: it is not up. */
const struct gn_multiaddr *gn_listener_addr(const struct gn_listener *l);
void gn_listener_close(struct gn_listener *l);

#ifdef __cplusplus
}
#endif

#endif
