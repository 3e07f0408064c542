/* SPDX-License-Identifier: MIT */
/*
 * The state of a stream, private to its own files.
 *
 *	stream.c     sending, and the end of the stream
 *	stream_in.c  receiving: control chunks of the peer, and data for standard output
 */
#ifndef CMD_GN_CAT_STREAM_INTERNAL_H
#define CMD_GN_CAT_STREAM_INTERNAL_H

#include "protocol.h"
#include "stream.h"

/* Standard input, and what the peer has reported about it.
 *
 *	OPEN     its bytes are sent
 *	         -- it ends or fails, or the peer sends FAIL --> ENDED
 *	         -- the peer accepts no data, and was not sent any --> PROBING
 *	PROBING  it is only read to see whether it has data, which would be lost
 *	         -- it ends, or is a terminal without input --> CONFIRMED
 *	         -- it has data or fails --> ENDED, and the stream fails
 *	ENDED    nothing more is sent
 *	         -- the peer sends WRITTEN; or FAIL, when it was not sent any data --> CONFIRMED
 *
 * In a raw stream there are no chunks: CONFIRMED is entered from PROBING only.
 */
enum stream_sending { SENDING_OPEN, SENDING_PROBING, SENDING_ENDED, SENDING_CONFIRMED };

/* The end of our side of the channel.
 *
 *	PENDING  -- gn_channel_end() --> SENT -- GN_DRAINED --> DRAINED
 *	SENT, DRAINED  -- GN_ACKED, in a raw stream --> ACKED
 */
enum stream_end { END_PENDING, END_SENT, END_DRAINED, END_ACKED };

/* What the peer sends.
 *
 *	OPEN     -- WRITTEN or FAIL was sent, or standard output has failed --> SETTLED
 *	         -- end of file, in a raw stream and with all bytes written --> ENDED
 *	         -- end of file --> CUT
 *	SETTLED  -- end of file --> ENDED
 *	CUT      -- a local failure --> ENDED
 */
enum stream_receiving { RECEIVING_OPEN, RECEIVING_SETTLED, RECEIVING_CUT, RECEIVING_ENDED };

/* The channel.
 *
 *	LIVE  -- GN_DEAD, or a call on it fails --> DEAD: received bytes may still be read
 *	DEAD  -- there is nothing more to read --> EMPTY
 *	LIVE  -- the peer breaks the protocol, and the channel is reset --> EMPTY
 */
enum stream_channel { CHANNEL_LIVE, CHANNEL_DEAD, CHANNEL_EMPTY };

struct stream {
	struct stream_cfg cfg;
	struct gn_timer *run_timer; /* calls stream_run() at `deadline` */
	struct gn_timer *idle;
	struct gn_timer *probe_notice; /* until cfg.on_unwanted is called */
	gn_time deadline;              /* GN_NEVER: none */
	struct cat_rx rx;
	struct cat_tx tx;
	struct stream_result v;
	enum stream_sending sending;
	enum stream_end end;
	enum stream_receiving receiving;
	enum stream_channel channel;
	bool sync_pending; /* raw: GN_ACKED is pending */
	uint64_t idle_seen;
	unsigned idle_ticks;
};

/* The peer's end of file was received. */
static inline bool stream_is_at_eof(const struct stream *s)
{
	return s->receiving >= RECEIVING_CUT;
}

/* This side has sent its verdict on the peer's data; raw: all of it was received and written. */
static inline bool stream_is_settled(const struct stream *s)
{
	return s->receiving == RECEIVING_SETTLED || s->receiving == RECEIVING_ENDED;
}

static inline void stream_settle(struct stream *s)
{
	s->receiving = stream_is_at_eof(s) ? RECEIVING_ENDED : RECEIVING_SETTLED;
}

/* stream.c */
/* Records why the stream fails; only the first failure counts. */
void stream_fail(struct stream *s, enum stream_outcome outcome, int err);
/* Records a failure of standard input or output: the peer is notified, and what it still sends is dropped. */
void stream_fail_local(struct stream *s, enum stream_outcome outcome, int err);
void stream_send_chunk(struct stream *s, enum cat_chunk chunk, uint64_t number);
/* To be called when the peer accepts no data: checks whether standard input has, or will have, any. */
void stream_probe_input(struct stream *s);

/* stream_in.c: handles received bytes, as far as standard output accepts them. */
void stream_receive(struct stream *s);

#endif
