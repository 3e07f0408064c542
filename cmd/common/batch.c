/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gn.h"

#define BATCH_ROOM ((size_t)1 << 16)
#define BATCH_LARGE ((size_t)1 << 14) /* from this size on a write costs less than a copy */

void batch_fini(struct batch *b)
{
	free(b->bytes);
	*b = (struct batch){0};
}

int batch_flush(struct batch *b, struct output *out)
{
	struct iovec v;
	ptrdiff_t n;

	while (b->at < b->len) {
		v = (struct iovec){b->bytes + b->at, b->len - b->at};
		n = output_writev(out, &v, 1);
		if (n <= 0)
			return n != 0 ? (int)n : GN_EAGAIN;
		b->at += (size_t)n;
	}
	b->at = b->len = 0;
	return 0;
}

static int batch_add(struct batch *b, const void *p, size_t n)
{
	size_t cap = b->cap != 0 ? b->cap : BATCH_ROOM + BATCH_LARGE + 2 * FORMAT_EXTRA;
	uint8_t *bytes;

	while (cap - b->len < n)
		cap *= 2;
	if (cap != b->cap) {
		bytes = realloc(b->bytes, cap);
		if (bytes == NULL)
			return -ENOMEM;
		b->bytes = bytes;
		b->cap = cap;
	}
	if (n != 0)
		memcpy(b->bytes + b->len, p, n);
	b->len += n;
	return 0;
}

static int add_all(struct batch *b, struct iovec *v, int n, size_t skip)
{
	int err = 0;

	for (int i = 0; i < n && err == 0; i++) {
		size_t drop = skip < v[i].iov_len ? skip : v[i].iov_len;

		skip -= drop;
		err = batch_add(b, (uint8_t *)v[i].iov_base + drop, v[i].iov_len - drop);
	}
	return err;
}

/* Adds a message for a terminal: characters that are not safe to show become '?', except tabs and line
 * ends. */
static int add_text(struct batch *b, const char *text, size_t len)
{
	size_t n, run = 0; /* run: safe bytes in front of `at` that are not added yet */
	bool is_safe;
	int err = 0;

	for (size_t at = 0; at < len && err == 0; at += n) {
		n = gn_text_next(text + at, len - at, &is_safe);
		if (is_safe || text[at] == '\n' || text[at] == '\t') {
			run += n;
			continue;
		}
		err = batch_add(b, text + at - run, run);
		run = 0;
		if (err == 0 && !(text[at] == '\r' && at + 1 < len && text[at + 1] == '\n'))
			err = batch_add(b, "?", 1);
	}
	if (err == 0)
		err = batch_add(b, text + len - run, run);
	if (err == 0 && (len == 0 || text[len - 1] != '\n'))
		err = batch_add(b, "\n", 1);
	return err;
}

static int batch_put_text(struct batch *b, struct output *out, const char *text, size_t len)
{
	int err = add_text(b, text, len);

	if (err != 0)
		return err;
	return b->len - b->at >= BATCH_ROOM ? batch_flush(b, out) : 0;
}

int batch_put(struct batch *b, struct output *out, enum format format, const void *body, size_t len)
{
	struct format_wrap w;
	struct iovec v[3];
	ptrdiff_t n = 0;
	int err;

	if (format == FORMAT_TEXT)
		return batch_put_text(b, out, body, len);
	if (format == FORMAT_LINE && len > 0 && ((const char *)body)[len - 1] == '\n')
		len--;
	err = format_encode(format, body, len, &w);
	if (err != 0)
		return err;
	v[0] = (struct iovec){w.head, w.n_head};
	v[1] = (struct iovec){(void *)(uintptr_t)body, len};
	v[2] = (struct iovec){w.tail, w.n_tail};
	if (len >= BATCH_LARGE) {
		err = batch_flush(b, out);
		if (err == 0) {
			n = output_writev(out, v, 3);
			if (n < 0 && n != GN_EAGAIN)
				return (int)n;
			n = n < 0 ? 0 : n;
		} else if (err != GN_EAGAIN) {
			return err;
		}
		if ((size_t)n == w.n_head + len + w.n_tail)
			return 0;
	}
	err = add_all(b, v, 3, (size_t)n);
	if (err != 0)
		return err;
	return b->len - b->at >= BATCH_ROOM || len >= BATCH_LARGE ? batch_flush(b, out) : 0;
}
