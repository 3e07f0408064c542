/* SPDX-License-Identifier: MIT */
/*
 * serve: the streams that came in: which run, which wait.
 *
 * Without a program one runs at a time, on stdin and stdout; with one, so many as -c says, divided among the peers
 * as share.h says.  The others have been negotiated, and their data waits in their windows.
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
	bool is_one_peer;               /* only one peer is let in: it may have all programs */
	bool recv_only;                 /* stdin is left alone, and our end follows the peer's */
	gn_time idle;                   /* a stream on which nothing moved for so long is ended; 0: never */
	bool frames;                    /* on the wire */
	enum format format, format_out; /* wire.h */
	size_t max_frame;
	const struct streamlog_cfg *log;
	/* stdin or stdout failed, which ends the tool with this code; it was said already. */
	void (*on_broken)(void *arg, int code);
	/* After serve_drain() or serve_stop(): no stream is left, nor any process of a program. */
	void (*on_ended)(void *arg);
	void *arg;
};

/* Takes stdin and stdout over where there is no program. */
int serve_new(const struct serve_cfg *cfg, struct serve **out);
/* gn_protocol_cfg.on_open, with the serve as its arg. */
void serve_open(void *arg, struct gn_channel *ch);
/* Lets what runs and waits end by itself, for so long; then, as serve_stop(). */
void serve_drain(struct serve *s, gn_time limit);
/* Resets what runs and waits, and ends the programs: SIGTERM, and SIGKILL 2 s later. */
void serve_stop(struct serve *s);
/* Resets what runs and waits, and kills the programs. */
void serve_free(struct serve *s);

#endif
