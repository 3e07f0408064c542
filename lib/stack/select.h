/* SPDX-License-Identifier: MIT */
/*
 * multistream-select 1.0 as a layer (libp2p specs connections/README.md, "multistream-select"): it
 * negotiates the protocol that its two pipes carry next, then returns GN_DONE.
 *
 * The initiator writes the header and its first proposal at once, in init.  With a single proposal
 * the choice is known: a layer that is pushed above a gating selection may write right behind it
 * (lazy negotiation), and only reading waits for the answer.
 *
 * advance() fails with GN_ENOPROTO (initiator: all proposals were refused), GN_EPROTO (a wrong header,
 * an answer that was not proposed), GN_ETOOBIG (a message longer than GN_SELECT_ID_MAX + 1 bytes), GN_EFORMAT
 * (a message without its newline, or a NUL in an id), GN_ELIMIT (responder: too many proposals), -ENOMEM, or
 * with the end of the pipe, where GN_EOF becomes GN_ETRUNC.  init fails with -EINVAL (no proposal, or an id
 * that is too long) or as gn_pipe_put() does.
 */
#ifndef GN_STACK_SELECT_H
#define GN_STACK_SELECT_H

#include "stack/layer.h"

enum {
	GN_SELECT_ID_MAX = 1023,     /* bytes of a protocol id; with its newline 1024, as in go and js */
	GN_SELECT_PROPOSALS_MAX = 64 /* messages of an initiator that a responder answers */
};

struct gn_select_cfg {
	bool initiator;
	/* Initiator: proposals in order of preference.  Borrowed until the layer is done. */
	const char *const *ids;
	size_t n;
	/* Responder: returns the index (>= 0) of the protocol, or GN_ENOPROTO.  Called from inside
	 * advance(). */
	int (*find)(void *arg, const char *id, size_t len);
	/* Responder, for `ls`: returns the i-th id, NULL behind the last.  Called from inside advance();
	 * NULL: no ids. */
	const char *(*show)(void *arg, size_t i);
	void *arg;
};

extern const struct gn_layer_ops gn_select_ops;

/* Once the layer is done: the index of the chosen protocol in cfg.ids, or from cfg.find; before,
 * GN_ENOPROTO. */
int gn_select_chosen(const struct gn_layer *l);

#endif
