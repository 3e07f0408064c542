/* SPDX-License-Identifier: MIT */
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void gn_stack_init(struct gn_stack *s, const struct gn_stack_cfg *cfg)
{
	memset(s, 0, sizeof *s);
	s->cfg = *cfg;
}

static void layer_free(struct gn_layer *l, bool is_init)
{
	if (is_init && l->ops->fini != NULL)
		l->ops->fini(l);
	if (l->up_rx != NULL) {
		gn_pipe_fini(l->up_rx);
		gn_pipe_fini(l->up_tx);
	}
	free(l);
}

void gn_stack_fini(struct gn_stack *s)
{
	while (s->n > 0)
		layer_free(s->layers[--s->n], true);
}

/* Allocates a layer with its two pipes and its state in one piece. */
static struct gn_layer *layer_new(struct gn_stack *s, const struct gn_layer_ops *ops)
{
	size_t head = (sizeof(struct gn_layer) + 15) / 16 * 16;
	size_t pipes = ops->up_cap > 0 ? 2 * sizeof(struct gn_pipe) : 0;
	struct gn_layer *l = calloc(1, head + (pipes + 15) / 16 * 16 + ops->size);
	char *at = (char *)l + head;

	if (l == NULL)
		return NULL;
	l->ops = ops;
	l->stack = s;
	l->wake = GN_NEVER;
	l->dirty = true;
	if (pipes > 0) {
		l->up_rx = (void *)at;
		l->up_tx = l->up_rx + 1;
		gn_pipe_init(l->up_rx, s->cfg.iobuf, ops->up_cap);
		gn_pipe_init(l->up_tx, s->cfg.iobuf, ops->up_cap);
		l->up_rx->scope = l->up_tx->scope = s->cfg.rx->scope;
		l->up_rx->is_forced = l->up_tx->is_forced = true;
		at += (pipes + 15) / 16 * 16;
	}
	l->state = at;
	return l;
}

int gn_stack_push(struct gn_stack *s, const struct gn_layer_ops *ops, const void *cfg, bool gates,
		  struct gn_layer **out)
{
	struct gn_layer *l;
	int err;

	if (s->n == GN_STACK_LAYERS)
		return GN_ELIMIT;
	l = layer_new(s, ops);
	if (l == NULL)
		return -ENOMEM;
	l->gates = gates;
	l->rx = gn_stack_top_rx(s);
	l->tx = gn_stack_top_tx(s);
	err = ops->init(l, cfg);
	if (err != 0) {
		layer_free(l, false);
		return err;
	}
	s->layers[s->n++] = l;
	if (s->n > 1)
		s->layers[s->n - 2]->dirty = true;
	gn_layer_mark(l);
	if (out != NULL)
		*out = l;
	return 0;
}

/* The highest layer that has pipes above it: a selection and the layer that follows it share the pair
 * below. */
static struct gn_layer *top_layer(struct gn_stack *s)
{
	for (unsigned i = s->n; i-- > 0;)
		if (s->layers[i]->up_rx != NULL)
			return s->layers[i];
	return NULL;
}

struct gn_pipe *gn_stack_top_rx(struct gn_stack *s)
{
	struct gn_layer *l = top_layer(s);

	return l != NULL ? l->up_rx : s->cfg.rx;
}

struct gn_pipe *gn_stack_top_tx(struct gn_stack *s)
{
	struct gn_layer *l = top_layer(s);

	return l != NULL ? l->up_tx : s->cfg.tx;
}

/* Charges the pipe's blocks to another scope from now on, past its maximum. */
static void pipe_set_scope(struct gn_pipe *p, struct gn_scope *scope)
{
	for (struct gn_block *b = p->head; b != NULL; b = b->next) {
		if (!b->is_charged)
			continue;
		gn_scope_give(p->scope, b->room);
		gn_scope_force(scope, b->room);
	}
	p->scope = scope;
}

void gn_stack_set_bottom(struct gn_stack *s, struct gn_pipe *rx, struct gn_pipe *tx)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct gn_layer *l = s->layers[i];

		if (l->rx == s->cfg.rx)
			l->rx = rx;
		if (l->tx == s->cfg.tx)
			l->tx = tx;
		if (l->up_rx != NULL) { /* the scope of the old pipes may be freed with them */
			pipe_set_scope(l->up_rx, rx->scope);
			pipe_set_scope(l->up_tx, rx->scope);
		}
	}
	gn_pipe_source(s->cfg.tx, NULL, NULL); /* it was a layer's */
	s->cfg.rx = rx;
	s->cfg.tx = tx;
	gn_stack_mark_bottom(s);
}

void gn_layer_mark(struct gn_layer *l)
{
	l->dirty = true;
	if (!l->stack->pumping && l->stack->cfg.on_work != NULL)
		l->stack->cfg.on_work(l->stack->cfg.arg);
}

void gn_stack_mark_bottom(struct gn_stack *s)
{
	if (s->n > 0)
		gn_layer_mark(s->layers[0]);
}

/* Marks the layers that use the pair at the top: selections on it, and the layer below that it belongs to. */
void gn_stack_mark_top(struct gn_stack *s)
{
	for (unsigned i = s->n; i-- > 0;) {
		gn_layer_mark(s->layers[i]);
		if (s->layers[i]->up_rx != NULL)
			break;
	}
}

static void layer_remove(struct gn_stack *s, unsigned i)
{
	struct gn_layer *l = s->layers[i];

	memmove(&s->layers[i], &s->layers[i + 1], (s->n - i - 1) * sizeof s->layers[0]);
	s->n--;
	if (i < s->n)
		s->layers[i]->dirty = true;
	if (i > 0) /* the last step may have changed its pipes */
		s->layers[i - 1]->dirty = true;
	layer_free(l, true);
}

/* Advances layer i once.  Returns true when something moved. */
static bool stack_step(struct gn_stack *s, unsigned i, gn_time now)
{
	struct gn_layer *l = s->layers[i];
	int r;

	l->dirty = false;
	if (l->wake <= now)
		l->wake = GN_NEVER;
	r = l->ops->advance(l, now);
	if (r == GN_EAGAIN)
		return false;
	if (r != 0) {
		if (r < 0)
			s->err = r;
		if (s->cfg.on_step != NULL)
			s->cfg.on_step(s->cfg.arg, s, l, r);
		if (r < 0)
			return false;
		if (r == GN_DONE) {
			layer_remove(s, i);
			return true;
		}
	}
	l->dirty = true;
	if (i > 0)
		s->layers[i - 1]->dirty = true;
	if (i + 1 < s->n)
		s->layers[i + 1]->dirty = true;
	return true;
}

/* True when a layer that may run is marked, also by a step that moved nothing itself. */
static bool has_work(const struct gn_stack *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->layers[i]->dirty)
			return true;
		if (s->layers[i]->gates)
			break;
	}
	return false;
}

int gn_stack_pump(struct gn_stack *s, gn_time now, unsigned budget)
{
	bool again = true;

	if (s->err != 0 || s->pumping)
		return s->err;
	s->pumping = true;
	while (again && s->err == 0) {
		again = false;
		for (unsigned i = 0; i < s->n && s->err == 0; i++) {
			struct gn_layer *l = s->layers[i];
			bool gates = l->gates;

			if (l->dirty || l->wake <= now) {
				if (budget == 0) {
					s->pumping = false;
					return GN_EAGAIN;
				}
				budget--;
				again |= stack_step(s, i, now);
			}
			if (gates && i < s->n && s->layers[i] == l)
				break;
		}
		again = again || has_work(s);
	}
	s->pumping = false;
	return s->err;
}

gn_time gn_stack_wake(const struct gn_stack *s)
{
	gn_time t = GN_NEVER;

	for (unsigned i = 0; i < s->n; i++) {
		if (s->layers[i]->wake < t)
			t = s->layers[i]->wake;
		if (s->layers[i]->gates)
			break;
	}
	return t;
}
