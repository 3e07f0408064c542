/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gn.h"

#define ROOM_FIRST 64

void gn_buf_init(struct gn_buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void gn_buf_fini(struct gn_buf *b)
{
	free(b->p);
	gn_buf_init(b, b->max);
}

/* `extra` bytes do not count towards the maximum: the NUL behind a formatted text. */
static int buf_reserve(struct gn_buf *b, size_t n, size_t extra)
{
	size_t room = b->room > 0 ? b->room : ROOM_FIRST;
	uint8_t *p;

	if (n > b->max - b->len)
		return GN_ETOOBIG;
	if (b->len + n > SIZE_MAX / 4)
		return -ENOMEM;
	if (b->len + n + extra <= b->room)
		return 0;
	while (room < b->len + n + extra)
		room *= 2;
	p = realloc(b->p, room);
	if (p == NULL)
		return -ENOMEM;
	b->p = p;
	b->room = room;
	return 0;
}

int gn_buf_reserve(struct gn_buf *b, size_t n)
{
	return buf_reserve(b, n, 0);
}

int gn_buf_put(struct gn_buf *b, const void *p, size_t n)
{
	int err = buf_reserve(b, n, 0);

	if (err < 0)
		return err;
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	return 0;
}

int gn_buf_put_u8(struct gn_buf *b, uint8_t v)
{
	return gn_buf_put(b, &v, 1);
}

int gn_buf_put_uvarint(struct gn_buf *b, uint64_t v)
{
	uint8_t tmp[GN_UVARINT_MAX];

	return gn_buf_put(b, tmp, gn_uvarint_encode(v, tmp));
}

int gn_buf_put_prefixed(struct gn_buf *b, const void *p, size_t n)
{
	uint8_t tmp[GN_UVARINT_MAX];
	size_t k = gn_uvarint_encode(n, tmp);
	int err;

	if (n > SIZE_MAX - k)
		return GN_ETOOBIG;
	err = buf_reserve(b, k + n, 0);
	if (err < 0)
		return err;
	memcpy(b->p + b->len, tmp, k);
	if (n > 0)
		memcpy(b->p + b->len + k, p, n);
	b->len += k + n;
	return 0;
}

int gn_buf_format(struct gn_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n, err;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return GN_EFORMAT;
	err = buf_reserve(b, (size_t)n, 1);
	if (err < 0)
		return err;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

uint8_t *gn_buf_take(struct gn_buf *b)
{
	uint8_t *p = b->p;

	gn_buf_init(b, b->max);
	return p;
}
