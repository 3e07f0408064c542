/* SPDX-License-Identifier: MIT */
/*
 * fdio: reading and writing a descriptor without blocking, whatever it is, and without
 * ever setting O_NONBLOCK on one that was inherited (the flag belongs to the open file,
 * which the shell and its other children share).
 *
 * Pipes, fifos and terminals are opened once more through /proc/self/fd, which makes an
 * open file of our own; sockets are used with MSG_DONTWAIT; regular files and what
 * cannot be opened again are used as they are (of the latter, pieces of PIPE_BUF are
 * written, and only when poll says so).  Pipes are enlarged to 1 MiB where allowed.
 */
#ifndef CMD_COMMON_FDIO_H
#define CMD_COMMON_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum fdio_kind {
	FDIO_FILE,     /* regular file, block device: always ready */
	FDIO_NONBLOCK, /* an open file of our own with O_NONBLOCK: pipe, terminal, ... */
	FDIO_SOCKET,
	FDIO_SHARED, /* could not be opened again: polled before each call */
};

struct fdio {
	int fd, given; /* fd: what is used; given: what was handed in */
	enum fdio_kind kind;
	bool writes;
};

/* Takes the descriptor over: fdio_close() closes it.  0 or -errno. */
int fdio_open(struct fdio *f, int fd, bool writes);
/* The same, but a pipe keeps its size, and the descriptor stays the caller's. */
int fdio_open_as_is(struct fdio *f, int fd, bool writes);
/* fdio_open() for a pipe end that the tool has made itself: O_NONBLOCK is set on it. */
int fdio_open_own(struct fdio *f, int fd, bool writes);
/* Bytes read (> 0), GN_EAGAIN, GN_EOF, or -errno. */
ptrdiff_t fdio_read(struct fdio *f, void *buf, size_t n);
/* Bytes written (> 0), GN_EAGAIN, or -errno (-EPIPE without a signal if SIGPIPE is ignored). */
ptrdiff_t fdio_writev(struct fdio *f, const struct iovec *v, int n);
/* Closes both.  Where `given` is 0, 1 or 2 /dev/null takes its place, so that nothing
 * opened later becomes the tool's stdout.  0, or -errno of a write that failed late. */
int fdio_close(struct fdio *f);

/* Makes a pipe hold 1 MiB where that is allowed; anything else is left as it is. */
void fdio_enlarge(int fd);

/* Size of what is still to be read from a regular file, or -1. */
long long fdio_size(int fd);

#endif
