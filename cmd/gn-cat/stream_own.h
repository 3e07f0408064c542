/* SPDX-License-Identifier: MIT */
/*
 * A stream, private to its own files.
 *
 *	stream.c     its life: what goes out, its ends
 *	stream_in.c  what comes: words of the peer's, and bytes for standard output
 */
#ifndef CMD_GN_CAT_STREAM_OWN_H
#define CMD_GN_CAT_STREAM_OWN_H

#include "protocol.h"
#include "stream.h"

struct stream {
	struct stream_cfg cfg;
	struct gn_timer *again; /* runs it once more at `deadline` */
	struct gn_timer *idle;
	gn_time deadline; /* GN_NEVER */
	struct cat_rx rx;
	struct cat_tx tx;
	struct verdict v;
	bool input_done; /* nothing more is read, and END was said, or FAIL */
	bool settled;    /* WRITTEN or FAIL was said */
	bool sent_end, drained;
	bool confirmed;            /* the peer's WRITTEN came, or none is needed */
	bool at_eof, dead, at_end; /* at_end: the channel has nothing to be read any more */
	size_t unacked;
	gn_time acked; /* when that was less than before */
	uint64_t idle_seen;
	unsigned idle_ticks;
};

/* stream.c */
/* Why it does not end well; the first counts. */
void stream_fault(struct stream *s, enum stream_how how, int err);
/* Our own input or output is broken: the peer is told, and what it still sends is dropped. */
void stream_fail_here(struct stream *s, enum stream_how how, int err);
void stream_say(struct stream *s, enum cat_word word, uint64_t number);

/* stream_in.c: takes what has come, as far as standard output does. */
void stream_down(struct stream *s);

#endif
