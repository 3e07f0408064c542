/* SPDX-License-Identifier: MIT */
/* Channels of gn.h: streams with a protocol that carry bytes or frames. */
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
	size_t shown;        /* bytes in the pipe of the frame that was returned last; skipped by the next call */
	struct gn_buf frame; /* the received part of a frame that is not contiguous in the pipe */
	size_t held;         /* bytes of its memory that are charged to scope */
	struct gn_scope *scope;
	size_t frame_left; /* bytes of that frame that were not received yet */
	bool is_in_frame;  /* frame holds a part of a frame */
	int frame_err;     /* the error that receiving a frame failed with */
	bool is_dead;      /* GN_DEAD was delivered */
	const struct gn_source *source;
	void *source_arg;
	gn_channel_cb *cb;
	void *arg;
};

/* Frees a channel whose stream is closed already; called by an on_lost that replaces that of the channel. */
void gn_channel_lost(struct gn_channel *ch);
/* Opens a channel on a connection; protocol is copied.  Errors as gn_stream_open(). */
int gn_channel_open(struct gn_conn *conn, const char *protocol, enum gn_channel_kind kind, size_t max_frame,
		    struct gn_channel **out);
/* Makes a channel of an inbound stream.  -ENOMEM: the caller keeps the stream. */
int gn_channel_accept(struct gn_stream *handed, enum gn_channel_kind kind, size_t max_frame, struct gn_channel **out);

#endif
