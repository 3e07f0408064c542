/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "id/key.h"
#include "id/key_forms.h"

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

/* How the bytes of a file are taken. */
struct reading {
	bool any; /* of any form, else of libp2p's only */
	gn_passphrase_cb *ask;
	void *arg;
};

static int fd_read(int fd, const struct reading *r, struct gn_key **out)
{
	uint8_t buf[GN_KEY_FILE_MAX + 1];
	struct stat st;
	ptrdiff_t n;
	int err;

	/* Of the file that was opened, not of whatever the path names by now. */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)(S_IXGRP | S_IXOTH))
		return GN_EKEYMODE;
	n = file_read(fd, buf, sizeof(buf));
	if (n < 0)
		err = (int)n;
	else if (r->any)
		err = gn_key_forms_decode(buf, (size_t)n, r->ask, r->arg, out);
	else
		err = gn_key_decode(buf, (size_t)n, out);
	sodium_memzero(buf, sizeof(buf));
	/* To a person a short file, a long one and one of garbage are all "not a key file". */
	return err == GN_ETRUNC || err == GN_ETOOBIG ? GN_EFORMAT : err;
}

static int path_read(const char *path, const struct reading *r, struct gn_key **out)
{
	int fd, err;

	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	err = fd_read(fd, r, out);
	(void)close(fd);
	return err;
}

int gn_key_file_read(const char *path, struct gn_key **out)
{
	const struct reading r = {.any = false};

	return path_read(path, &r, out);
}

int gn_key_file_read_any(const char *path, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	const struct reading r = {.any = true, .ask = ask, .arg = arg};

	return path_read(path, &r, out);
}

int gn_key_file_write(const char *path, const struct gn_key *key)
{
	return gn_key_file_write_as(path, key, GN_KEY_FORM_LIBP2P);
}

int gn_key_file_write_as(const char *path, const struct gn_key *key, enum gn_key_form form)
{
	uint8_t bytes[GN_KEY_FORMS_ROOM];
	size_t n;
	int fd, err;

	do
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	n = gn_key_forms_encode(key, form, bytes);
	/* The umask may have taken bits away. */
	err = fchmod(fd, S_IRUSR | S_IWUSR) < 0 ? -errno : file_write(fd, bytes, n);
	sodium_memzero(bytes, sizeof(bytes));
	/* EINVAL: a file system that cannot, which is no reason to lose the key. */
	if (err == 0 && fsync(fd) < 0 && errno != EINVAL)
		err = -errno;
	if (close(fd) < 0 && err == 0 && errno != EINTR)
		err = -errno;
	if (err < 0)
		(void)unlink(path);
	return err;
}
