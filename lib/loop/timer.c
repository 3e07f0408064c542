/* SPDX-License-Identifier: MIT */
/*
 * Timers: a pairing heap whose nodes are the timers, so that starting one allocates
 * nothing and cannot fail.  A node's children hang on `child` and are chained by
 * `next`; `prev` is the sibling before, or the parent of a first child.
 */
#include "loop/inside.h"

#include <errno.h>
#include <stdlib.h>

static bool is_before(const struct gn_timer *a, const struct gn_timer *b)
{
	return a->when != b->when ? a->when < b->when : a->seq < b->seq;
}

/* Melds two heaps into one.  Each may be NULL; neither root has siblings. */
static struct gn_timer *meld(struct gn_timer *a, struct gn_timer *b)
{
	struct gn_timer *t;

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	if (is_before(b, a)) {
		t = a;
		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (a->child != NULL)
		a->child->prev = b;
	a->child = b;
	return a;
}

/* Melds the children of a removed node into one heap: first in pairs, then the pairs from the last to the
 * first.  This order keeps the amortised cost of a removal at O(log n). */
static struct gn_timer *meld_children(struct gn_timer *first)
{
	struct gn_timer *pairs = NULL, *root = NULL, *a, *b;

	while (first != NULL) {
		a = first;
		b = a->next;
		first = b != NULL ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b != NULL)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		a = pairs;
		pairs = a->next;
		a->next = NULL;
		root = meld(root, a);
	}
	return root;
}

static void unlink_timer(struct gn_timer *t)
{
	struct gn_timer *rest = meld_children(t->child);

	if (t == t->loop->timers) {
		t->loop->timers = rest;
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next != NULL)
			t->next->prev = t->prev;
		t->loop->timers = meld(t->loop->timers, rest);
	}
	t->child = t->next = t->prev = NULL;
	t->seq = 0;
}

void gn_timer_init(struct gn_timer *t, struct gn_loop *loop, void (*cb)(void *arg), void *arg)
{
	*t = (struct gn_timer){.loop = loop, .cb = cb, .arg = arg};
}

void gn_timer_fini(struct gn_timer *t)
{
	gn_timer_stop(t);
}

void gn_timer_stop(struct gn_timer *t)
{
	if (t->seq != 0)
		unlink_timer(t);
}

void gn_timer_start_at(struct gn_timer *t, gn_time when)
{
	gn_timer_stop(t);
	if (when == GN_NEVER)
		return;
	/* A timer never precedes those that are due already, so none of them starves. */
	t->when = when > t->loop->now ? when : t->loop->now;
	t->seq = ++t->loop->starts;
	t->loop->timers = meld(t->loop->timers, t);
}

bool gn_timer_is_running(const struct gn_timer *t)
{
	return t->seq != 0;
}

void gn_timer_start(struct gn_timer *t, gn_time delay)
{
	gn_time now = t->loop->now;

	if (delay < 0)
		delay = 0;
	gn_timer_start_at(t, delay < GN_NEVER - now ? now + delay : GN_NEVER);
}

int gn_timer_new(struct gn_loop *loop, void (*cb)(void *arg), void *arg, struct gn_timer **out)
{
	struct gn_timer *t = malloc(sizeof *t);

	if (t == NULL)
		return -ENOMEM;
	gn_timer_init(t, loop, cb, arg);
	*out = t;
	return 0;
}

void gn_timer_free(struct gn_timer *t)
{
	if (t == NULL)
		return;
	gn_timer_fini(t);
	free(t);
}

bool gn_timer_advance(struct gn_loop *loop)
{
	size_t last = loop->starts;
	bool any = false;
	struct gn_timer *t;

	gn_loop_clock_read(loop);
	while ((t = loop->timers) != NULL && t->when <= loop->now && t->seq <= last) {
		unlink_timer(t);
		t->cb(t->arg);
		gn_loop_clock_read(loop);
		any = true;
	}
	return any;
}
