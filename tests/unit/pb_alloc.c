/* SPDX-License-Identifier: MIT */
#include "base/pb_alloc.h"

#include "identify.pb-c.h"
#include "support/support.h"

static int unpack(const uint8_t *p, size_t n, size_t budget, size_t *count)
{
	struct gn_pb_alloc pb;
	Gn__Pb__Identify *m = gn__pb__identify__unpack(gn_pb_alloc_init(&pb, budget), n, p);

	if (m == NULL)
		return gn_pb_alloc_error(&pb);
	*count = m->n_listen_addrs;
	gn__pb__identify__free_unpacked(m, &pb.ops);
	return 0;
}

/* With each budget, also 0, decoding succeeds or fails without a leak. */
static void allocations_stay_within_the_budget(void **state)
{
	uint8_t p[200];
	size_t count = 0, budget = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(p); i += 2) {
		p[i] = 0x12; /* an empty listen address */
		p[i + 1] = 0;
	}
	while (unpack(p, sizeof(p), budget, &count) == GN_ETOOBIG)
		budget += 8;
	assert_int_equal(count, 100);
	assert_true(budget > 1600 && budget < 64 * sizeof(p));
}

/* The budget is sufficient for usual messages, but not for a message of many empty fields. */
static void usual_messages_fit(void **state)
{
	uint8_t *p = calloc(1, 8000);
	size_t count = 0;

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < 8000; i += 2)
		p[i] = 0x12;
	assert_int_equal(unpack(p, 8000, GN_PB_BUDGET(8000), &count), GN_ETOOBIG);
	for (size_t i = 0; i < 8000; i += 10) {
		p[i] = 0x12;
		p[i + 1] = 8;
	}
	assert_int_equal(unpack(p, 8000, GN_PB_BUDGET(8000), &count), 0);
	assert_int_equal(count, 800);
	free(p);
}

static void malformed_messages_are_rejected(void **state)
{
	size_t count;

	(void)state;
	assert_int_equal(unpack((const uint8_t *)"\x12\x05", 2, 10000, &count), GN_EFORMAT);
	assert_int_equal(unpack((const uint8_t *)"", 0, 10000, &count), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_stay_within_the_budget),
		cmocka_unit_test(usual_messages_fit),
		cmocka_unit_test(malformed_messages_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
