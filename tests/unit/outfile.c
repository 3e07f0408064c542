/* SPDX-License-Identifier: MIT */
/* cmd/common/outfile: the contents and the names of files after a complete output, and after a tool that
 * ended early.  Each case runs in a process of its own, once with unnamed files (O_TMPFILE) and once with
 * temporary names, as on file systems that have no unnamed files.  The Makefile links this program with
 * wrappers of open() and close(). */
#define _GNU_SOURCE /* O_TMPFILE */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/exit.h"
#include "common/outfile.h"
#include "common/diag.h"

static char dir[] = "/tmp/gn-outfile-XXXXXX";
static char path[sizeof dir + 8], other[sizeof dir + 8];
static bool has_names;   /* O_TMPFILE fails, so every file has a name */
static bool close_fails; /* the next close() fails */

int __real_open(const char *name, int flags, ...);
int __real_close(int fd);
int __wrap_open(const char *name, int flags, ...);
int __wrap_close(int fd);

int __wrap_open(const char *name, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (has_names && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_open(name, flags, mode);
}

int __wrap_close(int fd)
{
	int rc = __real_close(fd);

	if (!close_fails)
		return rc;
	close_fails = false;
	errno = EDQUOT;
	return -1;
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/file", dir);
	(void)snprintf(other, sizeof other, "%s/other", dir);
	diag_open("gn-test");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	return rmdir(dir);
}

static int clean(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	has_names = false;
	close_fails = false;
	return 0;
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = __real_open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void assert_holds(const char *name, const char *text, mode_t mode)
{
	char buf[64] = "";
	struct stat st;
	int fd = __real_open(name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof buf - 1), strlen(text));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(close(fd), 0);
	assert_string_equal(buf, text);
	assert_int_equal(st.st_mode & 07777, mode);
}

static unsigned names(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	assert_int_equal(closedir(d), 0);
	return n;
}

/* Writes the output without closing it, and checks that no other user may open the incomplete file. */
static void half(enum outfile_kind kind)
{
	int fd = outfile_open(path, kind);
	struct stat st;

	if (write(fd, "new", 3) != 3 || fstat(fd, &st) != 0 || (st.st_mode & 077) != 0)
		_exit(99);
}

static void whole(enum outfile_kind kind)
{
	half(kind);
	outfile_close();
	exit(EXIT_DONE);
}

/* Runs the job in a child, and returns the status of waitpid(). */
static int end_of(void (*job)(enum outfile_kind kind), enum outfile_kind kind)
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null = __real_open("/dev/null", O_WRONLY);

		(void)dup2(null, STDERR_FILENO);
		(void)umask(022);
		job(kind);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int code_of(void (*job)(enum outfile_kind kind), enum outfile_kind kind)
{
	int status = end_of(job, kind);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_new_file_has_the_mode_that_the_umask_leaves(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		has_names = i == 1;
		for (int kind = OUTFILE_REPLACE; kind <= OUTFILE_NEW; kind++) {
			assert_int_equal(code_of(whole, (enum outfile_kind)kind), EXIT_DONE);
			assert_holds(path, "new", 0644);
			assert_int_equal(names(), 1);
			assert_int_equal(unlink(path), 0);
		}
	}
}

static void a_file_that_is_replaced_keeps_its_mode(void **state)
{
	static const mode_t modes[] = {0600, 0640, 0666, 0755};

	(void)state;
	for (int i = 0; i < 8; i++) {
		has_names = i % 2 == 1;
		put(path, "old content", modes[i / 2]);
		assert_int_equal(code_of(whole, OUTFILE_REPLACE), EXIT_DONE);
		assert_holds(path, "new", modes[i / 2]);
		assert_int_equal(names(), 1);
	}
}

static void an_existing_file_is_not_replaced_by_a_new_one(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		has_names = i == 1;
		put(path, "old", 0600);
		assert_int_equal(code_of(whole, OUTFILE_NEW), EXIT_REFUSED);
		assert_holds(path, "old", 0600);
		assert_int_equal(names(), 1);
	}
}

/* Simulates another process that creates the file before the output is complete. */
static void taken_meanwhile(enum outfile_kind kind)
{
	half(kind);
	put(path, "old", 0600);
	outfile_close();
	_exit(97);
}

static void a_file_that_appears_meanwhile_is_not_replaced(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		has_names = i == 1;
		assert_int_equal(code_of(taken_meanwhile, OUTFILE_NEW), EXIT_REFUSED);
		assert_holds(path, "old", 0600);
		assert_int_equal(names(), 1);
		assert_int_equal(unlink(path), 0);
	}
}

static void late(enum outfile_kind kind)
{
	half(kind);
	close_fails = true;
	outfile_close();
	_exit(97);
}

static void a_failing_close_keeps_the_old_file(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		has_names = i == 1;
		put(path, "old", 0600);
		assert_int_equal(code_of(late, OUTFILE_REPLACE), EXIT_LOCAL);
		assert_holds(path, "old", 0600);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(code_of(late, OUTFILE_NEW), EXIT_LOCAL);
		assert_int_equal(names(), 0);
	}
}

static int signal_sent;

static void killed(enum outfile_kind kind)
{
	half(kind);
	raise(signal_sent);
}

static void given_up(enum outfile_kind kind)
{
	half(kind);
	die(EXIT_BADDATA, "given up");
}

static void no_temporary_file_is_left(void **state)
{
	static const int sigs[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,   SIGPIPE, SIGALRM, SIGUSR1,
				   SIGUSR2, SIGXCPU, SIGPROF, SIGVTALRM, SIGABRT, SIGSEGV, SIGBUS};

	(void)state;
	for (int i = 0; i < 2; i++) {
		has_names = i == 1;
		assert_int_equal(code_of(given_up, OUTFILE_REPLACE), EXIT_BADDATA);
		assert_int_equal(names(), 0);
		for (size_t k = 0; k < sizeof sigs / sizeof *sigs; k++) {
			int status;

			signal_sent = sigs[k];
			(void)signal(signal_sent, SIG_DFL); /* cmocka has handlers for some */
			status = end_of(killed, k % 2 ? OUTFILE_NEW : OUTFILE_REPLACE);
			assert_true(WIFSIGNALED(status));
			assert_int_equal(WTERMSIG(status), signal_sent);
			assert_int_equal(names(), 0);
		}
	}
	has_names = false; /* after SIGKILL only an unnamed file is certain to be removed */
	signal_sent = SIGKILL;
	assert_true(WIFSIGNALED(end_of(killed, OUTFILE_REPLACE)));
	assert_int_equal(names(), 0);
}

static void symbolic_links_are_followed_also_dangling_ones(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct stat st;

		has_names = i == 1;
		assert_int_equal(symlink("other", path), 0);
		assert_int_equal(code_of(whole, OUTFILE_REPLACE), EXIT_DONE); /* the target is created */
		assert_holds(other, "new", 0644);
		put(other, "old", 0600);
		assert_int_equal(code_of(whole, OUTFILE_REPLACE), EXIT_DONE); /* the target is replaced */
		assert_holds(other, "new", 0600);
		assert_int_equal(lstat(path, &st), 0);
		assert_true(S_ISLNK(st.st_mode));
		assert_int_equal(code_of(whole, OUTFILE_NEW), EXIT_REFUSED);
		assert_int_equal(names(), 2);
		assert_int_equal(unlink(other), 0);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(symlink("file", path), 0); /* a link to itself */
	assert_int_equal(code_of(whole, OUTFILE_REPLACE), EXIT_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_new_file_has_the_mode_that_the_umask_leaves, clean),
		cmocka_unit_test_setup(a_file_that_is_replaced_keeps_its_mode, clean),
		cmocka_unit_test_setup(an_existing_file_is_not_replaced_by_a_new_one, clean),
		cmocka_unit_test_setup(a_file_that_appears_meanwhile_is_not_replaced, clean),
		cmocka_unit_test_setup(a_failing_close_keeps_the_old_file, clean),
		cmocka_unit_test_setup(no_temporary_file_is_left, clean),
		cmocka_unit_test_setup(symbolic_links_are_followed_also_dangling_ones, clean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
