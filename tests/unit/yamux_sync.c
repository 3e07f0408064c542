/* SPDX-License-Identifier: MIT */
/* Acknowledgement: sync() sends a ping after the owner's bytes, and its answer acknowledges them. */
#include "support/support.h"

#define SYNC(n) (YAMUX_SYNC_PING + (uint32_t)(n))

static void assert_no_ack(const struct yamux_script *f, const struct gn_mux_stream *st)
{
	assert_int_equal(f->events[st->id % SCRIPT_EVENT_SLOTS] & GN_MUX_STREAM_ACKED, 0);
}

static void assert_ack(struct yamux_script *f, const struct gn_mux_stream *st)
{
	assert_int_equal(f->events[st->id % SCRIPT_EVENT_SLOTS] & GN_MUX_STREAM_ACKED, GN_MUX_STREAM_ACKED);
	f->events[st->id % SCRIPT_EVENT_SLOTS] = 0;
}

static void the_ping_follows_the_data_and_the_end(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 10);
	script_close(f, st);
	f->ops->sync(st);
	script_expect(f, YAMUX_DATA, 0, 1, 10);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	script_expect_nothing(f);
	assert_no_ack(f, st);
	assert_int_equal(st->acked, 0);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, 10);
	script_expect_nothing(f);
	script_stop(f);
}

static void the_ping_waits_for_the_window(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;
	size_t left = YAMUX_WINDOW_INITIAL;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 200 * KIB);
	f->ops->sync(st);
	script_put(f, st, YAMUX_WINDOW_INITIAL - 200 * KIB);
	while (left > 0) {
		size_t n = left < YAMUX_BODY_MAX ? left : YAMUX_BODY_MAX;

		script_expect(f, YAMUX_DATA, 0, 1, (uint32_t)n);
		left -= n;
	}
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	script_put(f, st, 1); /* the window is used up, so that ping does not cover this byte */
	script_expect_nothing(f);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, YAMUX_WINDOW_INITIAL);
	f->ops->sync(st);
	script_expect_nothing(f); /* the ping is sent after the byte, which waits for the window */
	script_receive(f, YAMUX_WINDOW, 0, 1, 100, 0);
	script_expect(f, YAMUX_DATA, 0, 1, 1);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(1));
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, YAMUX_WINDOW_INITIAL + 1);
	script_stop(f);
}

static void a_second_call_extends_the_first(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 5);
	f->ops->sync(st);
	f->ops->sync(st);
	script_expect(f, YAMUX_DATA, 0, 1, 5);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	script_put(f, st, 7);
	f->ops->sync(st);
	script_expect(f, YAMUX_DATA, 0, 1, 7);
	script_expect_nothing(f); /* only one ping of a stream is pending at a time */
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_no_ack(f, st);
	assert_int_equal(st->acked, 5);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(1));
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, 12);
	script_stop(f);
}

/* When both directions of a stream have ended, the peer may close the connection.  So the ping after our
 * FIN does not wait for the answer to an earlier ping, and is sent together with the FIN. */
static void a_ping_behind_an_end_does_not_wait(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 5);
	f->ops->sync(st);
	script_expect(f, YAMUX_DATA, 0, 1, 5);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	script_put(f, st, 7);
	script_close(f, st);
	f->ops->sync(st);
	script_expect(f, YAMUX_DATA, 0, 1, 7);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(1));
	script_expect_nothing(f);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_no_ack(f, st);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(2), 0); /* this ping was never sent */
	assert_no_ack(f, st);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st);
	assert_int_equal(st->acked, 12);
	script_expect_nothing(f);
	script_stop(f);
}

/* The answer to a ping acknowledges the bytes of all earlier pings, too. */
static void an_answer_stands_for_earlier_pings(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st[2];

	script_start(f, true);
	for (int i = 0; i < 2; i++)
		st[i] = script_open_acked(f);
	for (uint32_t i = 0; i < 2; i++) {
		script_put(f, st[i], 5);
		script_close(f, st[i]);
		f->ops->sync(st[i]);
		script_expect(f, YAMUX_DATA, 0, 2 * i + 1, 5);
		script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 2 * i + 1, 0);
		script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(i));
	}
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	assert_ack(f, st[0]);
	assert_ack(f, st[1]);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_no_ack(f, st[0]);
	script_expect_nothing(f);
	script_stop(f);
}

static void one_ping_answers_for_many_streams(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st[3];

	script_start(f, true);
	for (int i = 0; i < 3; i++)
		st[i] = script_open_acked(f);
	for (int i = 0; i < 3; i++) {
		script_close(f, st[i]);
		f->ops->sync(st[i]);
	}
	for (uint32_t i = 0; i < 3; i++)
		script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 2 * i + 1, 0);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	script_expect_nothing(f);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	for (int i = 0; i < 3; i++)
		assert_ack(f, st[i]);
	script_stop(f);
}

/* Answers to pings that were not sent, or to a keep-alive ping, do not acknowledge any bytes. */
static void other_answers_do_not_count(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	script_put(f, st, 1);
	f->ops->sync(st);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0); /* before the ping was sent */
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	assert_no_ack(f, st);
	script_expect(f, YAMUX_DATA, 0, 1, 1);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(1), 0);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 0, 0);
	assert_no_ack(f, st);
	script_stop(f);
}

/* The owner is notified when no answer can come any more, also for a stream that had ended in both
 * directions before the connection was lost. */
static void a_failed_session_is_notified_in_place_of_the_answer(void **state)
{
	struct yamux_script *f = *state;

	for (int sent = 0; sent < 2; sent++) {
		struct gn_mux_stream *st;

		script_start(f, true);
		st = script_open_acked(f);
		script_close(f, st);
		script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
		f->ops->sync(st);
		if (sent)
			script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
		f->ops->kill(f->ses, GN_ERESET);
		script_deliver(f);
		assert_int_equal(f->events[1] & GN_MUX_STREAM_GONE, GN_MUX_STREAM_GONE);
		assert_int_equal(st->err, GN_ERESET);
		assert_no_ack(f, st);
		script_stop(f);
	}
}

static void sync_on_a_failed_session_is_answered_by_gone(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;
	unsigned work;

	script_start(f, true);
	st = script_open_acked(f);
	script_close(f, st);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	f->ops->kill(f->ses, GN_ERESET);
	script_deliver(f);
	assert_int_equal(st->err, 0); /* the stream had ended in both directions before */
	work = f->s.work;
	f->ops->sync(st);
	assert_true(f->s.work > work); /* somebody has to deliver the event, though nothing more is received */
	script_deliver(f);
	assert_int_equal(st->err, GN_ERESET);
	assert_int_equal(f->events[1] & GN_MUX_STREAM_GONE, GN_MUX_STREAM_GONE);
	script_stop(f);
}

static void a_reset_stream_waits_for_no_answer(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st, *other;

	script_start(f, true);
	st = script_open_acked(f);
	other = script_open_acked(f);
	f->ops->sync(st);
	f->ops->sync(other);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(0));
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(f->events[1] & GN_MUX_STREAM_GONE, GN_MUX_STREAM_GONE);
	f->ops->release(st);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_ack(f, other);
	script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

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
		T(a_failed_session_is_notified_in_place_of_the_answer),
		T(sync_on_a_failed_session_is_answered_by_gone),
		T(a_reset_stream_waits_for_no_answer),
	};

	return cmocka_run_group_tests_name("yamux: acknowledgement", tests, NULL, NULL);
}
