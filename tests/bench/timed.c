/* SPDX-License-Identifier: MIT */
/*
 * Runs a program and records its cost.
 *
 *   timed [-t SECONDS] OUT PROGRAM ARGS...
 *
 * When the program has ended, timed writes a line to OUT: the nanoseconds (CLOCK_MONOTONIC) of its start and
 * its end, its processor time and that of the children it waited for in nanoseconds, its peak of resident
 * memory in KiB, its exit code.  SIGTERM, SIGINT and SIGHUP are passed on.  After SECONDS the program is
 * killed (code 137).  It is also killed when timed itself ends.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t time_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

/* Waits for the child and passes signals on; returns its status and cost. */
static int await(pid_t child, const sigset_t *signals, uint64_t deadline, struct rusage *cost)
{
	int status;

	for (;;) {
		uint64_t now = now_ns(), left = now < deadline ? deadline - now : 0;
		struct timespec wait = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
		int sig;

		if (wait4(child, &status, WNOHANG, cost) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (left == 0) {
			kill(child, SIGKILL);
			deadline = UINT64_MAX;
		}
		sig = sigtimedwait(signals, NULL, left ? &wait : NULL);
		if (sig > 0 && sig != SIGCHLD)
			kill(child, sig);
	}
}

int main(int argc, char **argv)
{
	uint64_t limit = 3600, start;
	struct rusage cost;
	sigset_t signals, before;
	pid_t child;
	int opt, code;
	FILE *out;

	while ((opt = getopt(argc, argv, "+t:")) > 0) {
		if (opt != 't')
			return 2;
		limit = strtoull(optarg, NULL, 10);
	}
	if (argc - optind < 2)
		return 2;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);
	start = now_ns();
	child = fork();
	if (child < 0)
		err(126, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		execvp(argv[optind + 1], argv + optind + 1);
		err(errno == ENOENT ? 127 : 126, "%s", argv[optind + 1]);
	}
	code = await(child, &signals, start + limit * 1000000000u, &cost);
	out = fopen(argv[optind], "w");
	if (out == NULL)
		err(1, "%s", argv[optind]);
	fprintf(out, "%llu %llu %llu %ld %d\n", (unsigned long long)start, (unsigned long long)now_ns(),
		(unsigned long long)(time_ns(cost.ru_utime) + time_ns(cost.ru_stime)), cost.ru_maxrss, code);
	if (fclose(out) != 0)
		err(1, "%s", argv[optind]);
	return code;
}
