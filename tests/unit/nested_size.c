/* SPDX-License-Identifier: MIT */
/* What an idle connection over a stream holds, and allocations that fail while one is made and used. */
#include "support/support.h"

enum { CIRCUITS = 100, NESTED_MAX = 5 * 1024 /* bytes at each end */ };

static void a_nested_connection_holds_at_most_five_kilobytes_an_end(void **state)
{
	static struct carried w;
	size_t before, each;

	(void)state;
	carried_init(&w, NULL, NULL);
	(void)carried_open(&w, w.carrier[0]);
	carried_run(&w, 60 * GN_SEC);
	before = heap.usable;
	for (int i = 0; i < CIRCUITS; i++)
		(void)carried_open(&w, w.carrier[0]);
	carried_run(&w, 60 * GN_SEC);
	assert_int_equal(carried_count(&w, 0), CIRCUITS + 2);
	each = (heap.usable - before) / (2 * (size_t)CIRCUITS);
	print_message("an idle nested connection holds %zu bytes at each end\n", each);
	assert_true(each > 1024 && each <= NESTED_MAX);
	carried_fini(&w);
}

/* Makes a circuit and uses it while allocation number `fail` fails.  Returns the number of allocations. */
static size_t use_circuit(size_t fail, bool *has_worked)
{
	static const struct gn_mem_cfg mem = {.seed = 3, .max_chunk = 9000, .buffer = 50000, .delay = GN_MSEC};
	static struct carried w;
	struct carried_circuit *c;
	struct carried_flow *f = NULL;
	size_t n;

	carried_init(&w, &mem, NULL);
	w.is_failing = true;
	heap_on(fail, 1);
	c = carried_start(&w, w.carrier[0]);
	if (c != NULL) {
		carried_run(&w, 200 * GN_MSEC);
		w.to_send = 100000;
		if (carried_conn(c, 0) != NULL && carried_conn(c, 0)->state == GN_CONN_OPEN)
			f = carried_flow_start(&w, carried_conn(c, 0), 200000);
		carried_run(&w, 5 * GN_SEC);
	}
	n = heap.n;
	heap_off();
	*has_worked = f != NULL && f->err == GN_EOF;
	if (*has_worked)
		assert_int_equal(f->got, 100000);
	if (f != NULL && w.n_servers > 0 && w.servers[0].err == GN_EOF)
		assert_int_equal(w.servers[0].got, 200000);
	/* Whatever failed, the nodes still work, and hold nothing when their connections are gone. */
	for (size_t i = 0; i < 2; i++) {
		struct gn_conn *conn;

		while ((conn = net_conn(&w.net, i, 0)) != NULL)
			gn_conn_abort(conn, GN_ECLOSED);
	}
	carried_run(&w, 10 * GN_SEC);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(w.net.node[i]->n_conns, 0);
		assert_int_equal(w.net.node[i]->scope.used, 0);
	}
	net_connect(&w.net, 0, 1);
	carried_fini(&w);
	return n;
}

static void each_failed_allocation_is_survived(void **state)
{
	bool has_worked;
	size_t n, good = 0, held;

	(void)state;
	(void)use_circuit(0, &has_worked);
	held = heap.usable;
	n = use_circuit(0, &has_worked);
	assert_true(has_worked);
	assert_int_equal(heap.usable, held);
	assert_true(n > 20);
	for (size_t i = 1; i <= n; i++) {
		(void)use_circuit(i, &has_worked);
		good += has_worked;
		assert_int_equal(heap.usable, held);
	}
	assert_true(good < n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nested_connection_holds_at_most_five_kilobytes_an_end),
		cmocka_unit_test(each_failed_allocation_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
