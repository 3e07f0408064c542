/* SPDX-License-Identifier: MIT */
/*
 * Identify and identify push (specs identify/README.md), private to its own files.
 *
 *     identify_message.c  the messages as bytes
 *     identify_own.c      the message of this node
 *     identify.c          the service: its streams, and its state of each connection
 *     identify_op.c       gn_identify_start() and _cancel()
 *
 * Each side queries the other once, right after the connection was opened.  A peer that serves the push
 * protocol is sent changes, once nothing has changed for a second.
 *
 * What a peer has sent is kept with the connection, in one block (struct gn_identify_known).  If this node has dialled
 * the peer, it enters the node's address book, too (node/peerbook.h).
 */
#ifndef GN_PROTOCOLS_IDENTIFY_H
#define GN_PROTOCOLS_IDENTIFY_H

#include "node/conn.h"
#include "node/service.h"
#include "node/stream.h"
#include "protocols/identify_message.h"

#define GN_IDENTIFY_ID "/ipfs/id/1.0.0"

enum {
	GN_IDENTIFY_TIME = 5,     /* s: limit of a stream */
	GN_IDENTIFY_STREAMS = 4,  /* inbound streams on a connection at a time */
	GN_IDENTIFY_PUSHES = 32,  /* outbound pushes of the node at a time */
	GN_IDENTIFY_QUIET = 1000, /* ms without a change before it is pushed */
	/* Inbound streams that are accepted from a peer: a burst, then one in so many seconds. */
	GN_IDENTIFY_BURST = 8,
	GN_IDENTIFY_EVERY = 10,
};

/* A token bucket for one peer, shared by all of its connections.  Each inbound stream takes one token, because
 * it costs a signature or a verification; without a token it is reset.  The first connection adds
 * GN_IDENTIFY_BURST tokens, each further one, which costs the peer a handshake, one. */
struct gn_identify_bucket {
	unsigned tokens, conns;
	gn_time filled; /* when tokens were added last */
};

struct gn_identify_service {
	struct gn_node *node;
	struct gn_list peers;   /* struct gn_identify_peer, those with pending_push in front */
	struct gn_list streams; /* struct gn_identify_stream */
	struct gn_list ops;     /* struct gn_identify */
	struct gn_timer quiet;
	unsigned pushing;
	uint32_t version; /* of this node's own message; incremented by each change */
};

/* The state of a connection. */
struct gn_identify_peer {
	struct gn_service_conn base; /* base.service is the struct gn_identify_service */
	struct gn_list link;         /* in service->peers */
	struct gn_conn *conn;
	struct gn_identify_bucket *bucket;
	uint64_t hash;                   /* of the message that `known` was made from last */
	struct gn_identify_known *known; /* NULL: not received yet */
	struct gn_task task;             /* sends the query */
	uint8_t delay_turns;             /* of the loop, before the query */
	bool is_queried, pending_push;
	unsigned n_inbound;               /* its streams that the peer has opened */
	struct gn_identify_stream *query; /* the query that is running, or NULL */
	struct gn_list waiters;           /* operations that wait for its answer */
	uint32_t sent_version;            /* the version that was sent to the peer; 0: none */
};

/* identify_bucket.c: the bucket of the connection's peer, for one more connection; NULL: no memory. */
struct gn_identify_bucket *gn_identify_bucket_get(struct gn_identify_service *sv, const struct gn_conn *c);
void gn_identify_bucket_put(struct gn_identify_bucket *b); /* of a connection that has ended */
/* Takes a token; false: there is none. */
bool gn_identify_bucket_take(struct gn_identify_bucket *b, gn_time now);

/* Sends a query, unless one is running.  Returns 0, or an error as gn_stream_open(). */
int gn_identify_query(struct gn_identify_peer *peer);

/* identify_own.c: appends the messages of this node for the peer of conn.  Errors as gn_node_addrs(). */
int gn_identify_own_make(const struct gn_conn *conn, struct gn_buf *out);

/* The state of a connection; NULL when there was no memory for it, or the connection is not open. */
struct gn_identify_peer *gn_identify_peer_find(const struct gn_identify_service *service, const struct gn_conn *conn);
/* The last message of the peer of a connection, for services that are attached after it was received; the caller calls
 * gn_identify_view_fini().  It has no key and no record.  GN_EAGAIN: none was received yet, and on_identified
 * will be called; -EINVAL: the node has no identify service; -ENOMEM. */
int gn_identify_get(const struct gn_conn *conn, struct gn_identify_view *view);

/* identify_op.c: finishes the waiting operations, with err 0 and the received bodies, or with an error. */
void gn_identify_ops_finish(struct gn_list *waiters, int err, const struct gn_buf *body);
/* The service is being stopped: frees all operations.  Unless the node is being freed, their on_done is called, with
 * GN_ECLOSED if they have no result. */
void gn_identify_ops_stop(struct gn_identify_service *service);

#endif
