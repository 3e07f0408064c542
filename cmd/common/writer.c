/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "exit.h"
#include "gn.h"
#include "results.h"
#include "diag.h"

#define ROOM ((size_t)1 << 17)
#define LARGE ((size_t)1 << 14) /* from this size on a write costs less than a copy */

static uint8_t room[ROOM];
static size_t held;
static int to = STDOUT_FILENO;
static const char *to_name = "standard output";

void writer_to(int fd, const char *name)
{
	to = fd;
	to_name = name;
}

static void write_all(struct iovec *v, int n)
{
	struct pollfd p = {.fd = to, .events = POLLOUT};
	ssize_t put;

	while (n != 0) {
		if (v->iov_len == 0) {
			v++, n--;
			continue;
		}
		put = writev(to, v, n);
		if (put < 0 && errno == EPIPE)
			exit(EXIT_LOCAL);
		if (put < 0 && errno == EAGAIN)
			poll(&p, 1, -1); /* another process has set O_NONBLOCK */
		else if (put < 0 && errno != EINTR)
			die(EXIT_LOCAL, "%s: %s", to_name, strerror(errno));
		for (; put > 0 && n; v++, n--) {
			size_t part = (size_t)put < v->iov_len ? (size_t)put : v->iov_len;

			v->iov_base = (uint8_t *)v->iov_base + part;
			v->iov_len -= part;
			put -= (ssize_t)part;
			if (v->iov_len != 0)
				break;
		}
	}
}

void writer_flush(void)
{
	struct iovec v = {room, held};

	held = 0;
	write_all(&v, 1);
}

void writer_close(void)
{
	int err;

	writer_flush();
	err = results_close_fd(to);
	if (err == -EPIPE)
		exit(EXIT_LOCAL);
	if (err != 0)
		die(EXIT_LOCAL, "%s: %s", to_name, gn_strerror(err));
}

void writer_write(const void *p, size_t n)
{
	struct iovec v[2] = {{room, held}, {(void *)(uintptr_t)p, n}};

	held = 0;
	write_all(v, 2);
}

static void hold(const void *p, size_t n)
{
	if (n != 0)
		memcpy(room + held, p, n);
	held += n;
}

int writer_put(enum format format, const void *body, size_t len)
{
	struct format_wrap w;
	struct iovec v[4];
	int err;

	err = format_encode(format, body, len, &w);
	if (err != 0)
		return err;
	if (len >= LARGE) {
		v[0] = (struct iovec){room, held};
		v[1] = (struct iovec){w.head, w.n_head};
		v[2] = (struct iovec){(void *)(uintptr_t)body, len};
		v[3] = (struct iovec){w.tail, w.n_tail};
		held = 0;
		write_all(v, 4);
		return 0;
	}
	if (held + w.n_head + len + w.n_tail > ROOM)
		writer_flush();
	hold(w.head, w.n_head);
	hold(body, len);
	hold(w.tail, w.n_tail);
	return 0;
}
