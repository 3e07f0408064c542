/* SPDX-License-Identifier: MIT */
#include "support/support.h"

static struct gn_sealed_info message(uint8_t sequence, uint64_t number)
{
	return (struct gn_sealed_info){
		.sender = {.len = 1, .bytes = {1}},
		.in_sequence = true,
		.sequence = {sequence},
		.number = number,
	};
}

/* Puts a message for each character of `order`: a number, or 'e' for the end of the sequence.  Returns the
 * first error, or the result of gn_sequence_finish(). */
static int run(const char *order)
{
	struct gn_sequence q = {.next = 0};

	for (; *order; order++) {
		struct gn_sealed_info info = message(7, *order == 'e' ? q.next : (uint64_t)(*order - '0'));
		struct gn_sequence before = q;
		int err;

		info.is_end = *order == 'e';
		err = gn_sequence_put(&q, &info);
		if (err < 0) {
			assert_memory_equal(&q, &before, sizeof(q));
			return err;
		}
	}
	return gn_sequence_finish(&q);
}

static void messages_count_in_order(void **state)
{
	(void)state;
	assert_int_equal(run("0123e"), 0);
	assert_int_equal(run("e"), 0);
	assert_int_equal(run(""), GN_ETRUNC);
	assert_int_equal(run("0123"), GN_ETRUNC);
	assert_int_equal(run("013e"), GN_EORDER);  /* a gap */
	assert_int_equal(run("123e"), GN_EORDER);  /* a gap at the beginning */
	assert_int_equal(run("0112e"), GN_EORDER); /* a repeat */
	assert_int_equal(run("00"), GN_EORDER);
	assert_int_equal(run("021e"), GN_EORDER); /* a swap */
	assert_int_equal(run("01e2"), GN_EORDER); /* a message after the end */
	assert_int_equal(run("01ee"), GN_EORDER);
}

static void messages_of_another_sequence_are_rejected(void **state)
{
	struct gn_sequence q = {.next = 0};
	struct gn_sealed_info info = message(7, 0);

	(void)state;
	assert_int_equal(gn_sequence_put(&q, &info), 0);
	info = message(8, 1); /* another sequence */
	assert_int_equal(gn_sequence_put(&q, &info), GN_EORDER);
	info = message(7, 1); /* the same sequence id from another sender */
	info.sender.bytes[0] = 2;
	assert_int_equal(gn_sequence_put(&q, &info), GN_EORDER);
	info = message(7, 1); /* no sequence */
	info.in_sequence = false;
	assert_int_equal(gn_sequence_put(&q, &info), GN_EORDER);
	info = message(7, 1);
	assert_int_equal(gn_sequence_put(&q, &info), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_count_in_order),
		cmocka_unit_test(messages_of_another_sequence_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
