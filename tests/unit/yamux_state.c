/* SPDX-License-Identifier: MIT */
/* The states of a yamux stream and their transitions, as in the table in mux/yamux.h. */
#include "support/support.h"

static enum yamux_state state_of(struct gn_mux_stream *st)
{
	return yamux_stream_of(st)->state;
}

static void a_stream_that_ends_here_first_passes_through_local_close(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open(f);
	assert_int_equal(state_of(st), YAMUX_INIT);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
	assert_int_equal(state_of(st), YAMUX_OPEN);
	assert_true(yamux_stream_of(st)->is_unacked);
	script_close(f, st);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	assert_int_equal(state_of(st), YAMUX_LOCAL_CLOSE);
	script_receive(f, YAMUX_WINDOW, YAMUX_ACK, 1, 0, 0);
	assert_false(yamux_stream_of(st)->is_unacked);
	assert_int_equal(state_of(st), YAMUX_LOCAL_CLOSE);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	assert_int_equal(state_of(st), YAMUX_CLOSED);
	assert_true(st->is_ended_in && st->is_ended_out);
	f->ops->reset(st);
	assert_int_equal(state_of(st), YAMUX_CLOSED);
	assert_int_equal(st->err, 0);
	script_stop(f);
}

static void a_stream_that_ends_there_first_passes_through_remote_close(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, false);
	script_receive(f, YAMUX_WINDOW, YAMUX_SYN | YAMUX_FIN, 1, 0, 0);
	st = f->came[0];
	assert_int_equal(state_of(st), YAMUX_REMOTE_CLOSE);
	assert_true(yamux_stream_of(st)->is_unacked);
	script_close(f, st);
	script_expect(f, YAMUX_WINDOW, YAMUX_ACK | YAMUX_FIN, 1, 0);
	assert_false(yamux_stream_of(st)->is_unacked);
	assert_int_equal(state_of(st), YAMUX_CLOSED);
	script_stop(f);
}

static void a_reset_of_ours_is_sent_before_the_stream_is_reset(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	f->ops->reset(st);
	assert_int_equal(state_of(st), YAMUX_RESETTING);
	assert_int_equal(st->err, GN_ECLOSED);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(state_of(st), YAMUX_RESETTING);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	assert_int_equal(state_of(st), YAMUX_RESET);
	st = script_open_acked(f);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, st->id, 0, 0);
	assert_int_equal(state_of(st), YAMUX_RESET);
	assert_int_equal(st->err, GN_ERESET);
	st = script_open_acked(f);
	f->ops->reset(st);
	f->ops->kill(f->ses, GN_ETIMEOUT);
	assert_int_equal(state_of(st), YAMUX_RESET);
	assert_int_equal(st->err, GN_ECLOSED);
	script_expect_nothing(f);
	script_stop(f);
}

/* The peer does not know a stream whose SYN was not sent, and can only guess its id. */
static void frames_for_a_stream_that_was_not_announced_are_ignored(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open(f);
	script_receive(f, YAMUX_DATA, YAMUX_ACK, 1, 10, 10);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 100, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(state_of(st), YAMUX_INIT);
	assert_int_equal(st->err, 0);
	assert_int_equal(gn_pipe_len(&st->rx), 0);
	assert_int_equal(yamux_stream_of(st)->tx_window, YAMUX_WINDOW_INITIAL);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
	assert_true(yamux_stream_of(st)->is_unacked);
	script_receive(f, YAMUX_DATA, YAMUX_ACK, 1, 10, 10);
	script_take(f, st, 10);
	script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_stream_that_ends_here_first_passes_through_local_close),
		T(a_stream_that_ends_there_first_passes_through_remote_close),
		T(a_reset_of_ours_is_sent_before_the_stream_is_reset),
		T(frames_for_a_stream_that_was_not_announced_are_ignored),
	};

	return cmocka_run_group_tests_name("yamux: states of a stream", tests, NULL, NULL);
}
