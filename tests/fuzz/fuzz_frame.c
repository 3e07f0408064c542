/* SPDX-License-Identifier: MIT */
/* Frames and varints.  The first two bytes choose the maximum length and the size of the pieces in which
 * the rest is given to the decoder.  The result must not depend on the pieces, and must be that of the
 * simple plain_read(). */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static int machine_read(const uint8_t *p, size_t n, size_t step, size_t max, struct gn_buf *out)
{
	struct gn_frame f;
	size_t body = 0;

	gn_frame_init(&f, max);
	for (size_t at = 0; at < n; at += step) {
		const uint8_t *view;
		struct gn_cursor in;
		size_t k;
		int ev;

		gn_cursor_init(&in, p + at, n - at < step ? n - at : step);
		while ((ev = gn_frame_advance(&f, &in, &view, &k)) > 0) {
			if (ev == GN_FRAME_BEGIN) {
				need(f.size <= max);
				need(gn_buf_put_uvarint(out, f.size) == 0);
				body = 0;
			} else if (ev == GN_FRAME_BODY) {
				need(k > 0);
				need(gn_buf_put(out, view, k) == 0);
				body += k;
			} else {
				need(body == f.size);
			}
		}
		if (ev != GN_EAGAIN)
			return ev;
		need(gn_cursor_is_done(&in));
	}
	return gn_frame_finish(&f);
}

/* Decodes the input in one pass, without the state machine.  Returns the result that gn_frame must have,
 * too. */
static int plain_read(const uint8_t *p, size_t n, size_t max)
{
	struct gn_cursor c;
	uint64_t v;

	gn_cursor_init(&c, p, n);
	while (!gn_cursor_is_done(&c)) {
		const uint8_t *start = c.p, *view;
		uint8_t again[GN_UVARINT_MAX];
		int err = gn_cursor_get_uvarint(&c, &v);

		if (err < 0)
			return err;
		need(gn_uvarint_encode(v, again) == (size_t)(c.p - start));
		need(memcmp(again, start, (size_t)(c.p - start)) == 0);
		if (v > max)
			return GN_ETOOBIG;
		if (gn_cursor_get_view(&c, (size_t)v, &view) < 0)
			return GN_ETRUNC;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gn_buf whole, pieces;
	size_t max, step;
	int end;

	if (size < 2)
		return 0;
	max = (size_t)data[0] * 17;
	step = (size_t)data[1] % 31 + 1;
	data += 2;
	size -= 2;
	gn_buf_init(&whole, SIZE_MAX);
	gn_buf_init(&pieces, SIZE_MAX);
	end = machine_read(data, size, size + 1, max, &whole);
	need(machine_read(data, size, step, max, &pieces) == end);
	need(plain_read(data, size, max) == end);
	need(whole.len == pieces.len && (whole.len == 0 || memcmp(whole.p, pieces.p, whole.len) == 0));
	/* The encoded output is a prefix of the input. */
	need(whole.len <= size && (whole.len == 0 || memcmp(whole.p, data, whole.len) == 0));
	if (end == 0)
		need(whole.len == size);
	gn_buf_fini(&whole);
	gn_buf_fini(&pieces);
	return 0;
}
