/* SPDX-License-Identifier: MIT */
/*
 * A layer moves bytes between the pipes below it and the pipes above it.  It knows no socket, no
 * event loop, and no clock but the `now` that it is given.
 *
 *            up_rx ^   | up_tx
 *               +--|---v--+
 *               |  layer  |
 *               +--^---|--+
 *               rx |   v tx
 *
 * It reads rx and up_tx, and writes up_rx and tx.  A layer on which no other layer can stand
 * (a multiplexer, a selection) has no pipes above it.
 */
#ifndef GN_STACK_LAYER_H
#define GN_STACK_LAYER_H

#include "stack/pipe.h"

/* What advance() may return besides 0 (something moved: advance it again), GN_EAGAIN (nothing to do until a
 * pipe changes or `wake` is reached) and errors, which end the stack. */
enum gn_step {
	GN_DONE = 1,  /* the layer has finished: it is removed, and the next layer uses its two pipes */
	GN_READY = 2, /* the layer above may start now; returned once */
};

struct gn_layer;

struct gn_layer_ops {
	const char *name; /* protocol id, used as a tag in the log: "/noise" */
	size_t size;      /* bytes of the private state, which is zeroed before init */
	size_t up_cap;    /* bytes: the hard cap of each of the pipes above; 0: there are none */
	/* May write to tx.  cfg is the layer's own type; the layer copies what it needs, but for what that
	 * type's header says is borrowed.  Returns 0 or an error; after an error the layer is freed and
	 * fini is not called. */
	int (*init)(struct gn_layer *l, const void *cfg);
	/* Each call consumes whole units or leaves its input unchanged, so it may be called at any time.
	 * It sets l->wake when it has to be called again without a change of a pipe.  It calls back nothing
	 * but what its cfg has for that purpose, and no function of the stack but gn_stack_mark_*() and
	 * gn_layer_mark(). */
	int (*advance)(struct gn_layer *l, gn_time now);
	void (*fini)(struct gn_layer *l); /* NULL: there is nothing to release */
};

struct gn_stack;

struct gn_layer {
	const struct gn_layer_ops *ops;
	struct gn_stack *stack;
	struct gn_pipe *rx, *tx;       /* below */
	struct gn_pipe *up_rx, *up_tx; /* above, or NULL */
	gn_time wake;                  /* the latest time to be advanced again; GN_NEVER */
	bool dirty;                    /* one of its pipes has changed since it was advanced */
	bool gates;                    /* reads rx alone; layers above share its pipes and wait until it is done */
	void *state;
};

/* The layer has something to do: it is advanced when the stack is pumped next.  Outside of the pump,
 * on_work of the stack is called so that this happens soon. */
void gn_layer_mark(struct gn_layer *l);

#endif
