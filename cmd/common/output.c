/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdio.h"

struct output {
	struct fdio io;
	struct gn_watch *watch;
	void (*cb)(void *arg);
	void *arg;
	uint64_t total;
};

static void output_on_watch(void *arg, unsigned ready)
{
	struct output *out = arg;

	(void)ready;
	gn_watch_start(out->watch, 0);
	if (out->cb != NULL)
		out->cb(out->arg); /* may free it */
}

int output_new(struct gn_loop *loop, int fd, bool own, struct output **res)
{
	struct output *out = calloc(1, sizeof *out);
	int err;

	if (out == NULL)
		return -ENOMEM;
	err = own ? fdio_open_own(&out->io, fd, true) : fdio_open(&out->io, fd, true);
	if (err == 0)
		err = gn_watch_new(loop, out->io.fd, output_on_watch, out, &out->watch);
	if (err != 0) {
		free(out);
		return err;
	}
	*res = out;
	return 0;
}

void output_on_ready(struct output *out, void (*cb)(void *arg), void *arg)
{
	out->cb = cb;
	out->arg = arg;
}

int output_end(struct output *out)
{
	gn_watch_free(out->watch);
	out->watch = NULL;
	return fdio_close(&out->io);
}

void output_free(struct output *out)
{
	if (out == NULL)
		return;
	output_end(out);
	free(out);
}

ptrdiff_t output_writev(struct output *out, const struct iovec *v, int n)
{
	ptrdiff_t put;

	if (out->watch == NULL)
		return -EBADF;
	put = fdio_writev(&out->io, v, n);
	if (put > 0)
		out->total += (uint64_t)put;
	else if (put == GN_EAGAIN)
		gn_watch_start(out->watch, GN_WRITABLE);
	return put;
}

int output_dup(const struct output *out)
{
	return out->watch != NULL ? fcntl(out->io.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;
}

uint64_t output_total(const struct output *out)
{
	return out->total;
}
