/* SPDX-License-Identifier: MIT */
/*
 * A layer: a box that moves bytes between the pipes below it and the pipes above it.
 * It knows no socket, no loop, and no clock but the `now` it is handed.
 *
 *            up_rx ^   | up_tx
 *               +--|---v--+
 *               |  layer  |
 *               +--^---|--+
 *               rx |   v tx
 *
 * It writes up_rx and tx, and reads rx and up_tx.  A layer that nothing can stand on
 * (a multiplexer, a selection) has no pipes above it.
 */
#ifndef GN_STACK_LAYER_H
#define GN_STACK_LAYER_H

#include "stack/pipe.h"

/* What advance may return besides 0 (something moved: call me again), GN_EAGAIN
 * (nothing to do before a pipe changes or `wake`) and errors. */
enum gn_step {
	GN_DONE = 1,  /* my work is over: the next layer takes my place, on the same two pipes */
	GN_READY = 2, /* what is above me may start now (said once) */
};

struct gn_layer;

struct gn_layer_ops {
	const char *name; /* wire id and log tag: "/noise" */
	size_t size;      /* of the private state, which is handed to init zeroed */
	size_t rx_max;    /* the largest unit it must see whole in rx */
	size_t up_cap;    /* hard cap of each of the pipes above; 0: there are none */
	/* May write into tx.  On failure fini is not called. */
	int (*init)(struct gn_layer *l, const void *cfg);
	/* Each step takes all that it needs or touches nothing, so it may be called at any
	 * time.  It sets l->wake when it wants to be called again without news. */
	int (*advance)(struct gn_layer *l, gn_time now);
	void (*fini)(struct gn_layer *l);
};

struct gn_stack;

struct gn_layer {
	const struct gn_layer_ops *ops;
	struct gn_stack *stack;
	struct gn_pipe *rx, *tx;       /* below */
	struct gn_pipe *up_rx, *up_tx; /* above, or NULL */
	gn_time wake;                  /* the latest time to be called again; GN_NEVER */
	bool dirty;                    /* a pipe of it has changed */
	bool gates;                    /* reads rx first; the layers above share its pipes and wait */
	void *state;
};

/* Something at the layer has changed: it is advanced when the stack is pumped next,
 * which is arranged for. */
void gn_layer_mark(struct gn_layer *l);

#endif
