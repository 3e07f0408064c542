/* SPDX-License-Identifier: MIT */
/*
 * The network's sockets: TCP over IPv4 and IPv6, nonblocking and close-on-exec, never
 * raising SIGPIPE.  Nobody outside lib/loop sees a struct sockaddr.  The congestion
 * control is the system's.
 *
 * Functions return 0, -errno, or what they say beside.  A connection that the far end reset
 * is GN_ERESET, whichever of the system's names it has.
 */
#ifndef GN_LOOP_SOCKET_H
#define GN_LOOP_SOCKET_H

#include "gn.h"

struct gn_sockaddr {
	uint8_t family; /* 4 or 6 */
	uint8_t ip[16]; /* network order; of IPv4 the first 4, the others 0 */
	uint16_t port;  /* host order */
	uint32_t scope; /* of a link-local IPv6 address: the interface's number; else 0 */
};

bool gn_sockaddr_is_equal(const struct gn_sockaddr *a, const struct gn_sockaddr *b);
/* 0.0.0.0 or :: */
bool gn_sockaddr_is_wildcard(const struct gn_sockaddr *a);

#define GN_ZONE_MAX 16 /* an interface's name with its NUL */

/* A zone, as people write it: an interface's name or its number.  GN_ENOZONE when
 * this host has no such interface. */
int gn_zone_parse(const char *zone, uint32_t *scope);
/* The name, or else the number; returns zone. */
char *gn_zone_format(uint32_t scope, char zone[GN_ZONE_MAX]);

/* Begins to connect.  The socket is writable when that has come to an end, and
 * gn_socket_error() then says which. */
int gn_socket_dial(const struct gn_sockaddr *to, int *fd);
int gn_socket_error(int fd);
/* Listens; an IPv6 socket takes no IPv4.  backlog is cut down to the system's limit. */
int gn_socket_listen(const struct gn_sockaddr *at, int backlog, int *fd);
/* GN_EAGAIN when nobody is waiting.  A connection that has died meanwhile is passed over.
 * -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM: it is still in the queue. */
int gn_socket_accept(int listener, int *fd, struct gn_sockaddr *remote);

/* How many bytes (> 0), GN_EAGAIN, GN_EOF, or an error.  n > 0. */
ptrdiff_t gn_socket_read(int fd, void *buf, size_t n);
/* As read, but throws away what it reads. */
ptrdiff_t gn_socket_skip(int fd);
/* How many bytes (> 0), GN_EAGAIN, or an error.  At most GN_SOCKET_VIEWS are looked at. */
#define GN_SOCKET_VIEWS 64
ptrdiff_t gn_socket_write(int fd, const struct iovec *v, int n);
/* Shuts the writing side down. */
int gn_socket_end(int fd);
void gn_socket_close(int fd);
/* Closes, and tells the far end by a reset; what is not yet sent is thrown away. */
void gn_socket_reset(int fd);

/* No delay of small writes, and writable only while fewer than notsent bytes wait in this
 * kernel unsent (0: the system's own limit).  A listener's connections inherit it. */
void gn_socket_tune(int fd, size_t notsent);
/* Bytes that the far host has not acknowledged; 0 when that cannot be known. */
size_t gn_socket_unacked(int fd);
int gn_socket_local(int fd, struct gn_sockaddr *out);
int gn_socket_remote(int fd, struct gn_sockaddr *out);

/* An address of this host, its interface being up. */
struct gn_ifaddr {
	struct gn_sockaddr addr; /* port 0 */
	char name[GN_ZONE_MAX];
	bool is_loopback;
};

/* All of them, in an array that the caller frees with free(); NULL when there are none. */
int gn_ifaddrs_get(struct gn_ifaddr **out, size_t *n);

#endif
