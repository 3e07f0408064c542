/* SPDX-License-Identifier: MIT */
/* lib/loop: the real clock, as callbacks see it, and pauses of the process itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loop/loop.h"

static int setup(void **state)
{
	return gn_loop_new((struct gn_loop **)state);
}

static int teardown(void **state)
{
	gn_loop_free(*state);
	return 0;
}

static gn_time monotonic(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (gn_time)ts.tv_sec * GN_SEC + ts.tv_nsec;
}

static void sleep_for(gn_time span)
{
	struct timespec ts = {.tv_sec = span / GN_SEC, .tv_nsec = span % GN_SEC};

	while (nanosleep(&ts, &ts) != 0)
		;
}

/* Starts a child process that calls run(fd) while this process waits. */
static pid_t child_start(void (*run)(int fd), int fd)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		run(fd);
		_exit(0);
	}
	return pid;
}

static void child_finish(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct clocked {
	struct gn_loop *loop;
	struct gn_watch *w;
	struct gn_timer *timer, *second;
	gn_time now, mono, delay, fired, block;
	int fd, calls;
};

static void on_clocked(void *arg, unsigned ready)
{
	struct clocked *c = arg;
	char byte;

	(void)ready;
	c->calls++;
	c->mono = monotonic();
	c->now = gn_loop_now(c->loop);
	assert_int_equal(read(c->fd, &byte, 1), 1);
	gn_watch_start(c->w, 0);
	if (c->timer != NULL)
		gn_timer_start(c->timer, c->delay);
	if (c->block > 0)
		sleep_for(c->block);
}

static void on_clocked_timer(void *arg)
{
	struct clocked *c = arg;

	c->fired = monotonic();
}

static void clocked_init(struct clocked *c, struct gn_loop *loop, int fd)
{
	*c = (struct clocked){.loop = loop, .fd = fd};
	assert_int_equal(gn_watch_new(loop, fd, on_clocked, c, &c->w), 0);
	gn_watch_start(c->w, GN_READABLE);
}

static void write_after_300_ms(int fd)
{
	sleep_for(300 * GN_MSEC);
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

/* A timer that is started in a descriptor's callback fires after the full delay, however long the loop had
 * waited for the descriptor. */
static void a_callback_sees_the_clock_after_the_wait(void **state)
{
	struct gn_loop *loop = *state;
	struct clocked c;
	gn_time before;
	pid_t pid;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	clocked_init(&c, loop, fd[0]);
	c.delay = 200 * GN_MSEC;
	assert_int_equal(gn_timer_new(loop, on_clocked_timer, &c, &c.timer), 0);
	before = monotonic() - gn_loop_now(loop);
	pid = child_start(write_after_300_ms, fd[1]);
	assert_int_equal(gn_loop_run(loop), 0);
	child_finish(pid);
	assert_int_equal(c.calls, 1);
	assert_true(c.mono - c.now - before < 50 * GN_MSEC);
	assert_true(c.fired - c.mono >= 200 * GN_MSEC);
	gn_timer_free(c.timer);
	gn_watch_free(c.w);
	close(fd[0]);
	close(fd[1]);
}

/* The second callback of a batch sees the time that the first one took, up to a second.  A longer callback
 * is a pause of this process, which the clock does not count. */
static void a_callback_sees_what_the_one_before_took(void **state)
{
	static const gn_time block[] = {300 * GN_MSEC, 1500 * GN_MSEC};

	for (size_t i = 0; i < 2; i++) {
		struct gn_loop *loop = *state;
		struct clocked c[2];
		gn_time apart;
		int fd[2][2];

		for (int k = 0; k < 2; k++) {
			assert_int_equal(pipe(fd[k]), 0);
			assert_int_equal(write(fd[k][1], "x", 1), 1);
			clocked_init(&c[k], loop, fd[k][0]);
			c[k].block = block[i];
		}
		assert_int_equal(gn_loop_run(loop), 0);
		apart = c[0].now < c[1].now ? c[1].now - c[0].now : c[0].now - c[1].now;
		if (i == 0)
			assert_true(apart >= 300 * GN_MSEC);
		else
			assert_true(apart < 200 * GN_MSEC);
		for (int k = 0; k < 2; k++) {
			gn_watch_free(c[k].w);
			close(fd[k][0]);
			close(fd[k][1]);
		}
	}
}

/* Stops the parent for 3 s, writes a byte to fd meanwhile, and continues the parent. */
static void stop_parent(int fd)
{
	sleep_for(100 * GN_MSEC);
	kill(getppid(), SIGSTOP);
	sleep_for(3 * GN_SEC);
	if (write(fd, "x", 1) != 1)
		_exit(1);
	kill(getppid(), SIGCONT);
}

/* The process is stopped for 3 s while a timer of 2.5 s runs.  The stop uses up at most half of the
 * timer's time, and a descriptor that became ready meanwhile is reported before the timer fires. */
static void a_stop_of_the_process_does_not_count(void **state)
{
	struct gn_loop *loop = *state;
	gn_time begin = monotonic(), began = gn_loop_now(loop);
	struct clocked c;
	pid_t pid;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	clocked_init(&c, loop, fd[0]);
	assert_int_equal(gn_timer_new(loop, on_clocked_timer, &c, &c.second), 0);
	gn_timer_start(c.second, 2500 * GN_MSEC);
	pid = child_start(stop_parent, fd[1]);
	assert_int_equal(gn_loop_run(loop), 0);
	child_finish(pid);
	assert_int_equal(c.calls, 1);
	assert_true(c.mono - begin >= 3 * GN_SEC);
	assert_true(c.now - began <= 1300 * GN_MSEC);
	assert_true(c.fired - c.mono >= 1200 * GN_MSEC);
	gn_timer_free(c.second);
	gn_watch_free(c.w);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_callback_sees_the_clock_after_the_wait),
		T(a_callback_sees_what_the_one_before_took),
		T(a_stop_of_the_process_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
