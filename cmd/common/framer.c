/* SPDX-License-Identifier: MIT */
#include "framer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP ((size_t)4096)

void framer_init(struct framer *u, struct input *in, enum format format, size_t max)
{
	*u = (struct framer){.in = in, .format = format, .max = max};
	if (format == FORMAT_RAW && u->max > FRAMER_RAW_MAX)
		u->max = FRAMER_RAW_MAX;
}

void framer_fini(struct framer *u)
{
	free(u->part);
	*u = (struct framer){0};
}

static int framer_grow(struct framer *u, size_t n)
{
	size_t cap = u->cap != 0 ? u->cap : 2 * STEP;
	uint8_t *part;

	while (cap < n)
		cap *= 2;
	if (cap == u->cap)
		return 0;
	part = realloc(u->part, cap);
	if (part == NULL)
		return -ENOMEM;
	u->part = part;
	u->cap = cap;
	return 0;
}

static int framer_decode(struct framer *u, const uint8_t *p, size_t n, bool ended, struct format_message *out)
{
	u->seen_next = u->seen;
	return format_decode(u->format, p, n, ended, u->max, &u->seen_next, out);
}

/* Shows a message that lies in one piece of the ring in place.  An incomplete one is moved to the part. */
static int framer_from_piece(struct framer *u, const struct iovec *v, bool ended, struct format_message *out)
{
	int err = framer_decode(u, v->iov_base, v->iov_len, ended, out);

	if (err == GN_EAGAIN) {
		err = framer_grow(u, v->iov_len);
		if (err != 0)
			return err;
		memcpy(u->part, v->iov_base, v->iov_len);
		u->len = v->iov_len;
		u->seen = u->seen_next;
		input_skip(u->in, v->iov_len);
		return GN_EAGAIN;
	}
	u->taken = err != 0 ? 0 : out->taken;
	u->from_part = false;
	return err;
}

/* Appends to a message whose beginning is in the part.  Each step at most doubles the part, so that few
 * bytes of the next message are copied, and that one can be shown in place again. */
static int framer_from_part(struct framer *u, const struct iovec *v, bool ended, struct format_message *out)
{
	size_t step = u->len > STEP ? u->len : STEP;
	size_t n = v->iov_len < step ? v->iov_len : step;
	int err = framer_grow(u, u->len + n);

	if (err != 0)
		return err;
	if (n != 0)
		memcpy(u->part + u->len, v->iov_base, n);
	err = framer_decode(u, u->part, u->len + n, ended && n == v->iov_len, out);
	if (err == GN_EAGAIN) {
		u->len += n;
		u->seen = u->seen_next;
		input_skip(u->in, n);
		return GN_EAGAIN;
	}
	if (err == 0) {
		u->taken = out->taken - u->len;
		u->from_part = true;
	}
	return err;
}

int framer_peek(struct framer *u, struct format_message *out)
{
	struct iovec v[2];
	ptrdiff_t got;
	bool ended;
	int n, err;

	for (;;) {
		n = input_peek(u->in, v, 2, SIZE_MAX);
		if (n == 0) {
			got = input_fill(u->in);
			if (got > 0)
				continue;
			if (got != GN_EOF)
				return (int)got;
			v[0] = (struct iovec){0};
		}
		ended = n < 2 && input_end(u->in) == GN_EOF;
		err = u->len != 0 ? framer_from_part(u, &v[0], ended, out)
		      : n         ? framer_from_piece(u, &v[0], ended, out)
				  : GN_EOF;
		if (err != GN_EAGAIN)
			return err;
	}
}

void framer_skip(struct framer *u)
{
	input_skip(u->in, u->taken);
	if (u->from_part)
		u->len = 0;
	u->from_part = false;
	u->taken = 0;
	u->seen = 0;
}
