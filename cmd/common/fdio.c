/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gn.h"
#include "terminal.h"

#define PIPE_ROOM (1 << 20) /* the default of 64 KiB limits a pipe to 0.6 GB/s */

static bool is_shared_file(mode_t mode)
{
	return S_ISREG(mode) || S_ISBLK(mode) || S_ISDIR(mode);
}

/* Another user's terminal (after su) cannot be opened by its name, but /dev/tty can, and it usually is the
 * same one.  Returns -1 when it is not. */
static int open_controlling(int fd, int flags)
{
	unsigned want, have;
	int tty;

	if (ioctl(fd, TIOCGDEV, &want))
		return -1;
	tty = open("/dev/tty", flags);
	if (tty >= 0 && (ioctl(tty, TIOCGDEV, &have) || have != want)) {
		close(tty);
		tty = -1;
	}
	return tty;
}

/* Makes a separate open file description for the same pipe or terminal, so that its flags are not
 * shared.  Or -1. */
static int open_again(int fd, bool writes)
{
	char path[32];
	int flags = (writes ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int again;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	again = open(path, flags);
	return again >= 0 ? again : open_controlling(fd, flags);
}

void fdio_enlarge(int fd)
{
	fcntl(fd, F_SETPIPE_SZ, PIPE_ROOM); /* a failure only makes it slower */
}

int fdio_open_as_is(struct fdio *f, int fd, bool writes)
{
	struct stat st;
	int again;

	*f = (struct fdio){.fd = fd, .given = fd, .kind = FDIO_SHARED, .writes = writes};
	if (fstat(fd, &st))
		return -errno;
	if (is_shared_file(st.st_mode)) {
		f->kind = FDIO_FILE;
	} else if (S_ISSOCK(st.st_mode)) {
		f->kind = FDIO_SOCKET;
	} else {
		again = open_again(fd, writes);
		if (again >= 0) {
			f->fd = again;
			f->kind = FDIO_NONBLOCK;
		}
	}
	return 0;
}

int fdio_open(struct fdio *f, int fd, bool writes)
{
	int err = fdio_open_as_is(f, fd, writes);

	if (err == 0)
		fdio_enlarge(f->fd);
	return err;
}

int fdio_open_own(struct fdio *f, int fd, bool writes)
{
	*f = (struct fdio){.fd = fd, .given = fd, .kind = FDIO_NONBLOCK, .writes = writes};
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return 0;
}

static bool is_ready(const struct fdio *f)
{
	struct pollfd p = {.fd = f->fd, .events = f->writes ? POLLOUT : POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* Converts the result of a system call to gn.h's error codes. */
static ptrdiff_t fdio_result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EWOULDBLOCK ? GN_EAGAIN : -errno;
}

ptrdiff_t fdio_read(struct fdio *f, void *buf, size_t n)
{
	ssize_t got;

	if (f->kind == FDIO_SHARED && !is_ready(f))
		return GN_EAGAIN;
	do {
		got = f->kind == FDIO_SOCKET ? recv(f->fd, buf, n, MSG_DONTWAIT) : read(f->fd, buf, n);
	} while (got < 0 && errno == EINTR);
	if (got != 0)
		return fdio_result(got);
	return terminal_check_end(f->fd) ? -EIO : GN_EOF;
}

/* POLLOUT on a pipe guarantees room for PIPE_BUF bytes only. */
static ssize_t write_piece(struct fdio *f, const struct iovec *v)
{
	return write(f->fd, v->iov_base, v->iov_len < PIPE_BUF ? v->iov_len : PIPE_BUF);
}

ptrdiff_t fdio_writev(struct fdio *f, const struct iovec *v, int n)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n};
	ssize_t put;

	while (n != 0 && v->iov_len == 0)
		v++, n--;
	if (n == 0)
		return 0;
	m.msg_iov = (struct iovec *)(uintptr_t)v;
	m.msg_iovlen = (size_t)n;
	if (f->kind == FDIO_SHARED && !is_ready(f))
		return GN_EAGAIN;
	do {
		if (f->kind == FDIO_SOCKET)
			put = sendmsg(f->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		else if (f->kind == FDIO_SHARED)
			put = write_piece(f, v);
		else
			put = writev(f->fd, v, n);
	} while (put < 0 && errno == EINTR);
	return fdio_result(put);
}

/* Late write errors (NFS, quotas) are reported by close() and must not be lost. */
static int close_one(int fd)
{
	return close(fd) && errno != EINTR ? -errno : 0;
}

/* Closes a standard descriptor by replacing it with /dev/null in one step, so that its number is never
 * free. */
static int close_standard(int fd)
{
	int null, err = 0, copy;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, fd);
		close(null);
	}
	if (copy >= 0)
		err = close_one(copy);
	return err;
}

int fdio_close(struct fdio *f)
{
	int err = 0, other;

	if (f->fd < 0)
		return 0;
	if (f->kind == FDIO_SOCKET && f->writes)
		shutdown(f->fd,
			 SHUT_WR); /* the reader must see the end although other processes have the socket, too */
	if (f->fd != f->given)
		err = close_one(f->fd);
	other = f->given <= STDERR_FILENO ? close_standard(f->given) : close_one(f->given);
	f->fd = f->given = -1;
	return err != 0 ? err : other;
}

long long fdio_size(int fd)
{
	struct stat st;
	off_t at;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -1;
	at = lseek(fd, 0, SEEK_CUR);
	return at < 0 || at > st.st_size ? -1 : (long long)(st.st_size - at);
}
