/* SPDX-License-Identifier: MIT */
/* The chunks of /gn/cat/1.0.0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gn-cat/protocol.c"
#include "support/support.h"

/* ---- receiving ---- */

struct received {
	uint8_t bodies[4096];
	size_t n;
	char control[64]; /* the control chunks received, one letter each */
	uint64_t number[64];
	int err;
};

static void receive_bytes(struct cat_rx *rx, const uint8_t *p, size_t n, struct received *h)
{
	size_t took;

	while (n > 0 && h->err == 0) {
		uint64_t number = UINT64_MAX;
		int r = cat_rx_step(rx, p, n, &took, &number);

		assert_true(took <= n);
		if (r == CAT_DATA) {
			assert_true(took > 0);
			assert_true(h->n + took <= sizeof h->bodies);
			memcpy(h->bodies + h->n, p, took);
			h->n += took;
		} else if (r > 0) {
			h->number[strlen(h->control)] = number;
			h->control[strlen(h->control)] = "?DEWF"[r];
		} else if (r < 0) {
			h->err = r;
			return;
		} else {
			assert_true(took == n || (took > 0 && rx->left > 0));
		}
		p += took;
		n -= took;
	}
}

static void chunks_are_read_in_any_pieces(void **state)
{
	static const uint8_t wire[] = {1, 3, 'a', 'b', 'c', 4, 2, 1, 0x80, 1, /* 128 bytes: */ 'x'};
	uint8_t all[sizeof wire + 127 + 8];
	static const uint8_t tail[] = {2, 0x83, 1, 3, 0xff, 0xff, 3};
	size_t n = sizeof wire + 127;

	(void)state;
	memcpy(all, wire, sizeof wire);
	memset(all + sizeof wire, 'x', 127);
	memcpy(all + n, tail, 3);
	n += 3;
	for (size_t step = 1; step <= n; step++) {
		struct cat_rx rx = {0};
		struct received h = {0};

		for (size_t at = 0; at < n; at += step)
			receive_bytes(&rx, all + at, n - at < step ? n - at : step, &h);
		assert_int_equal(h.err, 0);
		assert_string_equal(h.control, "FE");
		assert_int_equal(h.number[0], 2);
		assert_int_equal(h.number[1], 131);
		assert_int_equal(h.n, 131);
		assert_memory_equal(h.bodies, "abcx", 4);
		assert_int_equal(rx.total, 131);
		assert_true(rx.is_ended && rx.has_verdict);
	}
}

static void written_carries_its_total(void **state)
{
	static const uint8_t wire[] = {3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
	struct cat_rx rx = {0};
	struct received h = {0};

	(void)state;
	receive_bytes(&rx, wire, sizeof wire, &h);
	assert_string_equal(h.control, "W");
	assert_true(h.number[0] == INT64_MAX);
}

static void refuses(const void *wire, size_t n)
{
	struct cat_rx rx = {0};
	struct received h = {0};

	receive_bytes(&rx, wire, n, &h);
	assert_int_equal(h.err, GN_EPROTO);
	/* The last byte is the first wrong one, so there is no error before it. */
	memset(&rx, 0, sizeof rx);
	memset(&h, 0, sizeof h);
	receive_bytes(&rx, wire, n - 1, &h);
	assert_int_equal(h.err, 0);
}
#define refuses(text) (refuses)(text, sizeof text - 1)

static void malformed_chunks_are_rejected(void **state)
{
	(void)state;
	refuses("\0");
	refuses("\5");
	refuses("\xff");
	refuses("\1\0");                                   /* an empty data chunk */
	refuses("\1\x81\x80\x80\x08");                     /* CAT_CHUNK_MAX + 1 bytes */
	refuses("\1\x80\0");                               /* a varint that is not minimal */
	refuses("\1\x80\x80\x80\x80\x80\x80\x80\x80\x80"); /* a varint of more than nine bytes */
	refuses("\1\1a\2\2");                              /* an END with the wrong total */
	refuses("\2\0\2\0");                               /* two ENDs */
	refuses("\2\0\1\1");                               /* data behind the END */
	refuses("\3\0\3\0");                               /* two results */
	refuses("\3\0\4\1");
	refuses("\4\1\3\0");
}

static void a_chunk_may_be_as_long_as_the_limit(void **state)
{
	static const uint8_t wire[] = {1, 0x80, 0x80, 0x80, 0x08};
	struct cat_rx rx = {0};
	struct received h = {0};

	(void)state;
	receive_bytes(&rx, wire, sizeof wire, &h);
	assert_int_equal(h.err, 0);
	assert_true(rx.left == CAT_CHUNK_MAX);
}

static void a_copied_receiver_runs_ahead(void **state)
{
	static const uint8_t wire[] = {1, 2, 'a', 'b', 2, 2};
	struct cat_rx rx = {0}, ahead;
	struct received h = {0}, late = {0};

	(void)state;
	receive_bytes(&rx, wire, 3, &h);
	ahead = rx;
	receive_bytes(&ahead, wire + 3, 3, &h);
	assert_string_equal(h.control, "E");
	receive_bytes(&rx, wire + 3, 3, &late);
	assert_string_equal(late.control, "E");
	assert_int_equal(late.n, 1);
}

static void raw_mode_passes_all_bytes(void **state)
{
	struct cat_rx rx = {.raw = true};
	struct received h = {0};

	(void)state;
	receive_bytes(&rx, (const uint8_t *)"\2\0\xff", 3, &h);
	assert_int_equal(h.n, 3);
	assert_string_equal(h.control, "");
	assert_int_equal(rx.total, 3);
}

/* ---- sending ---- */

/* Does what a channel does to send: peeks at up to `limit` bytes and consumes up to `part` of them.  Returns
 * the number of consumed bytes. */
static size_t pull(struct cat_tx *tx, uint8_t *out, size_t limit, size_t part)
{
	struct iovec v[4];
	int n = cat_tx_peek(tx, v, 4, limit);
	size_t shown = 0, at = 0;

	for (int i = 0; i < n; i++) {
		assert_true(v[i].iov_len > 0);
		for (size_t k = 0; k < v[i].iov_len && at < part; k++)
			out[at++] = ((uint8_t *)v[i].iov_base)[k];
		shown += v[i].iov_len;
	}
	assert_true(shown <= limit);
	cat_tx_skip(tx, at);
	return at;
}

static void encoded_chunks_decode(void **state)
{
	uint8_t body[700], wire[4096];
	uint64_t first = 1, n_seeds = 300;
	struct rng r;

	(void)state;
	rng_seed(&r, 7);
	rng_fill(&r, body, sizeof body);
	rng_seeds(&first, &n_seeds);
	for (uint64_t seed = first; seed < first + n_seeds; seed++) {
		struct cat_tx tx = {0};
		struct cat_rx rx = {0};
		struct received h = {0};
		size_t n = 0, sent = 0;
		bool is_written = false;

		rng_seed(&r, seed);
		while (sent < sizeof body || !cat_tx_is_empty(&tx)) {
			if (cat_tx_is_empty(&tx)) {
				size_t k = 1 + rng_below(&r, (uint32_t)(sizeof body - sent));

				cat_tx_data(&tx, body + sent, k);
				sent += k;
			}
			if (!is_written && rng_below(&r, 4) == 0) {
				cat_tx_control(&tx, CAT_WRITTEN, 12345);
				is_written = true;
			}
			n += pull(&tx, wire + n, 1 + rng_below(&r, 900), 1 + rng_below(&r, 900));
		}
		cat_tx_control(&tx, CAT_END, tx.total);
		while (!cat_tx_is_empty(&tx))
			n += pull(&tx, wire + n, 3, 1 + rng_below(&r, 3));
		assert_int_equal(tx.total, sizeof body);
		assert_int_equal(tx.gone, sizeof body);
		receive_bytes(&rx, wire, n, &h);
		if (h.err != 0 || h.n != sizeof body || memcmp(h.bodies, body, h.n) != 0)
			fail_msg("seed %llu", (unsigned long long)seed);
		assert_string_equal(h.control, is_written ? "WE" : "E");
	}
}

static void control_chunks_follow_the_data(void **state)
{
	uint8_t body[3] = "abc", wire[64];
	struct cat_tx tx = {0};
	size_t n;

	(void)state;
	assert_true(cat_tx_is_empty(&tx));
	cat_tx_data(&tx, body, 3);
	cat_tx_control(&tx, CAT_FAIL, 2);
	n = pull(&tx, wire, 64, 64);
	assert_int_equal(n, 7);
	assert_memory_equal(wire, "\1\3abc\4\2", 7);
	assert_true(cat_tx_is_empty(&tx));
}

static void raw_mode_sends_no_chunk_headers(void **state)
{
	uint8_t body[3] = "abc", wire[64];
	struct cat_tx tx = {.raw = true};

	(void)state;
	cat_tx_data(&tx, body, 3);
	assert_int_equal(pull(&tx, wire, 64, 64), 3);
	assert_memory_equal(wire, "abc", 3);
}

static void all_control_chunks_fit(void **state)
{
	uint8_t wire[256];
	struct cat_tx tx = {0};
	struct cat_rx rx = {.total = INT64_MAX};
	struct received h = {0};
	size_t n;

	(void)state;
	cat_tx_control(&tx, CAT_END, INT64_MAX);
	cat_tx_control(&tx, CAT_WRITTEN, INT64_MAX);
	n = pull(&tx, wire, 256, 256);
	receive_bytes(&rx, wire, n, &h);
	assert_string_equal(h.control, "EW");
	assert_true(h.number[0] == INT64_MAX && h.number[1] == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_read_in_any_pieces),
		cmocka_unit_test(written_carries_its_total),
		cmocka_unit_test(malformed_chunks_are_rejected),
		cmocka_unit_test(a_chunk_may_be_as_long_as_the_limit),
		cmocka_unit_test(a_copied_receiver_runs_ahead),
		cmocka_unit_test(raw_mode_passes_all_bytes),
		cmocka_unit_test(encoded_chunks_decode),
		cmocka_unit_test(control_chunks_follow_the_data),
		cmocka_unit_test(raw_mode_sends_no_chunk_headers),
		cmocka_unit_test(all_control_chunks_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
