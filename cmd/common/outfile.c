/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_TMPFILE, renameat2 */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit.h"
#include "gn.h"
#include "diag.h"

#define LINKS_MAX 40 /* the kernel's limit, too */
#define NAME_BYTES 10
#define NAME_LEN (NAME_BYTES * 8 / 5)

static struct {
	const char *given; /* the path as the user wrote it */
	char *path;        /* the path after links were followed */
	char *temporary;   /* a temporary name in the same directory */
	size_t n_folder;   /* length of the directory in both, with the slash; 0: the working directory */
	enum outfile_kind kind;
	bool is_unnamed;
	int fd;
} file;
static volatile sig_atomic_t is_temporary; /* the file exists under its temporary name */

/* ---- removal at exit and by signals ---- */

static void outfile_remove(void)
{
	if (is_temporary)
		unlink(file.temporary);
	is_temporary = 0;
}

static void outfile_on_signal(int sig)
{
	outfile_remove();
	exit_by_signal(sig);
}

/* Catches every signal that would end the program, except those that are ignored (nohup). */
static void watch_signals(void)
{
	static const int sigs[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1,
				   SIGUSR2, SIGXCPU, SIGXFSZ, SIGPROF, SIGPOLL, SIGTRAP, SIGVTALRM,
				   SIGABRT, SIGSYS,  SIGBUS,  SIGSEGV, SIGFPE,  SIGILL};
	struct sigaction sa = {0}, old;

	sa.sa_handler = outfile_on_signal;
	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		if (sigaction(sigs[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(sigs[i], &sa, NULL);
}

static _Noreturn void outfile_die_of(int err)
{
	die(err == EACCES || err == EPERM ? EXIT_REFUSED : EXIT_LOCAL, "%s: %s", file.given, strerror(err));
}

static _Noreturn void die_of_taken(void)
{
	die(EXIT_REFUSED, "%s is there already and is not overwritten", file.given);
}

static _Noreturn void die_of_folder(int err)
{
	if (err != EACCES && err != EPERM && err != EROFS)
		outfile_die_of(err);
	die(err == EROFS ? EXIT_LOCAL : EXIT_REFUSED, "%s: no file can be made in its directory: %s", file.given,
	    strerror(err));
}

/* ---- the names ---- */

/* The target of a symbolic link; a relative one is resolved from the link's directory.  The caller frees
 * it. */
static char *read_link(const char *link)
{
	const char *slash = strrchr(link, '/');
	size_t head = slash != NULL ? (size_t)(slash - link) + 1 : 0;
	char *path = malloc(head + PATH_MAX);
	ssize_t n;

	if (path == NULL)
		die_memory();
	n = readlink(link, path + head, PATH_MAX - 1);
	if (n < 0)
		outfile_die_of(errno);
	path[head + (size_t)n] = '\0';
	if (path[head] == '/')
		memmove(path, path + head, (size_t)n + 1);
	else
		memcpy(path, link, head);
	return path;
}

/* Follows symbolic links to a file that need not exist.  The caller frees the path. */
static char *follow(const char *name)
{
	char *path = strdup(name), *next;
	struct stat st;

	if (path == NULL)
		die_memory();
	for (int i = 0; i < LINKS_MAX; i++) {
		if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
			return path;
		next = read_link(path);
		free(path);
		path = next;
	}
	outfile_die_of(ELOOP);
}

/* Checks that the file may be made.  stat() by the user's path applies the kernel's rules about links that
 * may be followed. */
static void check_target(void)
{
	struct stat st;

	if (file.kind == OUTFILE_NEW) {
		if (lstat(file.path, &st) == 0)
			die_of_taken();
		return;
	}
	if (stat(file.given, &st) != 0) {
		if (errno != ENOENT)
			outfile_die_of(errno);
		return;
	}
	if (!S_ISREG(st.st_mode))
		die(EXIT_REFUSED, "%s: is there, and is not a regular file", file.given);
	/* Replacing needs write permission for the directory only, but a read-only file is not meant to be
	 * replaced. */
	if (faccessat(AT_FDCWD, file.path, W_OK, AT_EACCESS) != 0)
		outfile_die_of(errno);
}

static void name_temporary(void)
{
	char text[NAME_LEN + 1];
	uint8_t bytes[NAME_BYTES];

	gn_random(bytes, sizeof bytes);
	gn_base32_encode(bytes, sizeof bytes, text);
	sprintf(file.temporary + file.n_folder, ".%.60s-%.*s", diag_tool(), NAME_LEN, text);
}

static void set_names(const char *name)
{
	const char *slash;

	file.given = name;
	file.path = file.kind == OUTFILE_REPLACE ? follow(name) : strdup(name);
	if (file.path == NULL)
		die_memory();
	slash = strrchr(file.path, '/');
	file.n_folder = slash != NULL ? (size_t)(slash - file.path) + 1 : 0;
	file.temporary = malloc(file.n_folder + 64 + NAME_LEN);
	if (file.temporary == NULL)
		die_memory();
	memcpy(file.temporary, file.path, file.n_folder);
	name_temporary();
}

/* The path of the directory, in memory that the caller frees. */
static char *folder(void)
{
	char *name = file.n_folder > 0 ? strndup(file.path, file.n_folder) : strdup(".");

	if (name == NULL)
		die_memory();
	return name;
}

/* ---- the file ---- */

/* A path that names an open descriptor, for linkat(). */
static const char *descriptor_path(int fd)
{
	static char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;
}

/* Makes a file without a name.  Returns false where that is not supported, or where it could not be named
 * later. */
static bool open_unnamed(void)
{
	char *name = folder();

	file.fd = open(name, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	free(name);
	if (file.fd < 0)
		return false;
	if (access(descriptor_path(file.fd), F_OK) == 0)
		return true;
	close(file.fd);
	return false;
}

static void prepare_removal(void)
{
	static bool is_prepared;

	if (is_prepared)
		return;
	is_prepared = true;
	atexit(outfile_remove);
	watch_signals();
}

/* Makes a file with a temporary name.  Signals are blocked meanwhile, so that a handler removes it if it
 * exists. */
static void open_named(void)
{
	sigset_t all, before;
	int err;

	prepare_removal();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	do {
		name_temporary();
		file.fd = open(file.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	} while (file.fd < 0 && (errno == EEXIST || errno == EINTR));
	err = errno;
	is_temporary = file.fd >= 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (file.fd < 0)
		die_of_folder(err);
}

int outfile_open(const char *path, enum outfile_kind kind)
{
	file.kind = kind;
	set_names(path);
	check_target();
	signal(SIGXFSZ, SIG_IGN); /* a write past the size limit fails with EFBIG */
	file.is_unnamed = open_unnamed();
	if (!file.is_unnamed)
		open_named();
	return file.fd;
}

/* ---- completion ---- */

/* Sets the permissions, owner and group of the file that is replaced.  Where the group cannot be set, the
 * group's permissions are reduced to those of others, since they were not meant for another group. */
static int take_permissions(const struct stat *st)
{
	mode_t mode = st->st_mode & 0777;

	if (fchown(file.fd, st->st_uid, st->st_gid) != 0 && fchown(file.fd, (uid_t)-1, st->st_gid) != 0)
		mode &= (mode_t)0707 | (mode & 07) << 3;
	return fchmod(file.fd, mode);
}

static int set_permissions(void)
{
	struct stat st;
	mode_t mask;

	if (file.kind == OUTFILE_REPLACE && lstat(file.path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			die(EXIT_REFUSED, "%s: is there, and is not a regular file", file.given);
		return take_permissions(&st);
	}
	mask = umask(0);
	umask(mask);
	return fchmod(file.fd, 0666 & ~mask);
}

/* Gives the file its name, which must not exist yet.  0, or -1 and errno. */
static int give_new_name(int fd)
{
	if (file.is_unnamed)
		return linkat(AT_FDCWD, descriptor_path(fd), AT_FDCWD, file.path, AT_SYMLINK_FOLLOW);
	if (renameat2(AT_FDCWD, file.temporary, AT_FDCWD, file.path, RENAME_NOREPLACE) == 0) {
		is_temporary = 0;
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(file.temporary, file.path);
}

static int outfile_replace(int fd)
{
	if (file.is_unnamed) {
		while (linkat(AT_FDCWD, descriptor_path(fd), AT_FDCWD, file.temporary, AT_SYMLINK_FOLLOW) != 0) {
			if (errno != EEXIST)
				return -1;
			name_temporary();
		}
		is_temporary = 1;
	}
	if (rename(file.temporary, file.path) != 0)
		return -1;
	is_temporary = 0;
	return 0;
}

/* Gives the file its name.  Signals are blocked, so that no handler runs between two steps.  0, or -1 and
 * errno. */
static int give_name(int fd)
{
	sigset_t all, before;
	int rc, err;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	rc = file.kind == OUTFILE_NEW ? give_new_name(fd) : outfile_replace(fd);
	err = errno;
	outfile_remove();
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return rc;
}

/* Syncs the directory, so that the name is on the disk, too.  A failure is ignored: some file systems
 * cannot. */
static void outfile_sync_folder(void)
{
	char *name = folder();
	int dir = open(name, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

	free(name);
	if (dir < 0)
		return;
	fsync(dir);
	close(dir);
}

void outfile_close(void)
{
	int keep = -1;

	/* Some file systems have no permissions. */
	if (set_permissions() != 0 && errno != EPERM && errno != EOPNOTSUPP)
		outfile_die_of(errno);
	if (file.kind == OUTFILE_REPLACE && fsync(file.fd) != 0 && errno != EINVAL)
		outfile_die_of(errno);
	if (file.is_unnamed) {
		keep = fcntl(file.fd, F_DUPFD_CLOEXEC, 3);
		if (keep < 0)
			outfile_die_of(errno);
	}
	/* Late write errors (NFS, quotas) are reported here. */
	if (close(file.fd) != 0 && errno != EINTR)
		outfile_die_of(errno);
	if (give_name(keep) != 0) {
		if (errno == EEXIST && file.kind == OUTFILE_NEW)
			die_of_taken();
		outfile_die_of(errno);
	}
	if (keep >= 0)
		close(keep);
	if (file.kind == OUTFILE_REPLACE)
		outfile_sync_folder();
	free(file.temporary);
	free(file.path);
	file.temporary = file.path = NULL;
}
