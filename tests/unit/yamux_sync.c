/* SPDX-License-Identifier: MIT */
/* Acknowledgement: sync() of a session asks by a ping that is sent behind the owner's bytes. */
#include "yamux_script.h"

#define SYNC(n) (YAMUX_SYNC_PING + (uint32_t)(n))

static void assert_no_ack(const struct fixture *f, const struct gn_mux_stream *st)
{
	assert_int_equal(f->events[st->id % EVENT_SLOTS] & GN_MUX_STREAM_ACKED, 0);
}

static void assert_ack(struct fixture *f, const struct gn_mux_stream *st)
{
	assert_int_equal(f->events[st->id % EVENT_SLOTS] & GN_MUX_STREAM_ACKED, GN_MUX_STREAM_ACKED);
	f->events[st->id % EVENT_SLOTS] = 0;
}

static void the_ping_follows_the_data_and_the_end(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;

	begin(f, true);
	st = open_acked(f);
	put(f, st, 10);
	shut(f, st);
	f->ops->sync(st);
	says(f, YAMUX_DATA, 0, 1, 10);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	says_nothing(f);
	assert_no_ack(f, st);
	assert_int_equal(st->acked, 0);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, 10);
	says_nothing(f);
	over(f);
}

static void the_ping_waits_for_the_window(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;
	size_t left = WINDOW;

	begin(f, true);
	st = open_acked(f);
	put(f, st, 200 * KIB);
	f->ops->sync(st);
	put(f, st, WINDOW - 200 * KIB);
	while (left > 0) {
		size_t n = left < YAMUX_BODY_MAX ? left : YAMUX_BODY_MAX;

		says(f, YAMUX_DATA, 0, 1, (uint32_t)n);
		left -= n;
	}
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	put(f, st, 1); /* has no window, and is not covered by that ping */
	says_nothing(f);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, WINDOW);
	f->ops->sync(st);
	says_nothing(f); /* its byte has to go first */
	hears(f, YAMUX_WINDOW, 0, 1, 100, 0);
	says(f, YAMUX_DATA, 0, 1, 1);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(1));
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, WINDOW + 1);
	over(f);
}

static void a_second_call_extends_the_first(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;

	begin(f, true);
	st = open_acked(f);
	put(f, st, 5);
	f->ops->sync(st);
	f->ops->sync(st);
	says(f, YAMUX_DATA, 0, 1, 5);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	put(f, st, 7);
	f->ops->sync(st);
	says(f, YAMUX_DATA, 0, 1, 7);
	says_nothing(f); /* one ping at a time */
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_no_ack(f, st);
	assert_int_equal(st->acked, 5);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(1));
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, 12);
	over(f);
}

/* A far end that has both ends may leave at once, so the ping behind ours does not wait for the answer to an
 * earlier one, and goes with it. */
static void a_ping_behind_an_end_does_not_wait(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;

	begin(f, true);
	st = open_acked(f);
	put(f, st, 5);
	f->ops->sync(st);
	says(f, YAMUX_DATA, 0, 1, 5);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	put(f, st, 7);
	shut(f, st);
	f->ops->sync(st);
	says(f, YAMUX_DATA, 0, 1, 7);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(1));
	says_nothing(f);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_no_ack(f, st);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(2), 0); /* was never sent */
	assert_no_ack(f, st);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, 12);
	says_nothing(f);
	over(f);
}

/* Answers may overtake one another: a later one stands for the earlier ones. */
static void an_answer_stands_for_earlier_pings(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st[2];

	begin(f, true);
	for (int i = 0; i < 2; i++)
		st[i] = open_acked(f);
	for (uint32_t i = 0; i < 2; i++) {
		put(f, st[i], 5);
		shut(f, st[i]);
		f->ops->sync(st[i]);
		says(f, YAMUX_DATA, 0, 2 * i + 1, 5);
		says(f, YAMUX_WINDOW, YAMUX_FIN, 2 * i + 1, 0);
		says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(i));
	}
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st[0]);
	assert_ack(f, st[1]);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_no_ack(f, st[0]);
	says_nothing(f);
	over(f);
}

static void one_ping_answers_for_many_streams(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st[3];

	begin(f, true);
	for (int i = 0; i < 3; i++)
		st[i] = open_acked(f);
	for (int i = 0; i < 3; i++) {
		shut(f, st[i]);
		f->ops->sync(st[i]);
	}
	for (uint32_t i = 0; i < 3; i++)
		says(f, YAMUX_WINDOW, YAMUX_FIN, 2 * i + 1, 0);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	says_nothing(f);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	for (int i = 0; i < 3; i++)
		assert_ack(f, st[i]);
	over(f);
}

/* What the far end answers unasked, or to the ping of the keep-alive, acknowledges nothing. */
static void other_answers_do_not_count(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;

	begin(f, true);
	st = open_acked(f);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	put(f, st, 1);
	f->ops->sync(st);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0); /* before it was asked */
	hears(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	assert_no_ack(f, st);
	says(f, YAMUX_DATA, 0, 1, 1);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, 0, 0);
	assert_no_ack(f, st);
	over(f);
}

/* The owner is told when no answer will come any more, also of a stream that had ended in both
 * directions before the connection was lost. */
static void a_lost_session_is_told_in_place_of_the_answer(void **state)
{
	struct fixture *f = *state;

	for (int sent = 0; sent < 2; sent++) {
		struct gn_mux_stream *st;

		begin(f, true);
		st = open_acked(f);
		shut(f, st);
		says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		hears(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
		f->ops->sync(st);
		if (sent)
			says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
		f->ops->kill(f->ses, GN_ERESET);
		deliver(f);
		assert_int_equal(f->events[1] & GN_MUX_STREAM_GONE, GN_MUX_STREAM_GONE);
		assert_int_equal(st->err, GN_ERESET);
		assert_no_ack(f, st);
		over(f);
	}
}

static void asking_a_dead_session_is_told_so(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;

	begin(f, true);
	st = open_acked(f);
	shut(f, st);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	hears(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	f->ops->kill(f->ses, GN_ERESET);
	deliver(f);
	assert_int_equal(st->err, 0); /* it had ended in good order */
	f->ops->sync(st);
	deliver(f);
	assert_int_equal(st->err, GN_ERESET);
	assert_int_equal(f->events[1] & GN_MUX_STREAM_GONE, GN_MUX_STREAM_GONE);
	over(f);
}

static void a_reset_stream_waits_for_no_answer(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st, *other;

	begin(f, true);
	st = open_acked(f);
	other = open_acked(f);
	f->ops->sync(st);
	f->ops->sync(other);
	says(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	hears(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(f->events[1] & GN_MUX_STREAM_GONE, GN_MUX_STREAM_GONE);
	f->ops->release(st);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_ack(f, other);
	over(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_ping_follows_the_data_and_the_end),
		T(the_ping_waits_for_the_window),
		T(a_second_call_extends_the_first),
		T(a_ping_behind_an_end_does_not_wait),
		T(an_answer_stands_for_earlier_pings),
		T(one_ping_answers_for_many_streams),
		T(other_answers_do_not_count),
		T(a_lost_session_is_told_in_place_of_the_answer),
		T(asking_a_dead_session_is_told_so),
		T(a_reset_stream_waits_for_no_answer),
	};

	return cmocka_run_group_tests_name("yamux: acknowledgement", tests, NULL, NULL);
}
