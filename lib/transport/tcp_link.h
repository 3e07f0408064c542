/* SPDX-License-Identifier: MIT */
/* What tcp.c uses of tcp_link.c, within the tcp transport. */
#ifndef GN_TRANSPORT_TCP_LINK_H
#define GN_TRANSPORT_TCP_LINK_H

#include "loop/socket.h"
#include "transport/transport.h"

/* The socket address of a multiaddr whose trailing /p2p is ignored.  0; GN_ENOTRANS: not an address of
 * TCP; GN_EZONE: a link-local address without a zone; GN_ENOZONE: this host has no such interface. */
int gn_tcp_addr_decode(const struct gn_multiaddr *a, struct gn_sockaddr *out);
/* The multiaddr, which the caller frees.  0 or -ENOMEM. */
int gn_tcp_addr_encode(const struct gn_sockaddr *sa, struct gn_multiaddr **out);

/* Prepares the loop for links; once is enough.  0 or -ENOMEM. */
int gn_tcp_link_init(struct gn_loop *loop);
/* Makes a link of a connected socket.  0, and the link owns the socket; -ENOMEM or -errno, and the caller
 * still does. */
int gn_tcp_link_new(struct gn_loop *loop, int fd, const struct gn_sockaddr *remote, struct gn_link **out);
/* The link was dialled from the address of a listener of the node. */
void gn_tcp_link_set_from_listener(struct gn_link *link);

#endif
