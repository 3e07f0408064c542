/* SPDX-License-Identifier: MIT */
/* The two halves of the tcp transport: what tcp.c asks of tcp_link.c. */
#ifndef GN_TRANSPORT_TCP_LINK_H
#define GN_TRANSPORT_TCP_LINK_H

#include "loop/socket.h"
#include "transport/transport.h"

/* Of a multiaddr and back.  GN_ENOTRANS, -ENODEV: no such zone here. */
int gn_tcp_addr_decode(const struct gn_multiaddr *a, struct gn_sockaddr *out);
int gn_tcp_addr_encode(const struct gn_sockaddr *sa, struct gn_multiaddr **out);

/* Makes the loop ready to have links.  -ENOMEM. */
int gn_tcp_link_init(struct gn_loop *loop);
/* A link of a connected socket, which is the link's from then on if this returns 0. */
int gn_tcp_link_new(struct gn_loop *loop, int fd, const struct gn_sockaddr *remote, struct gn_link **out);

#endif
