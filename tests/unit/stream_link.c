/* SPDX-License-Identifier: MIT */
/* Connections over streams of another connection: lib/node/stream_link.c, and links with pipes in lib/node/conn*.c. */
#include "support/support.h"

enum { MIB = 1 << 20 };

static void a_connection_over_a_stream_opens_and_carries_streams(void **state)
{
	static struct carried w;
	struct carried_circuit *c;
	struct carried_flow *f;

	(void)state;
	carried_init(&w, NULL, NULL);
	c = carried_open(&w, w.carrier[0]);
	assert_int_equal(carried_count(&w, 0), 2);
	assert_ptr_equal(gn_stream_link_carrier(carried_conn(c, 0)->link), w.carrier[0]);
	assert_null(gn_stream_link_carrier(w.carrier[0]->link));
	w.to_send = 2000;
	f = carried_flow_start(&w, carried_conn(c, 0), 1000);
	assert_non_null(f);
	carried_run(&w, 100 * GN_MSEC);
	assert_int_equal(f->err, GN_EOF);
	assert_int_equal(f->got, 2000);
	assert_int_equal(w.servers[0].err, GN_EOF);
	assert_int_equal(w.servers[0].got, 1000);
	carried_fini(&w);
}

static void bytes_arrive_whole_in_both_directions(void **state)
{
	static const struct gn_mem_cfg mem[] = {
		{.buffer = 4 << 20},
		{.buffer = 1 << 20, .delay = 5 * GN_MSEC},
		{.seed = 5, .max_chunk = 5000, .buffer = 100000, .delay = GN_MSEC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof mem / sizeof *mem; i++) {
		static struct carried w;
		struct carried_circuit *c;
		struct carried_flow *f;

		carried_init(&w, &mem[i], NULL);
		c = carried_open(&w, w.carrier[0]);
		w.to_send = 16 * MIB + 3;
		f = carried_flow_start(&w, carried_conn(c, 0), 16 * MIB + 1);
		for (int k = 0; k < 100 && (f->err == 0 || w.servers[0].err == 0); k++)
			carried_run(&w, GN_SEC);
		assert_int_equal(f->err, GN_EOF);
		assert_int_equal(f->got, 16 * MIB + 3);
		assert_int_equal(w.servers[0].err, GN_EOF);
		assert_int_equal(w.servers[0].got, 16 * MIB + 1);
		carried_fini(&w);
	}
}

static void a_hundred_circuits_over_one_connection_work_at_once(void **state)
{
	static struct carried w;
	struct carried_flow *f[100];

	(void)state;
	carried_init(&w, NULL, NULL);
	for (int i = 0; i < 100; i++)
		assert_non_null(carried_start(&w, w.carrier[0]));
	carried_run(&w, GN_SEC);
	assert_int_equal(carried_count(&w, 0), 101);
	assert_int_equal(carried_count(&w, 1), 101);
	w.to_send = 100000;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(w.circuits[i].end[0].opened, 1);
		f[i] = carried_flow_start(&w, carried_conn(&w.circuits[i], 0), 300000);
		assert_non_null(f[i]);
	}
	for (int k = 0; k < 10; k++)
		carried_run(&w, GN_SEC);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(f[i]->err, GN_EOF);
		assert_int_equal(f[i]->got, 100000);
		assert_int_equal(w.servers[i].got, 300000);
	}
	carried_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_over_a_stream_opens_and_carries_streams),
		cmocka_unit_test(bytes_arrive_whole_in_both_directions),
		cmocka_unit_test(a_hundred_circuits_over_one_connection_work_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
