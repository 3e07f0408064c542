/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "support/support.h"

static void a_buffer_grows_as_needed(void **state)
{
	struct gn_buf b;
	uint8_t *p;

	(void)state;
	gn_buf_init(&b, 100000);
	assert_null(gn_buf_take(&b));
	for (unsigned i = 0; i < 50000; i++)
		assert_int_equal(gn_buf_put_u8(&b, (uint8_t)i), 0);
	assert_int_equal(b.len, 50000);
	for (unsigned i = 0; i < 50000; i++)
		assert_int_equal(b.p[i], (uint8_t)i);
	p = gn_buf_take(&b);
	assert_non_null(p);
	assert_int_equal(b.len, 0);
	free(p);
	gn_buf_fini(&b);
}

static void a_buffer_stops_at_its_maximum(void **state)
{
	struct gn_buf b;

	(void)state;
	gn_buf_init(&b, 10);
	assert_int_equal(gn_buf_put(&b, "12345678", 8), 0);
	assert_int_equal(gn_buf_put(&b, "abc", 3), GN_ETOOBIG);
	assert_int_equal(gn_buf_put(&b, "abc", SIZE_MAX), GN_ETOOBIG);
	assert_int_equal(gn_buf_put_prefixed(&b, "ab", 2), GN_ETOOBIG);
	assert_int_equal(gn_buf_format(&b, "%d", 123), GN_ETOOBIG);
	assert_int_equal(gn_buf_put_uvarint(&b, 1 << 14), GN_ETOOBIG);
	assert_int_equal(b.len, 8);
	assert_int_equal(gn_buf_format(&b, "%d", 12), 0); /* "12" just fits; its NUL is not counted */
	assert_memory_equal(b.p, "1234567812", 11);
	assert_int_equal(gn_buf_put_u8(&b, 0), GN_ETOOBIG);
	assert_int_equal(gn_buf_put(&b, NULL, 0), 0);
	gn_buf_fini(&b);
}

static void put_appends_all_or_nothing(void **state)
{
	struct gn_buf b;

	(void)state;
	gn_buf_init(&b, 1000);
	assert_int_equal(gn_buf_put_uvarint(&b, 300), 0);
	assert_int_equal(gn_buf_put_prefixed(&b, "xy", 2), 0);
	assert_int_equal(gn_buf_put_prefixed(&b, NULL, 0), 0);
	assert_hex(b.p, b.len,
		   "ac02"
		   "027879"
		   "00");
	gn_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_grows_as_needed),
		cmocka_unit_test(a_buffer_stops_at_its_maximum),
		cmocka_unit_test(put_appends_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
