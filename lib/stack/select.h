/* SPDX-License-Identifier: MIT */
/*
 * multistream-select 1.0 as a layer (specs connections/README.md, multistream-select):
 * agrees on what comes next on its two pipes, then is GN_DONE.
 *
 * The initiator writes the header and its first proposal at once, in init.  With one
 * proposal the choice is known: what is pushed above a gating selection may write right
 * behind it (lazy negotiation), and only reading waits for the answer.
 *
 * Errors: GN_ENOPROTO (all proposals refused), GN_EPROTO, GN_ETOOBIG, GN_ELIMIT (too many
 * proposals), GN_EFORMAT, or how the pipe ended.
 */
#ifndef GN_STACK_SELECT_H
#define GN_STACK_SELECT_H

#include "stack/layer.h"

enum {
	GN_SELECT_ID_MAX = 1023,     /* bytes of a protocol id; with its newline 1024, as in go and js */
	GN_SELECT_PROPOSALS_MAX = 64 /* that a responder listens to */
};

struct gn_select_cfg {
	bool initiator;
	/* Initiator: proposals in order of preference.  The strings stay the caller's until the layer is done. */
	const char *const *ids;
	size_t n;
	/* Responder: the index (>= 0) of the protocol of that name, or GN_ENOPROTO. */
	int (*find)(void *arg, const char *id, size_t len);
	/* Responder, for `ls`: the i-th id to show, NULL behind the last. */
	const char *(*show)(void *arg, size_t i);
	void *arg;
};

extern const struct gn_layer_ops gn_select_ops;

/* Once it is done: the index that was agreed on, of cfg.ids or from cfg.find. */
int gn_select_chosen(const struct gn_layer *l);

#endif
