/* SPDX-License-Identifier: MIT */
/*
 * A stack: layers on top of each other over one pair of pipes, and the pump that runs them.  The
 * pump advances dirty layers only, until nothing moves or its budget is spent.  No layer calls an
 * owner back from inside advance(); the owner is notified of steps between two calls.
 */
#ifndef GN_STACK_STACK_H
#define GN_STACK_STACK_H

#include "stack/layer.h"

enum { GN_STACK_LAYERS = 4 }; /* at once; a layer that is done makes room */

struct gn_stack_cfg {
	struct gn_iobuf *iobuf; /* outlives the stack */
	/* At the bottom, read from rx, written to tx; the caller's, outlive the stack.  Blocks between the layers are
	 * charged to the scope of rx, past its limits. */
	struct gn_pipe *rx, *tx;
	/* Layer l has returned `step`: GN_READY, GN_DONE (the layer is removed when this returns), or an
	 * error, after which the stack does nothing more.  Called from inside gn_stack_pump().  It may push
	 * layers and may set s->err to fail the stack; it may not pump or free the stack.  NULL: not
	 * called. */
	void (*on_step)(void *arg, struct gn_stack *s, struct gn_layer *l, int step);
	/* A layer was marked outside the pump: gn_stack_pump() is to be called soon, not from inside this
	 * call. NULL: not called. */
	void (*on_work)(void *arg);
	void *arg;
};

struct gn_stack {
	struct gn_stack_cfg cfg;
	struct gn_layer *layers[GN_STACK_LAYERS]; /* from the bottom */
	unsigned n;
	int err; /* 0, or what the stack failed with */
	bool pumping;
};

void gn_stack_init(struct gn_stack *s, const struct gn_stack_cfg *cfg);
/* Frees all layers, from the top.  May not be called from inside the pump. */
void gn_stack_fini(struct gn_stack *s);

/* Puts a layer on top.  gates: until this layer is done it alone reads, and what is pushed after it shares
 * its pair of pipes and may write behind it (lazy negotiation).  out may be NULL.  Returns 0, GN_ELIMIT
 * (GN_STACK_LAYERS are in use), -ENOMEM, or what the layer's init returned. */
int gn_stack_push(struct gn_stack *s, const struct gn_layer_ops *ops, const void *cfg, bool gates,
		  struct gn_layer **out);
/* The pair of pipes that the user of the top layer reads and writes. */
struct gn_pipe *gn_stack_top_rx(struct gn_stack *s);
struct gn_pipe *gn_stack_top_tx(struct gn_stack *s);

/* Replaces the pair at the bottom, because the old one is about to be freed; bytes in it are not moved.  May be called from
 * inside on_step, but not from inside advance(). */
void gn_stack_set_bottom(struct gn_stack *s, struct gn_pipe *rx, struct gn_pipe *tx);

/* The pipes at the bottom, or at the top, have changed.  May be called at any time, also from inside the
 * pump. */
void gn_stack_mark_bottom(struct gn_stack *s);
void gn_stack_mark_top(struct gn_stack *s);

/* Runs the stack.  Returns 0 when nothing more moves; GN_EAGAIN when the budget (calls of advance) is
 * spent, and the caller pumps again later; or the error that the stack has failed with.  From inside the
 * pump it has no effect. */
int gn_stack_pump(struct gn_stack *s, gn_time now, unsigned budget);
/* When the stack has to be pumped although no pipe has changed; GN_NEVER. */
gn_time gn_stack_wake(const struct gn_stack *s);

#endif
