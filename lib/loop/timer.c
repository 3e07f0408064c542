/* SPDX-License-Identifier: MIT */
/* Timers, in a priority queue (base/pqueue.h). */
#include "loop/inside.h"

#include <errno.h>
#include <stdlib.h>

static struct gn_timer *timer_of(struct gn_pqueue_node *node)
{
	return gn_list_entry(node, struct gn_timer, node);
}

static bool timer_is_before(struct gn_pqueue_node *left, struct gn_pqueue_node *right)
{
	const struct gn_timer *a = timer_of(left), *b = timer_of(right);

	return a->when != b->when ? a->when < b->when : a->seq < b->seq;
}

void gn_timers_init(struct gn_loop *loop)
{
	loop->timers.is_before = timer_is_before;
}

struct gn_timer *gn_timers_first(const struct gn_loop *loop)
{
	struct gn_pqueue_node *first = gn_pqueue_first(&loop->timers);

	return first != NULL ? timer_of(first) : NULL;
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
	if (t->seq == 0)
		return;
	gn_pqueue_del(&t->loop->timers, &t->node);
	t->seq = 0;
}

void gn_timer_start_at(struct gn_timer *t, gn_time when)
{
	gn_timer_stop(t);
	if (when == GN_NEVER)
		return;
	/* A timer never precedes those that are due already, so none of them starves. */
	t->when = when > t->loop->now ? when : t->loop->now;
	t->seq = ++t->loop->starts;
	gn_pqueue_add(&t->loop->timers, &t->node);
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
	while ((t = gn_timers_first(loop)) != NULL && t->when <= loop->now && t->seq <= last) {
		gn_timer_stop(t);
		t->cb(t->arg);
		gn_loop_clock_read(loop);
		any = true;
	}
	return any;
}
