/* SPDX-License-Identifier: MIT */
/* common/errout writes lines to standard error.  It never blocks and never mixes lines, and it counts the
 * lines that are lost.  An alarm ends a test that blocks. */
#define _GNU_SOURCE /* posix_openpt */
#include "common/errout.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "support/support.h"

#define BLOCKED 20 /* seconds until the alarm */

static struct errout e; /* static because of its size */
static char got[1 << 20];

static int setup(void **state)
{
	(void)state;
	diag_open("gn-x");
	alarm(BLOCKED);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	errout_fini(&e);
	alarm(0);
	return 0;
}

static void begin(int fd)
{
	assert_int_equal(errout_init(&e, fd), 0);
	errout_set_wait(&e, false);
}

static bool put(const char *line)
{
	return errout_put(&e, ERROUT_TEXT, line, strlen(line));
}

/* Reads everything that is available from fd. */
static const char *drain(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t at = 0;
	ssize_t n;

	while (at < sizeof got - 1 && poll(&p, 1, 0) > 0 && (n = read(fd, got + at, sizeof got - 1 - at)) > 0)
		at += (size_t)n;
	got[at] = '\0';
	return got;
}

/* Writes numbered lines until one is lost.  Returns how many were written. */
static unsigned fill(void)
{
	char line[64];
	unsigned n = 0;

	do {
		snprintf(line, sizeof line, "line %u of those that are to fill what takes them\n", n++);
	} while (put(line));
	return n - 1;
}

/* Asserts that text begins with the n lines of fill(), complete and in order.  Returns the text behind
 * them. */
static const char *after_numbered(const char *text, unsigned n)
{
	char line[64];

	for (unsigned i = 0; i < n; i++) {
		int len = snprintf(line, sizeof line, "line %u of those that are to fill what takes them\n", i);

		assert_memory_equal(text, line, (size_t)len);
		text += len;
	}
	return text;
}

static void a_full_pipe_loses_whole_lines_and_counts_them(void **state)
{
	unsigned n;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	begin(fd[1]);
	n = fill();
	assert_true(n > 100);
	assert_false(put("this one, which is as long as the others, is lost, too\n"));
	assert_int_equal(fcntl(fd[1], F_GETFL) & O_NONBLOCK, 0);
	assert_string_equal(after_numbered(drain(fd[0]), n), "");
	assert_true(put("here\n"));
	assert_string_equal(drain(fd[0]), "gn-x: 2 lines were lost\nhere\n");
	assert_true(put("again\n"));
	assert_string_equal(drain(fd[0]), "again\n");
	close(fd[0]);
	close(fd[1]);
}

static void lost_lines_are_reported_in_the_format_of_the_next_line(void **state)
{
	static const char line[] = "{\"event\":\"x\"}\n";
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	begin(fd[1]);
	fill();
	drain(fd[0]);
	assert_true(errout_put(&e, ERROUT_JSON, line, strlen(line)));
	assert_string_equal(drain(fd[0]), "{\"event\":\"lost\",\"lines\":1}\n{\"event\":\"x\"}\n");
	close(fd[0]);
	close(fd[1]);
}

static void a_line_longer_than_pipe_buf_is_not_cut(void **state)
{
	static char line[3 * PIPE_BUF];
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_true(fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0);
	begin(fd[1]);
	memset(line, 'x', sizeof line - 2);
	line[sizeof line - 2] = '\n';
	while (put(line))
		;
	drain(fd[0]);
	/* When the last line was written in part, its rest is written before the new line. */
	assert_true(put("end\n"));
	drain(fd[0]);
	assert_non_null(strstr(got, "gn-x: 1 line was lost\nend\n"));
	assert_null(strstr(got, "xgn-x"));
	close(fd[0]);
	close(fd[1]);
}

static void with_socket(int type)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, type, 0, fd), 0);
	begin(fd[1]);
	assert_true(fill() > 10);
	assert_int_equal(fcntl(fd[1], F_GETFL) & O_NONBLOCK, 0);
	drain(fd[0]);
	assert_true(put("here\n"));
	assert_non_null(strstr(drain(fd[0]), type == SOCK_STREAM ? "gn-x: 1 line was lost\nhere\n" : "here\n"));
	close(fd[0]);
	assert_false(put("nobody reads\n")); /* the peer has closed the socket; no SIGPIPE is raised */
	close(fd[1]);
}

static void a_full_stream_socket_does_not_block(void **state)
{
	(void)state;
	with_socket(SOCK_STREAM);
}

static void a_full_datagram_socket_does_not_block(void **state)
{
	(void)state;
	with_socket(SOCK_DGRAM);
}

/* Opens a pseudoterminal.  Returns the master; *slave is the terminal that the program writes to. */
static int open_terminal(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	*slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(*slave >= 0);
	return master;
}

static void a_stopped_terminal_does_not_block(void **state)
{
	int slave, master = open_terminal(&slave);

	(void)state;
	begin(slave);
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	assert_false(put("lost\n"));
	assert_false(errout_draw(&e, "\r50%", 4));
	assert_int_equal(tcflow(slave, TCOON), 0);
	assert_true(put("here\n"));
	assert_string_equal(drain(master), "gn-x: 1 line was lost\r\nhere\r\n");
	assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
	close(master);
	assert_false(put("the terminal has gone\n"));
	close(slave);
}

static void a_terminal_that_nobody_reads_keeps_lines_whole(void **state)
{
	int slave, master = open_terminal(&slave);
	struct termios t;
	unsigned n;
	const char *end;

	(void)state;
	assert_int_equal(tcgetattr(slave, &t), 0);
	t.c_oflag &= ~(tcflag_t)OPOST;
	assert_int_equal(tcsetattr(slave, TCSANOW, &t), 0);
	begin(slave);
	n = fill();
	assert_true(n > 10);
	drain(master);
	end = got + strlen(got);
	assert_true(put("here\n"));
	drain(master);
	(void)end;
	assert_non_null(strstr(got, "gn-x: 1 line was lost\nhere\n"));
	close(master);
	close(slave);
}

static void progress_is_dropped_without_being_counted(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	begin(fd[1]);
	while (errout_draw(&e, "\r50%", 4))
		;
	drain(fd[0]);
	assert_true(put("here\n"));
	assert_string_equal(drain(fd[0]), "here\n");
	close(fd[0]);
	close(fd[1]);
}

static void a_full_device_loses_lines_and_nothing_else(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	begin(fd);
	errout_set_wait(&e, true);
	assert_false(put("no space\n"));
	assert_false(put("no space\n"));
	assert_int_equal(e.lost, 2);
	errout_finish(&e);
	close(fd);
}

static void a_closed_descriptor_loses_lines_and_nothing_else(void **state)
{
	(void)state;
	assert_true(errout_init(&e, 9999) < 0);
	assert_false(put("nowhere\n"));
	assert_int_equal(e.lost, 1);
	errout_finish(&e);
}

/* In a shell's `{ gn-x; echo; } 2>file` all programs share one open file and its position, so errout may not
 * change the position. */
static void a_file_keeps_its_position_for_those_who_share_it(void **state)
{
	FILE *f = tmpfile();
	int fd;

	(void)state;
	assert_non_null(f);
	fd = fileno(f);
	assert_int_equal(write(fd, "first\n", 6), 6);
	begin(fd);
	assert_true(put("second\n"));
	assert_int_equal(write(fd, "third\n", 6), 6);
	assert_true(put("fourth\n"));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_string_equal(drain(fd), "first\nsecond\nthird\nfourth\n");
	fclose(f);
}

static void a_file_that_others_append_to_keeps_their_lines(void **state)
{
	char name[] = "/tmp/errout.XXXXXX";
	int made = mkstemp(name), ours, theirs;

	(void)state;
	assert_true(made >= 0);
	ours = open(name, O_WRONLY | O_APPEND);
	theirs = open(name, O_WRONLY | O_APPEND);
	begin(ours);
	assert_true(put("one\n"));
	assert_int_equal(write(theirs, "two\n", 4), 4);
	assert_true(put("three\n"));
	assert_int_equal(write(theirs, "four\n", 5), 5);
	assert_string_equal(drain(made), "one\ntwo\nthree\nfour\n");
	close(ours);
	close(theirs);
	close(made);
	unlink(name);
}

static void a_tool_that_exits_waits_once_and_briefly(void **state)
{
	struct timespec from, to;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	begin(fd[1]);
	fill();
	clock_gettime(CLOCK_MONOTONIC, &from);
	errout_set_wait(&e, true);
	assert_false(put("why it ends, in more words than those of the line that was lost\n"));
	errout_finish(&e);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_in_range(to.tv_sec - from.tv_sec, 1, 3);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(a_full_pipe_loses_whole_lines_and_counts_them),
		ROW(lost_lines_are_reported_in_the_format_of_the_next_line),
		ROW(a_line_longer_than_pipe_buf_is_not_cut),
		ROW(a_full_stream_socket_does_not_block),
		ROW(a_full_datagram_socket_does_not_block),
		ROW(a_stopped_terminal_does_not_block),
		ROW(a_terminal_that_nobody_reads_keeps_lines_whole),
		ROW(progress_is_dropped_without_being_counted),
		ROW(a_full_device_loses_lines_and_nothing_else),
		ROW(a_closed_descriptor_loses_lines_and_nothing_else),
		ROW(a_file_keeps_its_position_for_those_who_share_it),
		ROW(a_file_that_others_append_to_keeps_their_lines),
		ROW(a_tool_that_exits_waits_once_and_briefly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
