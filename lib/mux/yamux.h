/* SPDX-License-Identifier: MIT */
/*
 * yamux (libp2p specs yamux/README.md), private to its own files.
 *
 *      0        1        2        4            8            12
 *      | ver 0  | type   | flags  | stream id  | length     | body, of Data only
 *
 *     yamux.c          the layer, the session's operations, pings and keep-alive
 *     yamux_streams.c  streams: table, states, windows
 *     yamux_sync.c     sync(): acknowledgement by pings
 *     yamux_rx.c       received frames
 *     yamux_tx.c       frames to be sent, built when the layer below pulls
 *
 * Nothing that is to be sent is queued as bytes.  A stream's SYN, ACK, FIN and RST follow from its state,
 * its credit is the difference of two counters, and resets of ids without a stream and answers to
 * pings stand in two arrays of bounded length.  They become headers when the layer below has room.
 *
 * The way of a window update
 *
 *     We grant: the owner reads rx and calls touch().  yamux_stream_consumed() may enlarge the window
 *     (window_grow()) and asks yamux_stream_credit(), which is not 0 once half of the window is free.
 *     The stream is then put on control_queue; show_control() builds a Window Update frame of that
 *     credit, and control_sent() adds it to `granted` when the frame has gone out.  data_begins()
 *     checks that the peer sends no more than `granted`.
 *
 *     We are granted: window_update() in yamux_rx.c adds the length to tx_window and puts the stream on
 *     data_queue; show_data() shows at most tx_window bytes, and body_taken() subtracts what went out.
 */
#ifndef GN_MUX_YAMUX_H
#define GN_MUX_YAMUX_H

#include "mux/session.h"

enum yamux_type { YAMUX_DATA, YAMUX_WINDOW, YAMUX_PING, YAMUX_GO_AWAY };
enum yamux_flag { YAMUX_SYN = 1, YAMUX_ACK = 2, YAMUX_FIN = 4, YAMUX_RST = 8 };

enum {
	YAMUX_HEAD = 12,                   /* bytes of a header */
	YAMUX_WINDOW_INITIAL = 256 * 1024, /* bytes, both directions of a new stream (the specification's) */
	YAMUX_BODY_MAX = 65507,            /* bytes that we send in one frame; one full Noise record */
	YAMUX_PINGS_MAX = 8,               /* pings of the peer to be answered; one more fails the session */
	YAMUX_SYNCS_MAX = 4,               /* our pings for sync() in flight: the peer may have a limit */
	YAMUX_REFUSED_MAX = 256,           /* refused streams to be reset; one more fails the session */
	YAMUX_UNACKED_MAX = 256,           /* our SYNs without an ACK; more streams wait (ACK backlog) */
	YAMUX_PLAN = 8,                    /* frames shown in one peek */
	YAMUX_FRAMES = 64,                 /* frames received in one advance() */
};

#define YAMUX_SYNC_PING ((uint32_t)1 << 31) /* set in the values of pings for sync(), and in no others */

struct yamux;

/* The state of a stream.
 *
 *     state            what happens                                 next state
 *     (none)           open()                                       INIT
 *     (none)           SYN received and admitted                    OPEN
 *     INIT             our SYN was sent, without or with FIN        OPEN, LOCAL_CLOSE
 *     OPEN             our FIN was sent; the peer's was received    LOCAL_CLOSE; REMOTE_CLOSE
 *     LOCAL_CLOSE      FIN received                                 CLOSED
 *     REMOTE_CLOSE     our FIN was sent                             CLOSED
 *     INIT             reset(), unless the SYN was sent in part     RESET
 *     before CLOSED    reset() otherwise                            RESETTING
 *     before CLOSED    RST received, or the session fails           RESET
 *     RESETTING        our RST was sent, or the session fails       RESET
 *     CLOSED           the session fails while sync() is pending    RESET
 *     REMOTE_CLOSE     rx overflows, as in the other states         RESETTING
 *     CLOSED           rx overflows                                 RESET
 *
 * The stream is in the table until CLOSED or RESET.  In INIT the peer does not know it: frames with
 * its id are treated as those of an unknown stream.  `st.err` is set in RESETTING and RESET, and only there.
 * The answer to a SYN does not show in the state, because yamux lets both sides send data and FIN before
 * it: `is_unacked` is true until our ACK was sent (inbound) or the peer's was received.
 */
enum yamux_state {
	YAMUX_INIT,         /* opened here, SYN not sent */
	YAMUX_OPEN,         /* both sides may send */
	YAMUX_REMOTE_CLOSE, /* FIN received */
	YAMUX_LOCAL_CLOSE,  /* FIN sent */
	YAMUX_CLOSED,       /* both */
	YAMUX_RESETTING,    /* failed here, RST not sent */
	YAMUX_RESET,        /* failed */
};

/* The state of sync() of a stream (session.h):
 *
 *     NONE      sync()                                          WANTED
 *     WANTED    all was sent, and a ping behind it              SENT
 *     SENT      the answer: the owner is notified               NONE
 *     SENT      sync() again                                    EXTENDED
 *     EXTENDED  the answer                                      WANTED
 *     EXTENDED  our FIN and another ping were sent              SENT
 *     any       the stream or session fails, or release()       NONE
 */
enum yamux_sync { YAMUX_SYNC_NONE, YAMUX_SYNC_WANTED, YAMUX_SYNC_SENT, YAMUX_SYNC_EXTENDED };

struct yamux_stream {
	struct gn_mux_stream st;   /* first: a struct gn_mux_stream of this session is one of these */
	struct yamux_stream *next; /* in its bucket of the table */
	enum yamux_state state;
	bool is_unacked;             /* the SYN was not answered yet, by us or by the peer */
	bool is_released;            /* by its owner */
	struct gn_list control_link; /* in yamux->control_queue: a frame without a body is to be sent */
	struct gn_list link;         /* in yamux->data_queue, orphans or finished, or in none */
	gn_time orphan_due;          /* in yamux->orphans: when the stream is reset */
	uint64_t received;           /* bytes of bodies, whole frames; see body_received() */
	uint64_t granted;            /* bytes that the peer may send since the stream was opened */
	uint64_t tx_window;          /* bytes that we may still send */
	size_t window;               /* bytes of the receive window */
	struct gn_scope scope;       /* of rx; what the window has grown is reserved in it */
	gn_time epoch;               /* window_grow(): start of the interval in which a rate is measured */
	uint64_t epoch_bytes;        /* bytes consumed when it started */
	struct gn_list sync_link;    /* in yamux->syncs unless sync_state is YAMUX_SYNC_NONE */
	enum yamux_sync sync_state;
	uint64_t sync_sent; /* st.sent when the ping was sent */
	uint32_t sync_ping; /* its number */
};

/* A frame that is shown to the layer below. */
struct yamux_frame {
	struct yamux_stream *stream; /* NULL: the session's, or its stream has failed */
	uint16_t body;               /* bytes behind the header */
	uint8_t kind;                /* enum yamux_frame_kind, in yamux_tx.c */
	uint8_t head[YAMUX_HEAD];
};

struct yamux {
	struct gn_mux_session session; /* first */
	struct gn_layer *layer;
	struct gn_mux_cfg cfg;
	struct yamux_stream **buckets; /* the table of streams by id; NULL while it is empty */
	unsigned n_buckets, in_table;
	uint32_t next_id;
	unsigned unacked;             /* streams whose SYN was sent and is not answered */
	struct gn_list control_queue; /* streams with flags or credit to be sent */
	struct gn_list data_queue;    /* streams that have, or may have, data to be sent, in turns */
	struct gn_list orphans;       /* released, our end sent, the peer's not received; by orphan_due */
	struct gn_list syncs;         /* streams whose sync_state is not YAMUX_SYNC_NONE */
	struct gn_list finished;      /* streams that have left the table but were not released */

	/* the frame that is being received */
	uint32_t body_left; /* bytes of its body that are missing */
	uint16_t body_flags;
	struct yamux_stream *body_stream; /* NULL: the body is dropped */

	/* the frames that were shown to the layer below */
	struct yamux_frame plan[YAMUX_PLAN];
	uint32_t taken; /* bytes of plan[0] that were sent; while > 0 nothing else is shown */
	uint8_t n_plan;
	uint8_t n_pings;
	uint32_t pings[YAMUX_PINGS_MAX]; /* values of the peer's pings that are to be answered */
	uint32_t *refused;               /* ids of streams that are to be reset; allocated when first needed */
	unsigned n_refused;
	bool pending_go_away, is_go_away_sent;
	bool is_closing; /* nothing but what is pending is sent, then the sending side is closed */
	uint32_t go_away_code;

	/* our pings that measure the round trip and keep the session alive */
	bool pending_ping, is_ping_in_flight;
	bool has_stream_frame; /* the receiving that goes on has brought bytes of a stream, or a window update */
	uint32_t ping_value;
	gn_time ping_sent, ping_interval;
	gn_time rtt_min; /* the shortest round trip measured; 0: none yet */

	/* Our pings that answer sync().  They are independent of the pings above, so that neither waits for
	 * the other; YAMUX_SYNC_PING tells their values apart. */
	uint32_t syncs_sent, syncs_answered; /* how many; answers come in the order of the pings */
};

static inline struct yamux *yamux_of(struct gn_mux_session *s)
{
	return (struct yamux *)(void *)s;
}

static inline struct yamux_stream *yamux_stream_of(struct gn_mux_stream *st)
{
	return (struct yamux_stream *)(void *)st;
}

/* Our FIN was not sent, so that data may follow. */
static inline bool yamux_tx_is_open(const struct yamux_stream *s)
{
	return s->state <= YAMUX_REMOTE_CLOSE;
}

/* The peer's FIN was not received. */
static inline bool yamux_rx_is_open(const struct yamux_stream *s)
{
	return s->state <= YAMUX_OPEN || s->state == YAMUX_LOCAL_CLOSE;
}

static inline bool yamux_has_failed(const struct yamux_stream *s)
{
	return s->state >= YAMUX_RESETTING;
}

/* yamux.c */
/* There is something to be sent or to be checked: this layer and the one below are advanced again. */
void yamux_mark_layer(struct yamux *y);
/* Ends the session: its streams fail with err, and Go Away with the code is sent if `send`. */
void yamux_fail(struct yamux *y, int err, bool send, uint32_t code);
/* An answer to a ping with that value was received. */
void yamux_ponged(struct yamux *y, uint32_t value, gn_time now);

/* yamux_streams.c: the table */
struct yamux_stream *yamux_stream_find(struct yamux *y, uint32_t id);
/* Makes a stream and adds it to the table.  0, GN_ELIMIT (the scope is used up) or -ENOMEM. */
int yamux_stream_new(struct yamux *y, uint32_t id, bool inbound, struct yamux_stream **out);
/* Frees a released stream that is CLOSED or RESET.  May be called whenever the state has changed. */
void yamux_stream_free_if_finished(struct yamux_stream *s);
void yamux_streams_free(struct yamux *y);

/* yamux_streams.c: what is to be sent */
/* Flags or credit may have to be sent. */
void yamux_stream_queue_control(struct yamux_stream *s);
/* Data may have to be sent; no effect behind our FIN, or while the peer's window is used up. */
void yamux_stream_queue_data(struct yamux_stream *s);
/* The peer has answered our SYN. */
void yamux_stream_acked(struct yamux_stream *s);

/* yamux_streams.c: windows */
/* True when rx was reset because it could not keep what was received; yamux_stream_overflow() then fails the stream. */
bool yamux_stream_has_overflowed(const struct yamux_stream *s);
void yamux_stream_overflow(struct yamux_stream *s);
/* The owner has consumed bytes of rx: may enlarge the window and queue a window update. */
void yamux_stream_consumed(struct yamux_stream *s, gn_time now);
/* Bytes that a window update would grant now; 0 while less than half of the window is free. */
uint32_t yamux_stream_credit(const struct yamux_stream *s);

/* yamux_streams.c: changes of the state */
/* Our SYN, FIN or RST was sent. */
void yamux_stream_syn_sent(struct yamux_stream *s);
void yamux_stream_fin_sent(struct yamux_stream *s);
void yamux_stream_rst_sent(struct yamux_stream *s);
void yamux_stream_fin_received(struct yamux_stream *s);
/* The stream fails with err, and nothing is sent; drop: what is in rx is dropped. */
void yamux_stream_fail(struct yamux_stream *s, int err, bool drop);
void yamux_streams_fail(struct yamux *y, int err);
/* Resets the orphans that are due.  Returns when the next one is. */
gn_time yamux_orphans_check(struct yamux *y, gn_time now);

/* yamux_streams.c: the session's operations, see struct gn_mux_session_ops */
int yamux_stream_open(struct gn_mux_session *session, struct gn_mux_stream **out);
int yamux_stream_establish(struct gn_mux_stream *st);
void yamux_stream_touch(struct gn_mux_stream *st);
void yamux_stream_reset(struct gn_mux_stream *st);
void yamux_stream_release(struct gn_mux_stream *st);
bool yamux_has_unsent(const struct gn_mux_session *session);

/* yamux_sync.c */
void yamux_stream_sync(struct gn_mux_stream *st); /* the session's operation */
/* The stream waits for no answer any more. */
void yamux_sync_clear(struct yamux_stream *s);
/* True when a ping should be sent now that answers sync() of at least one stream.  One such ping is in
 * flight at a time; but the ping for a stream whose end was sent does not wait for another one, since a
 * peer that has both ends may leave at once. */
bool yamux_sync_is_due(struct yamux *y);
/* The same for a stream whose end is about to be sent in the same plan. */
bool yamux_sync_may_follow(const struct yamux *y, const struct yamux_stream *s);
/* The value of the ping for sync() with that number. */
uint32_t yamux_sync_value(uint32_t number);
/* That ping was sent: it stands for all streams that wait for one and have sent everything. */
void yamux_sync_sent(struct yamux *y);
/* An answer to a ping with that value was received. */
void yamux_sync_ponged(struct yamux *y, uint32_t value);
/* The session has failed: streams that still wait for an answer fail, too. */
void yamux_syncs_fail(struct yamux *y, int err);

/* yamux_rx.c */
/* Receives up to YAMUX_FRAMES frames.  0 when something moved, GN_EAGAIN, or -ENOMEM. */
int yamux_receive(struct yamux *y, gn_time now);

/* yamux_tx.c */
extern const struct gn_source yamux_source; /* what the layer below pulls from */
/* The stream fails or is freed: frames shown for it are forgotten, and one that is partly sent is filled up
 * with zeros. */
void yamux_plan_forget(struct yamux *y, const struct yamux_stream *s);

#endif
