/* SPDX-License-Identifier: MIT */
/*
 * serve: runs the inbound streams, or lets them wait.
 *
 * Without a program one stream runs at a time, on stdin and stdout; with a program, up to -c of them run,
 * divided among the peers by share.h.  Waiting streams are negotiated, and their data is held back by their
 * windows.
 */
#ifndef CMD_GN_LISTEN_SERVE_H
#define CMD_GN_LISTEN_SERVE_H

#include "common/format.h"
#include "common/streamlog.h"
#include "gn.h"

struct serve;

struct serve_cfg {
	struct gn_loop *loop;
	const struct gn_peer_id *self;
	char *const *argv; /* NULL: stdin and stdout */
	unsigned conc;
	bool is_one_peer;               /* only one peer is admitted: it may have all programs */
	bool recv_only;                 /* stdin is not read, and our side of a stream ends after the peer's */
	gn_time idle;                   /* a stream on which no byte has moved for this time is reset; 0: never */
	bool frames;                    /* on the wire */
	enum format format, format_out; /* wire.h */
	size_t max_frame;
	const struct streamlog_cfg *log;
	/* stdin or stdout has failed, which was reported, and ends the tool with this code. */
	void (*on_broken)(void *arg, int code);
	/* After serve_drain() or serve_stop(): no stream and no process of a program is left. */
	void (*on_ended)(void *arg);
	void *arg;
};

/* Takes ownership of stdin and stdout if there is no program.  0 or -errno. */
int serve_new(const struct serve_cfg *cfg, struct serve **out);
/* For gn_protocol_cfg.on_open; arg is the serve. */
void serve_open(void *arg, struct gn_channel *ch);
/* Whether a stream runs or waits. */
bool serve_has_streams(const struct serve *s);
/* Lets running and waiting streams finish within the limit; then it acts as serve_stop(). */
void serve_drain(struct serve *s, gn_time limit);
/* Resets running and waiting streams, and ends the programs by SIGTERM, and by SIGKILL 2 s later. */
void serve_stop(struct serve *s);
/* Resets running and waiting streams, kills the programs, and frees everything. */
void serve_free(struct serve *s);

#endif
