/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mux_model.h"
#include "id/key.h"
#include "security/secure.h"

enum { KIB = 1024, WINDOW = YAMUX_WINDOW_INITIAL, NEWS = 64 };

/* ---- one session that a script talks to ---- */

struct fixture {
	struct gn_scratch scratch;
	struct side s;
	struct gn_layer *l;
	struct gn_session *ses;
	const struct gn_session_ops *ops;
	struct wire out;
	struct gn_mux_cfg cfg;
	struct gn_budget budget;
	gn_time now;
	struct gn_stream *came[NEWS]; /* inbound streams */
	unsigned n_came;
	unsigned news[NEWS]; /* told of stream 0 to 63, together */
	bool admits;
	bool releases; /* new streams at once */
};

static bool admit(void *arg)
{
	return ((struct fixture *)arg)->admits;
}

static void swallow_ping(struct fixture *f);

static void begin(struct fixture *f, bool client)
{
	f->cfg.client = client;
	side_init(&f->s, &f->scratch);
	f->s.rx.cap = 8 << 20;
	assert_int_equal(gn_stack_push(&f->s.stack, gn_muxer_yamux.layer, &f->cfg, false, &f->l), 0);
	f->ses = gn_muxer_yamux.session(f->l);
	f->ops = f->ses->ops;
	f->n_came = 0;
	memset(f->news, 0, sizeof f->news);
	assert_int_equal(side_pump(&f->s, f->now), 0);
	if (f->cfg.keepalive == 0)
		swallow_ping(f);
}

static void over(struct fixture *f)
{
	side_fini(&f->s);
	wire_skip(&f->out, f->out.len);
	f->out.end = 0;
	assert_int_equal(f->budget.used, 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_scratch_init(&f->scratch);
	f->now = GN_SEC;
	f->admits = true;
	f->budget.max = SIZE_MAX;
	f->cfg = (struct gn_mux_cfg){.window = 16 << 20, .budget = &f->budget, .admit = admit, .arg = f};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	wire_fini(&f->out);
	gn_scratch_fini(&f->scratch);
	free(f);
	return 0;
}

static void on_news(void *arg, struct gn_stream *st, unsigned news)
{
	struct fixture *f = arg;

	f->news[st->id % NEWS] |= news;
}

static void on_new(void *arg, struct gn_stream *st)
{
	struct fixture *f = arg;

	assert_true(st->inbound);
	if (f->releases) {
		f->ops->release(st);
		return;
	}
	f->came[f->n_came++ % NEWS] = st;
	st->on_news = on_news;
	st->arg = f;
}

static void deliver(struct fixture *f)
{
	while (!gn_list_is_empty(&f->ses->news))
		gn_session_deliver(f->ses, on_new, f);
}

/* A frame comes in, and the first `body` bytes of what follows it. */
static void hears(struct fixture *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length, size_t body)
{
	static uint8_t buf[YAMUX_HEAD + (1 << 20)];

	assert_true(body <= 1 << 20);
	buf[0] = 0;
	buf[1] = type;
	gn_put_u16(buf + 2, flags);
	gn_put_u32(buf + 4, id);
	gn_put_u32(buf + 8, length);
	for (size_t i = 0; i < body; i++)
		buf[YAMUX_HEAD + i] = (uint8_t)(i * 3);
	side_feed(&f->s, buf, YAMUX_HEAD + body, f->now);
	deliver(f);
}

static void hears_bytes(struct fixture *f, size_t n)
{
	static uint8_t zeros[1 << 16];

	side_feed(&f->s, zeros, n, f->now);
	deliver(f);
}

static void drain(struct fixture *f)
{
	side_drain(&f->s, &f->out, f->now);
	deliver(f);
}

/* The next frame is this; its body is passed over. */
static void says(struct fixture *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
	const uint8_t *h;
	size_t body = type == YAMUX_DATA ? length : 0;

	if (f->out.len < YAMUX_HEAD + body)
		drain(f);
	assert_true(f->out.len >= YAMUX_HEAD);
	h = f->out.p + f->out.at;
	if (h[0] != 0 || h[1] != type || gn_get_u16(h + 2) != flags || gn_get_u32(h + 4) != id ||
	    gn_get_u32(h + 8) != length)
		fail_msg("it says %d flags %x id %u length %u, not %d %x %u %u", h[1], gn_get_u16(h + 2), gn_get_u32(h + 4),
			 gn_get_u32(h + 8), type, flags, id, length);
	assert_true(f->out.len >= YAMUX_HEAD + body);
	wire_skip(&f->out, YAMUX_HEAD + body);
}

static void says_nothing(struct fixture *f)
{
	drain(f);
	if (f->out.len > 0)
		fail_msg("it says something: type %d, %zu bytes", f->out.p[f->out.at + 1], f->out.len);
}

/* The session measures the round trip as soon as it hears something, and not again before it
 * has an answer: the scripts do without. */
static void swallow_ping(struct fixture *f)
{
	hears(f, YAMUX_WINDOW, 0, 1000000, 0, 0);
	says(f, YAMUX_PING, YAMUX_SYN, 0, 1);
	says_nothing(f);
}

static struct gn_stream *open_stream(struct fixture *f)
{
	struct gn_stream *st = NULL;

	assert_int_equal(f->ops->open(f->ses, &st), 0);
	st->on_news = on_news;
	st->arg = f;
	return st;
}

/* And the far end has heard of it, and said so. */
static struct gn_stream *open_acked(struct fixture *f)
{
	struct gn_stream *st = open_stream(f);

	says(f, YAMUX_WINDOW, YAMUX_SYN, st->id, 0);
	hears(f, YAMUX_WINDOW, YAMUX_ACK, st->id, 0, 0);
	return st;
}

static struct gn_stream *accept_stream(struct fixture *f, uint32_t id)
{
	unsigned was = f->n_came;

	hears(f, YAMUX_WINDOW, YAMUX_SYN, id, 0, 0);
	assert_int_equal(f->n_came, was + 1);
	says(f, YAMUX_WINDOW, YAMUX_ACK, id, 0);
	assert_int_equal(f->came[was % NEWS]->id, id);
	return f->came[was % NEWS];
}

static void put(struct fixture *f, struct gn_stream *st, size_t n)
{
	uint8_t *p = calloc(1, n);

	assert_int_equal(gn_pipe_put(&st->tx, p, n), 0);
	f->ops->touch(st);
	free(p);
}

static void take(struct fixture *f, struct gn_stream *st, size_t n)
{
	assert_true(gn_pipe_len(&st->rx) >= n);
	gn_pipe_skip(&st->rx, n);
	f->ops->touch(st);
}

static void shut(struct fixture *f, struct gn_stream *st)
{
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->touch(st);
}

static void broken(struct fixture *f, int err, uint32_t code)
{
	says(f, YAMUX_GO_AWAY, 0, 0, code);
	says_nothing(f);
	assert_int_equal(f->ses->err, err);
	assert_true(f->ses->is_away);
	assert_int_equal(f->out.end, GN_EOF);
}

/* ---- opening and closing ---- */

static void ids_are_odd_for_the_client(void **state)
{
	struct fixture *f = *state;

	for (int client = 0; client < 2; client++) {
		begin(f, client);
		for (uint32_t i = 0; i < 3; i++) {
			struct gn_stream *st = open_stream(f);

			assert_int_equal(st->id, 2 * i + (client ? 1 : 2));
			says(f, YAMUX_WINDOW, YAMUX_SYN, st->id, 0);
		}
		assert_int_equal(f->ses->streams, 3);
		over(f);
	}
}

static void data_follows_without_waiting(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_stream(f);
	put(f, st, 100);
	shut(f, st);
	says(f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
	says(f, YAMUX_DATA, 0, 1, 100);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0); /* behind the data, not with it */
	says_nothing(f);
	assert_true(st->is_ended_out);
	over(f);
}

static void an_end_at_once_rides_on_the_syn(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_stream(f);
	shut(f, st);
	says(f, YAMUX_WINDOW, YAMUX_SYN | YAMUX_FIN, 1, 0);
	says_nothing(f);
	over(f);
}

static void an_ack_comes_once_and_at_once(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, false);
	st = accept_stream(f, 1);
	says_nothing(f);
	put(f, st, 3);
	says(f, YAMUX_DATA, 0, 1, 3);
	says_nothing(f);
	over(f);
}

static void half_close_both_ways(void **state)
{
	struct fixture *f = *state;

	for (int first = 0; first < 2; first++) {
		struct gn_stream *st;

		begin(f, true);
		st = open_acked(f);
		if (first == 0) {
			shut(f, st);
			says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		}
		hears(f, YAMUX_DATA, 0, 1, 10, 10);
		hears(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
		assert_int_equal(gn_pipe_len(&st->rx), 10);
		if (first == 1) {
			put(f, st, 5);
			shut(f, st);
			says(f, YAMUX_DATA, 0, 1, 5);
			says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		}
		assert_true(st->is_ended_in && st->is_ended_out);
		assert_int_equal(st->err, 0);
		take(f, st, 10);
		assert_int_equal(gn_pipe_end(&st->rx), GN_EOF);
		assert_int_equal(f->ses->streams, 1);
		f->ops->release(st);
		assert_int_equal(f->ses->streams, 0);
		says_nothing(f);
		over(f);
	}
}

static void syn_data_and_fin_in_one(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	hears(f, YAMUX_DATA, YAMUX_SYN | YAMUX_FIN, 1, 50, 50);
	assert_int_equal(f->n_came, 1);
	assert_int_equal(gn_pipe_len(&f->came[0]->rx), 50);
	assert_int_equal(gn_pipe_end(&f->came[0]->rx), 0);
	take(f, f->came[0], 50);
	assert_int_equal(gn_pipe_end(&f->came[0]->rx), GN_EOF);
	says(f, YAMUX_WINDOW, YAMUX_ACK, 1, 0);
	says_nothing(f);
	over(f);
}

static void a_fin_after_data_in_one_frame(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, false);
	st = accept_stream(f, 1);
	hears(f, YAMUX_DATA, YAMUX_FIN, 1, 50, 20);
	assert_false(st->is_ended_in);
	hears_bytes(f, 29);
	assert_false(st->is_ended_in);
	hears_bytes(f, 1);
	assert_true(st->is_ended_in);
	assert_int_equal(gn_pipe_len(&st->rx), 50);
	over(f);
}

static void a_syn_window_grants_more(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	hears(f, YAMUX_WINDOW, YAMUX_SYN, 1, 1000, 0);
	says(f, YAMUX_WINDOW, YAMUX_ACK, 1, 0);
	for (int i = 0; i < 3; i++) {
		put(f, f->came[0], 100 * KIB);
		drain(f);
	}
	assert_int_equal(gn_pipe_len(&f->came[0]->tx), 300 * KIB - WINDOW - 1000);
	over(f);
}

/* ---- resets ---- */

static void a_reset_from_afar(void **state)
{
	struct fixture *f = *state;
	static const uint32_t codes[] = {0, 1, 0x1003, UINT32_MAX};

	for (size_t i = 0; i < 4; i++) {
		struct gn_stream *st;

		begin(f, true);
		st = open_acked(f);
		hears(f, YAMUX_DATA, 0, 1, 10, 10);
		put(f, st, 100);
		hears(f, YAMUX_WINDOW, YAMUX_RST, 1, codes[i], 0);
		assert_int_equal(st->err, GN_ERESET);
		assert_true(f->news[1] & GN_STREAM_GONE);
		assert_int_equal(gn_pipe_len(&st->rx), 0);
		assert_int_equal(gn_pipe_end(&st->rx), GN_ERESET);
		assert_int_equal(gn_pipe_put(&st->tx, "x", 1), GN_ERESET);
		says_nothing(f); /* neither the data nor an answer */
		f->ops->release(st);
		assert_int_equal(f->ses->streams, 0);
		assert_int_equal(f->ses->err, 0);
		over(f);
	}
}

static void a_reset_with_data_behind_syn(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	hears(f, YAMUX_WINDOW, YAMUX_SYN | YAMUX_RST, 1, 0, 0);
	hears(f, YAMUX_DATA, YAMUX_SYN | YAMUX_RST, 3, 10, 10);
	assert_int_equal(f->n_came, 0);
	says_nothing(f);
	accept_stream(f, 5);
	over(f);
}

/* While a protocol is being agreed on, the answer counts though a reset follows it. */
static void a_stream_that_keeps(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_acked(f);
	st->keeps = true;
	hears(f, YAMUX_DATA, 0, 1, 10, 10);
	hears(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(st->err, GN_ERESET);
	assert_int_equal(gn_pipe_len(&st->rx), 10);
	assert_int_equal(gn_pipe_end(&st->rx), 0);
	gn_pipe_skip(&st->rx, 10);
	assert_int_equal(gn_pipe_end(&st->rx), GN_ERESET);
	over(f);
}

static void what_came_before_the_end_survives_a_reset(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_acked(f);
	hears(f, YAMUX_DATA, YAMUX_FIN, 1, 10, 10);
	hears(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
	assert_int_equal(st->err, GN_ERESET);
	assert_int_equal(gn_pipe_len(&st->rx), 10);
	over(f);
}

static void a_reset_of_ours(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_acked(f);
	put(f, st, 100);
	hears(f, YAMUX_DATA, 0, 1, 10, 10);
	f->ops->reset(st);
	assert_int_equal(st->err, GN_ECLOSED);
	says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	says_nothing(f);
	f->ops->reset(st);
	f->ops->release(st);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	over(f);
}

static void a_reset_of_what_was_never_announced(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st, *next;

	begin(f, true);
	st = open_stream(f);
	put(f, st, 10);
	f->ops->reset(st);
	f->ops->release(st);
	next = open_stream(f);
	f->ops->release(next);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	over(f);
}

/* The owner resets while a frame's body is still coming: the rest is nobody's. */
static void a_reset_in_the_middle_of_a_body(void **state)
{
	struct fixture *f = *state;

	for (int way = 0; way < 6; way++) {
		uint16_t flags = way % 3 == 1 ? YAMUX_FIN : way % 3 == 2 ? YAMUX_RST : 0;
		struct gn_stream *st;

		begin(f, true);
		st = open_acked(f);
		hears(f, YAMUX_DATA, flags, 1, 100, 40);
		f->ops->reset(st);
		assert_int_equal(gn_pipe_end(&st->rx), GN_ECLOSED);
		if (way >= 3)
			f->ops->release(st);
		hears_bytes(f, 60);
		if (way < 3) {
			assert_int_equal(gn_pipe_len(&st->rx), 0);
			assert_int_equal(gn_pipe_end(&st->rx), GN_ECLOSED);
		}
		says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		says_nothing(f);
		if (way < 3)
			f->ops->release(st);
		assert_int_equal(f->ses->streams, 0);
		hears(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0); /* frames are still in step */
		says(f, YAMUX_PING, YAMUX_ACK, 0, 5);
		over(f);
	}
}

static void late_frames_of_forgotten_ids(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_acked(f);
	f->ops->release(st);
	says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	hears(f, YAMUX_DATA, 0, 1, 5000, 5000);
	hears(f, YAMUX_WINDOW, 0, 1, UINT32_MAX, 0);
	hears(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	hears(f, YAMUX_WINDOW, YAMUX_RST, 1, 77, 0);
	hears(f, YAMUX_DATA, YAMUX_FIN, 1, 1, 1);
	hears(f, YAMUX_WINDOW, YAMUX_ACK, 1, 0, 0);
	hears(f, YAMUX_DATA, 0, 4, 100, 100); /* never was; as good as forgotten */
	hears(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0);
	says(f, YAMUX_PING, YAMUX_ACK, 0, 5);
	says_nothing(f);
	assert_int_equal(f->ses->err, 0);
	over(f);
}

/* ---- giving up ---- */

/* Written, closed, released: it still goes out, and what comes in costs nothing. */
static void a_released_stream_says_what_it_had_to(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_acked(f);
	put(f, st, 1000);
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->release(st);
	says(f, YAMUX_DATA, 0, 1, 1000);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	for (int i = 0; i < 10; i++) { /* granted again as it is dropped */
		hears(f, YAMUX_DATA, 0, 1, WINDOW / 2, WINDOW / 2);
		says(f, YAMUX_WINDOW, 0, 1, WINDOW / 2);
	}
	assert_int_equal(f->ses->streams, 1);
	hears(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	assert_int_equal(f->ses->streams, 0);
	says_nothing(f);
	over(f);
}

/* ---- windows ---- */

static void we_never_send_more_than_granted(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;
	size_t n = 0;

	begin(f, true);
	st = open_acked(f);
	for (int i = 0; i < 4; i++) {
		put(f, st, 100 * KIB);
		while (drain(f), f->out.len > 0) {
			uint32_t len = gn_get_u32(f->out.p + f->out.at + 8);

			assert_true(len <= YAMUX_BODY_MAX);
			n += len;
			says(f, YAMUX_DATA, 0, 1, len);
		}
	}
	assert_int_equal(n, WINDOW);
	hears(f, YAMUX_WINDOW, 0, 1, 0, 0); /* legal, and nothing */
	says_nothing(f);
	hears(f, YAMUX_WINDOW, 0, 1, 1, 0);
	says(f, YAMUX_DATA, 0, 1, 1);
	says_nothing(f);
	hears(f, YAMUX_WINDOW, 0, 1, 1 << 20, 0);
	shut(f, st);
	drain(f);
	assert_int_equal(gn_pipe_len(&st->tx), 0);
	while (f->out.len > YAMUX_HEAD)
		says(f, YAMUX_DATA, 0, 1, gn_get_u32(f->out.p + f->out.at + 8));
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	over(f);
}

/* The end goes out though the window is used up to the last byte. */
static void a_fin_needs_no_window(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	for (int late = 0; late < 2; late++) {
		begin(f, true);
		st = open_acked(f);
		put(f, st, WINDOW);
		if (late == 0)
			shut(f, st);
		for (int i = 0; i < 4; i++)
			says(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
		says(f, YAMUX_DATA, 0, 1, WINDOW - 4 * YAMUX_BODY_MAX);
		if (late == 1) {
			says_nothing(f);
			shut(f, st);
		}
		says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
		over(f);
	}
}

static void window_arithmetic(void **state)
{
	struct fixture *f = *state;

	for (int way = 0; way < 2; way++) {
		begin(f, true);
		open_acked(f);
		hears(f, YAMUX_WINDOW, 0, 1, UINT32_MAX - WINDOW, 0); /* just so */
		assert_int_equal(f->ses->err, 0);
		if (way == 0)
			hears(f, YAMUX_WINDOW, 0, 1, 1, 0);
		else
			hears(f, YAMUX_WINDOW, 0, 1, UINT32_MAX, 0);
		broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
		over(f);
	}
}

static void a_peer_that_sends_too_much(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, false);
	st = accept_stream(f, 1);
	hears(f, YAMUX_DATA, 0, 1, WINDOW, WINDOW); /* all that it may, in one frame */
	assert_int_equal(f->ses->err, 0);
	assert_int_equal(gn_pipe_len(&st->rx), WINDOW);
	hears(f, YAMUX_DATA, 0, 1, 1, 1);
	broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
	assert_int_equal(st->err, GN_EPROTO);
	assert_int_equal(gn_pipe_len(&st->rx), WINDOW); /* a session's death leaves what had come */
	over(f);
}

static void too_much_by_the_header_alone(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	hears(f, YAMUX_DATA, YAMUX_SYN, 1, WINDOW + 1, 0);
	says(f, YAMUX_GO_AWAY, 0, 0, GN_GO_AWAY_PROTOCOL);
	assert_int_equal(f->ses->err, GN_EPROTO);
	over(f);
}

static void data_behind_the_end(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	accept_stream(f, 1);
	hears(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0);
	hears(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0, 0); /* once more is nothing new */
	hears(f, YAMUX_DATA, 0, 1, 0, 0);
	assert_int_equal(f->ses->err, 0);
	hears(f, YAMUX_DATA, 0, 1, 1, 1);
	broken(f, GN_EPROTO, GN_GO_AWAY_PROTOCOL);
	over(f);
}

static void credit_comes_with_consumption(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, false);
	st = accept_stream(f, 1);
	hears(f, YAMUX_DATA, 0, 1, WINDOW, WINDOW);
	says_nothing(f);
	take(f, st, WINDOW / 2 - 1);
	says_nothing(f);
	take(f, st, 1);
	says(f, YAMUX_WINDOW, 0, 1, WINDOW / 2);
	says_nothing(f);
	take(f, st, WINDOW / 2);
	says(f, YAMUX_WINDOW, 0, 1, WINDOW / 2);
	hears(f, YAMUX_DATA, 0, 1, WINDOW, WINDOW);
	assert_int_equal(f->ses->err, 0);
	over(f);
}

/* A header alone promises bytes; they count against the window until they have come and gone. */
static void no_credit_for_what_has_not_come(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, false);
	st = accept_stream(f, 1);
	hears(f, YAMUX_DATA, 0, 1, WINDOW, 10);
	take(f, st, 10);
	put(f, st, 1);
	says(f, YAMUX_DATA, 0, 1, 1);
	says_nothing(f);
	over(f);
}

static void no_credit_behind_the_end(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, false);
	st = accept_stream(f, 1);
	hears(f, YAMUX_DATA, YAMUX_FIN, 1, WINDOW, WINDOW);
	take(f, st, WINDOW);
	says_nothing(f);
	over(f);
}

/* The ping that begin() has swallowed is answered so late. */
static void measure(struct fixture *f, gn_time rtt)
{
	f->now += rtt;
	hears(f, YAMUX_PING, YAMUX_ACK, 0, 1, 0);
	assert_true(f->ses->rtt == rtt);
}

/* What is granted in answer to a window that was used up and, if read, consumed. */
static uint64_t one_round(struct fixture *f, struct gn_stream *st, uint64_t *window, size_t left)
{
	uint64_t granted = 0, sent = 0;

	while (sent < *window) {
		size_t n = *window - sent < 1 << 19 ? (size_t)(*window - sent) : 1 << 19;

		hears(f, YAMUX_DATA, 0, st->id, (uint32_t)n, n);
		sent += n;
	}
	assert_int_equal(f->ses->err, 0);
	f->now += 10 * GN_MSEC;
	hears(f, YAMUX_WINDOW, 0, 99, 0, 0);
	take(f, st, gn_pipe_len(&st->rx) - left);
	drain(f);
	while (f->out.len >= YAMUX_HEAD) {
		uint8_t *h = f->out.p + f->out.at;

		if (h[1] == YAMUX_WINDOW)
			granted += gn_get_u32(h + 8);
		wire_skip(&f->out, YAMUX_HEAD);
	}
	*window = granted;
	return granted;
}

static void a_window_grows_for_a_quick_reader(void **state)
{
	struct fixture *f = *state;
	uint64_t window = WINDOW, most = 0;

	begin(f, false);
	measure(f, 20 * GN_MSEC);
	accept_stream(f, 1);
	for (int i = 0; i < 60 && window > 0; i++) {
		uint64_t granted = one_round(f, f->came[0], &window, 0);

		most = granted > most ? granted : most;
		assert_true(granted <= 16 << 20);
	}
	assert_true(most >= 8 << 20);
	assert_true(f->budget.used <= 16 << 20 && f->budget.used >= most);
	over(f);
}

static void a_window_stays_for_a_slow_reader(void **state)
{
	struct fixture *f = *state;
	uint64_t window = WINDOW;

	begin(f, false);
	measure(f, 20 * GN_MSEC);
	accept_stream(f, 1);
	for (int i = 0; i < 40; i++) { /* something is always left */
		uint64_t was = window;

		assert_true(one_round(f, f->came[0], &window, 1000) <= was + 1000);
	}
	assert_int_equal(f->budget.used, WINDOW);
	over(f);
}

static void growth_keeps_to_the_budget(void **state)
{
	struct fixture *f = *state;
	uint64_t window = WINDOW;

	f->budget.max = 1 << 20;
	begin(f, false);
	measure(f, 20 * GN_MSEC);
	accept_stream(f, 1);
	for (int i = 0; i < 40 && window > 0; i++) {
		one_round(f, f->came[0], &window, 0);
		assert_true(f->budget.used <= 1 << 19 && window <= 1 << 19); /* half is for new streams */
	}
	over(f);
}

static void the_budget_bounds_streams(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	f->budget.max = 2 * WINDOW + 100;
	begin(f, false);
	accept_stream(f, 1);
	open_stream(f);
	assert_int_equal(f->ops->open(f->ses, &st), GN_ELIMIT);
	says(f, YAMUX_WINDOW, YAMUX_SYN, 2, 0);
	hears(f, YAMUX_WINDOW, YAMUX_SYN, 3, 0, 0);
	says(f, YAMUX_WINDOW, YAMUX_RST, 3, 0);
	assert_int_equal(f->n_came, 1);
	f->ops->release(f->came[0]);
	says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	accept_stream(f, 5);
	over(f);
}

static void one_stalled_stream_stops_no_other(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *a, *b;

	begin(f, false);
	a = accept_stream(f, 1);
	b = accept_stream(f, 3);
	hears(f, YAMUX_DATA, 0, 1, WINDOW, WINDOW);
	for (int i = 0; i < 20; i++) {
		hears(f, YAMUX_DATA, 0, 3, WINDOW, WINDOW);
		take(f, b, WINDOW);
		says(f, YAMUX_WINDOW, 0, 3, WINDOW);
	}
	assert_int_equal(gn_pipe_len(&a->rx), WINDOW);
	/* And the other way: one without window, one with. */
	put(f, a, WINDOW);
	drain(f);
	put(f, a, 1000);
	put(f, b, 1000);
	wire_skip(&f->out, f->out.len);
	says(f, YAMUX_DATA, 0, 3, 1000);
	says_nothing(f);
	over(f);
}

static void streams_take_turns(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st[3];
	unsigned turns[3] = {0}, last = 9;

	begin(f, true);
	for (int i = 0; i < 3; i++)
		st[i] = open_acked(f);
	for (int i = 0; i < 3; i++)
		put(f, st[i], 250 * KIB);
	drain(f);
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
	over(f);
}

/* A word of a second stream does not wait behind the megabytes of a first. */
static void a_word_goes_ahead_of_megabytes(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *a, *b;

	begin(f, true);
	a = open_acked(f);
	b = open_acked(f);
	put(f, a, 250 * KIB);
	assert_true(wire_take(&f->out, &f->s.tx, YAMUX_HEAD + YAMUX_BODY_MAX));
	put(f, b, 5);
	hears(f, YAMUX_PING, YAMUX_SYN, 0, 1, 0);
	drain(f);
	says(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
	says(f, YAMUX_PING, YAMUX_ACK, 0, 1);
	if (gn_get_u32(f->out.p + f->out.at + 4) == 1)
		says(f, YAMUX_DATA, 0, 1, YAMUX_BODY_MAX);
	says(f, YAMUX_DATA, 0, 3, 5);
	over(f);
}

/* ---- the session ---- */

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
		{1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0},   /* version 1 */
		{0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},   /* type 4 */
		{0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},   /* SYN of stream 0 */
		{0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},   /* data on stream 0 */
		{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
		{0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0},   /* SYN of our parity */
		{0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0},
		{0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0},   /* SYN of an id in use */
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
	struct gn_stream *st[300];

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
	f->admits = false;
	hears(f, YAMUX_DATA, YAMUX_SYN, 1, 100, 100);
	says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	says_nothing(f);
	assert_int_equal(f->ses->streams, 0);
	f->admits = true;
	accept_stream(f, 3);
	for (uint32_t i = 0; i < 600; i++) { /* while resets go out there is no limit */
		f->admits = false;
		hears(f, YAMUX_WINDOW, YAMUX_SYN, 5 + 2 * i, 0, 0);
		says(f, YAMUX_WINDOW, YAMUX_RST, 5 + 2 * i, 0);
	}
	over(f);
}

static void a_flood_of_refused_streams(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	f->admits = false;
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
	} cases[] = {
		{0, 0}, {1, GN_EPROTO}, {2, GN_EGONE}, {0x1000, GN_EGONE}, {0x1007, GN_EREFUSED}, {UINT32_MAX, GN_EGONE}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_stream *st, *other;

		begin(f, true);
		st = open_acked(f);
		hears(f, YAMUX_DATA, 0, 1, 10, 10);
		hears(f, YAMUX_GO_AWAY, 0, 0, cases[i].code, 0);
		assert_true(f->ses->is_away);
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
			assert_true(f->news[1] & GN_STREAM_GONE);
		}
		over(f);
	}
}

static void go_away_of_ours(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

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
	struct gn_stream *st, *other;

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
	assert_true(f->news[1] & GN_STREAM_GONE);
	assert_true(f->news[2] & GN_STREAM_GONE);
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
	} cases[] = {{0, GN_EOF, GN_EGONE}, {5, GN_EOF, GN_ETRUNC}, {0, -ECONNRESET, -ECONNRESET}, {0, GN_ETRUNC, GN_ETRUNC}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_stream *st, *ended, *other;

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
		assert_int_equal(f->ses->err, cases[i].end == GN_EOF && cases[i].extra == 0 ? GN_EGONE : cases[i].err);
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
			assert_true(f->news[1] & GN_STREAM_GONE);
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

/* ---- frames that are taken in part ---- */

/* The reader takes n bytes of what is shown. */
static void takes(struct fixture *f, size_t n)
{
	size_t was = f->out.len;

	assert_true(wire_take(&f->out, &f->s.tx, n));
	assert_int_equal(f->out.len - was, n);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(side_pump(&f->s, f->now), 0);
}

static void a_stream_dies_in_its_frame(void **state)
{
	struct fixture *f = *state;

	for (size_t at = 1; at < YAMUX_HEAD + 10000; at += at < 20 ? 1 : 499) {
		struct gn_stream *st;

		begin(f, true);
		st = open_acked(f);
		put(f, st, 10000);
		takes(f, at);
		if (at % 2 == 0)
			f->ops->reset(st);
		else
			hears(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);
		f->ops->release(st);
		says(f, YAMUX_DATA, 0, 1, 10000); /* filled up: the frames stay in step */
		if (at % 2 == 0)
			says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		says_nothing(f);
		assert_int_equal(f->ses->streams, 0);
		over(f);
	}
}

static void a_session_dies_in_a_frame(void **state)
{
	struct fixture *f = *state;

	for (int what = 0; what < 5; what++) {
		for (size_t at = 1; at < YAMUX_HEAD; at++) {
			struct gn_stream *st;

			begin(f, true);
			st = open_acked(f);
			f->admits = false;
			if (what == 0)
				hears(f, YAMUX_PING, YAMUX_SYN, 0, 5, 0);
			else if (what == 1)
				hears(f, YAMUX_WINDOW, YAMUX_SYN, 2, 0, 0);
			else if (what == 2)
				put(f, st, 10);
			else if (what == 3)
				shut(f, st);
			else
				f->ops->go_away(f->ses, 0);
			f->admits = true;
			takes(f, at);
			hears(f, 7, 0, 0, 0, 0);
			assert_int_equal(f->ses->err, GN_EPROTO);
			if (what == 0)
				says(f, YAMUX_PING, YAMUX_ACK, 0, 5);
			else if (what == 1)
				says(f, YAMUX_WINDOW, YAMUX_RST, 2, 0);
			else if (what == 2)
				says(f, YAMUX_DATA, 0, 1, 10);
			else if (what == 3)
				says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
			else
				says(f, YAMUX_GO_AWAY, 0, 0, 0);
			if (what < 4)
				says(f, YAMUX_GO_AWAY, 0, 0, GN_GO_AWAY_PROTOCOL);
			says_nothing(f);
			assert_int_equal(f->out.end, GN_EOF);
			over(f);
		}
	}
}

/* The far end hears of a stream after all: then it must hear of its end, too. */
static void a_reset_in_a_half_sent_syn(void **state)
{
	struct fixture *f = *state;

	for (size_t at = 1; at < YAMUX_HEAD; at++) {
		struct gn_stream *st;

		begin(f, true);
		st = open_stream(f);
		takes(f, at);
		f->ops->release(st);
		says(f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
		says(f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		says_nothing(f);
		assert_int_equal(f->ses->streams, 0);
		over(f);
	}
}

/* Data and end come out in one pull, without another nudge. */
static void a_fin_follows_in_the_same_pull(void **state)
{
	struct fixture *f = *state;
	struct gn_stream *st;

	begin(f, true);
	st = open_acked(f);
	put(f, st, 10);
	takes(f, 5); /* the plan was made before the end was known */
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->touch(st);
	assert_true(wire_take(&f->out, &f->s.tx, SIZE_MAX));
	assert_int_equal(f->out.len, 2 * YAMUX_HEAD + 10);
	says(f, YAMUX_DATA, 0, 1, 10);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	over(f);
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
	struct fixture *f = *state;
	struct gn_stream *st;
	static uint8_t bytes[300000];
	struct counted c = {sizeof bytes, bytes};
	size_t n = 0;

	begin(f, true);
	st = open_acked(f);
	gn_pipe_source(&st->tx, &counted_source, &c);
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->touch(st);
	drain(f);
	hears(f, YAMUX_WINDOW, 0, 1, 100000, 0);
	drain(f);
	while (f->out.len > YAMUX_HEAD) {
		uint32_t len = gn_get_u32(f->out.p + f->out.at + 8);

		says(f, YAMUX_DATA, 0, 1, len);
		n += len;
	}
	assert_int_equal(n, sizeof bytes);
	says(f, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	over(f);
}

/* ---- teardown ---- */

static void the_session_frees_its_streams(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	open_acked(f);
	f->ops->reset(open_acked(f));                  /* owes a reset */
	drain(f);
	wire_skip(&f->out, f->out.len);
	accept_stream(f, 1);
	hears(f, YAMUX_DATA, 0, 1, 1000, 500);         /* in the middle of a body */
	f->ops->reset(f->came[0]);                     /* owes one still */
	open_stream(f);                                /* never announced */
	over(f);
	begin(f, true);
	open_acked(f);
	hears(f, YAMUX_WINDOW, YAMUX_RST, 1, 0, 0);    /* dead, held by its owner */
	shut(f, open_acked(f));
	hears(f, YAMUX_DATA, YAMUX_FIN, 3, 10, 10);
	drain(f);                                      /* ended both ways, held by its owner */
	assert_int_equal(f->ses->streams, 2);
	f->releases = false;
	{                                              /* nobody was told of these */
		uint8_t syns[2 * YAMUX_HEAD] = {0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 2};

		side_feed(&f->s, syns, sizeof syns, f->now);
	}
	over(f);
}

/* ---- random schedules ---- */

static void random_owners(void **state)
{
	uint64_t first = 1, n = 400;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		static struct mux_model m;
		struct rng r;
		unsigned turns;

		rng_seed(&r, seed);
		turns = 200 + rng_below(&r, 1500);
		mux_init(&m, &r);
		for (unsigned i = 0; i < turns && !mux_is_bad(&m); i++)
			mux_turn(&m);
		if (mux_is_bad(&m))
			fail_msg("GN_SEED=%llu: not what went in", (unsigned long long)seed);
		if (!mux_wind_up(&m) || mux_is_bad(&m) || !mux_is_clean(&m))
			fail_msg("GN_SEED=%llu: not wound up", (unsigned long long)seed);
		mux_fini(&m);
	}
}

/* The connection is cut at some moment: what was read is a prefix, every stream hears of it. */
static void random_cuts(void **state)
{
	uint64_t first = 1000, n = 150;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		static struct mux_model m;
		struct rng r;
		unsigned turns;

		rng_seed(&r, seed);
		turns = 100 + rng_below(&r, 800);
		mux_init(&m, &r);
		for (unsigned i = 0; i < turns; i++)
			mux_turn(&m);
		for (int i = 0; i < 2; i++) {
			gn_pipe_close(&m.p.side[i].rx, i == 0 ? GN_EOF : -ECONNRESET);
			gn_stack_mark_bottom(&m.p.side[i].stack);
			(void)side_pump(&m.p.side[i], m.p.now);
		}
		mux_deliver(&m);
		mux_deliver(&m);
		for (int i = 0; i < 2; i++) {
			for (int k = 0; k < MUX_STREAMS; k++) {
				struct mux_stream *s = &m.end[i].streams[k];

				if (s->end == NULL)
					continue;
				mux_read(s->end, s, SIZE_MAX);
				if (gn_pipe_end(&s->st->rx) == 0)
					fail_msg("GN_SEED=%llu: a stream was not told", (unsigned long long)seed);
			}
			assert_true(m.end[i].session->err != 0);
		}
		if (mux_is_bad(&m))
			fail_msg("GN_SEED=%llu: not what went in", (unsigned long long)seed);
		mux_fini(&m);
	}
}

/* ---- over Noise, in one stack ---- */

static void over_noise(void **state)
{
	uint64_t first = 1, n = 60;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct pair p;
		struct rng r;
		struct gn_key *key;
		struct gn_layer *l[2];
		struct gn_session *ses[2];
		struct gn_stream *st = NULL, *other;
		struct fixture f = {.releases = false};
		uint8_t block[3000];
		size_t in = 0, out = 0;

		rng_seed(&r, seed);
		pair_init(&p, rng_one_in(&r, 2));
		assert_int_equal(gn_key_new_seeded((uint8_t[32]){(uint8_t)seed}, &key), 0);
		for (int i = 0; i < 2; i++) {
			struct gn_secure_cfg secure = {.key = key, .initiator = i == 0};

			p.side[i].tx.sends = true;
			assert_int_equal(gn_stack_push(&p.side[i].stack, gn_security_noise.layer, &secure, false, NULL), 0);
		}
		pair_run_random(&p, &r, 1000, 1000);
		for (int i = 0; i < 2; i++) {
			struct gn_mux_cfg cfg = {.client = i == 0, .window = 1 << 20};

			assert_true(side_said(&p.side[i], GN_READY));
			assert_int_equal(gn_stack_push(&p.side[i].stack, gn_muxer_yamux.layer, &cfg, false, &l[i]), 0);
			ses[i] = gn_muxer_yamux.session(l[i]);
		}
		f.ops = ses[1]->ops;
		assert_int_equal(ses[0]->ops->open(ses[0], &st), 0);
		for (int i = 0; i < 200; i++) {
			memset(block, i, sizeof block);
			if (gn_pipe_put(&st->tx, block, sizeof block) == 0)
				in += sizeof block;
			ses[0]->ops->touch(st); /* nothing else tells the layer below */
			(void)side_pump(&p.side[0], 1);
			if (rng_one_in(&r, 4))
				pair_carry(&p, rng_size(&r, 50000) + 1, rng_one_in(&r, 2));
		}
		gn_pipe_close(&st->tx, GN_EOF);
		ses[0]->ops->touch(st);
		for (int i = 0; i < 10000 && out < in; i++) {
			pair_carry(&p, rng_size(&r, 50000) + 1, rng_one_in(&r, 2));
			gn_session_deliver(ses[1], on_new, &f);
			if (f.n_came == 0)
				continue;
			other = f.came[0];
			out += gn_pipe_len(&other->rx);
			gn_pipe_skip(&other->rx, gn_pipe_len(&other->rx));
			ses[1]->ops->touch(other);
			(void)side_pump(&p.side[1], 1);
		}
		if (in != out)
			fail_msg("GN_SEED=%llu: %zu of %zu came", (unsigned long long)seed, out, in);
		pair_run(&p, 50000, true);
		assert_int_equal(gn_pipe_end(&f.came[0]->rx), GN_EOF);
		pair_fini(&p);
		gn_key_free(key);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ids_are_odd_for_the_client),
		T(data_follows_without_waiting),
		T(an_end_at_once_rides_on_the_syn),
		T(an_ack_comes_once_and_at_once),
		T(half_close_both_ways),
		T(syn_data_and_fin_in_one),
		T(a_fin_after_data_in_one_frame),
		T(a_syn_window_grants_more),
		T(a_reset_from_afar),
		T(a_reset_with_data_behind_syn),
		T(a_stream_that_keeps),
		T(what_came_before_the_end_survives_a_reset),
		T(a_reset_of_ours),
		T(a_reset_of_what_was_never_announced),
		T(a_reset_in_the_middle_of_a_body),
		T(late_frames_of_forgotten_ids),
		T(a_released_stream_says_what_it_had_to),
		T(we_never_send_more_than_granted),
		T(a_fin_needs_no_window),
		T(window_arithmetic),
		T(a_peer_that_sends_too_much),
		T(too_much_by_the_header_alone),
		T(data_behind_the_end),
		T(credit_comes_with_consumption),
		T(no_credit_for_what_has_not_come),
		T(no_credit_behind_the_end),
		T(a_window_grows_for_a_quick_reader),
		T(a_window_stays_for_a_slow_reader),
		T(growth_keeps_to_the_budget),
		T(the_budget_bounds_streams),
		T(one_stalled_stream_stops_no_other),
		T(streams_take_turns),
		T(a_word_goes_ahead_of_megabytes),
		T(pings_are_answered_once_and_in_order),
		T(a_flood_of_pings),
		T(frames_that_break_the_protocol),
		T(only_so_many_opens_wait_for_an_ack),
		T(streams_are_refused),
		T(a_flood_of_refused_streams),
		T(rapid_resets_cost_nothing),
		T(go_away_from_afar),
		T(go_away_of_ours),
		T(a_session_is_killed),
		T(the_connection_ends_under_open_streams),
		T(a_dead_session_drinks),
		T(keep_alive),
		T(keep_alive_against_a_full_pipe),
		T(a_stream_dies_in_its_frame),
		T(a_session_dies_in_a_frame),
		T(a_reset_in_a_half_sent_syn),
		T(a_fin_follows_in_the_same_pull),
		T(a_source_is_pulled),
		T(the_session_frees_its_streams),
		cmocka_unit_test(random_owners),
		cmocka_unit_test(random_cuts),
		cmocka_unit_test(over_noise),
	};

	return cmocka_run_group_tests_name("yamux", tests, NULL, NULL);
}
