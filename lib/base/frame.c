/* SPDX-License-Identifier: MIT */
#include "base/frame.h"

#include <string.h>

int gn_frame_head_decode(const uint8_t *p, size_t n, size_t max, size_t *size)
{
	uint64_t v;
	int n_head = gn_uvarint_decode(p, n, &v);

	if (n_head < 0)
		return n_head;
	if (v > max)
		return GN_ETOOBIG;
	*size = (size_t)v;
	return n_head;
}

void gn_frame_init(struct gn_frame *f, size_t max)
{
	memset(f, 0, sizeof *f);
	f->max = max;
	f->state = GN_FRAME_IN_HEAD;
}

static int frame_fail(struct gn_frame *f, int err)
{
	f->state = GN_FRAME_BROKEN;
	f->err = err;
	return err;
}

static int frame_head(struct gn_frame *f, struct gn_cursor *in)
{
	int err;

	do {
		if (gn_cursor_get_u8(in, &f->head[f->n_head]) < 0)
			return GN_EAGAIN;
		f->n_head++;
		err = gn_frame_head_decode(f->head, f->n_head, f->max, &f->size);
	} while (err == GN_EAGAIN);
	if (err < 0)
		return frame_fail(f, err);
	f->left = f->size;
	f->n_head = 0;
	f->state = GN_FRAME_IN_BODY;
	return GN_FRAME_BEGIN;
}

int gn_frame_advance(struct gn_frame *f, struct gn_cursor *in, const uint8_t **view, size_t *n)
{
	size_t k;

	switch (f->state) {
	case GN_FRAME_IN_HEAD:
		return frame_head(f, in);
	case GN_FRAME_IN_BODY:
		if (f->left == 0) {
			f->state = GN_FRAME_IN_HEAD;
			return GN_FRAME_END;
		}
		k = gn_cursor_left(in);
		if (k == 0)
			return GN_EAGAIN;
		if (k > f->left)
			k = f->left;
		(void)gn_cursor_get_view(in, k, view);
		*n = k;
		f->left -= k;
		return GN_FRAME_BODY;
	case GN_FRAME_BROKEN:
	default:
		return f->err;
	}
}

int gn_frame_finish(const struct gn_frame *f)
{
	if (f->state == GN_FRAME_BROKEN)
		return f->err;
	return f->state == GN_FRAME_IN_HEAD && f->n_head == 0 ? 0 : GN_ETRUNC;
}
