/* SPDX-License-Identifier: MIT */
/* The limits and intervals of a yamux session, each on both sides of its boundary. */
#include "support/support.h"

#define SYNC(n) (YAMUX_SYNC_PING | (n))

/* Receives a frame at the time `at`.  Returns whether the session then sends a ping, which is answered at
 * once. */
static bool measures(struct yamux_script *f, gn_time at, uint32_t *ping)
{
	f->now = at;
	script_receive(f, YAMUX_WINDOW, 0, 99, 0, 0);
	script_drain(f);
	if (f->out.len == 0)
		return false;
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, *ping);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, (*ping)++, 0);
	script_expect_nothing(f);
	return true;
}

/* While frames are received, round trips are measured after 20, 40, 80 ms and so on, and at last once a
 * second. */
static void the_interval_of_measurements_doubles_up_to_a_second(void **state)
{
	struct yamux_script *f = *state;
	static const gn_time ms[] = {40, 80, 160, 320, 640, 1000, 1000};
	uint32_t ping = 2;

	script_start(f, true); /* sends the first ping, which the fixture consumes */
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	for (size_t i = 0; i < sizeof ms / sizeof *ms; i++) {
		gn_time last = f->now;

		assert_false(measures(f, last + ms[i] * GN_MSEC - 1, &ping));
		assert_true(measures(f, last + ms[i] * GN_MSEC, &ping));
	}
	script_stop(f);
}

/* Otherwise, when the round trip is longer than the interval, each answer would cause the next ping. */
static void pings_and_their_answers_cause_no_measurement(void **state)
{
	struct yamux_script *f = *state;
	uint32_t ping = 2;

	script_start(f, true);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	assert_true(measures(f, f->now + 40 * GN_MSEC, &ping));
	f->now += 2 * GN_SEC;
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, ping - 1, 0);
	script_expect_nothing(f);
	f->now += 2 * GN_SEC;
	script_receive(f, YAMUX_PING, YAMUX_SYN, 0, 7, 0);
	script_expect(f, YAMUX_PING, YAMUX_ACK, 0, 7);
	script_expect_nothing(f);
	assert_true(measures(f, f->now, &ping));
	script_stop(f);
}

static void a_released_stream_waits_for_the_peer_for_60_seconds(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;
	gn_time start;

	script_start(f, true);
	st = script_open_acked(f);
	script_close(f, st);
	f->ops->release(st);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	start = f->now;
	script_expect_nothing(f);
	assert_true(gn_stack_wake(&f->s.stack) == start + 60 * GN_SEC);
	f->now = start + 60 * GN_SEC - 1;
	script_expect_nothing(f);
	f->now++;
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	script_stop(f);
}

static void four_pings_for_sync_are_in_flight_at_most(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st[YAMUX_SYNCS_MAX + 1];

	script_start(f, true);
	for (uint32_t i = 0; i <= YAMUX_SYNCS_MAX; i++)
		st[i] = script_open_acked(f);
	for (uint32_t i = 0; i <= YAMUX_SYNCS_MAX; i++) {
		script_close(f, st[i]);
		f->ops->sync(st[i]);
		script_expect(f, YAMUX_WINDOW, YAMUX_FIN, st[i]->id, 0);
		if (i < YAMUX_SYNCS_MAX)
			script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(i));
		script_expect_nothing(f);
	}
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(0), 0);
	assert_true(f->events[st[0]->id] & GN_MUX_STREAM_ACKED);
	assert_false(f->events[st[1]->id] & GN_MUX_STREAM_ACKED);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, SYNC(YAMUX_SYNCS_MAX));
	script_expect_nothing(f);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, SYNC(YAMUX_SYNCS_MAX), 0);
	for (uint32_t i = 0; i <= YAMUX_SYNCS_MAX; i++)
		assert_true(f->events[st[i]->id] & GN_MUX_STREAM_ACKED);
	script_stop(f);
}

static void the_last_stream_id_is_used_once(void **state)
{
	struct yamux_script *f = *state;

	for (int client = 0; client < 2; client++) {
		uint32_t last = client ? UINT32_MAX - 2 : UINT32_MAX - 3;
		struct gn_mux_stream *st;

		script_start(f, client);
		yamux_of(f->ses)->next_id = last;
		st = script_open(f);
		assert_int_equal(st->id, last);
		assert_int_equal(f->ops->open(f->ses, &st), GN_EGONE);
		script_expect(f, YAMUX_WINDOW, YAMUX_SYN, last, 0);
		script_stop(f);
	}
}

static void a_frame_has_at_most_65507_bytes_of_data(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 65507);
	script_expect(f, YAMUX_DATA, 0, 1, 65507);
	script_put(f, st, 65508);
	script_expect(f, YAMUX_DATA, 0, 1, 65507);
	script_expect(f, YAMUX_DATA, 0, 1, 1);
	script_expect_nothing(f);
	script_stop(f);
}

static void an_owner_may_write_256_kib_ahead(void **state)
{
	struct yamux_script *f = *state;
	static const uint8_t bytes[256 * 1024];
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	assert_int_equal(gn_pipe_put(&st->tx, bytes, sizeof bytes), 0);
	assert_int_equal(gn_pipe_put(&st->tx, bytes, 1), GN_EAGAIN);
	script_stop(f);
}

static void eight_frames_are_shown_and_64_received_at_once(void **state)
{
	struct yamux_script *f = *state;
	uint8_t frames[65][YAMUX_HEAD] = {{0}};
	struct iovec v[16];

	script_start(f, true);
	for (int i = 0; i < 9; i++)
		script_open(f);
	assert_int_equal(gn_pipe_peek(&f->s.tx, v, 16, SIZE_MAX), 8);
	script_drain(f);
	assert_int_equal(f->out.len, 9 * YAMUX_HEAD);
	wire_skip(&f->out, f->out.len);
	for (int i = 0; i < 65; i++) {
		frames[i][1] = YAMUX_WINDOW;
		frames[i][7] = 99;
	}
	assert_int_equal(gn_pipe_put(&f->s.rx, frames, sizeof frames), 0);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(gn_stack_pump(&f->s.stack, f->now, 1), GN_EAGAIN);
	assert_int_equal(gn_pipe_len(&f->s.rx), YAMUX_HEAD);
	script_stop(f);
}

/* A FIN or credit that becomes pending between the peek and the skip of a frame is sent in the next frame. */
static void a_frame_that_is_sent_keeps_what_became_due_meanwhile(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;
	struct iovec v;

	script_start(f, false);
	for (uint32_t id = 1; id <= 3; id += 2) {
		script_receive(f, YAMUX_WINDOW, YAMUX_SYN, id, 0, 0);
		st = f->came[id / 2];
		script_receive(f, YAMUX_DATA, 0, id, YAMUX_WINDOW_INITIAL, YAMUX_WINDOW_INITIAL);
		assert_int_equal(gn_pipe_peek(&f->s.tx, &v, 1, SIZE_MAX), 1); /* the ACK */
		assert_int_equal(v.iov_len, YAMUX_HEAD);
		if (id == 1)
			script_close(f, st);
		else
			script_take(f, st, YAMUX_WINDOW_INITIAL);
		wire_put(&f->out, v.iov_base, v.iov_len);
		gn_pipe_skip(&f->s.tx, v.iov_len);
		script_expect(f, YAMUX_WINDOW, YAMUX_ACK, id, 0);
		script_expect(f, YAMUX_WINDOW, id == 1 ? YAMUX_FIN : 0, id, id == 1 ? 0 : YAMUX_WINDOW_INITIAL);
		script_expect_nothing(f);
	}
	script_stop(f);
}

static void a_window_update_is_sent_when_half_of_the_window_is_free(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;
	enum { HALF = YAMUX_WINDOW_INITIAL / 2 };

	script_start(f, false);
	st = script_accept(f, 1);
	script_receive(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL, YAMUX_WINDOW_INITIAL);
	script_take(f, st, HALF - 1);
	script_expect_nothing(f);
	script_take(f, st, 1);
	script_expect(f, YAMUX_WINDOW, 0, 1, HALF);
	script_expect_nothing(f);
	script_stop(f);
}

/* Reads n bytes as the owner, at f->now. */
static void take_now(struct yamux_script *f, struct gn_mux_stream *st, size_t n)
{
	f->ses->now = f->now;
	script_take(f, st, n);
}

/* Starts a session with a round trip of 20 ms.  Returns a stream that has received 100,000 bytes, of which
 * the owner has read 1, so that the measurement of its rate has started. */
static struct gn_mux_stream *start_reading(struct yamux_script *f)
{
	struct gn_mux_stream *st;

	script_start(f, false);
	f->now += 20 * GN_MSEC;
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	assert_true(f->ses->rtt == 20 * GN_MSEC);
	st = script_accept(f, 1);
	script_receive(f, YAMUX_DATA, 0, 1, 100000, 100000);
	take_now(f, st, 1);
	return st;
}

/* When a reader has left bytes unread for more than two round trips, the measurement of its rate starts
 * again.  So a reader that becomes fast is measured as fast. */
static void a_measurement_starts_again_after_two_round_trips(void **state)
{
	struct yamux_script *f = *state;

	for (int restarts = 0; restarts < 2; restarts++) {
		struct gn_mux_stream *st = start_reading(f);

		f->now += 40 * GN_MSEC + restarts;
		take_now(f, st, 1);
		f->now += 8 * GN_MSEC;
		take_now(f, st, 100000 - 2);
		/* The window becomes twice the bytes of one round trip, at the rate of the last 8 ms.  At
		 * the rate of all 48 ms this would be less than the initial window. */
		assert_int_equal(yamux_stream_of(st)->window,
				 restarts ? 2 * (100000 - 2) * 20 / 8 : YAMUX_WINDOW_INITIAL);
		script_stop(f);
	}
}

static void a_rate_is_measured_over_5_ms_at_least(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st = start_reading(f);

	f->now += 5 * GN_MSEC - 1;
	take_now(f, st, 100000 - 1);
	assert_int_equal(yamux_stream_of(st)->window, YAMUX_WINDOW_INITIAL);
	script_receive(f, YAMUX_DATA, 0, 1, 100000, 100000);
	f->now++;
	take_now(f, st, 100000);
	assert_int_equal(yamux_stream_of(st)->window, 2 * (200000 - 1) * 20 / 5);
	script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_interval_of_measurements_doubles_up_to_a_second),
		T(pings_and_their_answers_cause_no_measurement),
		T(a_released_stream_waits_for_the_peer_for_60_seconds),
		T(four_pings_for_sync_are_in_flight_at_most),
		T(the_last_stream_id_is_used_once),
		T(a_frame_has_at_most_65507_bytes_of_data),
		T(an_owner_may_write_256_kib_ahead),
		T(eight_frames_are_shown_and_64_received_at_once),
		T(a_frame_that_is_sent_keeps_what_became_due_meanwhile),
		T(a_window_update_is_sent_when_half_of_the_window_is_free),
		T(a_measurement_starts_again_after_two_round_trips),
		T(a_rate_is_measured_over_5_ms_at_least),
	};

	return cmocka_run_group_tests_name("yamux: limits", tests, NULL, NULL);
}
