/* SPDX-License-Identifier: MIT */
/* Two sessions that random owners use, and what must come out of it: of every stream a prefix
 * of what went in, and all of it where both sides ended in good order. */
#ifndef GN_SUPPORT_MUX_MODEL_H
#define GN_SUPPORT_MUX_MODEL_H

#include "support/yamux_watch.h"

enum { MUX_STREAMS = 24, MUX_IDS = 1024 };

struct mux_end;

/* A stream as its owner at one end has it. */
struct mux_stream {
	struct mux_end *end; /* NULL: a free place */
	struct gn_mux_stream *st;
	bool stalls; /* is not read for now */
};

/* What is known of one direction of a stream. */
struct mux_way {
	size_t in, out;  /* bytes written, bytes read */
	bool closed;     /* the writer has closed in good order */
	bool broken;     /* reset or given up by either side, or of a dead session */
	bool end_seen;   /* the reader saw the end in good order */
	bool has_reader; /* the stream was not refused */
};

struct mux_model;

struct mux_end {
	struct mux_model *m;
	int i;
	struct gn_layer *layer;
	struct gn_mux_session *session;
	struct gn_budget budget;
	struct mux_stream streams[MUX_STREAMS];
	struct watch watch;
	bool bad; /* something that came out was not what went in */
};

struct mux_model {
	struct pair p;
	struct mux_end end[2];
	struct mux_way way[MUX_IDS][2]; /* [id][who writes] */
	struct rng *rng;
	/* What is shown is taken as a security layer does it, whole; else in any pieces: then the
	 * frame that a reset cuts is filled up with zeros. */
	bool records;
};

void mux_read(struct mux_end *e, struct mux_stream *s, size_t max);

void mux_deliver(struct mux_model *m);

void mux_init(struct mux_model *m, struct rng *r);

void mux_fini(struct mux_model *m);

bool mux_is_bad(struct mux_model *m);

/* A turn: somebody does something, something is carried, time goes on. */
void mux_turn(struct mux_model *m);

/* Everything is closed and read to its end; false when that does not come about. */
bool mux_wind_up(struct mux_model *m);

/* After winding up: nothing is left, nothing was lost. */
bool mux_is_clean(struct mux_model *m);

#endif
