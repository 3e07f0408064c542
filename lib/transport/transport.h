/* SPDX-License-Identifier: MIT */
/*
 * The transport interface: a transport dials and listens on addresses of its form, and makes links.
 *
 * A link is a byte stream to a remote host, below the stack of a connection.  Its owner uses it through
 * struct gn_link_ops.  The conformance suite of transports is tests/conform/transport.c.
 *
 * Errors: a function that returns an int returns 0, -errno of the system, or one of enum gn_error that it
 * names.  Out-parameters are untouched on failure.
 */
#ifndef GN_TRANSPORT_TRANSPORT_H
#define GN_TRANSPORT_TRANSPORT_H

#include "addr/multiaddr.h"
#include "gn.h"
#include "loop/loop.h"

struct gn_link;
struct gn_pipe;

/* None of these calls back before it returns, and all may be called from inside on_ready, where close and
 * abort may free the link. */
struct gn_link_ops {
	/* Reads up to n > 0 bytes.  Returns their number (> 0), GN_EAGAIN, GN_EOF, or the error that ended
	 * the link (GN_ERESET, -ETIMEDOUT, ...).  The error is returned behind the bytes that were
	 * received before it, also when a write reported it first, and again by every later call. */
	ptrdiff_t (*read)(struct gn_link *l, void *buf, size_t n);
	/* Writes some bytes of the views.  Returns their number (0 only when the views are empty),
	 * GN_EAGAIN, GN_ECLOSED after end, or the error that ended the link.  Never raises SIGPIPE. */
	ptrdiff_t (*write)(struct gn_link *l, const struct iovec *v, int n);
	/* Sets which of GN_READABLE and GN_WRITABLE on_ready reports from now on; 0: none, and a pending
	 * report is dropped.  Events are level-triggered.  A link that has failed is both. */
	void (*watch)(struct gn_link *l, unsigned events);
	/* Ends the writing side, behind the bytes that were written; reading goes on.  0 (also when it has
	 * ended before), or the error that ended the link. */
	int (*end)(struct gn_link *l);
	/* Closes the link in good order, so that no reset destroys bytes that were written: ends the
	 * writing side, then reads and discards what the peer sends until its end, for 2 s at most.  The
	 * link is the transport's from here on, and on_ready is not called any more. */
	void (*close)(struct gn_link *l);
	/* Resets and frees the link. */
	void (*abort)(struct gn_link *l);
	/* The number of written bytes that the peer's host has not acknowledged; 0 when it is unknown. */
	size_t (*unacked)(struct gn_link *l);
	/* Only of a link with pipes: the owner calls it after it has read rx, or written or closed tx. */
	void (*touch)(struct gn_link *l);
	/* Whether this node dialled, and local is an address on which it listens: others can connect to the
	 * address that the peer observes.  NULL: never. */
	bool (*is_from_listener)(struct gn_link *l);
};

/* The pipes of a link whose bytes are in pipes already, such as a stream of another connection.  The owner's stack runs
 * over them, so that no byte is copied: it reads rx, writes tx and closes it, and calls touch().  It calls neither read,
 * write nor watch, which may be NULL.  on_ready reports every change instead: GN_READABLE when rx has got bytes or its end,
 * GN_WRITABLE when bytes were taken from tx, and both when the link has failed.  The pipes are ended by the error then,
 * rx behind the bytes that were received.  They are valid until close, abort, or the end of the node that they belong to.
 *
 * Views in rx are valid until the I/O buffers are used for another read, so the owner reads rx soon after on_ready: in a
 * task that it posts by gn_task_post_next(), not inside on_ready, because the other connection is still in its turn. */
struct gn_link_pipes {
	struct gn_pipe *rx, *tx;
	size_t record_max; /* bytes of the longest record that is delivered in one piece, see secure.h; 0: any */
	size_t counted;    /* the owner's: bytes in rx that it has counted as received */
	/* Set by the owner, NULL: not called.  err 0: the connection that carries the link is about to close in good order,
	 * and the owner should close the link when it can.  Otherwise that connection is gone; this is called before its
	 * owner is notified, and the owner of the link should abort it before this returns.  arg is the link's. */
	void (*on_carrier)(void *arg, int err);
};

/* How a link reaches the peer. */
struct gn_link_path {
	enum gn_path path;
	struct gn_path_limits limits;
};

/* The common head of every transport's link. */
struct gn_link {
	const struct gn_link_ops *ops;
	/* Owned by the link; without /p2p; never NULL.  The link's owner may take them over, and sets them to NULL. */
	struct gn_multiaddr *remote, *local;
	const struct gn_link_path *path; /* owned by the link, set before its owner gets it; NULL: direct, no limits */
	/* Called from the loop with the events that are watched and present.  The owner sets it before it
	 * first calls watch. */
	void (*on_ready)(void *arg, unsigned ready);
	void *arg;
	struct gn_link_pipes *pipes; /* owned by the link; NULL: the link is read and written by its operations */
};

/* One attempt to connect to one address, in which all names are resolved. */
struct gn_link_dial_cfg {
	struct gn_loop *loop;
	struct gn_node *node;            /* that dials; NULL when a test uses the transport without a node */
	const struct gn_multiaddr *addr; /* copied; a trailing /p2p is ignored */
	/* The name that was resolved to addr, as the user or a name server wrote it: what Host (RFC 9110,
	 * section 7.2) and SNI (RFC 6066, section 3) need.  Valid during the call; NULL: the address was
	 * given without a name. */
	const char *name;
	/* The link must not come from an address on which the node listens: one that did has failed. */
	bool avoids_listener;
	/* Called exactly once, from the loop, unless the attempt is cancelled.  The attempt is freed
	 * before.  err 0: the link, which the callee owns.  Otherwise NULL and the error: -ECONNREFUSED,
	 * -ETIMEDOUT, -EHOSTUNREACH, -ENOMEM, or another one of the system.  It may start and cancel other
	 * dials, and pause and close listeners. */
	void (*on_done)(void *arg, int err, struct gn_link *link);
	void *arg;
};

struct gn_link_listen_cfg {
	struct gn_loop *loop;
	struct gn_node *node;            /* that listens; NULL as above */
	const struct gn_multiaddr *addr; /* copied; port 0 picks a port */
	/* Called from the loop for every incoming link, which the callee owns.  It may pause and close
	 * this and other listeners, start and cancel dials, and listen. */
	void (*on_link)(void *arg, struct gn_link *link);
	/* Called from the loop when the state of the listener changes, see struct gn_link_listener.  err 0: it is up at
	 * the address `bound`, which is valid during the call.  Otherwise it is down because of err, and bound is
	 * NULL.  It may do what on_link may.  NULL: nobody is notified. */
	void (*on_state)(void *arg, int err, const struct gn_multiaddr *bound);
	void *arg;
};

struct gn_link_dial; /* an attempt; each transport defines its own */
/* A listener; each transport defines its own.  Its states:
 *     listen() --> UP, with its address; or OPENING, without one, while somebody else has to agree, as a relay
 *     OPENING -- on_state(0, bound) --> UP
 *     OPENING, UP -- on_state(err, NULL) --> DOWN
 * on_link is called in UP only.  DOWN is final: the caller closes the listener, and may listen once more. */
struct gn_link_listener;

/* A transport has a state per node, which start makes and which is handed to dial and listen.  One without
 * a state leaves start and stop NULL, and gets NULL. */
struct gn_transport_ops {
	const char *name; /* "tcp" */
	/* The node is new: only its configuration may be used before start returns.  config is the node's
	 * configuration of this transport, valid during the call; NULL: defaults.  *state is NULL before.
	 * 0, -EINVAL: the configuration is bad, -ENOMEM, or another error, which makes gn_node_new() fail. */
	int (*start)(struct gn_node *node, const void *config, void **state);
	/* Frees the state.  Every dial, listener and link of it is freed before, except links that are
	 * closing, which may outlive it.  May be NULL. */
	void (*stop)(void *state);
	/* Returns whether the transport serves addresses of this form.  It looks at the protocols only,
	 * not at values. */
	bool (*is_for)(const struct gn_multiaddr *addr);
	/* Starts an attempt.  GN_ENOTRANS: not an address of this transport; GN_EZONE, GN_ENOZONE: its
	 * zone is missing or unknown; -ENOMEM.  All other errors are reported by on_done. */
	int (*dial)(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out);
	/* Ends and frees the attempt; on_done is not called. */
	void (*cancel)(struct gn_link_dial *op);
	/* Listens.  *bound is the address with the real port, which the caller frees; NULL: the listener is
	 * OPENING.  Errors as of dial, and -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, or another one of the system. */
	int (*listen)(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
		      struct gn_multiaddr **bound);
	/* Stops accepting, so that connections wait in the backlog, or resumes it.  No effect unless it is UP. */
	void (*pause)(struct gn_link_listener *l, bool paused);
	/* Frees the listener.  Connections that wait in the backlog are reset; on_link is not called any
	 * more. */
	void (*close)(struct gn_link_listener *l);
};

#endif
