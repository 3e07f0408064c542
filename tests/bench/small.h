/* SPDX-License-Identifier: MIT */
/* small: the measurement that small.c and bare.c have in common: what happens between the end of a warm-up and the end of the
 * run, in numbers and in processor time of this process and of the server. */
#ifndef GN_TESTS_BENCH_SMALL_H
#define GN_TESTS_BENCH_SMALL_H

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

#define SMALL_WARM_UP 0.1 /* seconds */

struct small {
	clockid_t server; /* processor time of the server */
	double seconds;
	uint64_t count; /* of round trips, streams or connections */
	int64_t begin, cpu;
};

static inline int64_t small_clock(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) != 0)
		err(1, "clock");
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline int64_t small_cpu(const struct small *m)
{
	return small_clock(CLOCK_PROCESS_CPUTIME_ID) + small_clock(m->server);
}

/* pid: of the server; seconds: of the run without the warm-up */
static inline void small_init(struct small *m, const char *pid, const char *seconds)
{
	if (clock_getcpuclockid((pid_t)strtol(pid, NULL, 10), &m->server) != 0)
		errx(1, "there is no process %s", pid);
	m->seconds = strtod(seconds, NULL);
	m->count = 0;
	m->begin = 0;
}

/* At the end of the warm-up. */
static inline void small_begin(struct small *m)
{
	m->count = 0;
	m->cpu = small_cpu(m);
	m->begin = small_clock(CLOCK_MONOTONIC);
}

/* Prints the count, the nanoseconds of the run, and those of processor time. */
static inline void small_end(const struct small *m)
{
	printf("%llu %lld %lld\n", (unsigned long long)m->count, (long long)(small_clock(CLOCK_MONOTONIC) - m->begin),
	       (long long)(small_cpu(m) - m->cpu));
}

/* For loops without timers: has the warm-up or the run ended?  `start` is when the loop began. */
static inline int small_is_over(struct small *m, int64_t start)
{
	int64_t now = small_clock(CLOCK_MONOTONIC);

	if (m->begin == 0) {
		if (now - start > (int64_t)(SMALL_WARM_UP * 1e9))
			small_begin(m);
		return 0;
	}
	return now - m->begin > (int64_t)(m->seconds * 1e9);
}

#endif
