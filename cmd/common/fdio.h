/* SPDX-License-Identifier: MIT */
/*
 * fdio: reads and writes any kind of descriptor without blocking, and without setting O_NONBLOCK on an
 * inherited one (the flag belongs to the open file description, which the shell and its other children
 * share).
 *
 * Pipes, fifos and terminals are opened again through /proc/self/fd, which makes a separate open file
 * description; sockets are used with MSG_DONTWAIT; regular files are used as they are.  A descriptor that
 * cannot be opened again is polled before each call, and is written to in pieces of PIPE_BUF bytes.  Pipes
 * are enlarged to 1 MiB where allowed.
 */
#ifndef CMD_COMMON_FDIO_H
#define CMD_COMMON_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum fdio_kind {
	FDIO_FILE,     /* regular file, block device: always ready */
	FDIO_NONBLOCK, /* a separate open file description with O_NONBLOCK: pipe, terminal, ... */
	FDIO_SOCKET,
	FDIO_SHARED, /* could not be opened again: polled before each call */
};

struct fdio {
	int fd, given; /* fd: the descriptor in use; given: the caller's */
	enum fdio_kind kind;
	bool writes;
};

/* Takes ownership of the descriptor: fdio_close() closes it.  0 or -errno. */
int fdio_open(struct fdio *f, int fd, bool writes);
/* The same, but a pipe keeps its size, and the descriptor stays the caller's. */
int fdio_open_as_is(struct fdio *f, int fd, bool writes);
/* fdio_open() for a pipe that this process has created: O_NONBLOCK is set on it. */
int fdio_open_own(struct fdio *f, int fd, bool writes);
/* Returns the number of bytes read (> 0), GN_EAGAIN, GN_EOF, or -errno. */
ptrdiff_t fdio_read(struct fdio *f, void *buf, size_t n);
/* Returns the number of bytes written (> 0; 0 if v is empty), GN_EAGAIN, or -errno (-EPIPE if SIGPIPE is
 * ignored). */
ptrdiff_t fdio_writev(struct fdio *f, const struct iovec *v, int n);
/* Closes both descriptors.  If `given` is 0, 1 or 2, /dev/null takes its place, so that no file opened
 * later gets that number.  Returns 0, or -errno of a write that failed late. */
int fdio_close(struct fdio *f);

/* Enlarges a pipe to 1 MiB where that is allowed; anything else is left as it is. */
void fdio_enlarge(int fd);

/* The number of bytes still to be read from a regular file, or -1. */
long long fdio_size(int fd);

#endif
