/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "support/support.h"

static void empty_records_are_skipped(void **state)
{
	struct noise_script *f = *state;

	noise_script_open(f, true);
	for (int i = 0; i < 100; i++)
		side_feed(&f->s, f->buf, noise_peer_seal(&f->peer, "", 0, f->buf), 1);
	side_feed(&f->s, f->buf, noise_peer_seal(&f->peer, "x", 1, f->buf), 1);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(gn_pipe_len(f->l->up_rx), 1);
	noise_script_stop(f);
}

static void a_record_shorter_than_its_tag_is_an_error(void **state)
{
	struct noise_script *f = *state;

	for (uint16_t len = 0; len < 16; len++) {
		noise_script_open(f, len % 2);
		gn_put_u16(f->buf, len);
		side_feed(&f->s, f->buf, 2 + len, 1);
		assert_int_equal(side_pump(&f->s, 1), GN_EPROTO);
		noise_script_stop(f);
	}
}

static void the_longest_record_is_opened(void **state)
{
	struct noise_script *f = *state;
	static uint8_t plain[65519], got[65519];

	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i * 7 >> 3);
	noise_script_open(f, false);
	for (int i = 0; i < 3; i++) {
		side_feed(&f->s, f->buf, noise_peer_seal(&f->peer, plain, sizeof plain, f->buf), 1);
		assert_int_equal(gn_pipe_len(f->l->up_rx), sizeof plain);
		gn_pipe_copy(f->l->up_rx, got, sizeof got);
		assert_memory_equal(got, plain, sizeof got);
		gn_pipe_skip(f->l->up_rx, sizeof got);
	}
	noise_script_stop(f);
}

/* Lends a record of `hello` to the layer in n + 1 pieces, which are not adjacent, and pumps it.  The pieces but the last
 * have `step` bytes. */
static void feed_pieces(struct noise_script *f, size_t step, size_t n)
{
	static uint8_t apart[64 * 64];
	size_t len = noise_peer_seal(&f->peer, "hello", 5, f->buf), at = 0;

	for (size_t i = 0; i <= n; i++) {
		size_t piece = i < n ? step : len - at;

		memcpy(apart + 64 * i, f->buf + at, piece);
		assert_int_equal(gn_pipe_lend(&f->s.rx, apart + 64 * i, piece), 0);
		at += piece;
	}
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(side_pump(&f->s, 1), 0);
}

static void a_record_in_pieces_is_opened_in_place(void **state)
{
	struct noise_script *f = *state;
	uint8_t got[5];

	for (size_t cut = 1; cut < 2 + 5 + 16; cut++) {
		noise_script_open(f, true);
		feed_pieces(f, cut, 1);
		assert_int_equal(gn_pipe_len(f->l->up_rx), 5);
		if (cut > 1) /* the two bytes of the length are needed in one piece */
			assert_int_equal(f->l->up_rx->owned, 0);
		gn_pipe_copy(f->l->up_rx, got, 5);
		assert_memory_equal(got, "hello", 5);
		noise_script_stop(f);
	}
}

/* 16 pieces are opened where they are; the bytes of one more are copied first. */
static void a_record_in_any_number_of_pieces_is_opened(void **state)
{
	struct noise_script *f = *state;
	uint8_t got[5];

	for (size_t cuts = 10; cuts <= 22; cuts++) {
		noise_script_open(f, true);
		feed_pieces(f, 1, cuts);
		assert_int_equal(gn_pipe_len(f->l->up_rx), 5);
		gn_pipe_copy(f->l->up_rx, got, 5);
		assert_memory_equal(got, "hello", 5);
		noise_script_stop(f);
	}
}

static void a_changed_record_in_pieces_fails_the_layer(void **state)
{
	struct noise_script *f = *state;

	for (size_t at = 2; at < 2 + 5 + 16; at++) {
		uint8_t *p = f->buf;

		noise_script_open(f, true);
		assert_int_equal(noise_peer_seal(&f->peer, "hello", 5, f->buf), 23);
		p[at] ^= 1;
		assert_int_equal(gn_pipe_lend(&f->s.rx, p, 4), 0);
		memcpy(p + 100, p + 4, 19);
		assert_int_equal(gn_pipe_lend(&f->s.rx, p + 100, 19), 0);
		gn_stack_mark_bottom(&f->s.stack);
		assert_int_equal(side_pump(&f->s, 1), GN_EAUTH);
		noise_script_stop(f);
	}
}

/* The layer writes to the pipe of a stream, whose scope is used up: a small record still goes. */
static void a_record_is_sent_in_a_small_block_when_the_scope_is_used_up(void **state)
{
	struct noise_script *f = *state;
	static const uint8_t big[100000];
	struct gn_scope scope;

	noise_script_open(f, true);
	for (int i = 0; i < 16; i++) { /* the first records are short */
		assert_int_equal(gn_pipe_put(f->l->up_tx, "x", 1), 0);
		gn_stack_mark_top(&f->s.stack);
		side_drain(&f->s, &f->out, 1);
	}
	gn_scope_init(&scope, NULL, 100);
	f->s.tx.scope = &scope;
	assert_int_equal(gn_pipe_put(f->l->up_tx, big, sizeof big), 0);
	gn_stack_mark_top(&f->s.stack);
	(void)side_pump(&f->s, 1);
	assert_true(gn_pipe_len(&f->s.tx) > 1000);
	assert_int_equal(scope.used, 0);
	scope.max = 1 << 20;
	gn_stack_mark_top(&f->s.stack);
	(void)side_pump(&f->s, 1);
	assert_int_equal(gn_pipe_len(f->l->up_tx), 0);
	gn_pipe_reset(&f->s.tx, GN_ECLOSED);
	f->s.tx.scope = NULL;
	noise_script_stop(f);
}

/* Checks the lengths of records.  The first ones are short, so that the peer can open a negotiation
 * message without waiting for the data behind it; later ones are full. */
static void assert_lengths(const struct wire *out)
{
	unsigned n = 0;

	for (size_t at = 0; at < out->len; n++) {
		size_t len = gn_get_u16(out->p + out->at + at);

		at += 2 + len;
		if (n < 16)
			assert_int_equal(len, 4096 + 16);
		else if (at < out->len)
			assert_int_equal(len, 65535);
	}
	assert_int_equal(n, 16 + 4);
}

static void the_first_records_are_short_and_later_ones_full(void **state)
{
	struct noise_script *f = *state;
	size_t n = 300000;
	uint8_t *big = malloc(n);
	struct wire plain = {0};

	assert_non_null(big);
	for (int sends = 0; sends < 2; sends++) {
		noise_script_open(f, true);
		f->s.tx.sends = sends;
		for (size_t i = 0; i < n; i++)
			big[i] = (uint8_t)(i >> 5);
		assert_int_equal(gn_pipe_put(f->l->up_tx, big, n), 0);
		gn_stack_mark_top(&f->s.stack);
		(void)side_pump(&f->s, 1);
		assert_true(gn_pipe_len(&f->s.tx) <= 4 * 65537);
		side_drain(&f->s, &f->out, 1);
		assert_int_equal(f->out.len, n + 20 * 18);
		assert_lengths(&f->out);
		noise_peer_unseal(&f->peer, &f->out, &plain);
		assert_int_equal(plain.len, n);
		assert_memory_equal(plain.p + plain.at, big, n);
		wire_skip(&plain, n);
		noise_script_stop(f);
	}
	wire_fini(&plain);
	free(big);
}

/* Returns the longest record that is sent of n bytes, with its length and tag; checks that n bytes arrive. */
static size_t longest_record(struct noise_script *f, size_t record_max, size_t n)
{
	struct wire plain = {0};
	size_t longest = 0;

	f->record_max = record_max;
	noise_script_open(f, true);
	for (size_t put = 0; put < n; put += 1000) {
		uint8_t bytes[1000] = {1};

		assert_int_equal(gn_pipe_put(f->l->up_tx, bytes, sizeof bytes), 0);
	}
	gn_stack_mark_top(&f->s.stack);
	side_drain(&f->s, &f->out, 1);
	for (size_t at = 0; at < f->out.len;) {
		size_t len = 2 + gn_get_u16(f->out.p + f->out.at + at);

		longest = len > longest ? len : longest;
		at += len;
	}
	noise_peer_unseal(&f->peer, &f->out, &plain);
	assert_int_equal(plain.len, n);
	wire_fini(&plain);
	noise_script_stop(f);
	return longest;
}

static void a_record_is_not_longer_than_configured(void **state)
{
	struct noise_script *f = *state;
	struct gn_secure_cfg cfg = {.state = f->noise, .key = f->key, .record_max = 18};
	static const size_t max[] = {20, 1000, 4096 + 17, 4096 + 18, 4096 + 19, 65507, 65536, 65537};

	for (size_t i = 0; i < sizeof max / sizeof *max; i++)
		assert_int_equal(longest_record(f, max[i], max[i] < 100 ? 1000 : 300000), max[i]);
	assert_int_equal(longest_record(f, 19, 1000), 19);
	assert_int_equal(longest_record(f, 0, 300000), 65537);
	assert_int_equal(longest_record(f, 65538, 300000), 65537);
	assert_int_equal(longest_record(f, SIZE_MAX, 300000), 65537);
	side_init(&f->s, &f->iobuf);
	assert_int_equal(gn_stack_push(&f->s.stack, gn_security_noise.layer, &cfg, false, NULL), -EINVAL);
	cfg.record_max = 1;
	assert_int_equal(gn_stack_push(&f->s.stack, gn_security_noise.layer, &cfg, false, NULL), -EINVAL);
	side_fini(&f->s);
}

/* For a connection over a stream, each full record is the body of one frame of the yamux session below. */
static void a_record_fits_a_frame_of_yamux(void **state)
{
	struct noise_script *f = *state;
	struct gn_mux_cfg cfg = {.client = true, .window = 1 << 20};
	struct gn_mux_stream *st;
	struct gn_layer *l;
	struct side outer;
	struct wire out = {0};
	unsigned full = 0;

	f->record_max = gn_muxer_yamux.frame_max;
	noise_script_open(f, true);
	side_init(&outer, &f->iobuf);
	assert_int_equal(gn_stack_push(&outer.stack, gn_muxer_yamux.layer, &cfg, false, &l), 0);
	assert_int_equal(gn_muxer_yamux.session(l)->ops->open(gn_muxer_yamux.session(l), &st), 0);
	side_drain(&outer, &out, 1);
	for (int i = 0; i < 16 + 3; i++) { /* the first records are short */
		static const uint8_t bytes[65507 - 18];

		wire_skip(&out, out.len);
		assert_int_equal(gn_pipe_put(f->l->up_tx, bytes, i < 16 ? 10 : sizeof bytes), 0);
		gn_stack_mark_top(&f->s.stack);
		(void)side_pump(&f->s, 1);
		assert_int_equal(gn_pipe_move(&st->tx, &f->s.tx, gn_pipe_len(&f->s.tx)), 0);
		st->session->ops->touch(st);
		side_drain(&outer, &out, 1);
		if (i < 16)
			continue;
		assert_int_equal(out.p[out.at + 1], YAMUX_DATA);
		if (out.len == 12 + 65507) /* a frame that contains one record */
			full++;
		assert_int_equal(gn_get_u32(out.p + out.at + 8), 65507);
		assert_int_equal(gn_get_u16(out.p + out.at + 12), 65505);
	}
	assert_int_equal(full, 3);
	wire_fini(&out);
	side_fini(&outer);
	noise_script_stop(f);
}

static void an_end_of_file_inside_a_record_is_truncation(void **state)
{
	struct noise_script *f = *state;
	const int ends[] = {GN_EOF, -ECONNRESET};

	for (int e = 0; e < 2; e++) {
		for (size_t cut = 0; cut <= 2 * (2 + 5 + 16); cut++) {
			size_t n, whole = cut / 23 * 5;

			noise_script_open(f, cut % 2);
			n = noise_peer_seal(&f->peer, "hello", 5, f->buf);
			n += noise_peer_seal(&f->peer, "world", 5, f->buf + n);
			assert_int_equal(gn_pipe_put(&f->s.rx, f->buf, cut), 0);
			gn_pipe_close(&f->s.rx, ends[e]);
			gn_stack_mark_bottom(&f->s.stack);
			assert_int_equal(side_pump(&f->s, 1),
					 0); /* the end is passed to the pipe above, the layer does not fail */
			assert_int_equal(gn_pipe_len(f->l->up_rx), whole);
			gn_pipe_skip(f->l->up_rx, whole);
			assert_int_equal(gn_pipe_end(f->l->up_rx), ends[e] != GN_EOF ? ends[e]
								   : cut % 23 == 0   ? GN_EOF
										     : GN_ETRUNC);
			/* The other direction is still open. */
			assert_int_equal(gn_pipe_put(f->l->up_tx, "still", 5), 0);
			gn_stack_mark_top(&f->s.stack);
			side_drain(&f->s, &f->out, 1);
			assert_int_equal(f->out.len, 23);
			noise_script_stop(f);
		}
	}
}

static void a_changed_record_fails_the_layer(void **state)
{
	struct noise_script *f = *state;

	for (size_t at = 0; at < 2 * 23; at++) {
		size_t n, good = at / 23 * 5;
		int r;

		noise_script_open(f, at % 2);
		n = noise_peer_seal(&f->peer, "hello", 5, f->buf);
		n += noise_peer_seal(&f->peer, "world", 5, f->buf + n);
		f->buf[at] ^= 0x10;
		assert_int_equal(gn_pipe_put(&f->s.rx, f->buf, n), 0);
		gn_pipe_close(&f->s.rx, GN_EOF);
		gn_stack_mark_bottom(&f->s.stack);
		r = side_pump(&f->s, 1);
		assert_int_equal(gn_pipe_len(f->l->up_rx), good);
		if (r == 0) /* the length was increased, so the input ends inside the record */
			assert_true(at % 23 < 2 && gn_pipe_is_closed(f->l->up_rx));
		else
			assert_true(r == GN_EAUTH || r == GN_EPROTO);
		if (r == 0) {
			gn_pipe_skip(f->l->up_rx, good);
			assert_int_equal(gn_pipe_end(f->l->up_rx), GN_ETRUNC);
		}
		noise_script_stop(f);
	}
}

static void replayed_and_reordered_records_fail_the_layer(void **state)
{
	struct noise_script *f = *state;
	uint8_t one[23], two[23];

	for (int way = 0; way < 3; way++) {
		noise_script_open(f, true);
		noise_peer_seal(&f->peer, "hello", 5, one);
		noise_peer_seal(&f->peer, "world", 5, two);
		if (way != 1)
			side_feed(&f->s, one, 23, 1);
		side_feed(&f->s, way == 2 ? one : two, 23, 1);
		if (way == 1)
			side_feed(&f->s, one, 23, 1);
		assert_int_equal(side_pump(&f->s, 1), way == 0 ? 0 : GN_EAUTH);
		assert_int_equal(gn_pipe_len(f->l->up_rx), way == 0 ? 10 : way == 1 ? 0 : 5);
		noise_script_stop(f);
	}
}

static void a_full_pipe_above_stops_the_layer(void **state)
{
	struct noise_script *f = *state;
	static uint8_t plain[60000];
	size_t cap, came = 0, fed = 0;

	noise_script_open(f, true);
	cap = f->l->up_rx->cap;
	for (int i = 0; i < 20; i++) {
		size_t n = noise_peer_seal(&f->peer, memset(plain, i, sizeof plain), sizeof plain, f->buf);

		f->s.rx.cap = 2000000;
		side_feed(&f->s, f->buf, n, 1);
		fed += sizeof plain;
		assert_true(gn_pipe_len(f->l->up_rx) <= cap);
	}
	assert_true(gn_pipe_len(f->l->up_rx) > cap - 65536);
	assert_true(gn_pipe_len(&f->s.rx) >= fed - cap);
	for (int i = 0; came < fed; i++) {
		size_t n = gn_pipe_len(f->l->up_rx) < 7777 ? gn_pipe_len(f->l->up_rx) : 7777;
		uint8_t got[7777];

		assert_true(n > 0);
		gn_pipe_copy(f->l->up_rx, got, n);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(got[k], (uint8_t)((came + k) / sizeof plain));
		gn_pipe_skip(f->l->up_rx, n);
		came += n;
		gn_stack_mark_top(&f->s.stack);
		(void)side_pump(&f->s, 1);
	}
	noise_script_stop(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, noise_script_setup, noise_script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(empty_records_are_skipped),
		T(a_record_shorter_than_its_tag_is_an_error),
		T(the_longest_record_is_opened),
		T(a_record_in_pieces_is_opened_in_place),
		T(a_record_in_any_number_of_pieces_is_opened),
		T(a_changed_record_in_pieces_fails_the_layer),
		T(a_record_is_sent_in_a_small_block_when_the_scope_is_used_up),
		T(the_first_records_are_short_and_later_ones_full),
		T(a_record_is_not_longer_than_configured),
		T(a_record_fits_a_frame_of_yamux),
		T(an_end_of_file_inside_a_record_is_truncation),
		T(a_changed_record_fails_the_layer),
		T(replayed_and_reordered_records_fail_the_layer),
		T(a_full_pipe_above_stops_the_layer),
	};

	return cmocka_run_group_tests_name("noise: records at the layer", tests, NULL, NULL);
}
