/* SPDX-License-Identifier: MIT */
#include "support/support.h"

/* Consumes n of the bytes that the session has to send. */
static void takes(struct yamux_script *f, size_t n)
{
	size_t was = f->out.len;

	assert_true(wire_take(&f->out, &f->s.tx, n));
	assert_int_equal(f->out.len - was, n);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(side_pump(&f->s, f->now), 0);
}

static void a_frame_of_a_failed_stream_is_filled_up(void **state)
{
	struct yamux_script *f = *state;

	for (size_t at = 1; at < YAMUX_HEAD + 10000; at += at < 20 ? 1 : 499) {
		struct gn_mux_stream *st;

		script_start(f, true);
		st = script_open_acked(f);
		script_put(f, st, 10000);
		takes(f, at);
		if (at % 2 == 0)
			f->ops->reset(st);
		else
			script_receive(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
		f->ops->release(st);
		script_expect(f, YAMUX_DATA, 0, 1, 10000); /* the peer must find the next header */
		if (at % 2 == 0)
			script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		script_expect_nothing(f);
		assert_int_equal(f->ses->streams, 0);
		script_stop(f);
	}
}

static void a_frame_of_a_failed_session_is_filled_up(void **state)
{
	struct yamux_script *f = *state;

	for (int what = 0; what < 5; what++) {
		for (size_t at = 1; at < YAMUX_HEAD; at++) {
			struct gn_mux_stream *st;

			script_start(f, true);
			st = script_open_acked(f);
			f->admits = GN_ELIMIT;
			if (what == 0)
				script_receive(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0);
			else if (what == 1)
				script_receive(f, YAMUX_WINDOW, YAMUX_SYN, 2, 0, 0);
			else if (what == 2)
				script_put(f, st, 10);
			else if (what == 3)
				script_close(f, st);
			else
				f->ops->go_away(f->ses, 0);
			f->admits = 0;
			takes(f, at);
			script_receive(f, 7, 0, 0, 0, 0);
			assert_int_equal(f->ses->err, GN_EPROTO);
			if (what == 0)
				script_expect(f, YAMUX_PING, YAMUX_ACK, 0, 5);
			else if (what == 1)
				script_expect(f, YAMUX_WINDOW, YAMUX_RST, 2, 0);
			else if (what == 2)
				script_expect(f, YAMUX_DATA, 0, 1, 10);
			else if (what == 3)
				script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
			else
				script_expect(f, YAMUX_GO_AWAY, 0, 0, 0);
			if (what < 4)
				script_expect(f, YAMUX_GO_AWAY, 0, 0, GN_GO_AWAY_PROTOCOL);
			script_expect_nothing(f);
			assert_int_equal(f->out.end, GN_EOF);
			script_stop(f);
		}
	}
}

/* Part of the SYN was sent, so the peer learns of the stream and must learn of the reset. */
static void a_reset_follows_a_syn_that_was_partly_sent(void **state)
{
	struct yamux_script *f = *state;

	for (size_t at = 1; at < YAMUX_HEAD; at++) {
		struct gn_mux_stream *st;

		script_start(f, true);
		st = script_open(f);
		takes(f, at);
		f->ops->release(st);
		script_expect(f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
		script_expect(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		script_expect_nothing(f);
		assert_int_equal(f->ses->streams, 0);
		script_stop(f);
	}
}

/* Data and the end are sent in one pull, without another call of touch(). */
static void a_fin_follows_in_the_same_pull(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;

	script_start(f, true);
	st = script_open_acked(f);
	script_put(f, st, 10);
	takes(f, 5); /* the session prepared these frames before the stream was closed */
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->touch(st);
	assert_true(wire_take(&f->out, &f->s.tx, SIZE_MAX));
	assert_int_equal(f->out.len, 2 * YAMUX_HEAD + 10);
	script_expect(f, YAMUX_DATA, 0, 1, 10);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	script_stop(f);
}

/* ---- an owner's source ---- */

struct counted {
	size_t left;
	uint8_t *bytes;
};

static int counted_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct counted *c = arg;
	int n = 0;

	for (size_t at = 0; at < c->left && n < max && limit > 0; n++) {
		size_t len = c->left - at < 1000 ? c->left - at : 1000;

		v[n].iov_base = c->bytes + at;
		v[n].iov_len = len < limit ? len : limit;
		limit -= v[n].iov_len;
		at += len;
	}
	return n;
}

static void counted_skip(void *arg, size_t n)
{
	struct counted *c = arg;

	assert_true(n <= c->left);
	c->left -= n;
	c->bytes += n;
}

static const struct gn_source counted_source = {.peek = counted_peek, .skip = counted_skip};

static void a_source_is_pulled(void **state)
{
	struct yamux_script *f = *state;
	struct gn_mux_stream *st;
	static uint8_t bytes[300000];
	struct counted c = {sizeof bytes, bytes};
	size_t n = 0;

	script_start(f, true);
	st = script_open_acked(f);
	gn_pipe_source(&st->tx, &counted_source, &c);
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->touch(st);
	script_drain(f);
	script_receive(f, YAMUX_WINDOW, 0, 1, 100000, 0);
	script_drain(f);
	while (f->out.len > YAMUX_HEAD) {
		uint32_t len = gn_get_u32(f->out.p + f->out.at + 8);

		script_expect(f, YAMUX_DATA, 0, 1, len);
		n += len;
	}
	assert_int_equal(n, sizeof bytes);
	script_expect(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_frame_of_a_failed_stream_is_filled_up),
		T(a_frame_of_a_failed_session_is_filled_up),
		T(a_reset_follows_a_syn_that_was_partly_sent),
		T(a_fin_follows_in_the_same_pull),
		T(a_source_is_pulled),
	};

	return cmocka_run_group_tests_name("yamux: frames taken in part", tests, NULL, NULL);
}
