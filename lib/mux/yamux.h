/* SPDX-License-Identifier: MIT */
/*
 * yamux (specs yamux/README.md), private to its own files.
 *
 *      0        1        2        4            8            12
 *      | ver 0  | type   | flags  | stream id  | length     | body, of Data only
 *
 *     yamux.c          the layer, the session's operations, keep-alive
 *     yamux_streams.c  streams: table, windows, ends
 *     yamux_rx.c       frames that come in
 *     yamux_tx.c       frames that go out, when they are pulled
 *
 * Nothing that is to be sent is kept as bytes.  A stream's SYN, ACK, FIN and RST are
 * flags, its credit a difference of two counters; what is owed to ids that have no
 * stream stands in two short lists.  It becomes a header when the layer below has room.
 */
#ifndef GN_MUX_YAMUX_H
#define GN_MUX_YAMUX_H

#include "mux/session.h"

enum yamux_type { YAMUX_DATA, YAMUX_WINDOW, YAMUX_PING, YAMUX_GO_AWAY };
enum yamux_flag { YAMUX_SYN = 1, YAMUX_ACK = 2, YAMUX_FIN = 4, YAMUX_RST = 8 };

enum {
	YAMUX_HEAD = 12,
	YAMUX_WINDOW_INITIAL = 256 * 1024,
	YAMUX_BODY_MAX = 65507,  /* with the header one full Noise record */
	YAMUX_PINGS_MAX = 8,     /* answers owed; past that the session ends */
	YAMUX_SYNCS_MAX = 4,     /* pings for sync() in flight: the far end may have such a limit, too */
	YAMUX_REFUSED_MAX = 256, /* resets owed to streams that we never took, likewise */
	YAMUX_UNACKED_MAX = 256, /* streams opened without an answer; more wait */
	YAMUX_PLAN = 8,          /* frames shown at once */
	YAMUX_FRAMES = 64,       /* frames read in one step */
};

#define YAMUX_SYNC_PING ((uint32_t)1 << 31) /* set in the values of pings for sync(), and in no others */

struct yamux;

/* The owner wants to know when the far end has everything; see sync() in session.h.
 *
 *     NONE -- sync() --> WANTED -- nothing is left to be sent; a ping goes out --> SENT
 *     SENT -- the pong --> NONE, and the owner is notified; WANTED if sync() was called meanwhile
 *     any  -- the stream or the session dies, or the owner releases it --> NONE
 */
enum yamux_sync { YAMUX_SYNC_NONE, YAMUX_SYNC_WANTED, YAMUX_SYNC_SENT };

struct yamux_stream {
	struct gn_mux_stream st;    /* first: a gn_mux_stream is one of these */
	struct yamux_stream *next;  /* in its bucket */
	struct gn_list control;     /* in yamux->control: a frame without a body is owed */
	struct gn_list ready;       /* in yamux->ready: has, or may have, data to send; later in orphans, or gone */
	gn_time orphan_due;         /* in yamux->orphans: when it is reset */
	uint64_t received, granted; /* bytes of bodies; what the far end may send in all */
	uint64_t tx_window;         /* what we may still send */
	size_t window;              /* the receive window */
	size_t held;                /* of the budget */
	gn_time epoch;              /* growth: since when epoch_bytes were consumed */
	uint64_t epoch_bytes;
	struct gn_list sync; /* in yamux->syncs unless sync_state is YAMUX_SYNC_NONE */
	enum yamux_sync sync_state;
	bool is_sync_extended;                      /* sync() was called again while the ping was in flight */
	uint64_t sync_sent;                         /* st.sent when that ping went out */
	uint32_t sync_ping;                         /* its number */
	bool pending_syn, pending_ack, pending_rst; /* flags to be sent */
	bool is_unacked;                            /* our SYN went out, no ACK came */
	bool is_in_table;
	bool is_orphan; /* the owner has released it */
};

/* A frame that is shown to the layer below. */
struct yamux_frame {
	uint8_t head[YAMUX_HEAD];
	struct yamux_stream *stream; /* NULL: the session's, or its stream has died */
	uint32_t body;
	uint8_t what; /* enum yamux_what, in yamux_tx.c */
};

struct yamux {
	struct gn_mux_session session; /* first */
	struct gn_layer *layer;
	struct gn_mux_cfg cfg;
	struct yamux_stream **buckets;
	unsigned n_buckets, in_table;
	uint32_t next_id;
	unsigned unacked;
	struct gn_list control, ready;
	struct gn_list orphans; /* released, our end is out, theirs has not come; the first is due first */
	struct gn_list syncs;   /* streams whose sync_state is not YAMUX_SYNC_NONE */
	struct gn_list gone;    /* streams that have left the table; their owners still hold them */

	/* coming in */
	uint32_t body_left;
	uint16_t body_flags;
	uint32_t body_id;
	struct yamux_stream *body_stream; /* NULL: to be dropped */

	/* going out */
	struct yamux_frame plan[YAMUX_PLAN];
	unsigned n_plan;
	size_t taken; /* bytes of plan[0] that are gone already */
	uint32_t pings[YAMUX_PINGS_MAX];
	unsigned n_pings;
	uint32_t *refused; /* allocated when first needed */
	unsigned n_refused;
	bool pending_away, is_away_sent, is_dying; /* dying: say Go Away, then close */
	uint32_t away_code;

	/* our pings */
	bool pending_ping, is_pinging;
	uint32_t ping_value;
	gn_time ping_sent, ping_gap;
	gn_time rtt_least; /* ever measured; 0: not yet */

	/* The pings that answer sync().  They are apart from the ping above, so that neither waits for
	 * the other; the values of the two differ in YAMUX_SYNC_PING. */
	uint32_t syncs_sent, syncs_answered; /* how many; of those that were sent, the first ones */
};

static inline struct yamux *yamux_of(struct gn_mux_session *s)
{
	return (struct yamux *)(void *)s;
}

static inline struct yamux_stream *yamux_stream_of(struct gn_mux_stream *st)
{
	return (struct yamux_stream *)(void *)st;
}

/* yamux.c */
/* The layer below has something to pull. */
void yamux_mark(struct yamux *y);
/* The session is over: streams die of err; code goes out as Go Away if say. */
void yamux_fail(struct yamux *y, int err, bool send, uint32_t code);
void yamux_ponged(struct yamux *y, uint32_t value, gn_time now);

/* yamux_streams.c */
struct yamux_stream *yamux_stream_find(struct yamux *y, uint32_t id);
int yamux_stream_new(struct yamux *y, uint32_t id, bool inbound, struct yamux_stream **out);
/* A frame without a body, or data, may be owed now. */
void yamux_stream_queue_control(struct yamux_stream *s);
void yamux_stream_ready(struct yamux_stream *s);
/* The owner has consumed: grows the window, sees whether credit is due. */
void yamux_stream_consumed(struct yamux_stream *s, gn_time now);
/* What would be granted now; 0 while it is not worth a frame. */
uint32_t yamux_stream_credit(const struct yamux_stream *s);
/* Both ends seen: leaves the table. */
void yamux_stream_finish(struct yamux_stream *s);
void yamux_stream_die(struct yamux_stream *s, int err, bool drop);
void yamux_streams_die(struct yamux *y, int err);
/* Resets the orphans that are due; when to look again. */
gn_time yamux_orphans_check(struct yamux *y, gn_time now);
void yamux_stream_acked(struct yamux_stream *s);
void yamux_stream_touch(struct gn_mux_stream *st);
void yamux_stream_reset(struct gn_mux_stream *st);
void yamux_stream_release(struct gn_mux_stream *st);
bool yamux_has_unsent(const struct gn_mux_session *session);
int yamux_stream_establish(struct gn_mux_stream *st);
int yamux_stream_open(struct gn_mux_session *session, struct gn_mux_stream **out);
void yamux_stream_sync(struct gn_mux_stream *st);
/* Is a ping due that answers sync() of some stream?  One is in flight at a time; but one that is behind the
 * end of a stream does not wait, since a far end that has both ends may leave at once. */
bool yamux_sync_is_due(struct yamux *y);
/* The same, for a stream whose end goes out right in front of it. */
bool yamux_sync_may_follow(const struct yamux *y, const struct yamux_stream *s);
uint32_t yamux_sync_value(uint32_t number);
void yamux_sync_sent(struct yamux *y);
/* Its answer came. */
void yamux_sync_ponged(struct yamux *y, uint32_t value);
/* The session is over: streams that still wait for an answer are told that none will come. */
void yamux_syncs_fail(struct yamux *y, int err);
/* After its last frame went out. */
void yamux_stream_sent(struct yamux_stream *s);
void yamux_streams_free(struct yamux *y);

/* yamux_rx.c: 0 when something moved, GN_EAGAIN */
int yamux_receive(struct yamux *y, gn_time now);

/* yamux_tx.c */
extern const struct gn_source yamux_source;
/* The stream dies; a frame of it that is half sent is filled up. */
void yamux_plan_forget(struct yamux *y, const struct yamux_stream *s);

#endif
