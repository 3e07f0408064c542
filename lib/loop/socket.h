/* SPDX-License-Identifier: MIT */
/*
 * Sockets of the network: TCP over IPv4 and IPv6.  Every socket is nonblocking and close-on-exec, and writing
 * to one never raises SIGPIPE.  No struct sockaddr is visible outside lib/loop.  The system's congestion
 * control is used.
 *
 * A function that returns an int returns 0 or an error: the -errno of the system call that failed, or one of
 * enum gn_error where the function names it.  Out-parameters are untouched on failure.  A connection that the
 * peer reset is always GN_ERESET, whether the system reports ECONNRESET or EPIPE.
 *
 * A socket is its owner's, who closes it by gn_socket_close() or gn_socket_reset(), and frees its watch
 * before.  Nothing here calls back, so every function may be called from inside any callback.
 */
#ifndef GN_LOOP_SOCKET_H
#define GN_LOOP_SOCKET_H

#include "gn.h"

struct gn_sockaddr {
	uint8_t family; /* 4 or 6 */
	uint8_t ip[16]; /* network order; IPv4 uses the first 4 bytes, the others are 0 */
	uint16_t port;  /* host order */
	uint32_t scope; /* the number of the interface of a link-local IPv6 address; else 0 */
};

/* Compares family, address, port and scope. */
bool gn_sockaddr_is_equal(const struct gn_sockaddr *a, const struct gn_sockaddr *b);
/* True for 0.0.0.0 and ::, with any port. */
bool gn_sockaddr_is_wildcard(const struct gn_sockaddr *a);

#define GN_ZONE_MAX 16 /* bytes of an interface's name with its NUL */

/* Finds an interface by its name or its decimal number (RFC 4007, section 11).  0, or GN_ENOZONE when this
 * host has no such interface. */
int gn_zone_parse(const char *zone, uint32_t *scope);
/* Writes the interface's name, or the number when this host has no such interface.  Returns zone. */
char *gn_zone_format(uint32_t scope, char zone[GN_ZONE_MAX]);

/* Starts to connect.  The socket becomes writable when the attempt has ended, and gn_socket_error() then
 * returns its result.  Errors: -errno of socket(2) and connect(2), such as -EMFILE, -ENETUNREACH, -EACCES. */
int gn_socket_dial(const struct gn_sockaddr *to, int *fd);
/* As gn_socket_dial(), but the connection comes from the address `from` of a listener for which gn_socket_share() was
 * called; a wildcard stands for the address that the route has.  Further errors: -errno of bind(2); -EADDRNOTAVAIL
 * also when a connection with these two addresses exists, or has existed until a minute ago. */
int gn_socket_dial_from(const struct gn_sockaddr *to, const struct gn_sockaddr *from, int *fd);
/* Allows gn_socket_dial_from() with the address of this listener, in processes of this user.  It is called after
 * gn_socket_listen(), which therefore still returns -EADDRINUSE for an address on which anybody listens.  0 or
 * -errno. */
int gn_socket_share(int listener);
/* The address from which this host would send to `to`; the port means nothing.  Nothing is sent.  -errno of socket(2)
 * and connect(2), such as -ENETUNREACH. */
int gn_socket_source(const struct gn_sockaddr *to, struct gn_sockaddr *from);
/* Returns and clears the socket's pending error: 0, or -errno, such as -ECONNREFUSED, -ETIMEDOUT,
 * -EHOSTUNREACH. */
int gn_socket_error(int fd);
/* Listens.  An IPv6 socket accepts no IPv4 connections.  The system limits backlog.  Errors: -errno of
 * socket(2), bind(2) and listen(2), such as -EADDRINUSE, -EADDRNOTAVAIL, -EACCES. */
int gn_socket_listen(const struct gn_sockaddr *at, int backlog, int *fd);
/* Accepts a connection.  GN_EAGAIN when none is pending.  A pending connection that has failed is
 * skipped.  After -EMFILE, -ENFILE, -ENOBUFS and -ENOMEM the connection is still pending, so the listener
 * stays readable. */
int gn_socket_accept(int listener, int *fd, struct gn_sockaddr *remote);

/* Reads up to n > 0 bytes.  Returns their number (> 0), GN_EAGAIN, GN_EOF, GN_ERESET or -errno. */
ptrdiff_t gn_socket_read(int fd, void *buf, size_t n);
/* Reads and discards some bytes.  Returns as gn_socket_read(). */
ptrdiff_t gn_socket_skip(int fd);
/* Writes some bytes of the first GN_SOCKET_VIEWS views.  Returns their number (0 only when these views are
 * empty), GN_EAGAIN, GN_ERESET or -errno. */
#define GN_SOCKET_VIEWS 64
ptrdiff_t gn_socket_write(int fd, const struct iovec *v, int n);
/* Shuts the writing side down, behind all that was written.  0, GN_ERESET or -errno. */
int gn_socket_end(int fd);
/* Closes the socket.  Bytes that were written are still sent, unless unread input makes the system send a
 * reset. */
void gn_socket_close(int fd);
/* Closes the socket and resets the connection.  Bytes that were not sent yet are discarded. */
void gn_socket_reset(int fd);

/* Disables Nagle's algorithm, and reports the socket as writable only while fewer than notsent bytes wait
 * in this kernel unsent (0: the system's own limit).  Connections that a listener accepts inherit both. */
void gn_socket_tune(int fd, size_t notsent);
/* The number of written bytes that the peer's host has not acknowledged; 0 when it is unknown. */
size_t gn_socket_unacked(int fd);
/* The socket's own address.  0 or -errno. */
int gn_socket_local(int fd, struct gn_sockaddr *out);
/* The peer's address.  0 or -errno (-ENOTCONN). */
int gn_socket_remote(int fd, struct gn_sockaddr *out);

/* An address of an interface of this host that is up. */
struct gn_ifaddr {
	struct gn_sockaddr addr; /* port 0 */
	char name[GN_ZONE_MAX];  /* the interface's */
	uint32_t index;          /* the interface's number */
	uint8_t prefix;          /* bits of the address that are the network's; 0: unknown */
	bool is_loopback;
};

/* All IPv4 and IPv6 addresses of this host, in an array that the caller frees with free(); NULL when there
 * are none.  0, -ENOMEM, or -errno of getifaddrs(3). */
int gn_ifaddrs_get(struct gn_ifaddr **out, size_t *n);

#endif
