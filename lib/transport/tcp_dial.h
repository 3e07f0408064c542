/* SPDX-License-Identifier: MIT */
/*
 * What tcp.c and tcp_dial.c share, within the tcp transport.
 *
 * A node that listens dials from the port on which it listens, so that the address that a peer or a NAT sees of the
 * connection is one to which others can connect.  A dial uses, of the listeners of the target's family,
 *     - the first one on every interface, with whatever address the route has;
 *     - else the one whose address is the one from which the route to the target sends.  A listener on the loopback
 *       is therefore not used for a target elsewhere.
 * A dial without such a listener makes the same system calls as in a node that never listens.
 *
 * The dial falls back to a port that the system chooses
 *     - at once, when binding or connecting fails.  This is so when there is, or was until a minute ago, a connection
 *       between the two addresses: -EADDRNOTAVAIL.
 *     - when the node would connect to itself: the target is the listener;
 *     - when the target has not answered within GN_TCP_FROM_LISTENER_WAIT, as a firewall may still know an earlier
 *       connection between the two addresses and drop the packets of this one.
 * The caller of the dial does not notice, except that is_from_listener of the link is false.  ECONNREFUSED and other errors
 * that the target or a router has sent end the dial.
 *
 * Two nodes that dial each other's listener at the same time get one connection (RFC 9293, section 3.5, simultaneous
 * open), over which both would be the client: the handshake fails, and the caller dials again with avoids_listener.
 */
#ifndef GN_TRANSPORT_TCP_DIAL_H
#define GN_TRANSPORT_TCP_DIAL_H

#include "base/list.h"
#include "transport/tcp_link.h"

/* By then the system has sent its first packet again, after 1 s, and a second time, after 3 s. */
#define GN_TCP_FROM_LISTENER_WAIT (3500 * GN_MSEC)

/* The state of a node. */
struct gn_tcp {
	struct gn_list ports; /* struct gn_tcp_port */
};

/* A listener, as dials see it. */
struct gn_tcp_port {
	struct gn_list link; /* in gn_tcp.ports, in the order of listening */
	struct gn_sockaddr at;
	int fd;
	bool is_shared; /* gn_socket_share() was called, which the first dial does */
};

/* Bytes that may wait in the kernel unsent: enough that the kernel does not run out of bytes while this
 * process is busy, and few enough that a ping is not queued behind them for long. */
#define GN_TCP_NOTSENT ((size_t)256 << 10)

/* The address of TCP that addr is, and whatever links need of the loop.  GN_ENOTRANS, GN_EZONE, GN_ENOZONE, -ENOMEM. */
int gn_tcp_prepare(struct gn_loop *loop, const struct gn_multiaddr *addr, struct gn_sockaddr *sa);

/* dial and cancel of struct gn_transport_ops.  state: a struct gn_tcp, or NULL: there are no listeners. */
int gn_tcp_dial(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out);
void gn_tcp_cancel(struct gn_link_dial *op);

#endif
