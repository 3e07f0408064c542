/* SPDX-License-Identifier: MIT */
/*
 * The event loop: a run queue, timers, descriptors, one thread.  libev is behind it
 * and seen nowhere else.  A loop made with gn_loop_new_virtual() has no descriptors
 * and a clock that jumps to the next timer when nothing else is to be done: whole
 * networks then run in a test, in no time, the same way each time.
 *
 * The clock, gn_loop_now(), is read before each callback, after the wait that led to it, and stands
 * still during one.  It is CLOCK_MONOTONIC less the time for which this process itself did not run:
 * when a reading is more than a second later than the loop meant it to be (the process was stopped,
 * its machine was paused, a callback blocked), the clock moves on only by what was meant.  So a pause
 * of this process never counts as silence of others.  A pause within a wait cannot be told from
 * waiting as long as the wait lasts; therefore the loop waits for a timer in steps of half of what is
 * left, at least a second, and a pause uses up at most that.  After a pause descriptors are
 * reported before timers fire.
 */
#ifndef GN_LOOP_LOOP_H
#define GN_LOOP_LOOP_H

#include "base/list.h"
#include "gn.h"

/* A task: a piece of work that its owner embeds and posts.  Posting twice before it
 * ran is posting once.  Tasks run in the order of posting, each run of the queue
 * taking what was in it when it began, so a task that posts itself again lets
 * descriptors and timers come in between. */
struct gn_task {
	struct gn_list link;
	void (*run)(struct gn_task *task);
};

void gn_task_init(struct gn_task *task, void (*run)(struct gn_task *task));
void gn_task_post(struct gn_loop *loop, struct gn_task *task);
void gn_task_cancel(struct gn_task *task); /* fine when it is not posted */

/* Timers, embedded.  gn_timer_start() and _stop() of gn.h are for these too.  They fire
 * in the order of their instants, and of starting when those are equal.  The heap is
 * made of the timers themselves (lib/loop/timer.c), so starting one cannot fail. */
struct gn_timer {
	struct gn_loop *loop;
	size_t at; /* which start it was, for the order; 0: not running */
	gn_time when;
	void (*cb)(void *arg);
	void *arg;
	struct gn_timer *child, *next, *prev; /* the heap's */
};

void gn_timer_init(struct gn_timer *t, struct gn_loop *loop, void (*cb)(void *arg), void *arg);
void gn_timer_fini(struct gn_timer *t);
void gn_timer_start_at(struct gn_timer *t, gn_time when); /* GN_NEVER stops it */

int gn_loop_new_virtual(struct gn_loop **out);
bool gn_loop_is_virtual(const struct gn_loop *loop);
/* One turn: the run queue, then due timers, then descriptors, waiting for them at most
 * `wait` (virtual: jumps at most so far), and not at all when a task or timer ran, so that
 * the caller sees what those did before time passes.  Returns GN_EAGAIN when there was
 * nothing to wait for, 0 else. */
int gn_loop_turn(struct gn_loop *loop, gn_time wait);

/* What a folder keeps once a loop: a value under a key, the address of something static.
 * fini (may be NULL) gets the value when the loop is freed, the latest put first; it may
 * stop timers and watches and cancel tasks, and starts nothing.  -EEXIST, -ENOMEM. */
int gn_loop_slot_put(struct gn_loop *loop, const void *key, void *value, void (*fini)(void *value));
void *gn_loop_slot_get(const struct gn_loop *loop, const void *key); /* NULL: none */

/* Gives the pages of memory that was freed back to the system.  glibc does that by itself only at the end of
 * its heap, where a small piece that is still in use keeps all that was freed before it. */
void gn_heap_trim(void);

#endif
