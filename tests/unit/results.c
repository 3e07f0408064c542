/* SPDX-License-Identifier: MIT */
/* Errors of stdout that a tool gets only at the end of its output, from close().  Each case runs in a
 * process of its own.  The Makefile links this program with a wrapper of close(). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/exit.h"
#include "common/results.h"
#include "common/diag.h"
#include "common/writer.h"

static int failure; /* the errno with which close(STDOUT_FILENO) fails, or 0 for success */

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	int rc = __real_close(fd);

	if (fd != STDOUT_FILENO || failure == 0)
		return rc;
	errno = failure;
	return -1;
}

static void by_writer(void)
{
	(void)writer_put(FORMAT_LINE, "text", 4);
	writer_close();
	exit(EXIT_DONE);
}

static void by_stdio(void)
{
	printf("text\n");
	exit(results_close(0));
}

static void after_a_failure(void)
{
	exit(results_close(-EIO));
}

/* Checks that a file that is opened after the end of the output does not get the descriptor of stdout. */
static void with_a_later_open(void)
{
	int code = results_close(0), fd = open("/dev/null", O_RDONLY);

	exit(fd > STDERR_FILENO ? code : 99);
}

/* Runs a job in a child, and puts its output into `printed` as text.  Returns the exit code. */
static int run(void (*job)(void), const char *to, char *printed, size_t room)
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	(void)fflush(NULL);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int out = open(to, O_WRONLY);

		(void)dup2(out, STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		diag_open("gn-test");
		job();
		_exit(98);
	}
	assert_int_equal(__real_close(ends[1]), 0);
	n = read(ends[0], printed, room - 1);
	assert_true(n >= 0);
	printed[n] = '\0';
	assert_int_equal(__real_close(ends[0]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void (*const jobs[])(void) = {by_writer, by_stdio, with_a_later_open};

static void success_returns_0(void **state)
{
	char printed[200];

	(void)state;
	failure = 0;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run(jobs[i], "/dev/null", printed, sizeof printed), EXIT_DONE);
		assert_string_equal(printed, "");
	}
}

static void a_failing_close_is_reported(void **state)
{
	char printed[200];

	(void)state;
	failure = EDQUOT;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run(jobs[i], "/dev/null", printed, sizeof printed), EXIT_LOCAL);
		assert_string_equal(printed, "gn-test: standard output: Disk quota exceeded\n");
	}
}

static void a_failing_write_is_reported_once(void **state)
{
	char printed[200];

	(void)state;
	failure = ENOSPC;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(run(jobs[i], "/dev/full", printed, sizeof printed), EXIT_LOCAL);
		assert_string_equal(printed, "gn-test: standard output: No space left on device\n");
	}
	assert_int_equal(run(after_a_failure, "/dev/null", printed, sizeof printed), EXIT_LOCAL);
	assert_string_equal(printed, "gn-test: standard output: Input/output error\n");
}

static void a_closed_pipe_is_not_reported(void **state)
{
	char printed[200];

	(void)state;
	failure = EPIPE;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(run(jobs[i], "/dev/null", printed, sizeof printed), EXIT_LOCAL);
		assert_string_equal(printed, "");
	}
	failure = EINTR; /* after EINTR the descriptor is closed nevertheless */
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(run(jobs[i], "/dev/null", printed, sizeof printed), EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_returns_0),
		cmocka_unit_test(a_failing_close_is_reported),
		cmocka_unit_test(a_failing_write_is_reported_once),
		cmocka_unit_test(a_closed_pipe_is_not_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
