/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/random.h"
#include "id/key.h"
#include "id/key_forms.h"

#define MODE (S_IRUSR | S_IWUSR)

/* ---- reading ---- */

/* Reads to the end of the file, or until the room is full. */
static ptrdiff_t file_read(int fd, uint8_t *buf, size_t room)
{
	size_t n = 0;

	while (n < room) {
		ssize_t r = read(fd, buf + n, room - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ptrdiff_t)n;
}

/* Keys are read from regular files and from pipes: a shell's <(...) is a pipe. */
static int kind_check(const struct stat *st, bool any_mode)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode))
		return GN_EFORMAT;
	if (!any_mode && (st->st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)(S_IXGRP | S_IXOTH)))
		return GN_EKEYMODE;
	return 0;
}

static int fd_read(int fd, const struct gn_key_file_cfg *cfg, struct gn_key **out)
{
	uint8_t buf[GN_KEY_FILE_MAX + 1];
	struct stat st;
	ptrdiff_t n;
	int err;

	/* The file that was opened is checked, because the path may name another one by now. */
	if (fstat(fd, &st) < 0)
		return -errno;
	err = kind_check(&st, cfg->any_mode);
	if (err < 0)
		return err;
	n = file_read(fd, buf, sizeof(buf));
	if (n < 0)
		err = (int)n;
	else if (cfg->any_form)
		err = gn_key_forms_decode(buf, (size_t)n, cfg->ask, cfg->ask_arg, out);
	else
		err = gn_key_decode(buf, (size_t)n, out);
	sodium_memzero(buf, sizeof(buf));
	/* For a user, a truncated file, a long one and a malformed one are all "not a key file". */
	return err == GN_ETRUNC || err == GN_ETOOBIG ? GN_EFORMAT : err;
}

int gn_key_file_read_cfg(const char *path, const struct gn_key_file_cfg *cfg, struct gn_key **out)
{
	struct stat st;
	int fd, err;

	/* The type is checked before opening: opening a device may have side effects, and opening a FIFO
	 * waits for its writer. */
	if (stat(path, &st) < 0)
		return -errno;
	err = kind_check(&st, cfg->any_mode);
	if (err < 0)
		return err;
	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	err = fd_read(fd, cfg, out);
	(void)close(fd);
	return err;
}

int gn_key_file_read(const char *path, struct gn_key **out)
{
	const struct gn_key_file_cfg cfg = {.any_form = false};

	return gn_key_file_read_cfg(path, &cfg, out);
}

int gn_key_file_read_any(const char *path, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	const struct gn_key_file_cfg cfg = {.any_form = true, .ask = ask, .ask_arg = arg};

	return gn_key_file_read_cfg(path, &cfg, out);
}

/* ---- writing ---- */

static int file_write(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t r = write(fd, p, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

/* Writes the key, syncs the file and closes fd. */
static int fd_write(int fd, const struct gn_key *key, enum gn_key_form form)
{
	uint8_t bytes[GN_KEY_FORMS_ROOM];
	size_t n = gn_key_forms_encode(key, form, bytes);
	int err;

	/* The umask may have removed bits from the mode. */
	err = fchmod(fd, MODE) < 0 ? -errno : file_write(fd, bytes, n);
	sodium_memzero(bytes, sizeof(bytes));
	/* EINVAL: the file system does not support fsync, which is no reason to fail. */
	if (err == 0 && fsync(fd) < 0 && errno != EINVAL)
		err = -errno;
	if (close(fd) < 0 && err == 0 && errno != EINTR)
		err = -errno;
	return err;
}

static int exclusive_open(const char *path)
{
	int fd;

	do
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, MODE);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* The length of the directory part of the path, including its last slash; 0 when the path has no slash. */
static size_t directory_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

/* Returns an unpredictable name in the path's directory, which the caller frees, or NULL. */
static char *temporary_name(const char *path)
{
	static const char head[] = ".gn-key-";
	size_t n = directory_len(path);
	char *name = malloc(n + sizeof(head) + 32);
	uint8_t bytes[8];

	if (name == NULL)
		return NULL;
	memcpy(name, path, n);
	memcpy(name + n, head, sizeof(head));
	gn_random(bytes, sizeof(bytes));
	gn_hex_encode(bytes, sizeof(bytes), name + n + sizeof(head) - 1);
	return name;
}

/* Gives the file a second name, which must not exist yet.  On a file system without hard links, an empty file
 * reserves the name first and is then replaced. */
static int name_give(const char *temporary, const char *path)
{
	int fd, err;

	if (link(temporary, path) == 0)
		return 0;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return -errno;
	fd = exclusive_open(path);
	if (fd < 0)
		return fd;
	(void)close(fd);
	if (rename(temporary, path) == 0)
		return 0;
	err = -errno;
	(void)unlink(path);
	return err;
}

/* Syncs the directory, so that the new name survives a crash, if the directory can be opened and synced. */
static void directory_sync(const char *path)
{
	size_t n = directory_len(path);
	char *name = n > 0 ? strndup(path, n) : strdup(".");
	int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;

	free(name);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

int gn_key_file_write_as(const char *path, const struct gn_key *key, enum gn_key_form form)
{
	char *temporary;
	struct stat st;
	int fd, err;

	if (lstat(path, &st) == 0)
		return -EEXIST;
	temporary = temporary_name(path);
	if (temporary == NULL)
		return -ENOMEM;
	fd = exclusive_open(temporary);
	if (fd < 0) {
		free(temporary);
		return fd;
	}
	err = fd_write(fd, key, form);
	if (err == 0)
		err = name_give(temporary, path);
	(void)unlink(temporary);
	free(temporary);
	if (err == 0)
		directory_sync(path);
	return err;
}

int gn_key_file_write(const char *path, const struct gn_key *key)
{
	return gn_key_file_write_as(path, key, GN_KEY_FORM_LIBP2P);
}
