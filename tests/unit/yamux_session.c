/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "yamux_script.h"

static void pings_are_answered_once_and_in_order(void **state)
{
	struct fixture *f = *state;

	begin(f, true);
	for (uint32_t i = 0; i < YAMUX_PINGS_MAX; i++)
		hears(f, YAMUX_PING, YAMUX_SYN, 0, 1000 + i, 0);
	for (uint32_t i = 0; i < YAMUX_PINGS_MAX; i++)
		says(f, YAMUX_PING, YAMUX_ACK, 0, 1000 + i);
	says_nothing(f);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, 1000, 0); /* answers that nobody asked for */
	hears(f, YAMUX_PING, 0, 0, 1000, 0);
	says_nothing(f);
	assert_int_equal(f->ses->err, 0);
	over(f);
}

static void a_flood_of_pings(void **state)
{
	struct fixture *f = *state;

	begin(f, true);
	for (uint32_t i = 0; i <= YAMUX_PINGS_MAX; i++)
		hears(f, YAMUX_PING, YAMUX_SYN, 0, i, 0);
	broken(f, GN_ELIMIT, GN_GO_AWAY_INTERNAL);
	over(f);
}

static void frames_that_break_the_protocol(void **state)
{
	struct fixture *f = *state;
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
		begin(f, false);
		accept_stream(f, 1);
		side_feed(&f->s, bad[i], YAMUX_HEAD, f->now);
		broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
		over(f);
	}
}

static void only_so_many_opens_wait_for_an_ack(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st[300];

	begin(f, true);
	for (int i = 0; i < 300; i++) {
		st[i] = open_stream(f);
		put(f, st[i], 1);
	}
	drain(f);
	assert_int_equal(f->out.len, 256 * (2 * YAMUX_HEAD + 1)); /* and nothing of the others */
	wire_skip(&f->out, f->out.len);
	hears(f, YAMUX_WINDOW, YAMUX_ACK, st[10]->id, 0, 0);
	says(f, YAMUX_WINDOW, YAMUX_SYN, st[256]->id, 0);
	says(f, YAMUX_DATA, 0, st[256]->id, 1);
	says_nothing(f);
	hears(f, YAMUX_WINDOW, YAMUX_RST, st[11]->id, 0, 0); /* an answer, too */
	says(f, YAMUX_WINDOW, YAMUX_SYN, st[257]->id, 0);
	says(f, YAMUX_DATA, 0, st[257]->id, 1);
	hears(f, YAMUX_DATA, YAMUX_ACK, st[12]->id, 1, 1);
	says(f, YAMUX_WINDOW, YAMUX_SYN, st[258]->id, 0);
	says(f, YAMUX_DATA, 0, st[258]->id, 1);
	f->ops->reset(st[259]); /* one that waits: never spoken of */
	f->ops->reset(st[13]);
	says(f, YAMUX_WINDOW, YAMUX_RST, st[13]->id, 0);
	says(f, YAMUX_WINDOW, YAMUX_SYN, st[260]->id, 0);
	over(f);
}

static void streams_are_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	f->admits = GN_ELIMIT;
	hears(f, YAMUX_DATA, YAMUX_SYN, 1, 100, 100);
	says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	f->admits = 0;
	accept_stream(f, 3);
	for (uint32_t i = 0; i < 600; i++) { /* while resets go out there is no limit */
		f->admits = GN_ELIMIT;
		hears(f, YAMUX_WINDOW, YAMUX_SYN, 5 + 2 * i, 0, 0);
		says(f, YAMUX_WINDOW, YAMUX_RST, 5 + 2 * i, 0);
	}
	over(f);
}

/* Who is about to leave does not refuse: the end of the session is the answer. */
static void streams_are_let_lie(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	f->admits = GN_ECLOSED;
	hears(f, YAMUX_DATA, YAMUX_SYN, 1, 100, 100);
	hears(f, YAMUX_DATA, YAMUX_FIN, 1, 5, 5);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	assert_int_equal(f->ses->err, 0);
	f->ops->go_away(f->ses, GN_GO_AWAY_NORMAL);
	hears(f, YAMUX_DATA, YAMUX_SYN, 3, 100, 100);
	says(f, YAMUX_GO_AWAY, 0, 0, 0);
	says_nothing(f);
	over(f);
}

static void a_flood_of_refused_streams(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	f->admits = GN_ELIMIT;
	for (uint32_t i = 0; i < YAMUX_REFUSED_MAX; i++)
		hears(f, YAMUX_WINDOW, YAMUX_SYN, 1 + 2 * i, 0, 0);
	assert_int_equal(f->ses->err, 0);
	hears(f, YAMUX_WINDOW, YAMUX_SYN, 9001, 0, 0);
	broken(f, GN_ELIMIT, GN_GO_AWAY_INTERNAL);
	over(f);
}

/* Opened and reset by turns: what the owner never hears of must not pile up. */
static void rapid_resets_cost_nothing(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	f->releases = true;
	for (uint32_t i = 0; i < 5000; i++) {
		hears(f, YAMUX_WINDOW, YAMUX_SYN, 1 + 2 * i, 0, 0);
		hears(f, YAMUX_WINDOW, YAMUX_RST, 1 + 2 * i, 0, 0);
		drain(f);
		assert_true(f->ses->streams <= 1);
	}
	wire_skip(&f->out, f->out.len);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	over(f);
}

static void go_away_from_afar(void **state)
{
	struct fixture *f = *state;
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

		begin(f, true);
		st = open_acked(f);
		hears(f, YAMUX_DATA, 0, 1, 10, 10);
		hears(f, YAMUX_GO_AWAY, 0, 0, cases[i].code, 0);
		assert_true(f->ses->is_remote_go_away);
		assert_int_equal(f->ses->err, cases[i].err);
		assert_int_equal(f->ops->open(f->ses, &other), GN_EGONE);
		assert_int_equal(gn_pipe_len(&st->rx), 10); /* what had come stays */
		assert_int_equal(st->err, cases[i].err);
		if (cases[i].err == 0) { /* what is open goes on */
			put(f, st, 3);
			says(f, YAMUX_DATA, 0, 1, 3);
			says_nothing(f);
			hears(f, YAMUX_DATA, YAMUX_FIN, 1, 10, 10);
			assert_int_equal(gn_pipe_len(&st->rx), 20);
		} else { /* no words are wasted, the way out is closed */
			says_nothing(f);
			assert_int_equal(f->out.end, GN_EOF);
			assert_true(f->events[1] & GN_MUX_STREAM_GONE);
		}
		over(f);
	}
}

static void go_away_of_ours(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;

	begin(f, true);
	f->ops->go_away(f->ses, GN_GO_AWAY_NORMAL);
	f->ops->go_away(f->ses, GN_GO_AWAY_NORMAL);
	assert_int_equal(f->ops->open(f->ses, &st), GN_EGONE);
	says(f, YAMUX_GO_AWAY, 0, 0, 0);
	says_nothing(f);
	assert_int_equal(f->out.end, GN_EOF);
	assert_int_equal(f->ses->err, 0);
	hears(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0); /* nothing follows it */
	hears(f, YAMUX_WINDOW, YAMUX_SYN, 2, 0, 0);
	hears(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	f->now += GN_SEC;
	hears(f, YAMUX_WINDOW, 0, 2, 0, 0);
	says_nothing(f);
	over(f);
	begin(f, false);
	st = accept_stream(f, 1);
	put(f, st, 10);
	f->ops->go_away(f->ses, GN_GO_AWAY_GATED);
	broken(f, GN_EREFUSED, GN_GO_AWAY_GATED);
	assert_int_equal(st->err, GN_EREFUSED);
	over(f);
}

static void a_session_is_killed(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st, *other;

	begin(f, false);
	st = accept_stream(f, 1);
	open_stream(f);
	assert_int_equal(f->ses->inbound, 1);
	hears(f, YAMUX_DATA, 0, 1, 10, 10);
	put(f, st, 10);
	f->ops->kill(f->ses, GN_ETIMEOUT);
	f->ops->kill(f->ses, GN_ECLOSED); /* the first stays */
	deliver(f);
	assert_int_equal(f->ses->err, GN_ETIMEOUT);
	assert_int_equal(st->err, GN_ETIMEOUT);
	assert_true(f->events[1] & GN_MUX_STREAM_GONE);
	assert_true(f->events[2] & GN_MUX_STREAM_GONE);
	assert_int_equal(gn_pipe_len(&st->rx), 10);
	assert_int_equal(f->ops->open(f->ses, &other), GN_EGONE);
	f->ops->release(st);
	assert_int_equal(f->ses->inbound, 0);
	says_nothing(f);
	assert_int_equal(f->out.end, GN_EOF);
	over(f);
}

static void the_connection_ends_under_open_streams(void **state)
{
	struct fixture *f = *state;
	static const struct {
		size_t extra;
		int end, err;
	} cases[] = {{0, GN_EOF, GN_EGONE},
		     {5, GN_EOF, GN_EGONE},
		     {0, -ECONNRESET, -ECONNRESET},
		     {0, GN_ETRUNC, GN_EGONE}}; /* inside a record */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_mux_stream *st, *ended, *other;

		begin(f, true);
		st = open_acked(f);
		ended = open_acked(f);
		hears(f, YAMUX_DATA, 0, 1, 10, 10);
		hears(f, YAMUX_DATA, YAMUX_FIN, 3, 10, 10);
		shut(f, ended);
		drain(f);
		wire_skip(&f->out, f->out.len);
		assert_int_equal(gn_pipe_put(&f->s.rx, "\0\0\0\0\0", cases[i].extra), 0);
		gn_pipe_close(&f->s.rx, cases[i].end);
		gn_stack_mark_bottom(&f->s.stack);
		assert_int_equal(side_pump(&f->s, f->now), 0);
		deliver(f);
		assert_int_equal(f->ses->err, cases[i].err);
		assert_int_equal(st->err, f->ses->err);
		assert_int_equal(ended->err, 0); /* had ended in good order */
		take(f, ended, 10);
		assert_int_equal(gn_pipe_end(&ended->rx), GN_EOF);
		assert_int_equal(gn_pipe_len(&st->rx), 10);
		gn_pipe_skip(&st->rx, 10);
		assert_int_equal(gn_pipe_end(&st->rx), f->ses->err);
		assert_int_equal(f->ops->open(f->ses, &other), GN_EGONE);
		says_nothing(f);
		assert_int_equal(f->out.end, GN_EOF);
		over(f);
	}
}

/* A dead session still drinks what comes, so that nobody below stands still. */
static void a_dead_session_drinks(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	hears(f, 9, 0, 0, 0, 0);
	assert_int_equal(f->ses->err, GN_EPROTO);
	for (int i = 0; i < 20; i++) {
		hears_bytes(f, 60000);
		assert_int_equal(gn_pipe_len(&f->s.rx), 0);
	}
	broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
	over(f);
}

static void keep_alive(void **state)
{
	struct fixture *f = *state;

	for (int answers = 0; answers < 2; answers++) {
		uint32_t value;

		f->cfg.keepalive = 30 * GN_SEC;
		f->cfg.ping = 10 * GN_SEC;
		begin(f, true);
		says_nothing(f);
		for (int i = 0; i < 3; i++) {
			gn_time wake = gn_stack_wake(&f->s.stack);

			assert_true(wake <= f->now + 30 * GN_SEC && wake > f->now);
			f->now = wake;
			drain(f);
			assert_int_equal(f->out.len, YAMUX_HEAD);
			value = gn_get_u32(f->out.p + f->out.at + 8);
			says(f, YAMUX_PING, YAMUX_SYN, 0, value);
			if (answers == 0)
				break;
			f->now += 50 * GN_MSEC;
			hears(f, YAMUX_PING, YAMUX_ACK, 0, value, 0);
			assert_true(f->ses->rtt >= 40 * GN_MSEC && f->ses->rtt <= 60 * GN_MSEC);
			drain(f);
			for (; f->out.len > 0; value++, drain(f)) { /* it measures, too, since something came */
				says(f, YAMUX_PING, YAMUX_SYN, 0, value + 1);
				f->now += 50 * GN_MSEC;
				hears(f, YAMUX_PING, YAMUX_ACK, 0, value + 1, 0);
			}
			says_nothing(f);
		}
		if (answers == 0) {
			open_stream(f);
			f->now = gn_stack_wake(&f->s.stack) - 1;
			assert_int_equal(side_pump(&f->s, f->now), 0);
			assert_int_equal(f->ses->err, 0);
			f->now++;
			assert_int_equal(side_pump(&f->s, f->now), 0);
			deliver(f);
			assert_int_equal(f->ses->err, GN_ETIMEOUT);
			assert_true(f->events[1] & GN_MUX_STREAM_GONE);
			wire_skip(&f->out, f->out.len);
		}
		over(f);
	}
}

/* A ping that cannot even be sent is not answered either. */
static void keep_alive_against_a_full_pipe(void **state)
{
	struct fixture *f = *state;

	f->cfg.keepalive = 30 * GN_SEC;
	f->cfg.ping = 10 * GN_SEC;
	begin(f, true);
	for (int i = 0; i < 3 && f->ses->err == 0; i++) {
		f->now = gn_stack_wake(&f->s.stack);
		assert_int_equal(side_pump(&f->s, f->now), 0);
	}
	assert_int_equal(f->ses->err, GN_ETIMEOUT);
	over(f);
}

/* A far end that never ends its side does not keep a stream for good that nobody wants. */
static void an_orphan_is_reset_in_the_end(void **state)
{
	struct fixture *f = *state;
	struct gn_mux_stream *st;

	f->cfg.keepalive = 0;
	begin(f, true);
	st = open_acked(f);
	gn_pipe_close(&st->tx, GN_EOF);
	f->ses->ops->touch(st);
	f->ses->ops->release(st);
	drain(f);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 1);
	f->now = gn_stack_wake(&f->s.stack) - 1;
	assert_true(f->now > 30 * GN_SEC && f->now < 300 * GN_SEC);
	says_nothing(f);
	f->now++;
	drain(f);
	says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	over(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pings_are_answered_once_and_in_order),
		T(a_flood_of_pings),
		T(frames_that_break_the_protocol),
		T(only_so_many_opens_wait_for_an_ack),
		T(streams_are_refused),
		T(streams_are_let_lie),
		T(a_flood_of_refused_streams),
		T(rapid_resets_cost_nothing),
		T(go_away_from_afar),
		T(go_away_of_ours),
		T(a_session_is_killed),
		T(the_connection_ends_under_open_streams),
		T(a_dead_session_drinks),
		T(keep_alive),
		T(keep_alive_against_a_full_pipe),
		T(an_orphan_is_reset_in_the_end),
	};

	return cmocka_run_group_tests_name("yamux: the session", tests, NULL, NULL);
}
