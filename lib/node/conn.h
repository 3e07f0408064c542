/* SPDX-License-Identifier: MIT */
/*
 * A connection: a link, a stack of layers over it, and a session on top.
 *
 *     conn.c     its life: made, open, closing, reaped
 *     conn_io.c     what it does when it is its turn: read, pump, tell, write
 *     alive.c    whether the far end still is there, and handshakes on slow paths
 *     upgrade.c  which layer follows which: security, multiplexing
 *
 * It is the node's.  It goes when its link is gone and nobody holds a stream of it.
 */
#ifndef GN_NODE_CONN_H
#define GN_NODE_CONN_H

#include "addr/multiaddr.h"
#include "gn.h"
#include "loop/loop.h"
#include "mux/session.h"
#include "node/networks.h"
#include "security/secure.h"
#include "stack/stack.h"
#include "transport/transport.h"

enum gn_conn_state {
	GN_CONN_SECURING, /* until the peer has proved who it is */
	GN_CONN_MUXING,   /* until there is a session */
	GN_CONN_OPEN,
	GN_CONN_CLOSING, /* the last words go out */
	GN_CONN_GONE,    /* there is no link any more */
};

/* What a connection counts for; see limits.c.
 *
 *     inbound: PENDING -- secured, and within the limits --> ADMITTED
 *              PENDING -- secured, and past a limit, which the peer is told --> REFUSED
 *     dialed:  ADMITTED from the beginning
 *     any  -- the link is gone, or the connection was closed to make room --> NONE
 */
enum gn_conn_count { GN_COUNT_NONE, GN_COUNT_PENDING, GN_COUNT_REFUSED, GN_COUNT_ADMITTED };

struct gn_conn {
	struct gn_node *node;
	struct gn_list link_node; /* in node->conns */
	enum gn_conn_state state;
	bool inbound;
	int err; /* why it is over */
	uint8_t guid[GN_GUID_LEN];
	struct gn_peer_id peer; /* before it is secured: the one that was asked for, or none */
	struct gn_multiaddr *remote, *local;
	enum gn_addr_origin origin;
	gn_time since;
	gn_time began; /* the dial of the address, or the accept: the limit of the handshake counts from it */
	struct gn_network *network;  /* of remote */
	struct gn_list link_pending; /* in node->pending while it counts as PENDING or REFUSED */
	enum gn_conn_count count;
	unsigned streams_in;
	unsigned n_negotiating; /* inbound streams that have no protocol yet */
	uint32_t refusal;       /* the code of Go Away by which the peer is told that it may not stay; 0: it may */

	struct gn_link *link;
	struct gn_pipe rx, tx;
	struct gn_stack stack;
	struct gn_mux_session *session;
	const struct gn_security_ops *security; /* the one in use */
	bool can_read, can_write;               /* what the link is thought to be ready for */
	bool is_ended;                          /* the link's writing side is shut */
	bool is_owed;       /* a stream was given up in good order: what is queued is to arrive, also when closing */
	bool is_announced;  /* on_open was called */
	bool is_first_seen; /* an inbound stream has come */
	unsigned wants;     /* what it was told to report */
	int write_err;      /* what writing failed with: reading will find the end */
	uint64_t written;   /* bytes that the link has taken */
	uint64_t delivered; /* of them, those that the far host had acknowledged at the start of this deadline */
	size_t unacked;     /* bytes that the far host had not acknowledged when the link went */

	/* signs of life, alive.c */
	gn_time heard;           /* when there was one last */
	uint64_t received;       /* bytes from the link */
	gn_time look;            /* when to look at the backlog again; GN_NEVER */
	size_t backlog;          /* bytes that the far host had not acknowledged at the last look */
	uint64_t looked_written; /* what was written by then */

	struct gn_task task;
	struct gn_timer timer;
	gn_time deadline; /* of the state */
	gn_time retry;    /* when writing is tried again without being told to */

	struct gn_list streams_open;
	uint64_t bytes_in, bytes_out;
	void *service_state; /* identify's, of this connection */

	/* Whoever waits for it: exactly once, err 0 when it is open.  Cleared by a cancel. */
	void (*on_open)(void *arg, struct gn_conn *c, int err);
	void *arg;
};

struct gn_conn_cfg {
	struct gn_node *node;
	struct gn_link *link; /* taken over, on failure too */
	bool inbound;
	const struct gn_peer_id *expect; /* NULL: anybody */
	enum gn_addr_origin origin;
	gn_time began; /* of the attempt; 0: now */
	void (*on_open)(void *arg, struct gn_conn *c, int err);
	void *arg;
};

int gn_conn_new(const struct gn_conn_cfg *cfg, struct gn_conn **out);
/* In good order: Go Away once no stream is left, what is written goes out. */
void gn_conn_close(struct gn_conn *c);
/* At once: streams die of err. */
void gn_conn_abort(struct gn_conn *c, int err);
/* Frees it at once, with the node. */
void gn_conn_free(struct gn_conn *c);
/* A stream was given up: it may be time to go. */
void gn_conn_left(struct gn_conn *c);
/* Its turn comes soon. */
void gn_conn_post(struct gn_conn *c);
bool gn_conn_is_usable(const struct gn_conn *c); /* open, and takes streams */

/* alive.c: a sign of life is any byte that comes, whether or not it completes a unit of a layer, and
 * that the far host takes some of a backlog that persists. */
void gn_conn_received(struct gn_conn *c, size_t n);
/* Looks whether the far host takes what it is sent, when it is time to; from each turn. */
void gn_conn_look(struct gn_conn *c);
/* When it is time to look next. */
gn_time gn_conn_look_due(struct gn_conn *c);
/* Bytes that the far host has acknowledged.  The link is there. */
uint64_t gn_conn_taken(const struct gn_conn *c);
/* Is a handshake that has used up its limit still moving, so that it gets more time?  A handshake
 * ends after three times its limit at the latest. */
bool gn_conn_has_more_time(const struct gn_conn *c);
/* How long the far end may be silent in all; GN_NEVER. */
gn_time gn_conn_silence(const struct gn_conn *c);

/* conn_io.c */
void gn_conn_run(struct gn_task *task);
void gn_conn_on_ready(void *arg, unsigned ready);
/* conn.c, for conn_io.c: the state after a pump; looks at errors, ends, deadlines. */
void gn_conn_check(struct gn_conn *c);

/* limits.c */
/* Moves the connection to another count. */
void gn_conn_count_as(struct gn_conn *c, enum gn_conn_count count);
/* An inbound connection is secured, and the gate lets the peer in.  0: it is ADMITTED, or
 * c->refusal names the limit that the peer is to be told of.  GN_ELIMIT: past that limit, and too
 * many are being told already. */
int gn_conn_admit(struct gn_conn *c);

/* upgrade.c */
int gn_conn_upgrade(struct gn_conn *c);
void gn_conn_on_step(void *arg, struct gn_stack *s, struct gn_layer *l, int what);

#endif
