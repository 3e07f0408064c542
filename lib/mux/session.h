/* SPDX-License-Identifier: MIT */
/*
 * The multiplexing interface: one byte stream becomes many, each with its own flow control
 * window.  A muxer is a layer at the top of a stack, and its state is a session.  A transport
 * that multiplexes by itself provides a session without a layer.
 *
 * A stream is a pair of pipes and the events about them.  Its owner reads rx, writes tx (memory or
 * a source), and calls touch() afterwards.  Events are collected while the stack is pumped, and
 * gn_mux_session_deliver() passes them to the owners afterwards: no session calls an owner back
 * from inside advance() or from inside one of its operations.
 *
 * All operations may be called from inside on_new and on_events, for the stream of the callback
 * and for every other one.  They may not be called from inside a source's peek or skip.
 *
 * The conformance suite tests/conform/session.c runs over every multiplexer.
 */
#ifndef GN_MUX_SESSION_H
#define GN_MUX_SESSION_H

#include "base/scope.h"
#include "stack/layer.h"

struct gn_mux_session;

enum gn_mux_stream_event {
	GN_MUX_STREAM_NEW = 1,    /* the peer opened it; on_new of gn_mux_session_deliver() takes it */
	GN_MUX_STREAM_RX = 2,     /* rx has new bytes or its end */
	GN_MUX_STREAM_TX = 4,     /* bytes were taken from tx, or its end was sent */
	GN_MUX_STREAM_GONE = 8,   /* the stream failed with `err`; rx keeps its bytes, unless it was reset */
	GN_MUX_STREAM_ACKED = 16, /* the peer has acknowledged what sync() asked about */
};

struct gn_mux_stream {
	struct gn_mux_session *session;
	/* The owner reads rx, and writes and closes tx.  The memory of both is charged to the session's scope, and so is
	 * what the window has grown beyond its initial size.  A stream that cannot keep what it has received, because
	 * the scope has no room, fails with GN_ELIMIT and is reset; the session goes on. */
	struct gn_pipe rx, tx;
	uint32_t id;
	bool inbound;
	bool is_established;            /* its protocol is negotiated, see establish() */
	bool has_fixed_window;          /* set by the owner: the receive window does not grow */
	bool is_ended_in, is_ended_out; /* the peer's end was received; ours was sent; they stay set */
	int err;                        /* 0, or what the stream failed with */
	uint64_t sent, acked; /* bytes taken from tx; of these, bytes acknowledged by the peer's multiplexer */
	/* Set by the owner, during negotiation, or because the stream carries a connection: a reset keeps what is in rx. */
	bool defers_reset;
	/* Set by the owner: a frame ends behind a block of tx if it can, so that a record of a connection over this stream,
	 * which lies in one block, is the body of one frame.  The peer then finds it in one piece. */
	bool keeps_blocks;
	unsigned events;     /* enum gn_mux_stream_event, not delivered yet */
	struct gn_list link; /* in session->events while `events` is not 0 */
	/* Set by the owner; NULL: events are dropped.  May release the stream. */
	void (*on_events)(void *arg, struct gn_mux_stream *s, unsigned events);
	void *arg;
};

struct gn_mux_session_ops {
	/* Opens a stream to the peer, which may be written at once.  Returns 0; GN_EGONE when the
	 * session has failed, either side has sent or is about to send Go Away, or the ids are used up;
	 * GN_ELIMIT when the scope is used up; or -ENOMEM.  The caller owns
	 * the stream until release(). */
	int (*open)(struct gn_mux_session *s, struct gn_mux_stream **out);
	/* The protocol of an inbound stream is negotiated.  Until then the peer is granted no more than the
	 * initial window, and the owner limits how much of that it keeps.  Returns 0 (also for a stream
	 * that is established already or has failed), or GN_ELIMIT when the scope is used up; then nothing
	 * has changed and the caller may try again.  Streams that were opened here are established from the beginning. */
	int (*establish)(struct gn_mux_stream *st);
	/* The owner calls it after it has read, written or closed the stream's pipes.  No effect on a
	 * stream that has failed. */
	void (*touch)(struct gn_mux_stream *st);
	/* Asks for GN_MUX_STREAM_ACKED.  The session waits until tx is empty and, if tx was closed, until
	 * the end was sent; it then asks the peer for an answer that can only follow all of that.  A call
	 * while an answer is pending extends the question to the bytes written since; one event
	 * covers both.  If the stream or the session fails before the answer, also when both directions
	 * have ended already, GN_MUX_STREAM_GONE comes instead.  No effect on a stream that has failed. */
	void (*sync)(struct gn_mux_stream *st);
	/* Ends both directions at once and drops what is buffered (with defers_reset, only what is in
	 * tx).  The stream's err becomes GN_ECLOSED and no event follows; the owner still has to release
	 * it.  No effect on a stream that has failed or has ended in both directions. */
	void (*reset)(struct gn_mux_stream *st);
	/* The owner gives the stream back and may not use it again; on_events is not called any more.
	 * If tx was closed with GN_EOF, the session still sends what is in tx and drops what is
	 * received; otherwise it resets the stream. */
	void (*release)(struct gn_mux_stream *st);
	/* The connection is lost: the session and every stream fail with err (not 0), and nothing is
	 * sent.  Owners still get GN_MUX_STREAM_GONE and release their streams.  No effect on a session
	 * that has failed already. */
	void (*kill)(struct gn_mux_session *s, int err);
	/* No new streams.  GN_GO_AWAY_NORMAL is a clean end, to be called when no stream is open; with
	 * another code (enum gn_go_away) the session and all streams fail.  The peer is sent the code,
	 * and the session closes its sending side behind it.  Later calls have no effect. */
	void (*go_away)(struct gn_mux_session *s, uint32_t code);
	/* True while a stream that was released in good order has bytes, or its end, to be sent. */
	bool (*has_unsent)(const struct gn_mux_session *s);
};

struct gn_mux_session {
	const struct gn_mux_session_ops *ops;
	struct gn_list events;  /* of struct gn_mux_stream.link */
	unsigned streams;       /* of both sides, including released ones that are not finished */
	unsigned inbound;       /* of these, the streams that the peer opened */
	int err;                /* 0, or what it failed with; GN_EREFUSED: the peer refuses this identity */
	bool is_remote_go_away; /* the peer takes no new streams, or the session has failed */
	size_t frame_max;       /* that of its muxer, set by the owner of the connection; 0: unknown */
	gn_time rtt;            /* smoothed round-trip time; 0: not measured yet */
	/* When data was received last.  A muxer sets it when it receives frames; the owner of the
	 * connection sets it when any bytes arrive, because a whole frame takes long on a slow path. */
	gn_time last_received;
	/* The clock: set by the muxer in advance(), and by the owner of a stream before it calls an
	 * operation. */
	gn_time now;
};

struct gn_mux_cfg {
	bool client;   /* the libp2p role (parity of stream ids); not who dialled */
	size_t window; /* bytes: the largest receive window of one stream */
	/* What streams are charged to, and counted in.  While it is used up no stream is opened or established.
	 * Outlives the session; NULL: no limit. */
	struct gn_scope *scope;
	gn_time keepalive; /* a ping is sent after so long without received data; 0: never */
	gn_time ping;      /* it fails with GN_ETIMEOUT after so long without data behind that */
	/* Decides about a stream that the peer opens.  Returns 0 to accept it; GN_ECLOSED to ignore it,
	 * because the session is about to end; or another error, such as GN_ELIMIT, to reset it.  Called from
	 * inside advance(): it may not call the session.  NULL: all are accepted. */
	int (*admit)(void *arg);
	void *arg;
};

struct gn_muxer_ops {
	const char *id;                                        /* in multistream-select: "/yamux/1.0.0" */
	size_t frame_max;                                      /* bytes of data in the longest frame that is sent */
	const struct gn_layer_ops *layer;                      /* init copies a struct gn_mux_cfg */
	struct gn_mux_session *(*session)(struct gn_layer *l); /* lives as long as the layer */
};

/* Codes of Go Away.  0 to 2 are yamux's (yamux/README.md, "Go Away"); from 0x1000 on they are libp2p's
 * connection error codes (specs error-codes, go-libp2p core/network); the last two are this library's own,
 * outside the range that libp2p reserves. */
enum gn_go_away {
	GN_GO_AWAY_NORMAL = 0,
	GN_GO_AWAY_PROTOCOL = 1,
	GN_GO_AWAY_INTERNAL = 2,
	GN_GO_AWAY_LIMIT = 0x1001,           /* a resource limit */
	GN_GO_AWAY_GATED = 0x1007,           /* this identity is refused */
	GN_GO_AWAY_CONNS = 0x474e01,         /* limit conns */
	GN_GO_AWAY_CONNS_PER_ADDR = 0x474e02 /* limit conns_per_addr */
};
/* The error that a session fails with when the peer sends a code other than GN_GO_AWAY_NORMAL; GN_EGONE for
 * codes that are not known. */
int gn_go_away_error(uint32_t code);

/* Delivers the events collected so far; events that come up meanwhile wait for the next call.  A new stream
 * is passed to on_new, which sets on_events and arg, or releases the stream; its other events follow with the
 * next call.  May not be called from inside itself, and the session may not be freed from inside. */
void gn_mux_session_deliver(struct gn_mux_session *s, void (*on_new)(void *arg, struct gn_mux_stream *st), void *arg);
/* For the owner of the I/O buffers: handles the streams whose rx has overflowed (pipe.h).  They fail.  Not from inside
 * the pump. */
void gn_mux_check_overflows(struct gn_iobuf *s);
/* Adds events to a stream for the next gn_mux_session_deliver().  Used by muxers, and by an owner that wants
 * to be called back. */
void gn_mux_stream_notify(struct gn_mux_stream *st, unsigned events);

#endif
