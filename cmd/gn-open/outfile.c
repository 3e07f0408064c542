/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* realpath */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/say.h"
#include "common/writer.h"

static const char *said;       /* the path as the user wrote it */
static char *path, *temporary; /* the real one, through links */
static volatile sig_atomic_t is_there;
static int fd;

static void remove_it(void)
{
	if (is_there)
		unlink(temporary);
	is_there = 0;
}

static void on_signal(int sig)
{
	remove_it();
	exit_by_signal(sig);
}

/* Not one that was ignored when we began (nohup). */
static void watch(int sig)
{
	struct sigaction sa = {0}, old;

	if (sigaction(sig, NULL, &old) || old.sa_handler == SIG_IGN)
		return;
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

static _Noreturn void die_of(int err)
{
	die(err == EACCES || err == EPERM ? EXIT_REFUSED : EXIT_LOCAL, "%s: %s", said, strerror(err));
}

/* Replacing a device by a file is nothing that anybody wants. */
static void check_target(void)
{
	struct stat st;

	path = realpath(said, NULL);
	if (path && !stat(path, &st) && !S_ISREG(st.st_mode))
		die(EXIT_REFUSED, "%s: is there, and is not a regular file", said);
	if (!path)
		path = strdup(said);
	if (!path)
		die_memory();
}

/* In the same folder, so that it can take the place in one step. */
static void name_temporary(void)
{
	static const char tail[] = ".gn-open-XXXXXX";
	const char *slash = strrchr(path, '/');
	size_t head = slash ? (size_t)(slash - path) + 1 : 0;

	temporary = malloc(head + sizeof tail);
	if (!temporary)
		die_memory();
	memcpy(temporary, path, head);
	memcpy(temporary + head, tail, sizeof tail);
}

void outfile_open(const char *name)
{
	mode_t mask = umask(0);

	umask(mask);
	said = name;
	check_target();
	name_temporary();
	atexit(remove_it);
	watch(SIGINT);
	watch(SIGTERM);
	watch(SIGHUP);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is EFBIG */
	fd = mkstemp(temporary);
	if (fd < 0)
		die_of(errno);
	is_there = 1;
	if (fchmod(fd, 0666 & ~mask))
		die_of(errno);
	writer_to(fd, said);
}

/* So that the name is on the disk too; where a folder cannot be synced that is not asked for. */
static void sync_folder(void)
{
	char *slash = strrchr(path, '/');
	int dir;

	if (slash)
		slash[slash == path] = '\0';
	dir = open(slash ? path : ".", O_RDONLY | O_CLOEXEC);
	if (dir < 0)
		return;
	fsync(dir);
	close(dir);
}

void outfile_close(void)
{
	if (fsync(fd) && errno != EINVAL)
		die_of(errno);
	if (close(fd) && errno != EINTR)
		die_of(errno);
	if (rename(temporary, path))
		die_of(errno);
	is_there = 0;
	sync_folder();
	free(temporary);
	free(path);
}
