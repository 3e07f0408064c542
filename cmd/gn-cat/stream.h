/* SPDX-License-Identifier: MIT */
/*
 * stream: connects a channel with standard input and output.  With the chunks of protocol.h both sides
 * learn whether all data was written at the other side; a raw stream has only the ends of the two
 * directions and acknowledgements.
 */
#ifndef CMD_GN_CAT_STREAM_H
#define CMD_GN_CAT_STREAM_H

#include "common/input.h"
#include "common/output.h"
#include "gn.h"

enum stream_outcome {
	STREAM_CLEAN,  /* both directions ended, and everything was written out at both ends */
	STREAM_PEER,   /* the channel failed with err, or the peer broke the protocol */
	STREAM_SHORT,  /* the peer ended without END or without WRITTEN, or confirmed another number of bytes */
	STREAM_FAILED, /* the peer sent FAIL; err is its code */
	STREAM_INPUT,  /* reading standard input failed with err */
	STREAM_OUTPUT, /* writing standard output failed with err; the peer was notified by a FAIL chunk */
	STREAM_IDLE,   /* no byte has moved for the time of -i */
};

struct stream_result {
	enum stream_outcome outcome;
	int err;
	bool opened;      /* the peer has accepted the protocol */
	uint64_t in, out; /* bytes received and sent */
	uint64_t dropped; /* of the received bytes, those not written, because this side only sends */
	bool raw;
	bool peer_ended;  /* raw: the peer had ended its side */
	uint64_t pending; /* raw: of `out`, the bytes that are not acknowledged */
};

struct stream_cfg {
	struct gn_loop *loop;
	struct gn_channel *ch; /* owned by the stream once stream_new() has succeeded */
	struct input *in;      /* borrowed; NULL: this side only receives */
	bool is_terminal;      /* `in` is a terminal */
	struct output *out;    /* borrowed; NULL: this side only sends */
	bool keep_open; /* `in` and `out` are used by another stream afterwards: input that is not read is not lost */
	bool raw;
	gn_time idle;                 /* 0: no limit */
	void (*on_opened)(void *arg); /* may be NULL */
	/* The peer accepts no data, everything else is complete, and for a second standard input has
	 * neither ended nor had data. */
	void (*on_unwanted)(void *arg);
	/* Called once, on the loop; the channel is freed by then.  stream_free() may be called from here. */
	void (*on_done)(void *arg, const struct stream_result *v);
	void *arg;
};

struct stream;

/* Returns 0, or an error, and then the channel is still the caller's. */
int stream_new(const struct stream_cfg *cfg, struct stream **out);
void stream_totals(const struct stream *s, uint64_t *in, uint64_t *out);
/* Resets the channel if it still exists; on_done is not called any more.  NULL is allowed. */
void stream_free(struct stream *s);

#endif
