/* SPDX-License-Identifier: MIT */
/*
 * The event loop: a run queue, timers and descriptors on one thread.  libev implements it, and is visible in
 * lib/loop/watch.c only.  A loop made by gn_loop_new_virtual() has no descriptors, and its clock jumps to the
 * next timer when nothing else is to be done.  Tests run whole networks on it, without waiting and with the
 * same result each time.
 *
 * The clock, gn_loop_now(), is read before each callback, after the wait that led to it, and does not move
 * during a callback.  It is CLOCK_MONOTONIC less the time for which this process itself did not run: when a
 * reading is more than a second later than expected (the process was stopped, its machine was paused, a
 * callback blocked), the clock advances only by the time that was expected.  A pause of this process
 * therefore never counts as silence of a peer.  A pause during a wait cannot be distinguished from the wait
 * itself.  The loop therefore waits for a timer in steps of half of the time that is left, at least a second,
 * and a pause uses up at most one step.  After a pause, descriptors are reported before timers fire.
 *
 * Every function may be called from inside any callback of the loop, except gn_loop_free().  gn_loop_run()
 * returns -EBUSY there; gn_loop_turn() may be nested.
 */
#ifndef GN_LOOP_LOOP_H
#define GN_LOOP_LOOP_H

#include "base/list.h"
#include "base/pqueue.h"
#include "gn.h"

/* A task is a piece of work that its owner embeds and posts.  A task that is posted again before it ran
 * runs once.  Tasks run in the order of posting.  A turn runs the tasks that were posted when it began, so
 * descriptors and timers get their turn also when a task posts itself again. */
struct gn_task {
	struct gn_list link;
	void (*run)(struct gn_task *task); /* the task is not posted any more: it may be posted again, or freed */
};

void gn_task_init(struct gn_task *task, void (*run)(struct gn_task *task));
void gn_task_post(struct gn_loop *loop, struct gn_task *task);
/* As gn_task_post(), but the task runs before all tasks that are posted now, also if it is posted already.  Tasks that
 * are posted in this way by one task run in the order of posting.  A task does not post itself like this. */
void gn_task_post_next(struct gn_loop *loop, struct gn_task *task);
/* A task that is not posted is left alone. */
void gn_task_cancel(struct gn_task *task);

/* An embedded timer.  gn_timer_start() and gn_timer_stop() of gn.h serve these, too.  Timers fire in the
 * order of their instants, and those with equal instants in the order in which they were started.  The
 * timers themselves are the nodes of the heap (lib/loop/timer.c), so starting one cannot fail. */
struct gn_timer {
	struct gn_loop *loop;
	size_t seq; /* the number of this start, for the order; 0: not running */
	gn_time when;
	void (*cb)(void *arg); /* the timer is stopped: it may be started again, or freed */
	void *arg;
	struct gn_pqueue_node node; /* in loop->timers while it is running */
};

void gn_timer_init(struct gn_timer *t, struct gn_loop *loop, void (*cb)(void *arg), void *arg);
void gn_timer_fini(struct gn_timer *t);
/* Starts or moves the timer.  An instant in the past is now; GN_NEVER stops the timer. */
void gn_timer_start_at(struct gn_timer *t, gn_time when);
bool gn_timer_is_running(const struct gn_timer *t);

/* 0 or -ENOMEM. */
int gn_loop_new_virtual(struct gn_loop **out);
bool gn_loop_is_virtual(const struct gn_loop *loop);
/* Runs one turn: the posted tasks, then the timers that are due, then descriptors, which are waited for at
 * most `wait` (a virtual clock jumps at most so far).  It does not wait when a task or timer ran, so that
 * the caller sees their effect before time passes.  Returns 0, or GN_EAGAIN when there was nothing to wait
 * for. */
int gn_loop_turn(struct gn_loop *loop, gn_time wait);

/* A slot holds what a module keeps once per loop: a value under a key, which is the address of a static
 * object.  fini (may be NULL) is called with the value when the loop is freed; the value that was put last
 * goes first.  fini may stop timers and watches and cancel tasks, and must not start or post any.  0,
 * -EEXIST when the key is taken, or -ENOMEM. */
int gn_loop_slot_put(struct gn_loop *loop, const void *key, void *value, void (*fini)(void *value));
/* The value, which stays the loop's; NULL when there is none. */
void *gn_loop_slot_get(const struct gn_loop *loop, const void *key);

/* A slot that is shared has the address of its ops as its key, and exists only while it is in use. */
struct gn_slot_ops {
	int (*make)(void **value); /* 0 or an error */
	void (*fini)(void *value);
};

/* Gets the value of a shared slot, which make makes for its first user.  Each user calls
 * gn_loop_slot_release() before the loop is freed; the last call frees the value by fini.  0, the error of
 * make, or -ENOMEM. */
int gn_loop_slot_acquire(struct gn_loop *loop, const struct gn_slot_ops *ops, void **value);
void gn_loop_slot_release(struct gn_loop *loop, const struct gn_slot_ops *ops);

/* Returns the pages of freed memory to the system.  glibc does so by itself only at the end of its heap,
 * where one small block that is in use retains everything that was freed before it. */
void gn_heap_trim(void);

#endif
