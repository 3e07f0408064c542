/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "gn.h"
#include "diag.h"
#include "terminal.h"

#define READ_ROOM ((size_t)1 << 18)
#define ALIGN ((size_t)64) /* alignment of each read: unaligned reads are much slower */

void reader_init(struct reader *r, int fd, enum format format, size_t max)
{
	*r = (struct reader){.fd = fd, .format = format, .max = max};
}

void reader_fini(struct reader *r)
{
	free(r->bytes);
	*r = (struct reader){.fd = -1};
}

/* Moves the bytes that are left so that they end at a multiple of ALIGN, with room for a read after them. */
static int reader_make_room(struct reader *r)
{
	size_t left = r->len - r->at, to = (ALIGN - left % ALIGN) % ALIGN;
	size_t cap = r->cap != 0 ? r->cap : 2 * READ_ROOM;
	uint8_t *bytes = r->bytes;

	if (r->len % ALIGN == 0 && r->cap - r->len >= READ_ROOM / 4)
		return 0;
	while (cap - left - to < READ_ROOM)
		cap *= 2;
	if (cap != r->cap) {
		bytes = aligned_alloc(4096, cap);
		if (bytes == NULL)
			return -ENOMEM;
	}
	if (left != 0)
		memmove(bytes + to, r->bytes + r->at, left);
	if (bytes != r->bytes)
		free(r->bytes);
	r->bytes = bytes;
	r->cap = cap;
	r->at = to;
	r->len = to + left;
	return 0;
}

ptrdiff_t reader_read(int fd, void *buf, size_t n)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t got;

	while ((got = read(fd, buf, n)) < 0) {
		if (errno == EAGAIN)
			poll(&p, 1, -1); /* another process has set O_NONBLOCK */
		else if (errno != EINTR)
			return -errno;
	}
	return got > 0 ? got : terminal_check_end(fd);
}

/* Reads once; 0 or -errno. */
static int reader_fill(struct reader *r)
{
	size_t room;
	ptrdiff_t n;
	int err;

	err = reader_make_room(r);
	if (err != 0)
		return err;
	if (r->before_read != NULL)
		r->before_read();
	room = r->cap - r->len;
	n = reader_read(r->fd, r->bytes + r->len, room < READ_ROOM ? room : READ_ROOM);
	if (n < 0)
		return (int)n;
	r->len += (size_t)n;
	r->ended = n == 0;
	return 0;
}

int reader_next(struct reader *r, struct format_message *out)
{
	int err;

	r->at += r->taken;
	r->offset += r->taken;
	r->taken = 0;
	for (;;) {
		if (r->format == FORMAT_RAW && !r->ended && r->len - r->at < r->max)
			err = GN_EAGAIN;
		else
			err = format_decode(r->format, r->len > r->at ? r->bytes + r->at : NULL, r->len - r->at,
					    r->ended, r->max, &r->seen, out);
		if (err != GN_EAGAIN)
			break;
		err = reader_fill(r);
		if (err != 0)
			return err;
	}
	if (err == 0) {
		r->taken = out->taken;
		r->count++;
	}
	return err;
}

void reader_check(const struct reader *r, int err, const char *what)
{
	const char *hint = r->hint != NULL ? r->hint : "";
	char where[80];

	snprintf(where, sizeof where, "%s %" PRIu64 ", at byte %" PRIu64, what, r->count + 1, r->offset);
	switch (err) {
	case 0:
	case GN_EOF:
		return;
	case GN_ETOOBIG:
		die(EXIT_BADDATA, "%s: longer than %zu bytes (--max-frame)%s", where, r->max, hint);
	case GN_ETRUNC:
		die(EXIT_BADDATA, "%s: the input ends in the middle of it%s", where, hint);
	case GN_EFORMAT:
		die(EXIT_BADDATA, "%s: malformed%s", where, hint);
	case -ENOMEM:
		die_memory();
	default:
		die(EXIT_LOCAL, "standard input: %s", gn_strerror(err));
	}
}
