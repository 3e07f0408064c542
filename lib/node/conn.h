/* SPDX-License-Identifier: MIT */
/*
 * A connection: a link, a stack of layers over it, and a session on top.
 *
 *     conn.c     the states of a connection: opening, open, closing, gone
 *     conn_io.c  one turn of a connection: read, pump, deliver events, write
 *     stream_link.h  a link over a stream of another connection
 *     alive.c    liveness of the peer's host, and more time for handshakes on slow paths
 *     paths.h    the path of a connection, its role in the handshake, and the choice between several to one peer
 *     upgrade.h  the order of the layers: security, then multiplexing
 *
 * These files call nothing above them: what the node has to know is reported through struct gn_conn_events.
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
#include "node/components.h"
#include "node/networks.h"
#include "node/paths.h"
#include "node/peers.h"
#include "node/upgrade.h"
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

/* Whether on_open was called.
 *
 *     PENDING -- the session is there and the peer is not refused --> OPENED
 *     PENDING -- the connection has ended before --> FAILED
 */
enum gn_conn_report { GN_REPORT_PENDING, GN_REPORT_OPENED, GN_REPORT_FAILED };

/* The sending direction of the link.
 *
 *     OPEN -- everything was written, and the connection is closing --> SHUT
 *     OPEN -- a write failed --> FAILED
 */
enum gn_conn_tx {
	GN_TX_OPEN,
	GN_TX_SHUT,   /* the end was sent; the peer's end is awaited */
	GN_TX_FAILED, /* what was received before is still read; the next read finds the end */
};

struct gn_conn;

/* What a connection reports to its owner, the node.  No callback may free the connection; each may call
 * gn_conn_close(), gn_conn_abort() and gn_conn_post() for it and for others, except where it says otherwise. */
struct gn_conn_events {
	/* From inside gn_conn_new(): the connection exists, and may still fail in gn_conn_new().  Calls nothing. */
	void (*added)(struct gn_node *node, struct gn_conn *c);
	/* The peer has proved its identity.  Returns 0: the connection goes on, and if the callee has set c->refusal
	 * and c->err, it is refused by Go Away once there is a session; or an error, which ends the connection. */
	int (*secured)(struct gn_node *node, struct gn_conn *c);
	/* The connection is open; called once, before on_open. */
	void (*opened)(struct gn_node *node, struct gn_conn *c);
	/* c->is_suspect has changed. */
	void (*suspect)(struct gn_node *node, struct gn_conn *c);
	/* gn_conn_close() of an open connection begins. */
	void (*closing)(struct gn_node *node, struct gn_conn *c);
	/* Whether the peer may open one more stream, as struct gn_mux_cfg has it.  Called inside the pump: it calls
	 * nothing. */
	int (*admit)(struct gn_node *node, struct gn_conn *c);
	/* The peer has opened a stream, which is the callee's. */
	void (*incoming)(struct gn_node *node, struct gn_conn *c, struct gn_mux_stream *st);
	/* Whether a stream of the connection has a protocol; see limits.first_stream. */
	bool (*is_used)(const struct gn_conn *c);
	/* The link is gone, and the streams have failed; c->err says why.  Called once, also when the connection never
	 * was open, before on_open is called with the error. */
	void (*gone)(struct gn_node *node, struct gn_conn *c);
	/* The connection is about to be freed; its link and its streams are gone. */
	void (*freed)(struct gn_node *node, struct gn_conn *c);
};

/* What all connections of a node share; the node owns it. */
struct gn_conn_env {
	struct gn_loop *loop;
	struct gn_iobuf *iobuf;
	struct gn_networks *networks;
	struct gn_peers *peers;
	const struct gn_component_states *components;
	const struct gn_limits *limits;
	const struct gn_key *key;
	const struct gn_conn_events *events;
	struct gn_upgrade upgrade;
	bool closes_unused; /* connections close as soon as they have no stream */
};

struct gn_conn {
	struct gn_node *node; /* the owner */
	struct gn_conn_env *env;
	struct gn_list link_node; /* in node->conns */
	/* The states are bit-fields, because an idle connection has to stay small. */
	enum gn_conn_state state : 4;
	enum gn_conn_report report : 2;
	enum gn_conn_count count : 3;
	enum gn_conn_tx tx_state : 2;
	enum gn_addr_origin origin : 4;
	enum gn_path path : 1;
	bool inbound : 1;             /* the peer dialled */
	bool is_client : 1;           /* the role in the handshake, see enum gn_conn_role */
	bool is_probe : 1;            /* of struct gn_conn_cfg */
	bool is_suspect : 1;          /* the peer is silent, see gn_conn_check_silence() */
	bool is_wanted : 1;           /* a dial that is not transient has used it, see gn_conn_used_by_dial() */
	bool is_transient : 1;        /* only transient dials have: it closes GN_TRANSIENT_IDLE after its last stream */
	bool had_incoming : 1;        /* the peer has opened a stream */
	bool had_streams : 1;         /* there were streams in the last turn */
	bool is_closing_reported : 1; /* to the services */
	bool is_in_book : 1;          /* the connection holds its peer in the node's book */
	bool must_flush : 1; /* a stream was released in good order: a close waits until its bytes were acknowledged */
	bool yields : 1;     /* a connection over a stream of this one has views to read: this turn reads no more */
	uint8_t ready;       /* what the link is expected to be ready for, enum gn_ready */
	uint8_t watched;     /* what the link reports, enum gn_ready */
	uint8_t guid[GN_GUID_LEN];
	int16_t tx_err;         /* of GN_TX_FAILED; all error codes fit */
	int err;                /* why the connection ended; 0 while it has not */
	uint32_t path_seconds;  /* with path_bytes the limits of the path, struct gn_path_limits */
	uint32_t refusal;       /* the Go Away code that refuses the peer; 0: the peer is not refused */
	uint32_t service_slots; /* the services that the connection was reported to, see service.c */
	unsigned n_negotiating; /* inbound streams that have no protocol yet */
	unsigned n_used;        /* streams that have a protocol; limits.c counts them */
	uint64_t path_bytes;
	struct gn_peer *peer;     /* before the handshake has ended: the expected peer, or NULL; holds a reference */
	struct gn_list link_peer; /* in peer->conns, once the handshake has ended */
	struct gn_multiaddr *remote, *local;
	gn_time since;
	gn_time began; /* start of the dial of the address, or of the accept; limits of the handshake count from it */
	struct gn_network *network;  /* of remote; holds a reference */
	struct gn_scope scope;       /* what the connection holds */
	struct gn_list link_network; /* in network->pending_conns or unused_conns, or in node->young */

	struct gn_link *link;
	struct gn_pipe own_rx, own_tx; /* below the stack, unless the link has pipes; see gn_conn_rx() */
	struct gn_stack stack;
	struct gn_mux_session *session;
	const struct gn_security_ops *security; /* the one in use */
	uint64_t written;                       /* bytes that the link has taken, or that were put into its pipe */
	uint64_t delivered; /* of them, those that the peer's host had acknowledged when the deadline was set */

	/* liveness, alive.c */
	gn_time last_alive; /* the last sign of life */
	uint64_t received;  /* bytes from the link */
	gn_time check_at;   /* when the backlog is checked next; GN_NEVER */
	/* Bytes that the peer's host had not acknowledged at the last check, or when the link was dropped. */
	size_t backlog;
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
	struct gn_conn_env *env;
	struct gn_link *link; /* taken over, also on failure */
	bool inbound;         /* the peer dialled */
	enum gn_conn_role role;
	bool is_probe;                   /* only its owner uses it: gn_node_find_conn() does not return it */
	const struct gn_peer_id *expect; /* NULL: any peer */
	enum gn_addr_origin origin;
	gn_time began; /* start of the attempt; 0: now */
	void (*on_open)(void *arg, struct gn_conn *c, int err);
	void *arg;
};

/* The limit of the handshake of an inbound connection is limits.accept; the caller, who dialled it, has to abort an
 * outbound one in time.  0, -ENOMEM, or the error of a layer's init.  on_open is not called from inside, nor after a failure. */
int gn_conn_new(const struct gn_conn_cfg *cfg, struct gn_conn **out);
/* Closes in good order: what is written is sent, and Go Away once no stream is left.  A connection that is not open
 * yet is aborted with GN_ECLOSED. */
void gn_conn_close(struct gn_conn *c);
/* Drops the link at once; on_open and the streams' owners get err. */
void gn_conn_abort(struct gn_conn *c, int err);
/* Frees the connection at once, when the node is freed.  Its streams must have been released.  Not from inside a
 * callback of the connection. */
void gn_conn_free(struct gn_conn *c);
/* Schedules a turn. */
void gn_conn_post(struct gn_conn *c);
/* The pipes below the stack. */
static inline struct gn_pipe *gn_conn_rx(const struct gn_conn *c)
{
	return c->stack.cfg.rx;
}

static inline struct gn_pipe *gn_conn_tx(const struct gn_conn *c)
{
	return c->stack.cfg.tx;
}

bool gn_conn_is_usable(const struct gn_conn *c); /* the connection is open and takes new streams */
/* The id of the peer, or of the expected one; len 0: none is known. */
const struct gn_peer_id *gn_conn_peer(const struct gn_conn *c);
/* For upgrade.c: the handshake has proved that this is the peer.  0 or -ENOMEM. */
int gn_conn_set_peer(struct gn_conn *c, const struct gn_peer_id *id);

/* alive.c.  A sign of life is any byte that is received, whether or not it completes a unit of a layer, and an
 * acknowledgement by the peer's host of a part of a backlog that persists. */
void gn_conn_received(struct gn_conn *c, size_t n);
/* Checks whether the peer's host acknowledges what was sent, when that is due.  Called in each turn. */
void gn_conn_check_backlog(struct gn_conn *c);
/* When that check is due next; GN_NEVER. */
gn_time gn_conn_backlog_due(struct gn_conn *c);
/* What `written` will be when everything has gone that is queued below the stack now. */
uint64_t gn_conn_queued_end(const struct gn_conn *c);
/* Bytes that the peer's host has acknowledged.  The connection must have a link. */
uint64_t gn_conn_taken(const struct gn_conn *c);
/* Whether a handshake that has used up its limit still makes progress and gets more time.  A handshake
 * ends after three times its limit at the latest. */
bool gn_conn_has_more_time(const struct gn_conn *c);
/* How long the peer may be silent in all; GN_NEVER. */
gn_time gn_conn_silence(const struct gn_conn *c);
/* An open connection is suspect while there was no sign of life for limits.keepalive and a third of limits.ping: by
 * default 30 s, of which the keep-alive ping has waited 15 s for its answer.  So a healthy connection is never
 * suspect, however idle it is, and without keep-alive pings none is.  The check sets c->is_suspect, and reports a
 * change; it is called in each turn of an open connection. */
void gn_conn_check_silence(struct gn_conn *c);
/* When that check is due next; GN_NEVER. */
gn_time gn_conn_silence_due(const struct gn_conn *c);

/* conn_io.c */
void gn_conn_run(struct gn_task *task);
void gn_conn_on_ready(void *arg, unsigned ready);
/* The stack has put bytes into the pipe of the link since the pipe had `before` bytes. */
void gn_conn_count_put(struct gn_conn *c, size_t before);
/* conn.c, for conn_io.c: handles errors, ends and deadlines after a pump. */
void gn_conn_check(struct gn_conn *c);

#endif
