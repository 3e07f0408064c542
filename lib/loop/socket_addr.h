/* SPDX-License-Identifier: MIT */
/* struct gn_sockaddr and the system's, inside lib/loop. */
#ifndef GN_LOOP_SOCKET_ADDR_H
#define GN_LOOP_SOCKET_ADDR_H

#include <sys/socket.h>

#include "loop/socket.h"

/* Returns the length. */
socklen_t gn_sockaddr_encode(const struct gn_sockaddr *a, struct sockaddr_storage *sa);
/* -EAFNOSUPPORT when it is neither IPv4 nor IPv6. */
int gn_sockaddr_decode(const struct sockaddr_storage *sa, socklen_t len, struct gn_sockaddr *out);

#endif
