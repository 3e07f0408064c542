/* SPDX-License-Identifier: MIT */
/*
 * The multiplexing interface: one stream of bytes becomes many, each with its own
 * window.  A muxer is a layer on top of a stack, and that layer is a session.  A
 * transport that multiplexes by itself gives a session without a layer.
 *
 * A stream is a pair of pipes and events about them.  Its owner reads rx and writes tx
 * (memory, or a source) and says so with touch().  News is collected while the stack is
 * pumped and delivered by gn_mux_session_deliver() afterwards: nothing is called back from
 * inside the layer.
 */
#ifndef GN_MUX_SESSION_H
#define GN_MUX_SESSION_H

#include "base/budget.h"
#include "stack/layer.h"

struct gn_mux_session;

enum gn_mux_stream_event {
	GN_MUX_STREAM_NEW = 1,    /* inbound; nobody's yet */
	GN_MUX_STREAM_RX = 2,     /* bytes or an end in rx */
	GN_MUX_STREAM_TX = 4,     /* bytes were taken from tx, or its end was */
	GN_MUX_STREAM_GONE = 8,   /* it died: err says of what; rx keeps what had come, unless it was reset */
	GN_MUX_STREAM_ACKED = 16, /* what sync() asked about has been acknowledged */
};

struct gn_mux_stream {
	struct gn_mux_session *session;
	/* Seen from the owner: rx to be read, tx to be written and closed.  What is written to tx is
	 * held to the session's budget, what comes in is not, but for the window. */
	struct gn_pipe rx, tx;
	uint32_t id;
	bool inbound;
	bool is_established;            /* its window is held to the budget, see establish() */
	bool has_fixed_window;          /* set by the owner: the receive window does not grow */
	bool is_ended_in, is_ended_out; /* the far end's FIN has come; ours is on its way */
	int err;                        /* 0, or what it died of */
	uint64_t sent, acked; /* bytes taken from tx; of them, those that the far end's multiplexer confirmed */
	bool defers_reset;    /* a protocol is being agreed on: a reset comes behind what is in rx */
	unsigned events;      /* gn_mux_stream_event */
	struct gn_list link;  /* in session->events while there are any */
	/* Set by the owner; NULL: nobody listens. */
	void (*on_events)(void *arg, struct gn_mux_stream *s, unsigned events);
	void *arg;
};

struct gn_mux_session_ops {
	/* A new stream to the far end; it may be written at once.  GN_EGONE when the session
	 * takes no more, GN_ELIMIT (memory), -ENOMEM. */
	int (*open)(struct gn_mux_session *s, struct gn_mux_stream **out);
	/* An inbound stream is worth its window now: its protocol is agreed on.  Until then nothing is
	 * held for it, and it is granted no more than a stream may send to begin with; its owner
	 * bounds what it keeps of that.  GN_ELIMIT: the budget is used up, and nothing has changed.
	 * Streams that were opened here are established from the beginning. */
	int (*establish)(struct gn_mux_stream *st);
	/* The owner has read or written the stream's pipes. */
	void (*touch)(struct gn_mux_stream *st);
	/* Asks for GN_MUX_STREAM_ACKED.  The session waits until tx has nothing left to show, and until
	 * the end is out if tx was closed; it then asks the far end for an answer that can only
	 * come behind all of that.  A call while an answer is pending extends the question to
	 * the bytes written since.  Should the stream or the session die before, also after both
	 * directions have ended, GN_MUX_STREAM_GONE comes instead. */
	void (*sync)(struct gn_mux_stream *st);
	/* Kills both directions; the owner still has to release it. */
	void (*reset)(struct gn_mux_stream *st);
	/* The owner gives it up.  Where tx was closed in good order, what is left of it still
	 * goes out and what comes in is dropped; otherwise it is reset. */
	void (*release)(struct gn_mux_stream *st);
	/* The connection is no more: every stream dies of err, nothing is said. */
	void (*kill)(struct gn_mux_session *s, int err);
	/* No more streams; code 0 is a clean end, to be said when no stream is open. */
	void (*go_away)(struct gn_mux_session *s, uint32_t code);
	/* Has a stream that was given up in good order bytes, or its end, that were not pulled yet? */
	bool (*has_unsent)(const struct gn_mux_session *s);
};

struct gn_mux_session {
	const struct gn_mux_session_ops *ops;
	struct gn_list events; /* streams */
	unsigned streams;      /* in the session, both ways, those that are given up too */
	unsigned inbound;      /* of them, the far end's */
	int err;               /* why the session is over; GN_EREFUSED: the far end refuses this identity */
	bool is_away;          /* the far end takes no more streams */
	gn_time rtt;           /* smoothed; 0: not known yet */
	/* When there was a sign of life last.  A layer sets it when frames come; whoever owns the
	 * connection sets it when any bytes come, since a frame takes its time on a slow path. */
	gn_time heard;
	/* The clock: set by a layer when it is advanced, and by the owner of a stream before it calls. */
	gn_time now;
};

struct gn_mux_cfg {
	bool client;              /* the libp2p role, not the transport's */
	size_t window;            /* the most that one stream's receive window grows to */
	struct gn_budget *budget; /* what streams are held to; outlives the session; NULL: nothing is */
	gn_time keepalive;        /* a ping when there was no sign of life for so long; 0 never */
	gn_time ping;             /* the session is over when there is none for so long after that */
	/* May one more inbound stream come in?  0; GN_ELIMIT: it is reset; GN_ECLOSED: we are about to
	 * end the session, and that will be the answer.  NULL: always. */
	int (*admit)(void *arg);
	void *arg;
};

struct gn_muxer_ops {
	const char *id;                   /* in multistream-select: "/yamux/1.0.0" */
	const struct gn_layer_ops *layer; /* init takes a struct gn_mux_cfg */
	struct gn_mux_session *(*session)(struct gn_layer *l);
};

/* Codes of Go Away.  From 0x1000 on they are libp2p's connection error codes, as go-libp2p says
 * them; the last two are this library's own, outside the range that libp2p has for itself. */
enum gn_go_away {
	GN_GO_AWAY_NORMAL = 0,
	GN_GO_AWAY_PROTOCOL = 1,
	GN_GO_AWAY_INTERNAL = 2,
	GN_GO_AWAY_LIMIT = 0x1001,           /* some limit of resources */
	GN_GO_AWAY_GATED = 0x1007,           /* this identity is refused */
	GN_GO_AWAY_CONNS = 0x474e01,         /* limit conns */
	GN_GO_AWAY_CONNS_PER_ADDR = 0x474e02 /* limit conns_per_addr */
};
/* What a session dies of when the far end says such a code, other than GN_GO_AWAY_NORMAL. */
int gn_go_away_error(uint32_t code);

/* Calls on_events of every stream that has some; new streams go to on_new first, which
 * sets on_events or releases the stream.  Streams may be opened, reset and released from
 * inside. */
void gn_mux_session_deliver(struct gn_mux_session *s, void (*on_new)(void *arg, struct gn_mux_stream *st), void *arg);
/* For muxers: there is events. */
void gn_mux_stream_notify(struct gn_mux_stream *st, unsigned events);

#endif
