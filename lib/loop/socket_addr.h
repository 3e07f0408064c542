/* SPDX-License-Identifier: MIT */
/* Conversions between struct gn_sockaddr and the system's addresses.  Only files of lib/loop include this. */
#ifndef GN_LOOP_SOCKET_ADDR_H
#define GN_LOOP_SOCKET_ADDR_H

#include <sys/socket.h>

#include "loop/socket.h"

/* Fills in *sa (all other bytes are 0) and returns its length. */
socklen_t gn_sockaddr_encode(const struct gn_sockaddr *a, struct sockaddr_storage *sa);
/* 0, or -EAFNOSUPPORT when *sa is neither an IPv4 nor an IPv6 address. */
int gn_sockaddr_decode(const struct sockaddr_storage *sa, socklen_t len, struct gn_sockaddr *out);

#endif
