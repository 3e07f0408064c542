/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "support/support.h"

static void pings_are_answered_once_and_in_order(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, true);
	for (uint32_t i = 0; i < YAMUX_PINGS_MAX; i++)
		script_receive(f, YAMUX_PING, YAMUX_SYN, 0, 1000 + i, 0);
	for (uint32_t i = 0; i < YAMUX_PINGS_MAX; i++)
		script_expect(f, YAMUX_PING, YAMUX_ACK, 0, 1000 + i);
	script_expect_nothing(f);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 1000, 0); /* the answer to a ping that was not sent */
	script_receive(f, YAMUX_PING, 0, 0, 1000, 0);
	script_expect_nothing(f);
	assert_int_equal(f->ses->err, 0);
	script_stop(f);
}

static void one_ping_too_many_ends_the_session(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, true);
	for (uint32_t i = 0; i <= YAMUX_PINGS_MAX; i++)
		script_receive(f, YAMUX_PING, YAMUX_SYN, 0, i, 0);
	script_expect_broken(f, GN_ELIMIT, GN_GO_AWAY_INTERNAL);
	script_stop(f);
}

static void frames_that_break_the_protocol_end_the_session(void **state)
{
	struct yamux_script *f = *state;
	static const uint8_t bad[][YAMUX_HEAD] = {
		{1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0},                                         /* version 1 */
		{0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},                                         /* type 4 */
		{0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, /* SYN of stream 0 */
		{0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},   {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, /* data on stream 0 */
		{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},   {0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0}, /* SYN of our parity */
		{0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0},   {0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}, /* SYN of an id in use */
		{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		script_start(f, false);
		script_accept(f, 1);
		side_feed(&f->s, bad[i], YAMUX_HEAD, f->now);
		script_expect_broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
		script_stop(f);
	}
}

static void streams_past_the_ack_backlog_wait(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st[300];

	script_start(f, true);
	for (int i = 0; i < 300; i++) {
		st[i] = script_open(f);
		script_put(f, st[i], 1);
	}
	script_drain(f);
	assert_int_equal(f->out.len, 256 * (2 * YAMUX_HEAD + 1)); /* the other streams wait */
	wire_skip(&f->out, f->out.len);
	script_receive(f, YAMUX_WINDOW, YAMUX_ACK, st[10]->id, 0, 0);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, st[256]->id, 0);
	script_expect(f, YAMUX_DATA, 0, st[256]->id, 1);
	script_expect_nothing(f);
	script_receive(f, YAMUX_WINDOW, YAMUX_RST, st[11]->id, 0, 0); /* a reset is an answer, too */
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, st[257]->id, 0);
	script_expect(f, YAMUX_DATA, 0, st[257]->id, 1);
	script_receive(f, YAMUX_DATA, YAMUX_ACK, st[12]->id, 1, 1);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, st[258]->id, 0);
	script_expect(f, YAMUX_DATA, 0, st[258]->id, 1);
	f->ops->reset(st[259]); /* a waiting stream is reset without a frame */
	f->ops->reset(st[13]);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, st[13]->id, 0);
	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, st[260]->id, 0);
	script_stop(f);
}

static void a_stream_that_is_not_admitted_is_reset(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	f->admits = GN_ELIMIT;
	script_receive(f, YAMUX_DATA, YAMUX_SYN, 1, 100, 100);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	script_expect_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	f->admits = 0;
	script_accept(f, 3);
	for (uint32_t i = 0; i < 600; i++) { /* any number of streams, as long as the resets are sent */
		f->admits = GN_ELIMIT;
		script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 5 + 2 * i, 0, 0);
		script_expect(f, YAMUX_WINDOW, YAMUX_RST, 5 + 2 * i, 0);
	}
	script_stop(f);
}

/* A session that is about to end does not reset new streams, because the peer would regard that as a
 * refusal. */
static void a_session_that_is_about_to_end_ignores_new_streams(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	f->admits = GN_ECLOSED;
	script_receive(f, YAMUX_DATA, YAMUX_SYN, 1, 100, 100);
	script_receive(f, YAMUX_DATA, YAMUX_FIN, 1, 5, 5);
	script_expect_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	assert_int_equal(f->ses->err, 0);
	f->ops->go_away(f->ses, GN_GO_AWAY_NORMAL);
	script_receive(f, YAMUX_DATA, YAMUX_SYN, 3, 100, 100);
	script_expect(f, YAMUX_GO_AWAY, 0, 0, 0);
	script_expect_nothing(f);
	script_stop(f);
}

static void one_refused_stream_too_many_ends_the_session(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	f->admits = GN_ELIMIT;
	for (uint32_t i = 0; i < YAMUX_REFUSED_MAX; i++)
		script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 1 + 2 * i, 0, 0);
	assert_int_equal(f->ses->err, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 9001, 0, 0);
	script_expect_broken(f, GN_ELIMIT, GN_GO_AWAY_INTERNAL);
	script_stop(f);
}

/* Streams that are opened and reset before the owner is notified must not accumulate. */
static void rapid_resets_cost_nothing(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	f->releases = true;
	for (uint32_t i = 0; i < 5000; i++) {
		script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 1 + 2 * i, 0, 0);
		script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1 + 2 * i, 0, 0);
		script_drain(f);
		assert_true(f->ses->streams <= 1);
	}
	wire_skip(&f->out, f->out.len);
	script_expect_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	script_stop(f);
}

static void go_away_of_the_peer_ends_or_fails_the_session(void **state)
{
	struct yamux_script *f = *state;
	static const struct {
		uint32_t code;
		int err;
	} cases[] = {{0, 0},
		     {1, GN_EPROTO},
		     {2, GN_EGONE},
		     {0x1000, GN_EGONE},
		     {0x1007, GN_EREFUSED},
		     {UINT32_MAX, GN_EGONE}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_mux_stream *st, *other;

		script_start(f, true);
		st = script_open_acked(f);
		script_receive(f, YAMUX_DATA, 0, 1, 10, 10);
		script_receive(f, YAMUX_GO_AWAY, 0, 0, cases[i].code, 0);
		assert_true(f->ses->is_remote_go_away);
		assert_int_equal(f->ses->err, cases[i].err);
		assert_int_equal(f->ops->open(f->ses, &other), GN_EGONE);
		assert_int_equal(gn_pipe_len(&st->rx), 10); /* received bytes stay */
		assert_int_equal(st->err, cases[i].err);
		if (cases[i].err == 0) { /* open streams continue */
			script_put(f, st, 3);
			script_expect(f, YAMUX_DATA, 0, 1, 3);
			script_expect_nothing(f);
			script_receive(f, YAMUX_DATA, YAMUX_FIN, 1, 10, 10);
			assert_int_equal(gn_pipe_len(&st->rx), 20);
		} else { /* no frame is sent, and the sending side is closed */
			script_expect_nothing(f);
			assert_int_equal(f->out.end, GN_EOF);
			assert_true(f->events[1] & GN_MUX_STREAM_GONE);
		}
		script_stop(f);
	}
}

static void nothing_follows_our_go_away(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	f->ops->go_away(f->ses, GN_GO_AWAY_NORMAL);
	f->ops->go_away(f->ses, GN_GO_AWAY_NORMAL);
	assert_int_equal(f->ops->open(f->ses, &st), GN_EGONE);
	script_expect(f, YAMUX_GO_AWAY, 0, 0, 0);
	script_expect_nothing(f);
	assert_int_equal(f->out.end, GN_EOF);
	assert_int_equal(f->ses->err, 0);
	script_receive(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0); /* nothing follows Go Away */
	script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 2, 0, 0);
	script_receive(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	f->now += GN_SEC;
	script_receive(f, YAMUX_WINDOW, 0, 2, 0, 0);
	script_expect_nothing(f);
	script_stop(f);
	script_start(f, false);
	st = script_accept(f, 1);
	script_put(f, st, 10);
	f->ops->go_away(f->ses, GN_GO_AWAY_GATED);
	script_expect_broken(f, GN_EREFUSED, GN_GO_AWAY_GATED);
	assert_int_equal(st->err, GN_EREFUSED);
	script_stop(f);
}

static void kill_fails_all_streams_and_sends_nothing(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st, *other;

	script_start(f, false);
	st = script_accept(f, 1);
	script_open(f);
	assert_int_equal(f->ses->inbound, 1);
	script_receive(f, YAMUX_DATA, 0, 1, 10, 10);
	script_put(f, st, 10);
	f->ops->kill(f->ses, GN_ETIMEOUT);
	f->ops->kill(f->ses, GN_ECLOSED); /* a second call has no effect */
	script_deliver(f);
	assert_int_equal(f->ses->err, GN_ETIMEOUT);
	assert_int_equal(st->err, GN_ETIMEOUT);
	assert_true(f->events[1] & GN_MUX_STREAM_GONE);
	assert_true(f->events[2] & GN_MUX_STREAM_GONE);
	assert_int_equal(gn_pipe_len(&st->rx), 10);
	assert_int_equal(f->ops->open(f->ses, &other), GN_EGONE);
	f->ops->release(st);
	assert_int_equal(f->ses->inbound, 0);
	script_expect_nothing(f);
	assert_int_equal(f->out.end, GN_EOF);
	script_stop(f);
}

static void the_end_of_the_connection_fails_open_streams(void **state)
{
	struct yamux_script *f = *state;
	static const struct {
		size_t extra;
		int end, err;
	} cases[] = {{0, GN_EOF, GN_EGONE},
		     {5, GN_EOF, GN_EGONE},
		     {0, -ECONNRESET, -ECONNRESET},
		     {0, GN_ETRUNC, GN_EGONE}}; /* the end is inside a Noise record */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_mux_stream *st, *ended, *other;

		script_start(f, true);
		st = script_open_acked(f);
		ended = script_open_acked(f);
		script_receive(f, YAMUX_DATA, 0, 1, 10, 10);
		script_receive(f, YAMUX_DATA, YAMUX_FIN, 3, 10, 10);
		script_close(f, ended);
		script_drain(f);
		wire_skip(&f->out, f->out.len);
		assert_int_equal(gn_pipe_put(&f->s.rx, "\0\0\0\0\0", cases[i].extra), 0);
		gn_pipe_close(&f->s.rx, cases[i].end);
		gn_stack_mark_bottom(&f->s.stack);
		assert_int_equal(side_pump(&f->s, f->now), 0);
		script_deliver(f);
		assert_int_equal(f->ses->err, cases[i].err);
		assert_int_equal(st->err, f->ses->err);
		assert_int_equal(ended->err, 0); /* this stream had ended in both directions before */
		script_take(f, ended, 10);
		assert_int_equal(gn_pipe_end(&ended->rx), GN_EOF);
		assert_int_equal(gn_pipe_len(&st->rx), 10);
		gn_pipe_skip(&st->rx, 10);
		assert_int_equal(gn_pipe_end(&st->rx), f->ses->err);
		assert_int_equal(f->ops->open(f->ses, &other), GN_EGONE);
		script_expect_nothing(f);
		assert_int_equal(f->out.end, GN_EOF);
		script_stop(f);
	}
}

/* A failed session still consumes what it receives, so that the layers below are not blocked. */
static void a_failed_session_drops_what_it_receives(void **state)
{
	struct yamux_script *f = *state;

	script_start(f, false);
	script_receive(f, 9, 0, 0, 0, 0);
	assert_int_equal(f->ses->err, GN_EPROTO);
	for (int i = 0; i < 20; i++) {
		script_receive_bytes(f, 60000);
		assert_int_equal(gn_pipe_len(&f->s.rx), 0);
	}
	script_expect_broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
	script_stop(f);
}

static void a_silent_peer_gets_a_ping_and_then_the_session_fails(void **state)
{
	struct yamux_script *f = *state;

	for (int answers = 0; answers < 2; answers++) {
		uint32_t value;

		f->cfg.keepalive = 30 * GN_SEC;
		f->cfg.ping = 10 * GN_SEC;
		script_start(f, true);
		script_expect_nothing(f);
		for (int i = 0; i < 3; i++) {
			gn_time wake = gn_stack_wake(&f->s.stack);

			assert_true(wake <= f->now + 30 * GN_SEC && wake > f->now);
			f->now = wake;
			script_drain(f);
			assert_int_equal(f->out.len, YAMUX_HEAD);
			value = gn_get_u32(f->out.p + f->out.at + 8);
			script_expect(f, YAMUX_PING, YAMUX_SYN, 0, value);
			if (answers == 0)
				break;
			f->now += 50 * GN_MSEC;
			script_receive(f, YAMUX_PING, YAMUX_ACK, 0, value, 0);
			assert_true(f->ses->rtt >= 40 * GN_MSEC && f->ses->rtt <= 60 * GN_MSEC);
			script_drain(f);
			for (; f->out.len > 0;
			     value++, script_drain(f)) { /* the received frame also starts a measurement */
				script_expect(f, YAMUX_PING, YAMUX_SYN, 0, value + 1);
				f->now += 50 * GN_MSEC;
				script_receive(f, YAMUX_PING, YAMUX_ACK, 0, value + 1, 0);
			}
			script_expect_nothing(f);
		}
		if (answers == 0) {
			script_open(f);
			f->now = gn_stack_wake(&f->s.stack) - 1;
			assert_int_equal(side_pump(&f->s, f->now), 0);
			assert_int_equal(f->ses->err, 0);
			f->now++;
			assert_int_equal(side_pump(&f->s, f->now), 0);
			script_deliver(f);
			assert_int_equal(f->ses->err, GN_ETIMEOUT);
			assert_true(f->events[1] & GN_MUX_STREAM_GONE);
			wire_skip(&f->out, f->out.len);
		}
		script_stop(f);
	}
}

/* A keep-alive ping that cannot be sent, because the peer reads nothing, fails the session like an
 * unanswered one. */
static void a_ping_that_cannot_be_sent_counts_as_unanswered(void **state)
{
	struct yamux_script *f = *state;

	f->cfg.keepalive = 30 * GN_SEC;
	f->cfg.ping = 10 * GN_SEC;
	script_start(f, true);
	for (int i = 0; i < 3 && f->ses->err == 0; i++) {
		f->now = gn_stack_wake(&f->s.stack);
		assert_int_equal(side_pump(&f->s, f->now), 0);
	}
	assert_int_equal(f->ses->err, GN_ETIMEOUT);
	script_stop(f);
}

/* A released stream is freed even if the peer never ends its side. */
static void a_released_stream_is_reset_when_the_peer_does_not_end_it(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	f->cfg.keepalive = 0;
	script_start(f, true);
	st = script_open_acked(f);
	gn_pipe_close(&st->tx, GN_EOF);
	f->ses->ops->touch(st);
	f->ses->ops->release(st);
	script_drain(f);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	script_expect_nothing(f);
	assert_int_equal(f->ses->streams, 1);
	f->now = gn_stack_wake(&f->s.stack) - 1;
	assert_true(f->now > 30 * GN_SEC && f->now < 300 * GN_SEC);
	script_expect_nothing(f);
	f->now++;
	script_drain(f);
	script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	script_expect_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pings_are_answered_once_and_in_order),
		T(one_ping_too_many_ends_the_session),
		T(frames_that_break_the_protocol_end_the_session),
		T(streams_past_the_ack_backlog_wait),
		T(a_stream_that_is_not_admitted_is_reset),
		T(a_session_that_is_about_to_end_ignores_new_streams),
		T(one_refused_stream_too_many_ends_the_session),
		T(rapid_resets_cost_nothing),
		T(go_away_of_the_peer_ends_or_fails_the_session),
		T(nothing_follows_our_go_away),
		T(kill_fails_all_streams_and_sends_nothing),
		T(the_end_of_the_connection_fails_open_streams),
		T(a_failed_session_drops_what_it_receives),
		T(a_silent_peer_gets_a_ping_and_then_the_session_fails),
		T(a_ping_that_cannot_be_sent_counts_as_unanswered),
		T(a_released_stream_is_reset_when_the_peer_does_not_end_it),
	};

	return cmocka_run_group_tests_name("yamux: the session", tests, NULL, NULL);
}
