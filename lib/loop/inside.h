/* SPDX-License-Identifier: MIT */
/* What the files of lib/loop share of a loop, and nobody else sees. */
#ifndef GN_LOOP_INSIDE_H
#define GN_LOOP_INSIDE_H

#include "loop/loop.h"

struct ev_loop;

struct gn_loop {
	struct ev_loop *ev;      /* NULL: virtual */
	gn_time now;             /* the loop's clock: mono, less the pauses of this process */
	gn_time mono;            /* CLOCK_MONOTONIC when it was read last */
	gn_time meant;           /* how much later than that the next reading is meant to be: the wait in between */
	struct gn_list tasks;    /* posted */
	struct gn_list running;  /* what this turn still runs */
	struct gn_timer *timers; /* the root: the next to fire */
	size_t starts;           /* timers started so far */
	size_t watching;         /* watches that wait for something */
	struct gn_slot *slots;
	bool is_stopped, is_running;
};

/* Reads the clock; before each callback, so that none sees an instant from before a wait or before
 * another callback that took long.  True when the process was paused since the last reading: that
 * was more than a second later than meant.  The pause does not count.  Virtual: does nothing. */
bool gn_loop_clock_read(struct gn_loop *loop);

/* Runs what was due when it was called; what its callbacks start waits for the next turn.
 * Was there anything? */
bool gn_timer_advance(struct gn_loop *loop);

int gn_watch_open(struct gn_loop *loop);
void gn_watch_close(struct gn_loop *loop);
/* Waits for descriptors and runs their callbacks: at most `wait`, 0: only looks. */
void gn_watch_wait(struct gn_loop *loop, gn_time wait);

#endif
