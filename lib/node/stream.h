/* SPDX-License-Identifier: MIT */
/*
 * A stream with a protocol: a session's stream on which both ends agreed, or are about
 * to agree, what it carries.  What protocols and channels are made of; embedded in their
 * own structs.
 *
 * An opener may write at once; reading gives GN_EAGAIN until the peer has accepted, and
 * GN_ENOPROTO if it does not, or resets the stream before it has answered.
 *
 * Inbound streams whose protocol is not agreed on are counted apart, see negotiating.h.
 */
#ifndef GN_NODE_STREAM_H
#define GN_NODE_STREAM_H

#include "gn.h"
#include "loop/loop.h"
#include "mux/session.h"
#include "stack/stack.h"

struct gn_conn;

struct gn_stream {
	struct gn_conn *conn;
	struct gn_mux_stream *mux;
	struct gn_stack stack;           /* the selection, while it lasts */
	struct gn_timer timer;           /* its time limit, */
	gn_time since;                   /* and when it began, */
	uint64_t received;               /* what the connection had received, */
	uint64_t asked;                  /* by then; and what will have been written when our proposal has been */
	struct gn_list link;             /* in conn->streams_open */
	struct gn_list link_negotiating; /* inbound, until its protocol is agreed on: in network->negotiating */
	const char *protocol;            /* the opener's string, or the registry's at the time */
	bool inbound;
	bool is_open;     /* agreed */
	bool is_drained;  /* GN_DRAINED was said */
	bool is_ending;   /* our end is to follow the peer's answer, */
	bool asks_later;  /* and the question of gn_stream_sync() follows the end */
	char *unknown;    /* inbound: what the peer proposed, and is not served; until that is reported */
	uint64_t preface; /* bytes of mux->sent that are the selection's, not the owner's */
	int err;
	/* Events as in gn.h's enum gn_channel_event.  The owner may free the stream from inside. */
	void (*on_event)(void *arg, struct gn_stream *s, unsigned events);
	/* The node is being freed, and the stream is closed already: the owner frees what it has. */
	void (*on_lost)(void *arg, struct gn_stream *s);
	void *arg;
};

/* Opens one on a connection, lazily.  s is the caller's memory, on_event and arg set by it
 * afterwards; protocol is borrowed until it is freed.  GN_EGONE, GN_ELIMIT, -ENOMEM. */
int gn_stream_open(struct gn_stream *s, struct gn_conn *conn, const char *protocol);
/* Takes over what the registry's on_open was handed, whose memory goes: moves it to s.
 * on_event and arg are set by the caller afterwards. */
void gn_stream_accept(struct gn_stream *s, struct gn_stream *handed);
/* Gives it up, as gn.h's gn_channel_free() says. */
void gn_stream_close(struct gn_stream *s);
/* Kills both directions; it still has to be closed. */
void gn_stream_reset(struct gn_stream *s);
/* The same, for a reason of this node's: the owner is told GN_DEAD, never from inside. */
void gn_stream_kill(struct gn_stream *s, int err);

/* Reading, as gn_channel_peek() and _skip(). */
int gn_stream_peek(struct gn_stream *s, struct iovec *v, int max);
void gn_stream_skip(struct gn_stream *s, size_t n);
ptrdiff_t gn_stream_read(struct gn_stream *s, void *buf, size_t n);
/* Writing: some (> 0), GN_EAGAIN, an error; or all or nothing. */
ptrdiff_t gn_stream_write(struct gn_stream *s, const void *buf, size_t n);
int gn_stream_put(struct gn_stream *s, const void *buf, size_t n);
int gn_stream_putv(struct gn_stream *s, const struct iovec *v, int n);
void gn_stream_source(struct gn_stream *s, const struct gn_source *source, void *arg);
void gn_stream_wake(struct gn_stream *s); /* the source, or the pipe, has more */
int gn_stream_end(struct gn_stream *s);   /* half-close */
int gn_stream_sync(struct gn_stream *s);  /* as gn_channel_sync() */
/* Bytes of the owner's that the peer's multiplexer has confirmed. */
uint64_t gn_stream_acked(const struct gn_stream *s);

/* For the connection: a stream came in; from on_new of gn_mux_session_deliver(). */
void gn_stream_incoming(struct gn_conn *conn, struct gn_mux_stream *mux);

#endif
