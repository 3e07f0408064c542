/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/secret.h"

#define TOKEN_BYTES 16
#define TEXT_MAX (ADDRESS_TOKEN_MAX + 64) /* a token and blanks */
#define LETTERS "abcdefghijklmnopqrstuvwxyz234567"

void token_new(char out[ADDRESS_TOKEN_MAX + 1])
{
	uint8_t secret[TOKEN_BYTES];

	gn_random(secret, sizeof secret);
	gn_base32_encode(secret, sizeof secret, out);
	secret_wipe(secret, sizeof secret);
}

int token_parse(const char *text, char out[ADDRESS_TOKEN_MAX + 1], struct fault *f)
{
	size_t n;

	text += strspn(text, ADDRESS_BLANKS);
	n = strspn(text, LETTERS);
	if (text[0] == '\0')
		return fault_set(f, "is empty");
	if (text[n + strspn(text + n, ADDRESS_BLANKS)] != '\0')
		return fault_set(f, "is not one line with a token: letters a-z and digits 2-7");
	if (n < TOKEN_MIN || n > ADDRESS_TOKEN_MAX)
		return fault_set(f, "the token has %zu characters, and should have %d to %d", n, TOKEN_MIN,
				 ADDRESS_TOKEN_MAX);
	memcpy(out, text, n);
	out[n] = '\0';
	return 0;
}

static _Noreturn void token_die_of(const char *path, int err)
{
	die(err == -EACCES || err == -EPERM ? EXIT_REFUSED : EXIT_LOCAL, "token file %s: %s", path, gn_strerror(err));
}

/* Returns whether it is a regular file: only then may a message suggest to change or remove it. */
static bool check_file(const char *path, int fd, bool any_mode)
{
	struct stat st;

	if (fstat(fd, &st))
		token_die_of(path, -errno);
	if (S_ISDIR(st.st_mode))
		token_die_of(path, -EISDIR);
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) && !any_mode)
		die(EXIT_REFUSED,
		    "token file %s: others than its owner may read it (mode %03o); use "
		    "--insecure-key-mode to accept it, or: chmod 600 %s",
		    path, (unsigned)st.st_mode & 07777, path);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		die(EXIT_LOCAL, "token file %s: is a device, not a token file", path);
	return S_ISREG(st.st_mode);
}

/* Reads at most TEXT_MAX bytes as a string. */
static void read_all(const char *path, int fd, char text[TEXT_MAX + 1])
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, text + len, TEXT_MAX - len);
		if (n < 0 && errno != EINTR)
			token_die_of(path, -errno);
		if (n > 0)
			len += (size_t)n;
	} while (n != 0 && len < TEXT_MAX);
	text[len] = '\0';
	if (strlen(text) < len)
		text[0] = '?'; /* a NUL byte makes the text invalid */
}

/* Syncs the directory, so that the file's name is on the disk, too. */
static int token_sync_folder(const char *path)
{
	char folder[4096] = ".";
	const char *slash = strrchr(path, '/');
	int fd, err;

	if (slash != NULL && (size_t)(slash - path) + 1 < sizeof folder) {
		memcpy(folder, path, (size_t)(slash - path) + 1);
		folder[slash - path + 1] = '\0';
	}
	fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0)
		return 0; /* a directory that may be written to but not read */
	err = fsync(fd) && errno != EINVAL ? -errno : 0;
	close(fd);
	return err;
}

/* Creates the file with a new token; after an error it does not exist.  -EEXIST: another process has
 * created it. */
static int make_file(const char *path, char out[ADDRESS_TOKEN_MAX + 1])
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600), err = 0;
	char line[ADDRESS_TOKEN_MAX + 2];
	ssize_t n;
	size_t len;

	if (fd < 0)
		return -errno;
	token_new(out);
	len = strlen(out);
	memcpy(line, out, len);
	line[len++] = '\n';
	do {
		n = write(fd, line, len);
	} while (n < 0 && errno == EINTR);
	secret_wipe(line, sizeof line);
	if (n != (ssize_t)len)
		err = n < 0 ? -errno : -ENOSPC;
	if (err == 0 && fsync(fd))
		err = -errno;
	if (close(fd) && err == 0 && errno != EINTR)
		err = -errno;
	if (err == 0)
		err = token_sync_folder(path);
	if (err != 0)
		unlink(path);
	return err;
}

void token_of_file(const char *path, bool any_mode, char out[ADDRESS_TOKEN_MAX + 1])
{
	char text[TEXT_MAX + 1];
	struct fault f;
	bool is_regular, is_empty;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT) {
		err = make_file(path, out);
		if (err == 0)
			return;
		if (err != -EEXIST)
			token_die_of(path, err);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	}
	if (fd < 0)
		token_die_of(path, -errno);
	is_regular = check_file(path, fd, any_mode);
	read_all(path, fd, text);
	close(fd);
	err = token_parse(text, out, &f);
	is_empty = text[strspn(text, ADDRESS_BLANKS)] == '\0';
	secret_wipe(text, sizeof text);
	if (err != 0)
		die(EXIT_USAGE, "token file %s: %s%s", path, f.text,
		    is_regular && is_empty ? "; remove it, and a new one is made" : "");
}
