/* SPDX-License-Identifier: MIT */
/*
 * measure: how many round trips, streams or connections a client completes between the end of a warm-up and the end
 * of the run, and how much processor time this process and the server use for them.  For tests/bench.  A failed system call
 * ends the program.
 */
#ifndef GN_SUPPORT_MEASURE_H
#define GN_SUPPORT_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define MEASURE_WARM_UP 0.1 /* seconds */

struct measure {
	clockid_t server; /* the clock of the server's processor time */
	double seconds;   /* of the run, without the warm-up */
	uint64_t count;   /* of round trips, streams or connections; the client adds to it */
	int64_t begin;    /* the monotonic clock at the end of the warm-up; 0: the warm-up has not ended */
	int64_t cpu;      /* the processor time of both at that time */
};

/* A clock's value in nanoseconds. */
int64_t measure_clock(clockid_t clock);

/* pid: of the server; seconds: of the run without the warm-up. */
void measure_init(struct measure *m, const char *pid, const char *seconds);
/* Ends the warm-up: the count begins again at 0. */
void measure_begin(struct measure *m);
/* Prints the count, the nanoseconds of the run, and those of processor time. */
void measure_end(const struct measure *m);

/* For loops without timers.  Ends the warm-up when it is due, and returns whether the run has ended.  start: the
 * monotonic clock when the loop began. */
bool measure_is_over(struct measure *m, int64_t start);

#endif
