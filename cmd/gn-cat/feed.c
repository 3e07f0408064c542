/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/fdio.h"

/* The buffer is aligned to a page: Noise copies from it to its own buffer, and copying is slow between
 * addresses that differ by little modulo the page size (docs/design.md). */
#define PAGE ((size_t)4096)

struct feed {
	struct fdio io;
	struct gn_watch *watch;
	void (*cb)(void *arg);
	void *arg;
	uint8_t *buf;
	long long size;
	bool is_terminal;
	int end; /* GN_EOF or -errno, once it was met */
};

static void feed_on_watch(void *arg, unsigned ready)
{
	struct feed *f = arg;

	(void)ready;
	gn_watch_start(f->watch, 0);
	if (f->cb != NULL)
		f->cb(f->arg);
}

int feed_new(struct gn_loop *loop, int fd, struct feed **out)
{
	struct feed *f = calloc(1, sizeof *f);
	int err;

	if (f == NULL)
		return -ENOMEM;
	f->size = fdio_size(fd);
	f->is_terminal = isatty(fd);
	f->buf = aligned_alloc(PAGE, (FEED_SIZE + PAGE - 1) & ~(PAGE - 1));
	err = f->buf != NULL ? fdio_open(&f->io, fd, false) : -ENOMEM;
	if (err == 0)
		err = gn_watch_new(loop, f->io.fd, feed_on_watch, f, &f->watch);
	if (err != 0) {
		free(f->buf);
		free(f);
		return err;
	}
	if (f->io.kind == FDIO_FILE)
		(void)posix_fadvise(f->io.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*out = f;
	return 0;
}

void feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	gn_watch_free(f->watch);
	fdio_close(&f->io);
	free(f->buf);
	free(f);
}

void feed_on_ready(struct feed *f, void (*cb)(void *arg), void *arg)
{
	f->cb = cb;
	f->arg = arg;
	if (cb == NULL)
		gn_watch_start(f->watch, 0);
}

ptrdiff_t feed_read(struct feed *f, uint8_t **at)
{
	ptrdiff_t n;

	if (f->end != 0)
		return f->end;
	n = fdio_read(&f->io, f->buf, FEED_SIZE);
	if (n == GN_EAGAIN)
		gn_watch_start(f->watch, GN_READABLE);
	else if (n < 0)
		f->end = (int)n;
	*at = f->buf;
	return n;
}

long long feed_size(const struct feed *f)
{
	return f->size;
}

bool feed_is_terminal(const struct feed *f)
{
	return f->is_terminal;
}
