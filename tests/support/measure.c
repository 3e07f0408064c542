/* SPDX-License-Identifier: MIT */
#include "support/measure.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

int64_t measure_clock(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) != 0)
		err(1, "clock");
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t measure_cpu(const struct measure *m)
{
	return measure_clock(CLOCK_PROCESS_CPUTIME_ID) + measure_clock(m->server);
}

void measure_init(struct measure *m, const char *pid, const char *seconds)
{
	if (clock_getcpuclockid((pid_t)strtol(pid, NULL, 10), &m->server) != 0)
		errx(1, "there is no process %s", pid);
	m->seconds = strtod(seconds, NULL);
	m->count = 0;
	m->begin = 0;
}

void measure_begin(struct measure *m)
{
	m->count = 0;
	m->cpu = measure_cpu(m);
	m->begin = measure_clock(CLOCK_MONOTONIC);
}

void measure_end(const struct measure *m)
{
	printf("%" PRIu64 " %" PRId64 " %" PRId64 "\n", m->count, measure_clock(CLOCK_MONOTONIC) - m->begin,
	       measure_cpu(m) - m->cpu);
}

bool measure_is_over(struct measure *m, int64_t start)
{
	int64_t now = measure_clock(CLOCK_MONOTONIC);

	if (m->begin == 0) {
		if (now - start > (int64_t)(MEASURE_WARM_UP * 1e9))
			measure_begin(m);
		return false;
	}
	return now - m->begin > (int64_t)(m->seconds * 1e9);
}
