/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fdio.h"

#define PIECES 64               /* results of reads that the ring may hold */
#define ALIGN ((size_t)64)      /* alignment of each read: unaligned reads are much slower */
#define READ_MIN ((size_t)4096) /* with less room than this, nothing is read */

/* The ring holds pieces, one for each read, which begin at multiples of ALIGN and never wrap.  When all are
 * skipped the ring starts again at offset 0, so that a fast consumer keeps it within few pages. */
struct input_piece {
	size_t at, len;
};

struct input {
	struct fdio io;
	struct gn_watch *watch;
	void (*cb)(void *arg);
	void *arg;
	uint8_t *ring;
	size_t size, held, read_max;
	struct input_piece pieces[PIECES];
	unsigned first, n;
	int end;
	uint64_t total;
};

static void input_on_watch(void *arg, unsigned ready)
{
	struct input *in = arg;

	(void)ready;
	gn_watch_start(in->watch, 0);
	if (in->cb != NULL)
		in->cb(in->arg); /* may free it */
}

int input_new(struct gn_loop *loop, const struct input_cfg *cfg, struct input **out)
{
	struct input *in = calloc(1, sizeof *in);
	int err;

	if (in == NULL)
		return -ENOMEM;
	in->size = cfg->ring;
	in->read_max = cfg->read_max != 0 ? cfg->read_max : INPUT_READ_MAX;
	in->ring = aligned_alloc(READ_MIN, cfg->ring);
	err = in->ring != NULL ? 0 : -ENOMEM;
	if (err == 0)
		err = cfg->own ? fdio_open_own(&in->io, cfg->fd, false) : fdio_open(&in->io, cfg->fd, false);
	if (err == 0)
		err = gn_watch_new(loop, in->io.fd, input_on_watch, in, &in->watch);
	if (err != 0) {
		free(in->ring);
		free(in);
		return err;
	}
	if (in->io.kind == FDIO_FILE)
		(void)posix_fadvise(in->io.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*out = in;
	return 0;
}

void input_on_ready(struct input *in, void (*cb)(void *arg), void *arg)
{
	in->cb = cb;
	in->arg = arg;
}

void input_free(struct input *in)
{
	if (in == NULL)
		return;
	gn_watch_free(in->watch);
	fdio_close(&in->io);
	free(in->ring);
	free(in);
}

static struct input_piece *input_piece(struct input *in, unsigned i)
{
	return &in->pieces[(in->first + i) % PIECES];
}

/* Returns the room for the next read, and its offset in *at; 0 when the ring is full. */
static size_t input_room(struct input *in, size_t *at)
{
	const struct input_piece *first, *last;
	size_t from, to;

	if (in->n == 0) {
		*at = 0;
		return in->size;
	}
	if (in->n == PIECES)
		return 0;
	first = input_piece(in, 0);
	last = input_piece(in, in->n - 1);
	from = (last->at + last->len + ALIGN - 1) & ~(ALIGN - 1);
	to = last->at >= first->at ? in->size : first->at & ~(ALIGN - 1);
	if (last->at >= first->at && (from >= to || to - from < READ_MIN)) {
		from = 0; /* wrap */
		to = first->at & ~(ALIGN - 1);
	}
	if (from >= to || to - from < READ_MIN)
		return 0;
	*at = from;
	return to - from;
}

ptrdiff_t input_fill(struct input *in)
{
	size_t at, n = input_room(in, &at);
	ptrdiff_t got;

	if (in->end != 0)
		return in->end;
	if (n == 0)
		return GN_ESPACE;
	got = fdio_read(&in->io, in->ring + at, n < in->read_max ? n : in->read_max);
	if (got > 0) {
		*input_piece(in, in->n) = (struct input_piece){at, (size_t)got};
		in->n++;
		in->held += (size_t)got;
		in->total += (uint64_t)got;
	} else if (got == GN_EAGAIN) {
		gn_watch_start(in->watch, GN_READABLE);
	} else {
		in->end = (int)got;
	}
	return got;
}

int input_peek(struct input *in, struct iovec *v, int max, size_t limit)
{
	int n;

	for (n = 0; n < max && (unsigned)n < in->n && limit; n++) {
		const struct input_piece *p = input_piece(in, (unsigned)n);

		v[n].iov_base = in->ring + p->at;
		v[n].iov_len = p->len < limit ? p->len : limit;
		limit -= v[n].iov_len;
	}
	return n;
}

void input_skip(struct input *in, size_t n)
{
	in->held -= n;
	while (n != 0) {
		struct input_piece *p = input_piece(in, 0);
		size_t part = n < p->len ? n : p->len;

		p->at += part;
		p->len -= part;
		n -= part;
		if (p->len == 0) {
			in->first = (in->first + 1) % PIECES;
			in->n--;
		}
	}
}

size_t input_held(const struct input *in)
{
	return in->held;
}

int input_end(const struct input *in)
{
	return in->end;
}

void input_pause(struct input *in)
{
	gn_watch_start(in->watch, 0);
}

uint64_t input_total(const struct input *in)
{
	return in->total;
}

static int input_source_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	return input_peek(arg, v, max, limit);
}

static void input_source_skip(void *arg, size_t n)
{
	input_skip(arg, n);
}

const struct gn_source input_source = {input_source_peek, input_source_skip};
