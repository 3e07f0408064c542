/* SPDX-License-Identifier: MIT */
/* The inside of a loop.  Only files of lib/loop include this. */
#ifndef GN_LOOP_INSIDE_H
#define GN_LOOP_INSIDE_H

#include "loop/loop.h"

struct ev_loop;
struct ev_timer;

struct gn_loop {
	struct ev_loop *ev;        /* NULL: the loop is virtual */
	struct ev_timer *ev_timer; /* ends libev's wait */
	gn_time ev_timer_at;       /* mono, when it fires at the latest while it is active */
	gn_time now;               /* the loop's clock: mono less the pauses of this process */
	gn_time mono;              /* CLOCK_MONOTONIC at the last reading */
	gn_time expected;          /* how much later the next reading is expected: the wait between the two */
	struct gn_list tasks;      /* posted */
	struct gn_list running;    /* tasks that the current turn still has to run */
	struct gn_list next;       /* tasks that run before these, see gn_task_post_next() */
	struct gn_pqueue timers;   /* that are running */
	size_t starts;             /* how often timers were started */
	size_t watching;           /* watches with a nonempty set of events */
	struct gn_slot *slots;
	bool is_stopped, is_running;
};

/* Reads the clock.  This is done before each callback, so that no callback sees an instant from before a
 * wait, or from before another callback that took long.  Returns true when the process was paused since
 * the last reading, which is when the reading is more than a second later than expected; the pause is not
 * counted.  A virtual loop's clock is left alone. */
bool gn_loop_clock_read(struct gn_loop *loop);

void gn_timers_init(struct gn_loop *loop);
/* The timer that fires next; NULL: none is running. */
struct gn_timer *gn_timers_first(const struct gn_loop *loop);

/* Fires the timers that are due at the time of the call.  Timers that their callbacks start fire in the
 * next turn at the earliest.  Returns whether any timer fired. */
bool gn_timer_advance(struct gn_loop *loop);

/* Creates libev's loop.  0, -ENOMEM or -errno. */
int gn_watch_open(struct gn_loop *loop);
void gn_watch_close(struct gn_loop *loop);
/* Waits for descriptors for at most `wait` (0: polls) and runs their callbacks. */
void gn_watch_wait(struct gn_loop *loop, gn_time wait);

#endif
