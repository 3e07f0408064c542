/* SPDX-License-Identifier: MIT */
/*
 * A connection: a link, a stack of layers over it, and a session on top.
 *
 *     conn.c     the states of a connection: opening, open, closing, gone
 *     conn_io.c  one turn of a connection: read, pump, deliver events, write
 *     alive.c    liveness of the peer's host, and more time for handshakes on slow paths
 *     upgrade.c  the order of the layers: security, then multiplexing
 *
 * The node owns its connections.  A connection is freed when its link is gone and nobody holds a stream of it.
 * Every function here may be called from inside any callback of the library, except where it says otherwise.
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

/*     SECURING -- the handshake has proved the peer's identity --> MUXING
 *     MUXING -- a session exists --> OPEN
 *     OPEN -- closed here, or the session has ended --> CLOSING
 *     any -- the link failed or was dropped --> GONE
 */
enum gn_conn_state {
	GN_CONN_SECURING,
	GN_CONN_MUXING,
	GN_CONN_OPEN,
	GN_CONN_CLOSING, /* what is queued, and then the end, is sent */
	GN_CONN_GONE,    /* there is no link any more */
};

/* Which counters of the node and of its network include a connection; see limits.c.
 *
 *     inbound: PENDING -- secured, and within the limits --> ADMITTED
 *              PENDING -- secured, and past a limit, of which the peer is informed --> REFUSED
 *     dialled: ADMITTED from the beginning
 *     any -- the link is gone, or the connection was closed to make room --> NONE
 */
enum gn_conn_count { GN_COUNT_NONE, GN_COUNT_PENDING, GN_COUNT_REFUSED, GN_COUNT_ADMITTED };

struct gn_conn {
	struct gn_node *node;
	struct gn_list link_node; /* in node->conns */
	enum gn_conn_state state;
	bool inbound;
	int err; /* why the connection ended; 0 while it has not */
	uint8_t guid[GN_GUID_LEN];
	struct gn_peer_id peer; /* before the handshake has ended: the expected peer, or none */
	uint32_t service_slots; /* the services that the connection was reported to, see service.c */
	struct gn_multiaddr *remote, *local;
	enum gn_addr_origin origin;
	gn_time since;
	gn_time began; /* start of the dial of the address, or of the accept; limits of the handshake count from it */
	struct gn_network *network;  /* of remote; holds a reference */
	struct gn_list link_pending; /* in node->pending while count is PENDING or REFUSED */
	enum gn_conn_count count;
	unsigned streams_in;
	unsigned n_negotiating; /* inbound streams that have no protocol yet */
	uint32_t refusal;       /* the Go Away code that refuses the peer; 0: the peer is not refused */

	struct gn_link *link;
	struct gn_pipe rx, tx;
	struct gn_stack stack;
	struct gn_mux_session *session;
	const struct gn_security_ops *security; /* the one in use */
	bool can_read, can_write;               /* what the link is expected to be ready for */
	bool is_ended;                          /* the link's writing side is shut */
	bool is_owed;             /* a stream was released in good order: a close waits until its bytes were taken */
	bool is_announced;        /* on_open was called */
	bool is_first_seen;       /* an inbound stream has come */
	bool is_closing_reported; /* to the services */
	unsigned wants;           /* the events that the link reports, enum gn_ready */
	int write_err;            /* the error of the last write; the next read finds the end */
	uint64_t written;         /* bytes that the link has taken */
	uint64_t delivered;       /* of them, those that the peer's host had acknowledged when the deadline was set */
	size_t unacked;           /* bytes that the peer's host had not acknowledged when the link was dropped */

	/* liveness, alive.c */
	gn_time last_alive;       /* the last sign of life */
	uint64_t received;        /* bytes from the link */
	gn_time check_at;         /* when the backlog is checked next; GN_NEVER */
	size_t backlog;           /* bytes that the peer's host had not acknowledged at the last check */
	uint64_t checked_written; /* `written` at the last check */

	struct gn_task task;
	struct gn_timer timer;
	gn_time deadline; /* of the state */
	gn_time retry;    /* when writing is tried again without an event of the link; GN_NEVER */

	struct gn_list streams_open;
	uint64_t bytes_in, bytes_out;
	struct gn_service_conn *services; /* states of services that keep one per connection */

	/* Called exactly once; err is 0 when the connection is open.  NULL after a cancel. */
	void (*on_open)(void *arg, struct gn_conn *c, int err);
	void *arg;
};

struct gn_conn_cfg {
	struct gn_node *node;
	struct gn_link *link; /* taken over, also on failure */
	bool inbound;
	const struct gn_peer_id *expect; /* NULL: any peer */
	enum gn_addr_origin origin;
	gn_time began; /* start of the attempt; 0: now */
	void (*on_open)(void *arg, struct gn_conn *c, int err);
	void *arg;
};

/* 0, -ENOMEM, or the error of a layer's init.  on_open is not called from inside, nor after a failure. */
int gn_conn_new(const struct gn_conn_cfg *cfg, struct gn_conn **out);
/* Closes in good order: what is written is sent, and Go Away once no stream is left.  A connection that is not open
 * yet is aborted with GN_ECLOSED. */
void gn_conn_close(struct gn_conn *c);
/* Drops the link at once; on_open and the streams' owners get err. */
void gn_conn_abort(struct gn_conn *c, int err);
/* Frees the connection at once, when the node is freed.  Not from inside a callback of the connection. */
void gn_conn_free(struct gn_conn *c);
/* Schedules a turn. */
void gn_conn_post(struct gn_conn *c);
bool gn_conn_is_usable(const struct gn_conn *c); /* the connection is open and takes new streams */

/* alive.c.  A sign of life is any byte that is received, whether or not it completes a unit of a layer, and an
 * acknowledgement by the peer's host of a part of a backlog that persists. */
void gn_conn_received(struct gn_conn *c, size_t n);
/* Checks whether the peer's host acknowledges what was sent, when that is due.  Called in each turn. */
void gn_conn_check_backlog(struct gn_conn *c);
/* When that check is due next; GN_NEVER. */
gn_time gn_conn_backlog_due(struct gn_conn *c);
/* Bytes that the peer's host has acknowledged.  The connection must have a link. */
uint64_t gn_conn_taken(const struct gn_conn *c);
/* Whether a handshake that has used up its limit still makes progress and gets more time.  A handshake
 * ends after three times its limit at the latest. */
bool gn_conn_has_more_time(const struct gn_conn *c);
/* How long the peer may be silent in all; GN_NEVER. */
gn_time gn_conn_silence(const struct gn_conn *c);

/* conn_io.c */
void gn_conn_run(struct gn_task *task);
void gn_conn_on_ready(void *arg, unsigned ready);
/* conn.c, for conn_io.c: handles errors, ends and deadlines after a pump. */
void gn_conn_check(struct gn_conn *c);

/* limits.c */
/* Moves the connection from its counters to others. */
void gn_conn_count_as(struct gn_conn *c, enum gn_conn_count count);
/* For an inbound connection that is secured and that the gate lets in.  Returns 0 when the connection is ADMITTED,
 * or REFUSED with the limit in c->refusal; GN_ELIMIT when a limit is hit and too many peers are being informed of
 * one already. */
int gn_conn_admit(struct gn_conn *c);

/* upgrade.c */
int gn_conn_upgrade(struct gn_conn *c); /* pushes the first layers; -ENOMEM or the error of a layer's init */
void gn_conn_on_step(void *arg, struct gn_stack *s, struct gn_layer *l, int what);

#endif
