/* SPDX-License-Identifier: MIT */
/*
 * serve: the streams that came in: which run, which wait.
 *
 * Without a program one runs at a time, on stdin and stdout; with one, so many as -c says.
 * The others have been negotiated, and their data waits in their windows.
 */
#ifndef CMD_GN_LISTEN_SERVE_H
#define CMD_GN_LISTEN_SERVE_H

#include "common/form.h"
#include "common/note.h"
#include "gn.h"

struct serve;

struct serve_cfg {
	struct gn_loop *loop;
	const struct gn_peer_id *self;
	char *const *argv; /* NULL: stdin and stdout */
	unsigned conc;
	bool frames;              /* on the wire */
	enum form form, form_out; /* wire.h */
	size_t max_frame;
	const struct note_cfg *note;
	/* stdin or stdout failed, which ends the tool with this code; it was said already. */
	void (*on_broken)(void *arg, int code);
	void *arg;
};

/* Takes stdin and stdout over where there is no program. */
int serve_new(const struct serve_cfg *cfg, struct serve **out);
/* gn_protocol_cfg.on_open, with the serve as its arg. */
void serve_open(void *arg, struct gn_channel *ch);
/* Resets what runs and waits. */
void serve_free(struct serve *s);

#endif
