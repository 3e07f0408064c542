/* SPDX-License-Identifier: MIT */
#include "split.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/memory_file.h"
#include "common/outfile.h"
#include "common/program.h"
#include "common/diag.h"
#include "common/signals.h"

/* 0 or -errno. */
static int split_put_all(int fd, const uint8_t *p, size_t n)
{
	ssize_t put;

	while (n != 0) {
		put = write(fd, p, n);
		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0) {
			p += put;
			n -= (size_t)put;
		}
	}
	return 0;
}

static void put_file(const char *path, const struct format_message *u)
{
	int err = split_put_all(outfile_open(path, OUTFILE_NEW), u->body, u->len);

	if (err != 0)
		die(EXIT_LOCAL, "%s: %s", path, strerror(-err));
	outfile_close();
}

int split_files(struct reader *r, const char *prefix)
{
	size_t room = strlen(prefix) + 24;
	char *path = malloc(room);
	struct format_message u;
	int err;

	if (path == NULL)
		die_memory();
	while ((err = reader_next(r, &u)) == 0) {
		snprintf(path, room, "%s%06" PRIu64, prefix, r->count - 1);
		put_file(path, &u);
	}
	free(path);
	reader_check(r, err, "frame");
	return EXIT_DONE;
}

static pid_t split_start(char *const *argv, int in)
{
	extern char **environ;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid = -1;
	int err;

	if (posix_spawn_file_actions_init(&files) || posix_spawnattr_init(&attr))
		die_memory();
	sigemptyset(&set);
	signals_default(&set, false);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	if (err == 0)
		err = posix_spawnp(&pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (err != 0)
		die(program_error_code(-err), "%s: %s", argv[0], strerror(err));
	return pid;
}

/* Runs the program with the frame in a file on its standard input.  With a pipe, it would mistake the end
 * of a killed gn-frame for the end of the frame. */
static int split_run(char *const *argv, const struct format_message *u)
{
	int in = memory_file_new(u->body, u->len), status;
	pid_t pid, got;

	if (in < 0)
		die(EXIT_LOCAL, "a file in memory for the frame: %s", strerror(-in));
	pid = split_start(argv, in);
	close(in);
	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0) /* the exit code is unknown, which must not look like success */
		die(EXIT_LOCAL, "%s: waiting for it: %s", argv[0], strerror(errno));
	return program_exit_code(status);
}

int split_program(struct reader *r, char *const *argv)
{
	struct format_message u;
	char number[24];
	int err = 0, code = EXIT_DONE;

	while (code == 0 && (err = reader_next(r, &u)) == 0) {
		snprintf(number, sizeof number, "%" PRIu64, r->count - 1);
		if (setenv("GNFRAME", number, 1))
			die_memory();
		code = split_run(argv, &u);
	}
	if (code != 0) {
		diag("frame %" PRIu64 ": %s ended with %d", r->count, argv[0], code);
		return code;
	}
	reader_check(r, err, "frame");
	return EXIT_DONE;
}
