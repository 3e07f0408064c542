/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"

#include "base/bytes.h"
#include "support/support.h"

static void integers_are_read_in_network_order(void **state)
{
	size_t n;
	uint8_t *p = unhex("0102030405060708090a0b0c0d0e0f", &n), out[8], v8;
	struct gn_cursor c;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	(void)state;
	gn_cursor_init(&c, p, n);
	assert_int_equal(gn_cursor_left(&c), 15);
	assert_int_equal(gn_cursor_get_u8(&c, &v8), 0);
	assert_int_equal(v8, 1);
	assert_int_equal(gn_cursor_get_u16(&c, &v16), 0);
	assert_int_equal(v16, 0x0203);
	assert_int_equal(gn_cursor_get_u32(&c, &v32), 0);
	assert_int_equal(v32, 0x04050607);
	assert_int_equal(gn_cursor_get_u64(&c, &v64), 0);
	assert_true(v64 == 0x08090a0b0c0d0e0f);
	assert_true(gn_cursor_is_done(&c));
	gn_put_u64(out, v64);
	assert_memory_equal(out, p + 7, 8);
	assert_true(gn_get_u64(out) == v64);
	free(p);
}

/* A get that fails changes neither the cursor nor the out-parameter. */
static void a_short_input_is_truncated(void **state)
{
	size_t n, len = 77;
	uint8_t *p = unhex("ff", &n), v8 = 77;
	const uint8_t *view = NULL;
	struct gn_cursor c;
	uint16_t v16 = 77;
	uint32_t v32 = 77;
	uint64_t v64 = 77;

	(void)state;
	gn_cursor_init(&c, p, n);
	assert_int_equal(gn_cursor_get_u16(&c, &v16), GN_ETRUNC);
	assert_int_equal(gn_cursor_get_u32(&c, &v32), GN_ETRUNC);
	assert_int_equal(gn_cursor_get_u64(&c, &v64), GN_ETRUNC);
	assert_int_equal(gn_cursor_get_uvarint(&c, &v64), GN_ETRUNC);
	assert_int_equal(gn_cursor_get_view(&c, 2, &view), GN_ETRUNC);
	assert_int_equal(gn_cursor_get_view(&c, SIZE_MAX, &view), GN_ETRUNC);
	assert_int_equal(gn_cursor_get_prefixed(&c, &view, &len), GN_ETRUNC);
	assert_int_equal(gn_cursor_left(&c), 1);
	gn_cursor_init(&c, NULL, 0);
	assert_int_equal(gn_cursor_get_u8(&c, &v8), GN_ETRUNC);
	assert_true(v8 == 77 && v16 == 77 && v32 == 77 && v64 == 77 && len == 77 && view == NULL);
	free(p);
}

static void a_length_prefix_bounds_its_bytes(void **state)
{
	size_t n, len;
	uint8_t *p = unhex("02aabb00ffffffffffffffff7f", &n);
	const uint8_t *view;
	struct gn_cursor c;
	uint64_t v;

	(void)state;
	gn_cursor_init(&c, p, n);
	assert_int_equal(gn_cursor_get_prefixed(&c, &view, &len), 0);
	assert_int_equal(len, 2);
	assert_ptr_equal(view, p + 1);
	assert_int_equal(gn_cursor_get_prefixed(&c, &view, &len), 0);
	assert_int_equal(len, 0);
	/* The length prefix is 2^63 - 1. */
	assert_int_equal(gn_cursor_get_prefixed(&c, &view, &len), GN_ETRUNC);
	assert_int_equal(gn_cursor_left(&c), 9);
	gn_cursor_init(&c, "\x80\x00", 2);
	assert_int_equal(gn_cursor_get_uvarint(&c, &v), GN_EFORMAT);
	assert_int_equal(gn_cursor_get_prefixed(&c, &view, &len), GN_EFORMAT);
	assert_int_equal(gn_cursor_left(&c), 2);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_read_in_network_order),
		cmocka_unit_test(a_short_input_is_truncated),
		cmocka_unit_test(a_length_prefix_bounds_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
