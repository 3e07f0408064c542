/* SPDX-License-Identifier: MIT */
/* Channels of gn.h: a stream with a protocol, as bytes or as frames. */
#ifndef GN_API_CHANNEL_H
#define GN_API_CHANNEL_H

#include "base/buf.h"
#include "gn.h"
#include "node/stream.h"

struct gn_channel {
	struct gn_stream stream;
	struct gn_node *node;
	enum gn_channel_kind kind;
	size_t max_frame;
	char *protocol;
	gn_time since;
	struct gn_metrics count;
	size_t handed;       /* bytes of the frame that was handed out last, still in the pipe */
	struct gn_buf frame; /* a frame that does not lie in one piece, as far as it has come */
	size_t charged;      /* of its memory, to the budget; all but FRAME_FREE */
	struct gn_budget *budget;
	size_t frame_left; /* of it, still to come */
	bool is_in_frame;
	int frame_err; /* the stream of frames is broken */
	bool is_dead;  /* GN_DEAD was said */
	const struct gn_source *source;
	void *source_arg;
	gn_channel_cb *cb;
	void *arg;
};

/* For who has replaced ps.on_lost: frees the channel, whose stream is closed already. */
void gn_channel_lost(struct gn_channel *ch);
/* Opens one on a connection. */
int gn_channel_open(struct gn_conn *conn, const char *protocol, enum gn_channel_kind kind, size_t max_frame,
		    struct gn_channel **out);
/* Takes a stream that came in. */
int gn_channel_accept(struct gn_stream *handed, enum gn_channel_kind kind, size_t max_frame, struct gn_channel **out);

#endif
