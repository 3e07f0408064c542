/* SPDX-License-Identifier: MIT */
/*
 * The transport interface: dials and listens on an address, gives a link.
 *
 * A link is a byte stream to a remote host, the lowest end of a connection's stack.
 * The node talks to it through struct gn_link_ops.  A transport that multiplexes and
 * authenticates by itself gives a session (mux/session.h) in place of a link.
 * One conformance suite, tests/conform/transport.c, runs over every transport.
 */
#ifndef GN_TRANSPORT_TRANSPORT_H
#define GN_TRANSPORT_TRANSPORT_H

#include "addr/multiaddr.h"
#include "gn.h"
#include "loop/loop.h"

struct gn_link;
struct gn_mux_session;

struct gn_link_ops {
	/* Reads up to n bytes: how many (> 0), GN_EAGAIN, GN_EOF, or the error that ended the
	 * link, which comes behind the bytes that were received before it. */
	ptrdiff_t (*read)(struct gn_link *l, void *buf, size_t n);
	/* Writes some of the views: how many bytes (> 0), GN_EAGAIN, or an error.  Never raises SIGPIPE. */
	ptrdiff_t (*write)(struct gn_link *l, const struct iovec *v, int n);
	/* Which of GN_READABLE and GN_WRITABLE are reported from now on.  Level-triggered;
	 * a link that has ended or failed is both. */
	void (*want)(struct gn_link *l, unsigned ready);
	/* Ends the writing side, after what was written.  Reading goes on. */
	int (*end)(struct gn_link *l);
	/* Gives the link up.  Ends the writing side, reads and drops what still comes until the
	 * end, 2 s at most, so that nothing that was written is lost by a reset; frees it then.
	 * No callback after this. */
	void (*close)(struct gn_link *l);
	/* Gives the link up at once. */
	void (*abort)(struct gn_link *l);
	/* Bytes written that the far host has not acknowledged; 0 when that cannot be known. */
	size_t (*unacked)(struct gn_link *l);
};

/* The common head of every transport's link. */
struct gn_link {
	const struct gn_link_ops *ops;
	struct gn_multiaddr *remote, *local;         /* owned by the link; without /p2p; never NULL */
	void (*on_ready)(void *arg, unsigned ready); /* set by the owner before it first wants */
	void *arg;
};

/* One attempt to connect to one address (names resolved already). */
struct gn_link_dial_cfg {
	struct gn_loop *loop;
	const struct gn_multiaddr *addr; /* copied; a trailing /p2p is ignored */
	/* Exactly once, never before dial returned: err 0 and the link, which is the callee's. */
	void (*on_done)(void *arg, int err, struct gn_link *link);
	void *arg;
};

struct gn_link_listen_cfg {
	struct gn_loop *loop;
	const struct gn_multiaddr *addr; /* copied; port 0 picks one */
	/* For every link that came in; it is the callee's. */
	void (*on_link)(void *arg, struct gn_link *link);
	void *arg;
};

struct gn_link_dial; /* private to each transport, as is */
struct gn_link_listener;

struct gn_transport_ops {
	const char *name; /* "tcp" */
	/* Is this an address of a form that the transport serves?  Looks at the shape only. */
	bool (*is_for)(const struct gn_multiaddr *addr);
	int (*dial)(const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out);
	void (*cancel)(struct gn_link_dial *op);
	/* *bound is the address with the real port, to be freed by the caller. */
	int (*listen)(const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out, struct gn_multiaddr **bound);
	/* Holds accepting, so that connections wait in the queue, or goes on.  A node never does that. */
	void (*pause)(struct gn_link_listener *l, bool paused);
	void (*close)(struct gn_link_listener *l);
};

#endif
