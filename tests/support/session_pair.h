/* SPDX-License-Identifier: MIT */
/* Two connected sessions of any multiplexer, and the owners of their streams.  Every event is checked to come
 * from inside gn_mux_session_deliver(). */
#ifndef GN_SUPPORT_SESSION_PAIR_H
#define GN_SUPPORT_SESSION_PAIR_H

#include "support/direct_mux.h"
#include "support/wire.h"

enum { SESSION_PAIR_STREAMS = 8, SESSION_PAIR_WINDOW = DIRECT_MUX_WINDOW };

struct carried;
struct session_pair;

/* A multiplexer, and how two of its sessions are connected. */
struct session_kind {
	const char *name;
	void (*start)(struct session_pair *c, const struct gn_mux_cfg cfg[2]); /* sets c->s */
	void (*carry)(struct session_pair *c); /* transfers everything in both directions */
	void (*stop)(struct session_pair *c);
};

enum { SESSION_KINDS = 3 };
extern const struct session_kind session_pair_kinds[SESSION_KINDS];

/* A stream and what its owner has been notified of. */
struct session_stream {
	struct session_pair *c;
	struct gn_mux_stream *st;
	unsigned events, calls; /* the events since session_stream_has(); the calls of on_events */
};

struct session_pair {
	const struct session_kind *kind;
	struct gn_mux_session *s[2];
	struct session_stream streams[2][SESSION_PAIR_STREAMS]; /* in the order in which they were added */
	unsigned n[2];
	int side;     /* the session whose events are being delivered; -1: none */
	int admits;   /* the value that admit() returns */
	bool rejects; /* new streams are released at once */
	struct pair pair;
	struct direct_mux direct[2];
	struct carried *carried; /* two nodes, for sessions over the two ends of a link with pipes between them */
	struct gn_stack nested[2];
};

/* state is the argument of the test, and points to a struct session_kind.  Session 0 is the client. */
void session_pair_start(struct session_pair *c, void **state);
void session_pair_stop(struct session_pair *c);
/* Transfers everything in both directions, then delivers the events of both sessions. */
void session_pair_carry(struct session_pair *c);
void session_pair_deliver(struct session_pair *c);
/* Opens a stream at session i, with the fixture as its owner. */
struct session_stream *session_pair_open(struct session_pair *c, int i);
/* The same, followed by session_pair_carry().  end[k] becomes the stream's end at session k. */
void session_pair_connect(struct session_pair *c, int i, struct session_stream *end[2]);

void session_stream_write(struct session_stream *s, const char *text);
void session_stream_close(struct session_stream *s);
/* Asserts that rx contains exactly this text, and consumes it. */
void session_stream_expect(struct session_stream *s, const char *text);
/* Returns true when one of these events was delivered since the last call.  Each call clears the set of
 * events. */
bool session_stream_has(struct session_stream *s, unsigned events);
void session_stream_release(struct session_stream *s);

#endif
