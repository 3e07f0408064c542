/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets over IPv4 and IPv6: nonblocking, close-on-exec, with the addresses and the interface of each
 * datagram, and with multicast groups.  Datagrams are sent and received in batches, into and out of the
 * caller's memory: nothing is allocated per datagram, and nothing is queued outside the kernel.
 *
 * A function that returns an int returns 0 or an error: the -errno of the system call that failed, or one of
 * enum gn_error where the function names it.  Out-parameters are untouched on failure.  Every function may be
 * called from inside any callback, gn_udp_close() also from inside the socket's own on_ready.
 */
#ifndef GN_LOOP_UDP_H
#define GN_LOOP_UDP_H

#include "loop/socket.h"

enum {
	GN_UDP_BATCH = 32,  /* datagrams per call at most */
	GN_UDP_MAX = 65507, /* bytes of a datagram at most: 65535 less the headers of UDP and IPv4 */
};

struct gn_udp;

struct gn_udp_cfg {
	struct gn_loop *loop;
	struct gn_sockaddr at; /* where to bind; port 0 picks a port.  An IPv6 socket receives no IPv4 */
	/* Several sockets of this host may bind the port, if all of them set this: for multicast, of which
	 * each socket receives a copy.  A unicast datagram reaches only one of them. */
	bool shares_port;
	uint8_t multicast_hops; /* TTL or hop limit of multicast datagrams; 0: 1 */
	/* One system call per datagram, as on systems without sendmmsg() and recvmmsg(). */
	bool is_unbatched;
	/* Called from the loop with the events that are watched and present. */
	void (*on_ready)(void *arg, unsigned ready);
	void *arg;
};

/* Opens and binds a socket that watches no events yet.  -ENOTSUP: the loop is virtual; -ENOMEM; or -errno
 * of socket(2), setsockopt(2) and bind(2), such as -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE. */
int gn_udp_open(const struct gn_udp_cfg *cfg, struct gn_udp **out);
/* Closes and frees the socket; NULL is ignored.  on_ready is not called any more. */
void gn_udp_close(struct gn_udp *u);
/* Sets which of GN_READABLE and GN_WRITABLE on_ready reports; 0: none.  Events are level-triggered. */
void gn_udp_watch(struct gn_udp *u, unsigned events);
/* The address that the socket is bound to, with the real port. */
int gn_udp_local(const struct gn_udp *u, struct gn_sockaddr *out);

struct gn_datagram {
	struct gn_sockaddr remote; /* the sender, or the receiver */
	/* Receive: the address that the datagram was sent to, which is the group for multicast.  Send: the
	 * source address; family 0: the system chooses it.  Its port is not used, and 0 after receiving. */
	struct gn_sockaddr local;
	uint32_t interface; /* number of the interface where it arrived, or leaves; 0 when sending: by the routes */
	void *data;         /* not changed by gn_udp_send() */
	size_t len;         /* send: its bytes.  Receive: the room at data, and then the bytes that are there */
	bool is_truncated;  /* receive: the datagram was longer than the room, and its rest is lost */
};

/* Receives up to n > 0 datagrams, at most GN_UDP_BATCH.  data and len of each are set by the caller; the
 * entries behind the received ones are untouched.  Returns how many were received (> 0), GN_EAGAIN, or
 * -errno. */
int gn_udp_receive(struct gn_udp *u, struct gn_datagram *d, int n);
/* Sends the first of n > 0 datagrams, in order, at most GN_UDP_BATCH.  Returns how many were passed to the
 * kernel (> 0); GN_EAGAIN: none, until GN_WRITABLE; GN_ETOOBIG: the first is longer than GN_UDP_MAX or
 * than its path allows; or -errno, such as -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL: the first cannot
 * be sent.  After an error the caller drops that datagram, or sends it again later. */
int gn_udp_send(struct gn_udp *u, const struct gn_datagram *d, int n);

/* Joins a multicast group on an interface, by its number; 0: the system chooses it.  -EINVAL: not a
 * multicast address of the socket's family; -ENODEV: no such interface; -EADDRINUSE: the group was joined
 * before; -ENOBUFS, -ENOMEM: too many groups.  The socket receives datagrams of the groups that it has
 * joined itself only. */
int gn_udp_join(struct gn_udp *u, const struct gn_sockaddr *group, uint32_t interface);
/* Leaves it again.  -EADDRNOTAVAIL: the group was not joined on this interface; -EINVAL, -ENODEV as
 * above.  Closing the socket leaves all groups. */
int gn_udp_leave(struct gn_udp *u, const struct gn_sockaddr *group, uint32_t interface);

#endif
