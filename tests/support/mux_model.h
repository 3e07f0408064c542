/* SPDX-License-Identifier: MIT */
/*
 * Two yamux sessions whose streams are used at random, and a model of the result: the bytes that are read
 * from a stream are a prefix of the bytes that were written, and all of them when both sides closed the
 * stream without a reset.
 */
#ifndef GN_SUPPORT_MUX_MODEL_H
#define GN_SUPPORT_MUX_MODEL_H

#include "support/yamux_watch.h"

enum { MUX_STREAMS = 24, MUX_IDS = 1024 };

struct mux_end;

/* A stream at one end, as its owner uses it. */
struct mux_stream {
	struct mux_end *end; /* NULL: this element is unused */
	struct gn_mux_stream *st;
	bool stalls; /* its owner does not read at present */
};

/* The model of one direction of a stream. */
struct mux_way {
	size_t in, out;  /* bytes written, bytes read */
	bool closed;     /* the writer has closed without a reset */
	bool broken;     /* reset or released early by either side, or its session has failed */
	bool end_seen;   /* the reader has read GN_EOF */
	bool has_reader; /* the stream was not refused */
};

struct mux_model;

struct mux_end {
	struct mux_model *m;
	int i;
	struct gn_layer *layer;
	struct gn_mux_session *session;
	struct gn_scope scope;
	struct mux_stream streams[MUX_STREAMS];
	struct watch watch;
	bool bad; /* a check has failed */
};

struct mux_model {
	struct pair p;
	struct mux_end end[2];
	struct mux_way way[MUX_IDS][2]; /* [stream id][index of the writing end] */
	struct rng *rng;
	/*
	 * If true, all bytes of a peek at the session's output are consumed at once, as a security layer
	 * does.  If false, pieces of any size are consumed; a frame that a reset cuts is then padded with
	 * zeros.
	 */
	bool records;
};

void mux_read(struct mux_end *e, struct mux_stream *s, size_t max);

void mux_deliver(struct mux_model *m);

void mux_init(struct mux_model *m, struct rng *r);

void mux_fini(struct mux_model *m);

bool mux_is_bad(struct mux_model *m);

/* Makes one random step: an owner acts, bytes are transferred, events are delivered, or time advances. */
void mux_turn(struct mux_model *m);

/* Closes all streams and reads each to its end.  Returns false when that does not complete within 20000
 * rounds. */
bool mux_wind_up(struct mux_model *m);

/* Returns true when, after mux_wind_up(), no stream and no memory is in use and no bytes were lost. */
bool mux_is_clean(struct mux_model *m);

#endif
