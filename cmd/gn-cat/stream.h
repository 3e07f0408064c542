/* SPDX-License-Identifier: MIT */
/*
 * stream: one stream's life: what is read goes out, what comes is written, and both ends know in the end
 * whether all of it was.  protocol.h says by which words; with `raw` there are none, and the ends of the
 * stream must do.
 */
#ifndef CMD_GN_CAT_STREAM_H
#define CMD_GN_CAT_STREAM_H

#include "common/output.h"
#include "feed.h"
#include "gn.h"

enum stream_outcome {
	STREAM_CLEAN,  /* both directions ended, and everything was written out at both ends */
	STREAM_PEER,   /* the channel died of err, or what came on it was bad */
	STREAM_SHORT,  /* the peer ended without having said, or confirmed, all */
	STREAM_FAILED, /* the peer said FAIL; err is its code */
	STREAM_INPUT,  /* reading here failed with err */
	STREAM_OUTPUT, /* writing here failed with err; the peer was told */
	STREAM_IDLE,   /* nothing moved for so long */
};

struct stream_result {
	enum stream_outcome outcome;
	int err;
	bool opened;      /* the peer had accepted the protocol */
	uint64_t in, out; /* bytes that came, and that went */
	uint64_t dropped; /* of those that came, not written: it only sends */
	bool raw;
	bool peer_ended;  /* raw: the peer's end had come */
	uint64_t pending; /* raw: of `out`, those that the peer's multiplexer has not confirmed */
};

struct stream_cfg {
	struct gn_loop *loop;
	struct gn_channel *ch; /* the stream's from stream_new() on */
	struct feed *feed;     /* borrowed; NULL: only receives */
	struct output *out;    /* borrowed; NULL: only sends */
	bool keep_open;        /* feed and output are the next stream's, too: what is not read is not lost */
	bool raw;
	gn_time idle;                 /* 0: for ever */
	void (*on_opened)(void *arg); /* may be NULL */
	/* The peer takes nothing, all else is done, and for a while standard input has neither ended nor
	 * brought a byte. */
	void (*on_unwanted)(void *arg);
	/* Once, on the loop; the channel is gone by then.  stream_free() may be called from here. */
	void (*on_done)(void *arg, const struct stream_result *v);
	void *arg;
};

struct stream;

/* 0 or -ENOMEM, and the channel is still the caller's. */
int stream_new(const struct stream_cfg *cfg, struct stream **out);
void stream_totals(const struct stream *s, uint64_t *in, uint64_t *out);
/* Resets the channel if it is still there; on_done is not called any more.  NULL is fine. */
void stream_free(struct stream *s);

#endif
