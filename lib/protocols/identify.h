/* SPDX-License-Identifier: MIT */
/*
 * Identify and identify push (specs identify/README.md), private to its own files.
 *
 *     identify_message.c  what is said, as bytes
 *     identify_own.c      what this node says to a peer
 *     identify.c          the service: its streams, what is kept of each connection
 *     identify_op.c       gn_identify_start() and _cancel()
 *
 * Every connection is asked once, both ways, right after it was opened.  Who lists the push
 * protocol hears of changes, when nothing has changed for a second.
 */
#ifndef GN_PROTOCOLS_IDENTIFY_H
#define GN_PROTOCOLS_IDENTIFY_H

#include "node/conn.h"
#include "node/stream.h"
#include "protocols/identify_message.h"

#define GN_IDENTIFY_ID "/ipfs/id/1.0.0"

enum {
	GN_IDENTIFY_TIME = 5,     /* s: a stream in all */
	GN_IDENTIFY_STREAMS = 4,  /* that a peer may have open on a connection */
	GN_IDENTIFY_PUSHES = 32,  /* at a time */
	GN_IDENTIFY_QUIET = 1000, /* ms without a change before it is told */
	/* Streams of a peer that are answered or listened to: so many at once, then one in so many s. */
	GN_IDENTIFY_BURST = 8,
	GN_IDENTIFY_EVERY = 10,
};

/* A bucket of tokens, of a peer over all of its connections.  Each stream that the peer opens costs
 * one, since it makes us sign or verify; with none left it is reset.  The first connection brings
 * GN_IDENTIFY_BURST of them, each further one, which costs the peer a handshake, one more. */
struct gn_identify_bucket {
	unsigned tokens, conns;
	gn_time filled; /* when tokens were added last */
};

struct gn_identify_service {
	struct gn_node *node;
	struct gn_list peers;   /* struct gn_identify_peer */
	struct gn_list streams; /* struct gn_identify_stream */
	struct gn_list ops;     /* struct gn_identify */
	struct gn_timer quiet;
	unsigned pushing;
	uint32_t version; /* of what this node is: one more with each change */
};

/* Of a connection; conn->service_state. */
struct gn_identify_peer {
	struct gn_list link;
	struct gn_identify_service *service;
	struct gn_conn *conn;
	struct gn_identify_bucket *bucket;
	uint64_t hash;                   /* of the bodies that `known` came from last */
	struct gn_identify_known *known; /* NULL: it has not said yet */
	struct gn_task task;             /* asks it */
	uint8_t turns;                   /* to wait before */
	bool is_asked, pending_push;
	struct gn_identify_stream *asking; /* NULL: not now */
	struct gn_list waiters;            /* operations that wait for the answer */
	uint32_t told;                     /* the version that it knows; 0: none */
};

/* Asks, if it is not being asked already.  0, or as gn_stream_open(). */
int gn_identify_ask(struct gn_identify_peer *peer);

/* identify_own.c: the messages for the peer at the other end of conn. */
int gn_identify_own_make(const struct gn_conn *conn, struct gn_buf *out);

/* identify_op.c: whoever waits hears it: err 0 and bodies, or an error. */
void gn_identify_op_told(struct gn_list *waiters, int err, const struct gn_buf *body);
/* Frees all of them, without a word. */
void gn_identify_ops_free(struct gn_identify_service *service);

#endif
