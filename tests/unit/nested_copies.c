/* SPDX-License-Identifier: MIT */
/* How many bytes are copied for a connection over a stream.  The Makefile links this test so that the library's calls of
 * memcpy() and memmove() come here. */
#include "support/support.h"

enum { MIB = 1 << 20, TOTAL = 16 * MIB };

static uint64_t copied; /* bytes, since a test has set it to 0 */

void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
	copied += n;
	return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
	copied += n;
	return __real_memmove(to, from, n);
}

/* Transfers TOTAL bytes from node 0 to node 1, and `back` bytes in the other direction, over the carrier or over a
 * connection nested `depth` times.  Returns how many bytes were copied; the mem transport copies each byte twice. */
static uint64_t transfer(int depth, size_t back, gn_time delay)
{
	const struct gn_mem_cfg mem = {.buffer = 4 * MIB, .delay = delay};
	static struct carried w;
	struct carried_flow *f;
	struct gn_conn *c;

	carried_init(&w, &mem, NULL);
	c = w.carrier[0];
	for (int i = 0; i < depth; i++)
		c = carried_conn(carried_open(&w, c), 0);
	w.to_send = back;
	copied = 0;
	f = carried_flow_start(&w, c, TOTAL);
	for (int k = 0; k < 100 && (f->err == 0 || w.servers[0].err == 0); k++)
		carried_run(&w, GN_SEC);
	assert_int_equal(f->got, back);
	assert_int_equal(w.servers[0].got, TOTAL);
	carried_fini(&w);
	return copied;
}

static void a_nested_connection_copies_no_byte(void **state)
{
	(void)state;
	for (int both = 0; both < 2; both++) {
		size_t back = both ? TOTAL : 0;
		uint64_t plain = transfer(0, back, GN_MSEC), once = transfer(1, back, GN_MSEC),
			 twice = transfer(2, back, GN_MSEC);

		print_message("bytes copied for each byte: %.2f, nested %.2f, nested twice %.2f\n",
			      (double)plain / TOTAL, (double)once / TOTAL, (double)twice / TOTAL);
		assert_true(plain >= 2 * (TOTAL + (uint64_t)back)); /* the calls of memcpy() are counted */
		assert_true(once <= plain + TOTAL / 20);
		assert_true(twice <= plain + TOTAL / 20);
	}
}

/* On a path without any delay the window of a stream does not grow.  It is used up inside a record, whose parts then
 * arrive in two reads: the first part is copied once. */
static void a_record_that_is_cut_by_the_window_is_copied_once(void **state)
{
	(void)state;
	assert_true(transfer(1, 0, 0) <= transfer(0, 0, 0) + TOTAL / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nested_connection_copies_no_byte),
		cmocka_unit_test(a_record_that_is_cut_by_the_window_is_copied_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
