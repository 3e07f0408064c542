/* SPDX-License-Identifier: MIT */
/*
 * A stack: layers on top of each other over one pair of pipes, and the pump that runs
 * them.  The pump visits dirty layers only, until nothing moves or its budget is spent.
 * Nothing is called back from inside a layer; the owner hears of steps in between.
 */
#ifndef GN_STACK_STACK_H
#define GN_STACK_STACK_H

#include "stack/layer.h"

enum { GN_STACK_LAYERS = 4 };

struct gn_stack_cfg {
	struct gn_iobuf *iobuf;
	struct gn_pipe *rx, *tx; /* the pair at the bottom: read from rx, written to tx; the caller's */
	/* Layer l has said `what`: GN_READY, GN_DONE (it is removed when this returns), or an
	 * error, after which the stack does nothing more.  The owner may push layers. */
	void (*on_step)(void *arg, struct gn_stack *s, struct gn_layer *l, int what);
	/* A layer was marked outside the pump: gn_stack_pump() ought to be called soon. */
	void (*on_work)(void *arg);
	void *arg;
};

struct gn_stack {
	struct gn_stack_cfg cfg;
	struct gn_layer *layers[GN_STACK_LAYERS]; /* from the bottom */
	unsigned n;
	int err;
	bool pumping;
};

void gn_stack_init(struct gn_stack *s, const struct gn_stack_cfg *cfg);
void gn_stack_fini(struct gn_stack *s);

/* Puts a layer on top.  gates: until this layer is done it alone reads, and what is
 * pushed after it shares its pair of pipes and may write behind it (lazy selection). */
int gn_stack_push(struct gn_stack *s, const struct gn_layer_ops *ops, const void *cfg, bool gates,
		  struct gn_layer **out);
/* The pair that whoever stands on the top layer uses. */
struct gn_pipe *gn_stack_top_rx(struct gn_stack *s);
struct gn_pipe *gn_stack_top_tx(struct gn_stack *s);

/* The pipes at the bottom, or at the top, have changed. */
void gn_stack_mark_bottom(struct gn_stack *s);
void gn_stack_mark_top(struct gn_stack *s);

/* Runs it.  0: nothing more moves; GN_EAGAIN: the budget (calls of advance) is spent,
 * pump again later; an error: the stack has failed. */
int gn_stack_pump(struct gn_stack *s, gn_time now, unsigned budget);
/* When it wants to be pumped without news; GN_NEVER. */
gn_time gn_stack_wake(const struct gn_stack *s);

#endif
