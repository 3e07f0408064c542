/* SPDX-License-Identifier: MIT */
#include "support/support.h"

static void we_never_send_more_than_granted(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;
	size_t n = 0;

	script_start(f, true);
	st = script_open_acked(f);
	for (int i = 0; i < 4; i++) {
		script_put(f, st, 100 * KIB);
		while (script_drain(f), f->out.len > 0) {
			uint32_t len = gn_get_u32(f->out.p + f->out.at + 8);

			assert_true(len <= YAMUX_BODY_MAX);
			n += len;
			script_expect(f, YAMUX_DATA, 0, 1, len);
		}
	}
	assert_int_equal(n, YAMUX_WINDOW_INITIAL);
	script_receive(f, YAMUX_WINDOW, 0, 1, 0, 0); /* an update of 0 is allowed, and has no effect */
	script_expect_nothing(f);
	script_receive(f, YAMUX_WINDOW, 0, 1, 1, 0);
	script_expect(f, YAMUX_DATA, 0, 1, 1);
	script_expect_nothing(f);
	script_receive(f, YAMUX_WINDOW, 0, 1, 1 << 20, 0);
	script_close(f, st);
	script_drain(f);
	assert_int_equal(gn_pipe_len(&st->tx), 0);
	while (f->out.len > YAMUX_HEAD)
		script_expect(f, YAMUX_DATA, 0, 1, gn_get_u32(f->out.p + f->out.at + 8));
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	script_stop(f);
}

/* A FIN is sent although the window is used up. */
static void a_fin_needs_no_window(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	for (int late = 0; late < 2; late++) {
		script_start(f, true);
		st = script_open_acked(f);
		script_put(f, st, YAMUX_WINDOW_INITIAL);
		if (late == 0)
			script_close(f, st);
		for (int i = 0; i < 4; i++)
			script_expect(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
		script_expect(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL - 4 * YAMUX_BODY_MAX);
		if (late == 1) {
			script_expect_nothing(f);
			script_close(f, st);
		}
		script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		script_stop(f);
	}
}

/* Puts n bytes into a block of their own, as a security layer does with a record. */
static void put_block(struct yamux_script *f, struct gn_mux_stream *st, size_t n)
{
	uint8_t *at = gn_pipe_reserve(&st->tx, n);

	assert_non_null(at);
	memset(at, 1, n);
	gn_pipe_commit(&st->tx, n);
	f->ops->touch(st);
}

static void a_frame_ends_behind_a_block_of_a_stream_that_keeps_them(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	for (int keeps = 0; keeps < 2; keeps++) {
		script_start(f, true);
		st = script_open_acked(f);
		st->keeps_blocks = keeps == 1;
		put_block(f, st, 4000);
		put_block(f, st, YAMUX_BODY_MAX);
		put_block(f, st, YAMUX_BODY_MAX);
		if (keeps)
			script_expect(f, YAMUX_DATA, 0, 1, 4000);
		script_expect(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
		script_expect(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
		if (!keeps)
			script_expect(f, YAMUX_DATA, 0, 1, 4000);
		/* Several blocks that fit together are one frame. */
		put_block(f, st, 3000);
		put_block(f, st, 3000);
		script_expect(f, YAMUX_DATA, 0, 1, 6000);
		/* The window is used up in the middle of a block; the rest of the block is a frame of its own then. */
		put_block(f, st, YAMUX_BODY_MAX);
		script_expect(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
		put_block(f, st, 60000);
		put_block(f, st, YAMUX_BODY_MAX);
		script_expect(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL - 10000 - 3 * YAMUX_BODY_MAX);
		script_expect_nothing(f);
		script_receive(f, YAMUX_WINDOW, 0, 1, 1 << 20, 0);
		if (keeps)
			script_expect(f, YAMUX_DATA, 0, 1, 60000 - (YAMUX_WINDOW_INITIAL - 10000 - 3 * YAMUX_BODY_MAX));
		script_expect(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
		if (!keeps)
			script_expect(f, YAMUX_DATA, 0, 1, 60000 - (YAMUX_WINDOW_INITIAL - 10000 - 3 * YAMUX_BODY_MAX));
		script_expect_nothing(f);
		script_stop(f);
	}
}

/* Asserts that a plan of at most `limit` bytes has the frames with these bodies, and sends it. */
static void expect_plan(struct yamux_script *f, size_t limit, size_t first, size_t second)
{
	struct iovec v[8];
	size_t total = 0;
	int n = gn_pipe_peek(&f->s.tx, v, 8, limit);

	for (int i = 0; i < n; i++)
		total += v[i].iov_len;
	assert_int_equal(n, second > 0 ? 4 : first > 0 ? 2 : 1);
	assert_int_equal(total, (size_t)(second > 0 ? 2 : 1) * YAMUX_HEAD + first + second);
	gn_pipe_skip(&f->s.tx, total);
}

static void a_block_that_does_not_fit_behind_other_frames_waits_for_the_next_plan(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *a, *b;

	script_start(f, true);
	a = script_open_acked(f);
	b = script_open_acked(f);
	b->keeps_blocks = true;
	put_block(f, a, 10);
	put_block(f, b, 4000);
	put_block(f, b, 3000);
	expect_plan(f, 4000 + YAMUX_HEAD, 10, 0);
	expect_plan(f, 4000 + YAMUX_HEAD, 4000, 0);
	put_block(f, a, 10);
	expect_plan(f, 3011 + 2 * YAMUX_HEAD, 3000, 10);
	/* Alone in its plan it is cut. */
	put_block(f, b, 5000);
	expect_plan(f, 4000 + YAMUX_HEAD, 4000, 0);
	expect_plan(f, 4000 + YAMUX_HEAD, 1000, 0);
	script_stop(f);
}

static void a_window_may_not_exceed_32_bits(void **state)
{
	struct yamux_script *f = *state;

	for (int way = 0; way < 2; way++) {
		script_start(f, true);
		script_open_acked(f);
		script_receive(f, YAMUX_WINDOW, 0, 1, UINT32_MAX - YAMUX_WINDOW_INITIAL, 0); /* the largest window */
		assert_int_equal(f->ses->err, 0);
		if (way == 0)
			script_receive(f, YAMUX_WINDOW, 0, 1, 1, 0);
		else
			script_receive(f, YAMUX_WINDOW, 0, 1, UINT32_MAX, 0);
		script_expect_broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
		script_stop(f);
	}
}

static void one_byte_over_the_window_ends_the_session(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, false);
	st = script_accept(f, 1);
	script_receive(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL,
		       YAMUX_WINDOW_INITIAL); /* the whole window in one frame */
	assert_int_equal(f->ses->err, 0);
	assert_int_equal(gn_pipe_len(&st->rx), YAMUX_WINDOW_INITIAL);
	script_receive(f, YAMUX_DATA, 0, 1, 1, 1);
	script_expect_broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
	assert_int_equal(st->err, GN_EPROTO);
	assert_int_equal(gn_pipe_len(&st->rx),
			 YAMUX_WINDOW_INITIAL); /* received bytes are kept when the session fails */
	script_stop(f);
}

static void a_header_over_the_window_ends_the_session(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	script_receive(f, YAMUX_DATA, YAMUX_SYN, 1, YAMUX_WINDOW_INITIAL + 1, 0);
	script_expect(f, YAMUX_GO_AWAY, 0, 0, GN_GO_AWAY_PROTOCOL);
	assert_int_equal(f->ses->err, GN_EPROTO);
	script_stop(f);
}

static void data_behind_a_fin_ends_the_session(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	script_accept(f, 1);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0); /* a second FIN has no effect */
	script_receive(f, YAMUX_DATA, 0, 1, 0, 0);
	assert_int_equal(f->ses->err, 0);
	script_receive(f, YAMUX_DATA, 0, 1, 1, 1);
	script_expect_broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
	script_stop(f);
}

static void credit_is_granted_for_consumed_bytes(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, false);
	st = script_accept(f, 1);
	script_receive(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL, YAMUX_WINDOW_INITIAL);
	script_expect_nothing(f);
	script_take(f, st, YAMUX_WINDOW_INITIAL / 2 - 1);
	script_expect_nothing(f);
	script_take(f, st, 1);
	script_expect(f, YAMUX_WINDOW, 0, 1, YAMUX_WINDOW_INITIAL / 2);
	script_expect_nothing(f);
	script_take(f, st, YAMUX_WINDOW_INITIAL / 2);
	script_expect(f, YAMUX_WINDOW, 0, 1, YAMUX_WINDOW_INITIAL / 2);
	script_receive(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL, YAMUX_WINDOW_INITIAL);
	assert_int_equal(f->ses->err, 0);
	script_stop(f);
}

/* Bytes that a header announces count against the window until they are received and consumed. */
static void no_credit_is_granted_for_bytes_not_received(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, false);
	st = script_accept(f, 1);
	script_receive(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL, 10);
	script_take(f, st, 10);
	script_put(f, st, 1);
	script_expect(f, YAMUX_DATA, 0, 1, 1);
	script_expect_nothing(f);
	script_stop(f);
}

static void no_credit_is_granted_behind_a_fin(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, false);
	st = script_accept(f, 1);
	script_receive(f, YAMUX_DATA, YAMUX_FIN, 1, YAMUX_WINDOW_INITIAL, YAMUX_WINDOW_INITIAL);
	script_take(f, st, YAMUX_WINDOW_INITIAL);
	script_expect_nothing(f);
	script_stop(f);
}

/* Answers the ping that the fixture has consumed, so that the session measures the given round trip. */
static void measure(struct yamux_script *f, gn_time rtt)
{
	f->now += rtt;
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	assert_true(f->ses->rtt == rtt);
}

/* Receives a full window, and reads all but `left` bytes.  Returns the credit that is then granted, also
 * in *window. */
static uint64_t one_round(struct yamux_script *f, struct gn_mux_stream *st, uint64_t *window, size_t left)
{
	uint64_t granted = 0, sent = 0;

	while (sent < *window) {
		size_t n = *window - sent < 1 << 19 ? (size_t)(*window - sent) : 1 << 19;

		script_receive(f, YAMUX_DATA, 0, st->id, (uint32_t)n, n);
		sent += n;
	}
	assert_int_equal(f->ses->err, 0);
	f->now += 10 * GN_MSEC;
	script_receive(f, YAMUX_WINDOW, 0, 99, 0, 0);
	script_take(f, st, gn_pipe_len(&st->rx) - left);
	script_drain(f);
	while (f->out.len >= YAMUX_HEAD) {
		uint8_t *h = f->out.p + f->out.at;

		if (h[1] == YAMUX_WINDOW)
			granted += gn_get_u32(h + 8);
		wire_skip(&f->out, YAMUX_HEAD);
	}
	*window = granted;
	return granted;
}

static void a_window_grows_for_a_fast_reader(void **state)
{
	struct yamux_script *f = *state;
	uint64_t window = YAMUX_WINDOW_INITIAL, most = 0;

	script_start(f, false);
	measure(f, 20 * GN_MSEC);
	script_accept(f, 1);
	for (int i = 0; i < 60 && window > 0; i++) {
		uint64_t granted = one_round(f, f->came[0], &window, 0);

		most = granted > most ? granted : most;
		assert_true(granted <= 16 << 20);
	}
	assert_true(most >= 8 << 20);
	assert_true(f->scope.used <= (16 << 20) - YAMUX_WINDOW_INITIAL && f->scope.used + YAMUX_WINDOW_INITIAL >= most);
	script_stop(f);
}

/* When round trips are long only because of a queue on the path, the growth of the window is limited. */
static void a_queue_on_the_path_limits_growth(void **state)
{
	struct yamux_script *f = *state;
	uint64_t window = YAMUX_WINDOW_INITIAL, most = 0;
	uint32_t ping = 2;

	script_start(f, false);
	measure(f, 100 * GN_USEC);
	script_accept(f, 1);
	for (int i = 0; i < 60 && window > 0; i++) {
		uint64_t granted = one_round(f, f->came[0], &window, 0);
		gn_time rtt = f->ses->rtt;

		most = granted > most ? granted : most;
		f->now += 30 * GN_MSEC;
		script_receive(f, YAMUX_PING, YAMUX_ACK, 0, ping, 0);
		ping += f->ses->rtt != rtt; /* the answer was for a ping of an earlier round */
	}
	assert_true(f->ses->rtt >= 5 * GN_MSEC);
	assert_int_equal(most, 4 << 20);
	assert_int_equal(f->scope.used, (4 << 20) - YAMUX_WINDOW_INITIAL); /* the initial window is not charged */
	script_stop(f);
}

static void a_window_does_not_grow_for_a_slow_reader(void **state)
{
	struct yamux_script *f = *state;
	uint64_t window = YAMUX_WINDOW_INITIAL;

	script_start(f, false);
	measure(f, 20 * GN_MSEC);
	script_accept(f, 1);
	for (int i = 0; i < 40; i++) { /* the reader never reads all bytes */
		uint64_t was = window;

		assert_true(one_round(f, f->came[0], &window, 1000) <= was + 1000);
	}
	assert_true(f->scope.used <= GN_BLOCK_MAX); /* nothing is reserved; the unread bytes are in one block */
	script_stop(f);
}

static void growth_takes_at_most_half_of_the_memory(void **state)
{
	struct yamux_script *f = *state;
	uint64_t window = YAMUX_WINDOW_INITIAL;

	f->scope.max = 1 << 20;
	script_start(f, false);
	measure(f, 20 * GN_MSEC);
	script_accept(f, 1);
	for (int i = 0; i < 40 && window > 0; i++) {
		one_round(f, f->came[0], &window, 0);
		/* Half is kept for others. */
		assert_true(f->scope.used <= 1 << 19 && window <= (1 << 19) + YAMUX_WINDOW_INITIAL);
	}
	script_stop(f);
}

static void a_scope_that_is_used_up_gets_no_stream(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	f->scope.max = 100;
	script_start(f, false);
	assert_true(gn_scope_take(&f->scope, 99));
	script_accept(f, 1);
	script_open(f);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, 2, 0);
	assert_true(gn_scope_take(&f->scope, 1));
	assert_int_equal(f->ops->open(f->ses, &st), GN_ELIMIT);
	/* establish() fails, and the script resets the stream. */
	script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 3, 0, 0);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 3, 0);
	assert_int_equal(f->n_came, 1);
	gn_scope_give(&f->scope, 1);
	script_accept(f, 5);
	assert_int_equal(f->scope.streams, 2); /* the inbound ones */
	gn_scope_give(&f->scope, 99);
	script_stop(f);
}

/* The reader does not read, and the scope has room for less than the window. */
static void a_stream_that_overflows_is_reset_and_the_session_goes_on(void **state)
{
	enum { LEN = 64000 };
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	f->scope.max = 2 * GN_BLOCK_MAX;
	script_start(f, false);
	script_accept(f, 1);
	script_accept(f, 3);
	st = f->came[0];
	for (int i = 0; i < 4 && st->err == 0; i++) {
		script_receive(f, YAMUX_DATA, 0, 1, LEN, LEN);
		gn_iobuf_settle(st->rx.iobuf);
		gn_mux_check_overflows(st->rx.iobuf);
		assert_true(f->scope.used <= f->scope.max);
		assert_int_equal(st->err, i < 2 ? 0 : GN_ELIMIT);
	}
	assert_int_equal(st->err, GN_ELIMIT);
	assert_int_equal(gn_pipe_end(&st->rx), GN_ELIMIT);
	assert_int_equal(f->scope.used, 0);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	assert_int_equal(f->ses->err, 0);
	/* What the peer has sent meanwhile is dropped, and the other stream receives. */
	script_receive(f, YAMUX_DATA, 0, 1, 5, 5);
	script_receive(f, YAMUX_DATA, 0, 3, 5, 5);
	assert_int_equal(gn_pipe_len(&f->came[1]->rx), 5);
	script_stop(f);
}

static void a_stalled_stream_does_not_stop_others(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *a, *b;

	script_start(f, false);
	a = script_accept(f, 1);
	b = script_accept(f, 3);
	script_receive(f, YAMUX_DATA, 0, 1, YAMUX_WINDOW_INITIAL, YAMUX_WINDOW_INITIAL);
	for (int i = 0; i < 20; i++) {
		script_receive(f, YAMUX_DATA, 0, 3, YAMUX_WINDOW_INITIAL, YAMUX_WINDOW_INITIAL);
		script_take(f, b, YAMUX_WINDOW_INITIAL);
		script_expect(f, YAMUX_WINDOW, 0, 3, YAMUX_WINDOW_INITIAL);
	}
	assert_int_equal(gn_pipe_len(&a->rx), YAMUX_WINDOW_INITIAL);
	/* In the other direction: one stream without a window, one with. */
	script_put(f, a, YAMUX_WINDOW_INITIAL);
	script_drain(f);
	script_put(f, a, 1000);
	script_put(f, b, 1000);
	wire_skip(&f->out, f->out.len);
	script_expect(f, YAMUX_DATA, 0, 3, 1000);
	script_expect_nothing(f);
	script_stop(f);
}

static void streams_take_turns(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st[3];
	unsigned turns[3] = {0}, last = 9;

	script_start(f, true);
	for (int i = 0; i < 3; i++)
		st[i] = script_open_acked(f);
	for (int i = 0; i < 3; i++)
		script_put(f, st[i], 250 * KIB);
	script_drain(f);
	for (int i = 0; i < 9; i++) {
		const uint8_t *h = f->out.p + f->out.at;
		unsigned who = gn_get_u32(h + 4) / 2;

		assert_int_equal(h[1], YAMUX_DATA);
		assert_true(who != last);
		last = who;
		turns[who]++;
		wire_skip(&f->out, YAMUX_HEAD + gn_get_u32(h + 8));
	}
	assert_true(turns[0] == 3 && turns[1] == 3 && turns[2] == 3);
	script_stop(f);
}

/* A short message of one stream does not wait behind megabytes of another. */
static void a_short_message_does_not_wait_for_megabytes(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *a, *b;

	script_start(f, true);
	a = script_open_acked(f);
	b = script_open_acked(f);
	script_put(f, a, 250 * KIB);
	assert_true(wire_take(&f->out, &f->s.tx, YAMUX_HEAD + YAMUX_BODY_MAX));
	script_put(f, b, 5);
	script_receive(f, YAMUX_PING, YAMUX_SYN, 0, 1, 0);
	script_drain(f);
	script_expect(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
	script_expect(f, YAMUX_PING, YAMUX_ACK, 0, 1);
	if (gn_get_u32(f->out.p + f->out.at + 4) == 1)
		script_expect(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
	script_expect(f, YAMUX_DATA, 0, 3, 5);
	script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(we_never_send_more_than_granted),
		T(a_fin_needs_no_window),
		T(a_frame_ends_behind_a_block_of_a_stream_that_keeps_them),
		T(a_block_that_does_not_fit_behind_other_frames_waits_for_the_next_plan),
		T(a_window_may_not_exceed_32_bits),
		T(one_byte_over_the_window_ends_the_session),
		T(a_header_over_the_window_ends_the_session),
		T(data_behind_a_fin_ends_the_session),
		T(credit_is_granted_for_consumed_bytes),
		T(no_credit_is_granted_for_bytes_not_received),
		T(no_credit_is_granted_behind_a_fin),
		T(a_window_grows_for_a_fast_reader),
		T(a_queue_on_the_path_limits_growth),
		T(a_window_does_not_grow_for_a_slow_reader),
		T(growth_takes_at_most_half_of_the_memory),
		T(a_scope_that_is_used_up_gets_no_stream),
		T(a_stream_that_overflows_is_reset_and_the_session_goes_on),
		T(a_stalled_stream_does_not_stop_others),
		T(streams_take_turns),
		T(a_short_message_does_not_wait_for_megabytes),
	};

	return cmocka_run_group_tests_name("yamux: windows", tests, NULL, NULL);
}
