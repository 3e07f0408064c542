/* SPDX-License-Identifier: MIT */
#include "base/frame.h"

#include "base/buf.h"
#include "support/support.h"

/* Passes the bytes to the decoder in pieces of `step`, and writes each frame to out as its length, a colon,
 * its bytes and a full stop.  Returns the first error, or the result of gn_frame_finish(). */
static int frames_read(const uint8_t *p, size_t n, size_t step, size_t max, struct gn_buf *out)
{
	struct gn_frame f;

	gn_frame_init(&f, max);
	for (size_t at = 0; at < n; at += step) {
		size_t k = n - at < step ? n - at : step;
		uint8_t *piece = malloc(k);
		struct gn_cursor in;
		const uint8_t *view;
		size_t len;
		int ev;

		assert_non_null(piece);
		memcpy(piece, p + at, k);
		gn_cursor_init(&in, piece, k);
		while ((ev = gn_frame_advance(&f, &in, &view, &len)) > 0) {
			if (ev == GN_FRAME_BEGIN)
				assert_int_equal(gn_buf_format(out, "%zu:", f.size), 0);
			else if (ev == GN_FRAME_BODY)
				assert_int_equal(gn_buf_put(out, view, len), 0);
			else
				assert_int_equal(gn_buf_format(out, "."), 0);
		}
		if (ev != GN_EAGAIN) {
			/* Further calls return the same error. */
			assert_int_equal(gn_frame_advance(&f, &in, &view, &len), ev);
			assert_int_equal(gn_frame_finish(&f), ev);
			free(piece);
			return ev;
		}
		assert_true(gn_cursor_is_done(&in));
		free(piece);
	}
	return gn_frame_finish(&f);
}

static void check(const char *hex, size_t max, int end, const char *text)
{
	size_t n;
	uint8_t *p = unhex(hex, &n);

	for (size_t step = 1; step <= n + 1; step++) {
		struct gn_buf out;

		gn_buf_init(&out, 10000);
		assert_int_equal(frames_read(p, n, step, max, &out), end);
		assert_int_equal(out.len, strlen(text));
		assert_memory_equal(out.len ? out.p : (const void *)"", text, out.len);
		gn_buf_fini(&out);
	}
	free(p);
}

static void frames_are_found_in_any_pieces(void **state)
{
	(void)state;
	check("", 10, 0, "");
	check("00", 10, 0, "0:.");
	check("00"
	      "03616263"
	      "00"
	      "0178",
	      10, 0, "0:.3:abc.0:.1:x.");
	check("03616263", 3, 0, "3:abc.");
	check("03616263"
	      "036162",
	      3, GN_ETRUNC, "3:abc.3:ab");
	check("80", 300, GN_ETRUNC, "");
	check("03", 300, GN_ETRUNC, "3:");
}

static void malformed_lengths_are_rejected(void **state)
{
	(void)state;
	check("0161"
	      "0461626364",
	      3, GN_ETOOBIG, "1:a.");
	check("ffffffffffffffff7f", SIZE_MAX / 4, GN_ETOOBIG, "");
	check("0161"
	      "8000",
	      300, GN_EFORMAT, "1:a.");
	check("ffffffffffffffffff01", 300, GN_EFORMAT, "");
}

static void a_frame_past_the_maximum_is_rejected(void **state)
{
	struct gn_buf in, out;
	uint8_t body[300];

	(void)state;
	memset(body, 'z', sizeof(body));
	gn_buf_init(&in, 1000);
	assert_int_equal(gn_buf_put_prefixed(&in, body, sizeof(body)), 0);
	for (size_t step = 1; step < 310; step += 7) {
		gn_buf_init(&out, 1000);
		assert_int_equal(frames_read(in.p, in.len, step, 300, &out), 0);
		assert_int_equal(out.len, 4 + 300 + 1);
		assert_memory_equal(out.p, "300:zzz", 7);
		gn_buf_fini(&out);
	}
	gn_buf_fini(&in);
}

static void the_length_of_a_frame_is_decoded_up_to_the_maximum(void **state)
{
	static const uint8_t two[] = {0xac, 0x02}, overlong[] = {0x80, 0x00};
	size_t size = 7;

	(void)state;
	assert_int_equal(gn_frame_head_decode(two, 0, 300, &size), GN_EAGAIN);
	assert_int_equal(gn_frame_head_decode(two, 1, 300, &size), GN_EAGAIN);
	assert_int_equal(gn_frame_head_decode(overlong, 2, 300, &size), GN_EFORMAT);
	assert_int_equal(gn_frame_head_decode(two, 2, 299, &size), GN_ETOOBIG);
	assert_int_equal(size, 7);
	assert_int_equal(gn_frame_head_decode(two, 2, 300, &size), 2);
	assert_int_equal(size, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_found_in_any_pieces),
		cmocka_unit_test(malformed_lengths_are_rejected),
		cmocka_unit_test(a_frame_past_the_maximum_is_rejected),
		cmocka_unit_test(the_length_of_a_frame_is_decoded_up_to_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
