/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of sessions (mux/session.h): the same tests run over each multiplexer.  A component
 * is an entry of session_pair_kinds in tests/support/session_pair.c, which contains the functions that
 * connect two sessions and transfer bytes between them.
 */
#include <errno.h>

#include "support/support.h"

enum { WINDOW = SESSION_PAIR_WINDOW };

/* ---- the tests ---- */

static void streams_carry_bytes_both_ways(void **state)
{
	struct session_pair c;
	struct session_stream *a[2], *b[2];

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, a);
	session_pair_connect(&c, 1, b);
	assert_true(a[1]->st->inbound && b[0]->st->inbound);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(c.s[i]->streams, 2);
		assert_int_equal(c.s[i]->inbound, 1);
		session_stream_has(a[i], 0);
		session_stream_write(a[i], "first");
		session_stream_write(b[i], "second");
		session_pair_carry(&c);
		assert_true(session_stream_has(a[i], GN_MUX_STREAM_TX));
		assert_int_equal(a[i]->st->sent, 5);
		assert_true(session_stream_has(a[!i], GN_MUX_STREAM_RX));
		session_stream_expect(a[!i], "first");
		session_stream_expect(b[!i], "second");
	}
	for (int i = 0; i < 2; i++) {
		session_stream_write(a[i], "again");
		session_pair_carry(&c);
		session_stream_expect(a[!i], "again");
	}
	session_pair_stop(&c);
}

static void each_direction_ends_on_its_own(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct session_pair c;
		struct session_stream *e[2];

		session_pair_start(&c, state);
		session_pair_connect(&c, 0, e);
		session_stream_write(e[i], "last");
		session_stream_close(e[i]);
		session_pair_carry(&c);
		assert_true(session_stream_has(e[i], GN_MUX_STREAM_TX));
		assert_true(e[i]->st->is_ended_out && !e[i]->st->is_ended_in);
		assert_true(session_stream_has(e[!i], GN_MUX_STREAM_RX));
		assert_true(e[!i]->st->is_ended_in && !e[!i]->st->is_ended_out);
		assert_int_equal(gn_pipe_end(&e[!i]->st->rx), 0);
		session_stream_expect(e[!i], "last");
		assert_int_equal(gn_pipe_end(&e[!i]->st->rx), GN_EOF);
		session_stream_write(e[!i], "answer"); /* the other direction is still open */
		session_stream_close(e[!i]);
		session_pair_carry(&c);
		session_stream_expect(e[i], "answer");
		assert_int_equal(gn_pipe_end(&e[i]->st->rx), GN_EOF);
		for (int k = 0; k < 2; k++) {
			assert_true(e[k]->st->is_ended_in && e[k]->st->is_ended_out);
			assert_int_equal(e[k]->st->err, 0);
			c.s[k]->ops->reset(e[k]->st); /* a reset after both ends has no effect */
			assert_int_equal(e[k]->st->err, 0);
			session_stream_release(e[k]);
		}
		session_pair_carry(&c);
		assert_int_equal(c.s[0]->streams, 0);
		assert_int_equal(c.s[1]->streams, 0);
		assert_int_equal(c.s[1]->inbound, 0);
		session_pair_stop(&c);
	}
}

static void a_reset_ends_both_directions_at_both_ends(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct session_pair c;
		struct session_stream *e[2];

		session_pair_start(&c, state);
		session_pair_connect(&c, 0, e);
		session_stream_write(e[i], "lost");
		session_stream_write(e[!i], "lost");
		session_pair_carry(&c);
		session_stream_has(e[0], 0);
		session_stream_has(e[1], 0);
		c.s[i]->ops->reset(e[i]->st);
		assert_int_equal(e[i]->st->err, GN_ECLOSED);
		assert_int_equal(gn_pipe_len(&e[i]->st->rx), 0);
		session_pair_carry(&c);
		assert_int_equal(e[i]->events, 0);
		assert_int_equal(e[!i]->st->err, GN_ERESET);
		assert_true(session_stream_has(e[!i], GN_MUX_STREAM_GONE));
		assert_int_equal(gn_pipe_len(&e[!i]->st->rx), 0);
		assert_int_equal(gn_pipe_end(&e[!i]->st->rx), GN_ERESET);
		assert_int_equal(gn_pipe_put(&e[!i]->st->tx, "x", 1), GN_ERESET);
		session_stream_release(e[0]);
		session_stream_release(e[1]);
		session_pair_carry(&c);
		assert_int_equal(c.s[0]->streams + c.s[1]->streams, 0);
		assert_int_equal(c.s[0]->err, 0);
		session_pair_stop(&c);
	}
}

static void a_stream_that_defers_reset_keeps_received_bytes(void **state)
{
	struct session_pair c;
	struct session_stream *e[2];

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, e);
	e[0]->st->defers_reset = true;
	session_stream_write(e[1], "answer");
	session_pair_carry(&c);
	c.s[1]->ops->reset(e[1]->st);
	session_pair_carry(&c);
	assert_int_equal(e[0]->st->err, GN_ERESET);
	session_stream_expect(e[0], "answer");
	assert_int_equal(gn_pipe_end(&e[0]->st->rx), GN_ERESET);
	session_pair_stop(&c);
}

static void sync_is_acknowledged_behind_all_bytes(void **state)
{
	struct session_pair c;
	struct session_stream *e[2];

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, e);
	for (int i = 0; i < 2; i++) {
		session_stream_has(e[i], 0);
		session_stream_write(e[i], "bytes");
		c.s[i]->ops->sync(e[i]->st);
		session_pair_deliver(&c);
		assert_false(session_stream_has(e[i], GN_MUX_STREAM_ACKED));
		assert_int_equal(e[i]->st->acked, 0);
		session_pair_carry(&c);
		assert_true(session_stream_has(e[i], GN_MUX_STREAM_ACKED));
		assert_int_equal(e[i]->st->acked, 5);
		session_pair_carry(&c);
		assert_int_equal(e[i]->events, 0);
		session_stream_write(e[i], "more");
		session_stream_close(e[i]);
		c.s[i]->ops->sync(e[i]->st);
		c.s[i]->ops->sync(e[i]->st); /* one event reports both calls of sync */
		session_pair_carry(&c);
		assert_true(e[i]->st->is_ended_out);
		assert_true(session_stream_has(e[i], GN_MUX_STREAM_ACKED));
		assert_int_equal(e[i]->st->acked, 9);
	}
	session_pair_stop(&c);
}

static void sync_is_answered_by_gone_when_the_session_fails(void **state)
{
	struct session_pair c;
	struct session_stream *e[2], *ended[2];

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, e);
	session_pair_connect(&c, 0, ended);
	session_stream_close(ended[0]);
	session_stream_close(ended[1]);
	session_pair_carry(&c);
	c.s[0]->ops->sync(e[0]->st);
	c.s[0]->ops->kill(c.s[0], -ECONNRESET);
	session_pair_deliver(&c);
	assert_false(e[0]->events & GN_MUX_STREAM_ACKED);
	assert_true(session_stream_has(e[0], GN_MUX_STREAM_GONE));
	assert_int_equal(ended[0]->st->err, 0); /* both directions ended before the session failed */
	session_stream_has(ended[0], 0);
	c.s[0]->ops->sync(ended[0]->st);
	session_pair_deliver(&c);
	assert_true(session_stream_has(ended[0], GN_MUX_STREAM_GONE));
	assert_int_equal(ended[0]->st->err, -ECONNRESET);
	session_pair_stop(&c);
}

static void a_released_stream_sends_what_was_written(void **state)
{
	struct session_pair c;
	struct session_stream *e[2];

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, e);
	assert_false(c.s[0]->ops->has_unsent(c.s[0]));
	session_stream_write(e[0], "last");
	assert_false(c.s[0]->ops->has_unsent(c.s[0])); /* only released streams are counted */
	session_stream_close(e[0]);
	session_stream_release(e[0]);
	assert_true(c.s[0]->ops->has_unsent(c.s[0]));
	session_stream_write(e[1], "dropped");
	session_pair_carry(&c);
	assert_false(c.s[0]->ops->has_unsent(c.s[0]));
	session_stream_expect(e[1], "last");
	assert_int_equal(gn_pipe_end(&e[1]->st->rx), GN_EOF);
	assert_int_equal(e[1]->st->err, 0);
	assert_int_equal(c.s[0]->streams, 1); /* the stream remains until the peer ends its side */
	session_stream_close(e[1]);
	session_stream_release(e[1]);
	session_pair_carry(&c);
	assert_int_equal(c.s[0]->streams + c.s[1]->streams, 0);
	session_pair_stop(&c);
}

static void a_stream_that_is_released_open_is_reset(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct session_pair c;
		struct session_stream *e[2];

		session_pair_start(&c, state);
		session_pair_connect(&c, 0, e);
		session_stream_write(e[i], "lost");
		session_stream_release(e[i]);
		session_pair_carry(&c);
		assert_int_equal(e[!i]->st->err, GN_ERESET);
		assert_true(session_stream_has(e[!i], GN_MUX_STREAM_GONE));
		session_stream_release(e[!i]);
		session_pair_carry(&c);
		assert_int_equal(c.s[0]->streams + c.s[1]->streams, 0);
		session_pair_stop(&c);
	}
}

static void kill_fails_all_streams_and_sends_nothing(void **state)
{
	struct session_pair c;
	struct session_stream *a[2], *b[2];
	struct gn_mux_stream *st;

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, a);
	session_pair_connect(&c, 1, b);
	session_stream_write(a[1], "received");
	session_pair_carry(&c);
	session_stream_write(a[0], "unsent");
	session_stream_close(b[0]);
	session_stream_release(b[0]);
	session_stream_has(a[0], 0);
	c.s[0]->ops->kill(c.s[0], -ECONNRESET);
	c.s[0]->ops->kill(c.s[0], GN_ETIMEOUT); /* a session fails only once: this has no effect */
	assert_int_equal(a[0]->events, 0);
	session_pair_deliver(&c);
	assert_int_equal(c.s[0]->err, -ECONNRESET);
	assert_true(c.s[0]->is_remote_go_away);
	assert_int_equal(a[0]->st->err, -ECONNRESET);
	assert_true(session_stream_has(a[0], GN_MUX_STREAM_GONE));
	session_stream_expect(a[0], "received");
	assert_int_equal(gn_pipe_end(&a[0]->st->rx), -ECONNRESET);
	assert_int_equal(c.s[0]->ops->open(c.s[0], &st), GN_EGONE);
	assert_int_equal(c.s[0]->streams, 1);
	assert_false(c.s[0]->ops->has_unsent(c.s[0]));
	session_stream_release(a[0]);
	assert_int_equal(c.s[0]->streams, 0);
	session_pair_carry(&c);
	assert_int_equal(gn_pipe_len(&a[1]->st->rx), 0);
	session_pair_stop(&c);
}

static void go_away_ends_new_streams_or_the_session(void **state)
{
	static const uint32_t codes[] = {GN_GO_AWAY_NORMAL, GN_GO_AWAY_PROTOCOL, GN_GO_AWAY_LIMIT, GN_GO_AWAY_GATED};

	for (size_t k = 0; k < sizeof codes / sizeof *codes; k++) {
		struct session_pair c;
		struct session_stream *e[2];
		struct gn_mux_stream *st;
		bool is_clean = codes[k] == GN_GO_AWAY_NORMAL;

		session_pair_start(&c, state);
		session_pair_connect(&c, 0, e);
		if (is_clean) {
			session_stream_close(e[0]);
			session_stream_close(e[1]);
			session_pair_carry(&c);
		}
		c.s[0]->ops->go_away(c.s[0], codes[k]);
		c.s[0]->ops->go_away(c.s[0], codes[k]);
		assert_int_equal(c.s[0]->ops->open(c.s[0], &st), GN_EGONE);
		session_pair_carry(&c);
		assert_true(c.s[1]->is_remote_go_away);
		assert_int_equal(c.s[1]->ops->open(c.s[1], &st), GN_EGONE);
		if (is_clean) {
			assert_int_equal(e[0]->st->err, 0);
			assert_int_equal(e[1]->st->err, 0);
		} else {
			assert_int_equal(c.s[1]->err, gn_go_away_error(codes[k]));
			assert_int_equal(e[1]->st->err, gn_go_away_error(codes[k]));
			assert_true(session_stream_has(e[1], GN_MUX_STREAM_GONE));
			assert_int_not_equal(c.s[0]->err, 0);
			assert_int_equal(e[0]->st->err, c.s[0]->err);
			assert_true(session_stream_has(e[0], GN_MUX_STREAM_GONE));
		}
		session_pair_stop(&c);
	}
}

/* Writes until the stream accepts no more bytes.  Returns the number of bytes that were written. */
static size_t fill(struct session_pair *c, struct session_stream *slot)
{
	static const uint8_t bytes[32768];
	size_t n = 0;

	for (int idle = 0; idle < 3; session_pair_carry(c)) {
		ptrdiff_t r = gn_pipe_write(&slot->st->tx, bytes, sizeof bytes);

		idle = r > 0 ? 0 : idle + 1;
		assert_true(r > 0 || r == GN_EAGAIN);
		n += r > 0 ? (size_t)r : 0;
		slot->st->session->ops->touch(slot->st);
		assert_true(n <= 8 * WINDOW);
	}
	return n;
}

static void a_reader_that_stops_stops_the_writer(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct session_pair c;
		struct session_stream *full[2], *other[2];
		size_t n, got = 0;

		session_pair_start(&c, state);
		session_pair_connect(&c, 0, full);
		session_pair_connect(&c, 0, other);
		n = fill(&c, full[i]);
		assert_int_equal(gn_pipe_len(&full[!i]->st->rx), WINDOW);
		assert_int_equal(full[i]->st->sent, WINDOW);
		session_stream_write(other[i], "passes");
		session_stream_write(full[!i], "passes, too");
		session_pair_carry(&c);
		session_stream_expect(other[!i], "passes");
		session_stream_expect(full[i], "passes, too");
		session_stream_has(full[i], 0);
		while (got < n) {
			size_t len = gn_pipe_len(&full[!i]->st->rx);

			assert_true(len > 0 && len <= WINDOW);
			gn_pipe_skip(&full[!i]->st->rx, len);
			c.s[!i]->ops->touch(full[!i]->st);
			got += len;
			session_pair_carry(&c);
		}
		assert_int_equal(got, n);
		assert_true(session_stream_has(full[i], GN_MUX_STREAM_TX));
		session_pair_stop(&c);
	}
}

static void a_stream_that_is_not_admitted_or_not_wanted_is_reset(void **state)
{
	for (int rejects = 0; rejects < 2; rejects++) {
		struct session_pair c;
		struct session_stream *slot;

		session_pair_start(&c, state);
		c.rejects = rejects == 1;
		c.admits = rejects == 1 ? 0 : GN_ELIMIT;
		slot = session_pair_open(&c, 0);
		session_stream_write(slot, "lost");
		session_pair_carry(&c);
		session_pair_carry(&c); /* transfers the reset of the stream that on_new has released */
		assert_int_equal(slot->st->err, GN_ERESET);
		assert_true(session_stream_has(slot, GN_MUX_STREAM_GONE));
		assert_int_equal(c.n[1], 0);
		assert_int_equal(c.s[1]->streams, 0);
		assert_int_equal(c.s[1]->err, 0);
		session_pair_stop(&c);
	}
}

/* The fixture checks that each event is delivered by session_pair_deliver(). */
static void no_operation_calls_back(void **state)
{
	struct session_pair c;
	struct session_stream *a[2], *b[2];

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, a);
	session_pair_connect(&c, 0, b);
	for (int i = 0; i < 2; i++) {
		c.streams[i][0].calls = c.streams[i][1].calls = 0;
		session_stream_write(a[i], "bytes");
		c.s[i]->ops->sync(a[i]->st);
	}
	c.kind->carry(&c);
	session_stream_close(a[0]);
	c.s[0]->ops->reset(b[0]->st);
	c.kind->carry(&c);
	c.s[1]->ops->go_away(c.s[1], GN_GO_AWAY_INTERNAL);
	c.s[0]->ops->kill(c.s[0], GN_ECLOSED);
	assert_int_equal(a[0]->calls + a[1]->calls + b[0]->calls + b[1]->calls, 0);
	session_pair_deliver(&c);
	assert_int_equal(a[0]->calls, 1); /* one call reports all events that were collected */
	assert_int_equal(a[0]->events & (GN_MUX_STREAM_RX | GN_MUX_STREAM_TX | GN_MUX_STREAM_GONE),
			 GN_MUX_STREAM_RX | GN_MUX_STREAM_TX | GN_MUX_STREAM_GONE);
	assert_int_equal(a[1]->calls, 1);
	assert_int_equal(b[1]->calls, 1);
	session_pair_stop(&c);
}

/* Resets and releases the next stream of the fixture, releases its own stream, and opens a new one. */
static void on_events_that_acts(void *arg, struct gn_mux_stream *st, unsigned events)
{
	struct session_stream *slot = arg;
	struct session_pair *c = slot->c;

	(void)events;
	st->session->ops->reset(slot[1].st);
	st->session->ops->release(slot[1].st);
	st->session->ops->release(st);
	session_stream_write(session_pair_open(c, c->side), "new");
}

static void operations_may_be_called_from_inside_events(void **state)
{
	struct session_pair c;
	struct session_stream *a[2], *b[2];

	session_pair_start(&c, state);
	session_pair_connect(&c, 0, a);
	session_pair_connect(&c, 0, b);
	a[1]->st->on_events = on_events_that_acts;
	session_stream_write(a[0], "bytes");
	session_stream_write(b[0], "bytes"); /* an event for the stream that is released meanwhile */
	session_pair_carry(&c);
	session_pair_carry(&c);
	assert_int_equal(a[0]->st->err, GN_ERESET);
	assert_int_equal(b[0]->st->err, GN_ERESET);
	assert_int_equal(c.n[0], 3);
	session_stream_expect(&c.streams[0][2], "new");
	session_pair_stop(&c);
}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < SESSION_KINDS; i++) {
		void *k = (void *)(uintptr_t)&session_pair_kinds[i];
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(streams_carry_bytes_both_ways, k),
			cmocka_unit_test_prestate(each_direction_ends_on_its_own, k),
			cmocka_unit_test_prestate(a_reset_ends_both_directions_at_both_ends, k),
			cmocka_unit_test_prestate(a_stream_that_defers_reset_keeps_received_bytes, k),
			cmocka_unit_test_prestate(sync_is_acknowledged_behind_all_bytes, k),
			cmocka_unit_test_prestate(sync_is_answered_by_gone_when_the_session_fails, k),
			cmocka_unit_test_prestate(a_released_stream_sends_what_was_written, k),
			cmocka_unit_test_prestate(a_stream_that_is_released_open_is_reset, k),
			cmocka_unit_test_prestate(kill_fails_all_streams_and_sends_nothing, k),
			cmocka_unit_test_prestate(go_away_ends_new_streams_or_the_session, k),
			cmocka_unit_test_prestate(a_reader_that_stops_stops_the_writer, k),
			cmocka_unit_test_prestate(a_stream_that_is_not_admitted_or_not_wanted_is_reset, k),
			cmocka_unit_test_prestate(no_operation_calls_back, k),
			cmocka_unit_test_prestate(operations_may_be_called_from_inside_events, k),
		};

		print_message("%s\n", session_pair_kinds[i].name);
		failed += cmocka_run_group_tests_name(session_pair_kinds[i].name, tests, NULL, NULL);
	}
	return failed;
}
