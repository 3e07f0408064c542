/* SPDX-License-Identifier: MIT */
#include "support/support.h"

/* ---- opening and closing ---- */

static void ids_are_odd_for_the_client(void **state)
{
	struct yamux_script *f = *state;

	for (int client = 0; client < 2; client++) {
		script_start(f, client);
		for (uint32_t i = 0; i < 3; i++) {
			struct gn_mux_stream *st = script_open(f);

			assert_int_equal(st->id, 2 * i + (client ? 1 : 2));
			script_expect(f, YAMUX_WINDOW, YAMUX_SYN, st->id, 0);
		}
		assert_int_equal(f->ses->streams, 3);
		script_stop(f);
	}
}

static void data_follows_without_waiting(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open(f);
	script_put(f, st, 100);
	script_close(f, st);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
	script_expect(f, YAMUX_DATA, 0, 1, 100);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0); /* the FIN has a frame of its own after the data */
	script_expect_nothing(f);
	assert_true(st->is_ended_out);
	script_stop(f);
}

static void an_end_at_once_is_sent_with_the_syn(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open(f);
	script_close(f, st);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN | YAMUX_FIN, 1, 0);
	script_expect_nothing(f);
	script_stop(f);
}

static void an_ack_is_sent_once_and_at_once(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, false);
	st = script_accept(f, 1);
	script_expect_nothing(f);
	script_put(f, st, 3);
	script_expect(f, YAMUX_DATA, 0, 1, 3);
	script_expect_nothing(f);
	script_stop(f);
}

static void each_direction_ends_on_its_own(void **state)
{
	struct yamux_script *f = *state;

	for (int first = 0; first < 2; first++) {
		struct gn_mux_stream *st;

		script_start(f, true);
		st = script_open_acked(f);
		if (first == 0) {
			script_close(f, st);
			script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		}
		script_receive(f, YAMUX_DATA, 0, 1, 10, 10);
		script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
		assert_int_equal(gn_pipe_len(&st->rx), 10);
		if (first == 1) {
			script_put(f, st, 5);
			script_close(f, st);
			script_expect(f, YAMUX_DATA, 0, 1, 5);
			script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		}
		assert_true(st->is_ended_in && st->is_ended_out);
		assert_int_equal(st->err, 0);
		script_take(f, st, 10);
		assert_int_equal(gn_pipe_end(&st->rx), GN_EOF);
		assert_int_equal(f->ses->streams, 1);
		f->ops->release(st);
		assert_int_equal(f->ses->streams, 0);
		script_expect_nothing(f);
		script_stop(f);
	}
}

static void syn_data_and_fin_may_come_in_one_frame(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	script_receive(f, YAMUX_DATA, YAMUX_SYN | YAMUX_FIN, 1, 50, 50);
	assert_int_equal(f->n_came, 1);
	assert_int_equal(gn_pipe_len(&f->came[0]->rx), 50);
	assert_int_equal(gn_pipe_end(&f->came[0]->rx), 0);
	script_take(f, f->came[0], 50);
	assert_int_equal(gn_pipe_end(&f->came[0]->rx), GN_EOF);
	script_expect(f, YAMUX_WINDOW, YAMUX_ACK, 1, 0);
	script_expect_nothing(f);
	script_stop(f);
}

static void a_fin_in_a_data_frame_counts_behind_its_body(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, false);
	st = script_accept(f, 1);
	script_receive(f, YAMUX_DATA, YAMUX_FIN, 1, 50, 20);
	assert_false(st->is_ended_in);
	script_receive_bytes(f, 29);
	assert_false(st->is_ended_in);
	script_receive_bytes(f, 1);
	assert_true(st->is_ended_in);
	assert_int_equal(gn_pipe_len(&st->rx), 50);
	script_stop(f);
}

static void a_syn_window_grants_more(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 1, 1000, 0);
	script_expect(f, YAMUX_WINDOW, YAMUX_ACK, 1, 0);
	for (int i = 0; i < 3; i++) {
		script_put(f, f->came[0], 100 * KIB);
		script_drain(f);
	}
	assert_int_equal(gn_pipe_len(&f->came[0]->tx), 300 * KIB - YAMUX_WINDOW_INITIAL - 1000);
	script_stop(f);
}

/* ---- resets ---- */

static void a_reset_by_the_peer_drops_buffered_bytes(void **state)
{
	struct yamux_script *f = *state;
	static const uint32_t codes[] = {0, 1, 0x1003, UINT32_MAX};

	for (size_t i = 0; i < 4; i++) {
		struct gn_mux_stream *st;

		script_start(f, true);
		st = script_open_acked(f);
		script_receive(f, YAMUX_DATA, 0, 1, 10, 10);
		script_put(f, st, 100);
		script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, codes[i], 0);
		assert_int_equal(st->err, GN_ERESET);
		assert_true(f->events[1] & GN_MUX_STREAM_GONE);
		assert_int_equal(gn_pipe_len(&st->rx), 0);
		assert_int_equal(gn_pipe_end(&st->rx), GN_ERESET);
		assert_int_equal(gn_pipe_put(&st->tx, "x", 1), GN_ERESET);
		script_expect_nothing(f); /* neither the written bytes nor an answer is sent */
		f->ops->release(st);
		assert_int_equal(f->ses->streams, 0);
		assert_int_equal(f->ses->err, 0);
		script_stop(f);
	}
}

static void a_stream_may_be_reset_right_behind_its_syn(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	script_receive(f, YAMUX_WINDOW, YAMUX_SYN | YAMUX_RST, 1, 0, 0);
	script_receive(f, YAMUX_DATA, YAMUX_SYN | YAMUX_RST, 3, 10, 10);
	assert_int_equal(f->n_came, 0);
	script_expect_nothing(f);
	script_accept(f, 5);
	script_stop(f);
}

/* While a protocol is negotiated, the answer of the peer is delivered although a reset follows it. */
static void a_stream_with_defers_reset_keeps_its_bytes(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	st->defers_reset = true;
	script_receive(f, YAMUX_DATA, 0, 1, 10, 10);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(st->err, GN_ERESET);
	assert_int_equal(gn_pipe_len(&st->rx), 10);
	assert_int_equal(gn_pipe_end(&st->rx), 0);
	gn_pipe_skip(&st->rx, 10);
	assert_int_equal(gn_pipe_end(&st->rx), GN_ERESET);
	script_stop(f);
}

static void bytes_before_a_fin_survive_a_reset(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_receive(f, YAMUX_DATA, YAMUX_FIN, 1, 10, 10);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(st->err, GN_ERESET);
	assert_int_equal(gn_pipe_len(&st->rx), 10);
	script_stop(f);
}

static void our_reset_drops_bytes_and_is_sent_once(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 100);
	script_receive(f, YAMUX_DATA, 0, 1, 10, 10);
	f->ops->reset(st);
	assert_int_equal(st->err, GN_ECLOSED);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	script_expect_nothing(f);
	f->ops->reset(st);
	f->ops->release(st);
	script_expect_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	script_stop(f);
}

static void a_stream_that_was_not_announced_is_reset_silently(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st, *next;

	script_start(f, true);
	st = script_open(f);
	script_put(f, st, 10);
	f->ops->reset(st);
	f->ops->release(st);
	next = script_open(f);
	f->ops->release(next);
	script_expect_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	script_stop(f);
}

/* The owner resets the stream while a body is being received: the rest of the body is dropped. */
static void a_body_that_is_reset_in_the_middle_is_skipped(void **state)
{
	struct yamux_script *f = *state;

	for (int way = 0; way < 6; way++) {
		uint16_t flags = way % 3 == 1 ? YAMUX_FIN : way % 3 == 2 ? YAMUX_RST : 0;
		struct gn_mux_stream *st;

		script_start(f, true);
		st = script_open_acked(f);
		script_receive(f, YAMUX_DATA, flags, 1, 100, 40);
		f->ops->reset(st);
		assert_int_equal(gn_pipe_end(&st->rx), GN_ECLOSED);
		if (way >= 3)
			f->ops->release(st);
		script_receive_bytes(f, 60);
		if (way < 3) {
			assert_int_equal(gn_pipe_len(&st->rx), 0);
			assert_int_equal(gn_pipe_end(&st->rx), GN_ECLOSED);
		}
		script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		script_expect_nothing(f);
		if (way < 3)
			f->ops->release(st);
		assert_int_equal(f->ses->streams, 0);
		script_receive(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0); /* the session finds the next header */
		script_expect(f, YAMUX_PING, YAMUX_ACK, 0, 5);
		script_stop(f);
	}
}

static void late_frames_of_finished_streams_are_ignored(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	f->ops->release(st);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	script_receive(f, YAMUX_DATA, 0, 1, 5000, 5000);
	script_receive(f, YAMUX_WINDOW, 0, 1, UINT32_MAX, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 77, 0);
	script_receive(f, YAMUX_DATA, YAMUX_FIN, 1, 1, 1);
	script_receive(f, YAMUX_WINDOW, YAMUX_ACK, 1, 0, 0);
	script_receive(f, YAMUX_DATA, 0, 4, 100, 100); /* an id that was never used */
	script_receive(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0);
	script_expect(f, YAMUX_PING, YAMUX_ACK, 0, 5);
	script_expect_nothing(f);
	assert_int_equal(f->ses->err, 0);
	script_stop(f);
}

/* ---- release ---- */

/* A stream that was closed and released still sends its bytes; what it receives is dropped and not charged. */
static void a_released_stream_sends_what_was_written(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 1000);
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->release(st);
	script_expect(f, YAMUX_DATA, 0, 1, 1000);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	for (int i = 0; i < 10; i++) { /* the session grants credit for the bytes that it drops */
		script_receive(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL / 2, YAMUX_WINDOW_INITIAL / 2);
		script_expect(f, YAMUX_WINDOW, 0, 1, YAMUX_WINDOW_INITIAL / 2);
	}
	assert_int_equal(f->ses->streams, 1);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	assert_int_equal(f->ses->streams, 0);
	script_expect_nothing(f);
	script_stop(f);
}

/* ---- teardown ---- */

static void a_session_frees_its_streams_in_every_state(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	script_open_acked(f);
	f->ops->reset(script_open_acked(f)); /* has a reset to send */
	script_drain(f);
	wire_skip(&f->out, f->out.len);
	script_accept(f, 1);
	script_receive(f, YAMUX_DATA, 0, 1, 1000, 500); /* is in the middle of a body */
	f->ops->reset(f->came[0]);                      /* has a reset to send */
	script_open(f);                                 /* has a SYN to send */
	script_stop(f);
	script_start(f, true);
	script_open_acked(f);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0); /* has failed, but is not released */
	script_close(f, script_open_acked(f));
	script_receive(f, YAMUX_DATA, YAMUX_FIN, 3, 10, 10);
	script_drain(f); /* stream 3 has ended in both directions, but is not released */
	assert_int_equal(f->ses->streams, 2);
	f->releases = false;
	{ /* two inbound streams whose events were not delivered */
		uint8_t syns[2 * YAMUX_HEAD] = {0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 2};

		side_feed(&f->s, syns, sizeof syns, f->now);
	}
	script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ids_are_odd_for_the_client),
		T(data_follows_without_waiting),
		T(an_end_at_once_is_sent_with_the_syn),
		T(an_ack_is_sent_once_and_at_once),
		T(each_direction_ends_on_its_own),
		T(syn_data_and_fin_may_come_in_one_frame),
		T(a_fin_in_a_data_frame_counts_behind_its_body),
		T(a_syn_window_grants_more),
		T(a_reset_by_the_peer_drops_buffered_bytes),
		T(a_stream_may_be_reset_right_behind_its_syn),
		T(a_stream_with_defers_reset_keeps_its_bytes),
		T(bytes_before_a_fin_survive_a_reset),
		T(our_reset_drops_bytes_and_is_sent_once),
		T(a_stream_that_was_not_announced_is_reset_silently),
		T(a_body_that_is_reset_in_the_middle_is_skipped),
		T(late_frames_of_finished_streams_are_ignored),
		T(a_released_stream_sends_what_was_written),
		T(a_session_frees_its_streams_in_every_state),
	};

	return cmocka_run_group_tests_name("yamux", tests, NULL, NULL);
}
