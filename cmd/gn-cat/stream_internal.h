/* SPDX-License-Identifier: MIT */
/*
 * A stream, private to its own files.
 *
 *	stream.c     its life: what goes out, its ends
 *	stream_in.c  what comes: words of the peer's, and bytes for standard output
 */
#ifndef CMD_GN_CAT_STREAM_INTERNAL_H
#define CMD_GN_CAT_STREAM_INTERNAL_H

#include "protocol.h"
#include "stream.h"

/* What is read from standard input.
 *
 *	OPEN      is sent; -- it ends or fails, or the peer fails --> ENDED
 *	          -- the peer takes nothing, and has not been sent anything --> PROBE_NOTICE
 *	PROBE_NOTICE  is only looked at: a byte would be one that is lost
 *	          -- it ends, or is a terminal where nothing was typed --> ENDED, in good order
 *	          -- a byte comes, or it fails --> ENDED, STREAM_FAILED or STREAM_INPUT
 */
enum stream_input { INPUT_OPEN, INPUT_UNWANTED, INPUT_ENDED };

/* Raw streams: whether the peer's multiplexer has what was sent.
 *
 *	NONE   -- gn_channel_sync() --> ASKED
 *	ASKED  -- GN_ACKED --> NONE; DONE when our end had been sent before gn_channel_sync()
 */
enum stream_ack { ACK_NONE, ACK_ASKED, ACK_DONE };

struct stream {
	struct stream_cfg cfg;
	struct gn_timer *run_timer; /* runs it once more at `deadline` */
	struct gn_timer *idle;
	struct gn_timer *unwanted; /* until cfg.on_unwanted is called */
	gn_time deadline;          /* GN_NEVER */
	struct cat_rx rx;
	struct cat_tx tx;
	struct stream_result v;
	enum stream_input input;
	enum stream_ack ack;
	bool settled; /* WRITTEN or FAIL was said; raw: the peer's end has come, and all was written */
	bool sent_end, drained;
	bool confirmed;            /* the peer's WRITTEN came, or none is needed */
	bool at_eof, dead, at_end; /* at_end: the channel has nothing to be read any more */
	uint64_t idle_seen;
	unsigned idle_ticks;
};

/* stream.c */
/* Why it does not end well; the first counts. */
void stream_fail(struct stream *s, enum stream_outcome outcome, int err);
/* Our own input or output is broken: the peer is told, and what it still sends is dropped. */
void stream_fail_local(struct stream *s, enum stream_outcome outcome, int err);
void stream_send_chunk(struct stream *s, enum cat_chunk chunk, uint64_t number);
/* The peer takes nothing: looks whether standard input has, or will have, anything that is lost by that. */
void stream_probe_input(struct stream *s);

/* stream_in.c: takes what has come, as far as standard output does. */
void stream_receive(struct stream *s);

#endif
