/* SPDX-License-Identifier: MIT */
/*
 * A stream with a protocol: a stream of a multiplexer, and the multistream-select negotiation of its
 * protocol.  Channels and services embed it in their own structs.
 *
 * The opener may write at once.  Reading returns GN_EAGAIN until the peer has accepted the protocol, and
 * GN_ENOPROTO if the peer refuses it, or resets the stream before it has answered.
 *
 * Inbound streams whose protocol is not negotiated yet are counted separately, see negotiating.h.
 */
#ifndef GN_NODE_STREAM_H
#define GN_NODE_STREAM_H

#include "gn.h"
#include "loop/loop.h"
#include "mux/session.h"
#include "stack/stack.h"

struct gn_conn;

struct gn_stream {
	struct gn_conn *conn; /* NULL: not open */
	struct gn_mux_stream *mux;
	struct gn_stack stack;           /* the negotiation, while it lasts */
	struct gn_timer timer;           /* its time limit */
	gn_time since;                   /* when it began */
	uint64_t received;               /* bytes that the connection had received by then */
	uint64_t proposal_end;           /* bytes that it will have written when our proposal is out, at most */
	struct gn_list link;             /* in conn->streams_open */
	struct gn_list link_negotiating; /* in network->negotiating: inbound, and without a protocol */
	const char *protocol;            /* the opener's string, or that of the registry */
	bool inbound;
	bool is_channel;     /* the owner is a channel of the program */
	bool is_open;        /* the protocol is negotiated */
	bool is_drained;     /* GN_DRAINED was delivered */
	bool is_ending;      /* gn_stream_end() was called; the end is sent after the peer's answer */
	bool pending_sync;   /* gn_stream_sync() waits for that end */
	char *unknown;       /* inbound: a proposal that is not served, until it is reported */
	uint64_t preface;    /* bytes of mux->sent that belong to the negotiation */
	int err;             /* the error that the stream failed with; 0 while it is open */
	uint32_t generation; /* inbound: that of the registry's entry */
	/* Events of gn.h's enum gn_channel_event.  The owner may close and free the stream in it. */
	void (*on_event)(void *arg, struct gn_stream *s, unsigned events);
	/* The node is being freed and has closed the stream; the owner frees its memory, and calls nothing else. */
	void (*on_lost)(void *arg, struct gn_stream *s);
	/* Only of a stream that carries another connection, see stream_link.h.  err 0: conn is about to close in good order;
	 * the callee calls nothing.  Otherwise conn is gone with err; the callee may close and free this stream and others. */
	void (*on_conn)(void *arg, struct gn_stream *s, int err);
	void *arg;
};

/* Flags of gn_stream_open(). */
enum {
	GN_STREAM_LIMITED = 1, /* the stream may use a limited connection, which a relay may end at any time */
};
/* Opens a stream on a connection and proposes the protocol, without waiting for the answer.  s is the caller's
 * memory; the caller sets on_event and arg afterwards.  protocol is borrowed until the stream is closed.  GN_EGONE:
 * the connection takes no more streams; GN_ELIMIT: limits.memory or memory_per_peer is used up; -EPERM: the
 * connection is limited, and the flags do not allow that; -ENOMEM. */
int gn_stream_open(struct gn_stream *s, struct gn_conn *conn, const char *protocol, unsigned flags);
/* Moves the stream that on_open of a registry entry received to s.  The caller sets on_event and arg afterwards. */
void gn_stream_accept(struct gn_stream *s, struct gn_stream *handed);
/* Releases the stream, with the effects of gn_channel_free().  A stream that is not open is allowed. */
void gn_stream_close(struct gn_stream *s);
/* Resets both directions; the stream still has to be closed. */
void gn_stream_reset(struct gn_stream *s);
/* Resets both directions because of an error of this node.  GN_DEAD is delivered later, not from inside. */
void gn_stream_kill(struct gn_stream *s, int err);

/* As the functions of gn.h for channels. */
int gn_stream_peek(struct gn_stream *s, struct iovec *v, int max);
void gn_stream_skip(struct gn_stream *s, size_t n);
ptrdiff_t gn_stream_read(struct gn_stream *s, void *buf, size_t n);
ptrdiff_t gn_stream_write(struct gn_stream *s, const void *buf, size_t n);
int gn_stream_end(struct gn_stream *s);
int gn_stream_sync(struct gn_stream *s);
/* Write all bytes or none: 0, GN_EAGAIN, or an error as gn_stream_write(). */
int gn_stream_put(struct gn_stream *s, const void *buf, size_t n);
int gn_stream_putv(struct gn_stream *s, const struct iovec *v, int n);
void gn_stream_source(struct gn_stream *s, const struct gn_source *source, void *arg);
void gn_stream_wake(struct gn_stream *s); /* the source, or the pipe, has more bytes */
/* The number of the owner's bytes that the peer's multiplexer has acknowledged. */
uint64_t gn_stream_acked(const struct gn_stream *s);

/* For gn_conn_events.incoming: takes over a new inbound stream. */
void gn_stream_incoming(struct gn_conn *conn, struct gn_mux_stream *mux);
/* For the node, which is being freed: closes every stream of the connection, frees those that have no owner yet, and
 * calls on_lost of the others. */
void gn_streams_free(struct gn_conn *conn);

#endif
