/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipe_model.h"

struct fixture {
	struct gn_scratch s;
	struct gn_pipe p, q;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_scratch_init(&f->s);
	gn_pipe_init(&f->p, &f->s, 1 << 20);
	gn_pipe_init(&f->q, &f->s, 1 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gn_pipe_fini(&f->p);
	gn_pipe_fini(&f->q);
	gn_scratch_fini(&f->s);
	free(f);
	return 0;
}

/* A read of n bytes, each what its place since `from` says. */
static uint8_t *bring(struct fixture *f, struct gn_pipe *p, size_t n, uint8_t from)
{
	size_t room;
	uint8_t *at = gn_scratch_fill(&f->s, p, &room);

	assert_non_null(at);
	assert_int_equal((uintptr_t)at % 64, 0);
	assert_true(n <= room);
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(from + i);
	gn_scratch_filled(&f->s, p, n);
	return at;
}

static void assert_run(struct gn_pipe *p, size_t n, uint8_t from)
{
	uint8_t *got = malloc(n > 0 ? n : 1);

	assert_non_null(got);
	assert_int_equal(gn_pipe_len(p), n);
	gn_pipe_copy(p, got, n);
	for (size_t i = 0; i < n; i++)
		if (got[i] != (uint8_t)(from + i))
			fail_msg("byte %zu is %d, not %d", i, got[i], (uint8_t)(from + i));
	free(got);
}

static void a_new_pipe_is_empty_and_open(void **state)
{
	struct fixture *f = *state;
	struct iovec v;
	uint8_t *out;

	assert_int_equal(gn_pipe_len(&f->p), 0);
	assert_int_equal(gn_pipe_room(&f->p), 1 << 20);
	assert_int_equal(gn_pipe_peek(&f->p, &v, 1, 100), 0);
	assert_int_equal(gn_pipe_end(&f->p), 0);
	assert_int_equal(gn_pipe_whole(&f->p, 1, &out), GN_EAGAIN);
	assert_int_equal(gn_pipe_whole(&f->p, 0, &out), 0);
	assert_false(gn_pipe_is_closed(&f->p));
}

static void put_takes_all_or_nothing_up_to_the_cap(void **state)
{
	struct fixture *f = *state;

	f->p.cap = 10;
	assert_int_equal(gn_pipe_put(&f->p, "0123456", 7), 0);
	assert_int_equal(gn_pipe_put(&f->p, "789a", 4), GN_EAGAIN);
	assert_int_equal(gn_pipe_len(&f->p), 7);
	assert_int_equal(gn_pipe_write(&f->p, "789a", 4), 3);
	assert_int_equal(gn_pipe_write(&f->p, "a", 1), GN_EAGAIN);
	assert_int_equal(gn_pipe_room(&f->p), 0);
	assert_null(gn_pipe_reserve(&f->p, 1));
	gn_pipe_skip(&f->p, 2);
	assert_int_equal(gn_pipe_write(&f->p, "ab", 2), 2);
}

static void writing_nothing_is_no_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gn_pipe_put(&f->p, "", 0), 0);
	assert_int_equal(gn_pipe_write(&f->p, "", 0), 0);
	assert_int_equal(gn_pipe_len(&f->p), 0);
	assert_int_equal(f->p.head == NULL, 1);
}

/* A put is larger than any block. */
static void a_large_put_spans_blocks(void **state)
{
	struct fixture *f = *state;
	size_t n = 3 * GN_BLOCK_MAX + 17;
	uint8_t *big = malloc(n);

	assert_non_null(big);
	for (size_t i = 0; i < n; i++)
		big[i] = (uint8_t)i;
	assert_int_equal(gn_pipe_put(&f->p, big, n), 0);
	assert_run(&f->p, n, 0);
	free(big);
}

static void the_end_stands_behind_the_last_byte(void **state)
{
	struct fixture *f = *state;
	uint8_t *out;

	assert_int_equal(gn_pipe_put(&f->p, "xyz", 3), 0);
	gn_pipe_close(&f->p, GN_EOF);
	assert_true(gn_pipe_is_closed(&f->p));
	assert_int_equal(gn_pipe_put(&f->p, "a", 1), GN_EOF);
	assert_int_equal(gn_pipe_write(&f->p, "a", 1), GN_EOF);
	assert_null(gn_pipe_reserve(&f->p, 1));
	assert_int_equal(gn_pipe_end(&f->p), 0);
	assert_int_equal(gn_pipe_whole(&f->p, 3, &out), 0);
	assert_int_equal(gn_pipe_whole(&f->p, 4, &out), GN_ETRUNC);
	gn_pipe_skip(&f->p, 3);
	assert_int_equal(gn_pipe_end(&f->p), GN_EOF);
	assert_int_equal(gn_pipe_whole(&f->p, 1, &out), GN_EOF);
}

static void an_error_comes_in_order_too(void **state)
{
	struct fixture *f = *state;
	uint8_t *out;

	assert_int_equal(gn_pipe_put(&f->p, "xyz", 3), 0);
	gn_pipe_close(&f->p, -104);
	gn_pipe_close(&f->p, GN_EOF); /* the first end stays */
	assert_int_equal(gn_pipe_end(&f->p), 0);
	assert_int_equal(gn_pipe_whole(&f->p, 3, &out), 0);
	assert_memory_equal(out, "xyz", 3);
	gn_pipe_skip(&f->p, 3);
	assert_int_equal(gn_pipe_end(&f->p), -104);
	assert_int_equal(gn_pipe_whole(&f->p, 1, &out), -104);
}

static void a_reset_drops_what_is_there(void **state)
{
	struct fixture *f = *state;

	bring(f, &f->p, 1000, 0);
	assert_int_equal(gn_pipe_put(&f->p, "own", 3), 0);
	gn_pipe_reset(&f->p, GN_ERESET);
	assert_int_equal(gn_pipe_len(&f->p), 0);
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
	assert_int_equal(gn_pipe_put(&f->p, "a", 1), GN_ERESET);
	assert_true(gn_list_is_empty(&f->s.borrowers));
	gn_pipe_reset(&f->p, GN_EPROTO); /* the first error stays */
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
}

static void a_reset_comes_through_after_a_good_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gn_pipe_put(&f->p, "a", 1), 0);
	gn_pipe_close(&f->p, GN_EOF);
	gn_pipe_reset(&f->p, GN_ERESET);
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
}

static void a_unit_across_pieces_is_pulled_together(void **state)
{
	struct fixture *f = *state;
	uint8_t *out;

	bring(f, &f->q, 5000, 0);
	for (int i = 0; i < 50; i++) { /* owned and borrowed in turn would be settled: all own, in many blocks */
		assert_int_equal(gn_pipe_move(&f->p, &f->q, 100), 0);
		if (i % 10 == 9)
			assert_int_equal(gn_pipe_settle(&f->p), 0);
	}
	for (size_t n = 1; n <= 5000; n += 333) {
		assert_int_equal(gn_pipe_whole(&f->p, n, &out), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], (uint8_t)i);
		assert_run(&f->p, 5000, 0);
	}
	gn_pipe_skip(&f->p, 4000);
	assert_run(&f->p, 1000, (uint8_t)4000);
}

/* Owned bytes in front, borrowed ones behind: a unit that lies across. */
static void a_unit_across_owned_and_borrowed(void **state)
{
	struct fixture *f = *state;
	uint8_t *out;

	bring(f, &f->p, 300, 0);
	assert_int_equal(gn_pipe_settle(&f->p), 0);
	bring(f, &f->q, 300, 44);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, 300), 0);
	assert_int_equal(f->p.owned, 300);
	assert_int_equal(f->p.borrowed, 300);
	assert_int_equal(gn_pipe_whole(&f->p, 310, &out), 0);
	assert_run(&f->p, 600, 0);
	for (size_t i = 0; i < 310; i++)
		assert_int_equal(out[i], (uint8_t)i);
}

static void whole_lets_the_reader_change_in_place(void **state)
{
	struct fixture *f = *state;
	uint8_t *at = bring(f, &f->p, 100, 0), *out, got[100];

	gn_pipe_skip(&f->p, 2);
	assert_int_equal(gn_pipe_whole(&f->p, 50, &out), 0);
	assert_ptr_equal(out, at + 2); /* no copy */
	memset(out, 'x', 50);
	gn_pipe_copy(&f->p, got, 98);
	assert_int_equal(got[49], 'x');
	assert_int_equal(got[50], 52);
}

static void a_read_goes_behind_what_was_left(void **state)
{
	struct fixture *f = *state;
	uint8_t *at = bring(f, &f->p, 1000, 0), *out;

	gn_pipe_skip(&f->p, 900);
	assert_ptr_equal(bring(f, &f->p, 500, (uint8_t)1000), at); /* the same aligned place */
	assert_run(&f->p, 600, (uint8_t)900);
	assert_int_equal(gn_pipe_whole(&f->p, 600, &out), 0);
	assert_ptr_equal(out, at - 100); /* in one piece, not copied again */
}

static void the_longest_rest_has_room(void **state)
{
	struct fixture *f = *state;
	size_t room, n = GN_SCRATCH_REST;
	uint8_t *out;

	bring(f, &f->p, n, 0);
	bring(f, &f->p, 100, (uint8_t)n);
	assert_run(&f->p, n + 100, 0);
	assert_null(gn_scratch_fill(&f->s, &f->p, &room)); /* now it is over that */
	assert_run(&f->p, n + 100, 0);
	assert_int_equal(gn_pipe_whole(&f->p, 65537, &out), 0);
}

static void a_read_that_brings_nothing_loses_nothing(void **state)
{
	struct fixture *f = *state;

	bring(f, &f->p, 1000, 0);
	gn_pipe_skip(&f->p, 10);
	for (int i = 0; i < 5; i++) {
		bring(f, &f->p, 0, 0);
		assert_run(&f->p, 990, 10);
	}
	assert_int_equal(gn_pipe_settle(&f->p), 0);
	bring(f, &f->p, 0, 0);
	assert_run(&f->p, 990, 10);
}

/* Many pieces of one rest, in an order that an overlapping copy would break. */
static void a_rest_in_many_pieces(void **state)
{
	struct fixture *f = *state;

	bring(f, &f->q, 60 * 512, 0);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(gn_pipe_move(&f->p, &f->q, 500), 0);
		gn_pipe_skip(&f->q, 12);
	}
	assert_true(f->p.borrowed == 60 * 500);
	bring(f, &f->p, 1, 7);
	for (int i = 0; i < 60; i++) {
		uint8_t *out;

		assert_int_equal(gn_pipe_whole(&f->p, 500, &out), 0);
		for (int k = 0; k < 500; k++)
			assert_int_equal(out[k], (uint8_t)(i * 512 + k));
		gn_pipe_skip(&f->p, 500);
	}
	assert_run(&f->p, 1, 7);
}

static void a_read_of_another_evicts_views(void **state)
{
	struct fixture *f = *state;

	bring(f, &f->p, 100000, 3);
	assert_int_equal(f->p.borrowed, 100000);
	bring(f, &f->q, 100000, 99);
	assert_int_equal(f->p.owned, 100000);
	assert_int_equal(f->p.borrowed, 0);
	assert_run(&f->p, 100000, 3);
	assert_run(&f->q, 100000, 99);
	gn_pipe_skip(&f->p, 99000);
	bring(f, &f->p, 10, (uint8_t)(3 + 100000));
	assert_run(&f->p, 1010, (uint8_t)(3 + 99000));
	assert_run(&f->q, 100000, 99);
}

/* What passes is moved without a copy, however many pieces pass in all. */
static void a_drained_pipe_borrows_for_ever(void **state)
{
	struct fixture *f = *state;

	bring(f, &f->p, 100000, 0);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(gn_pipe_move(&f->q, &f->p, 8), 0);
		assert_int_equal(f->q.owned, 0);
		assert_run(&f->q, 8, (uint8_t)(i * 10));
		gn_pipe_skip(&f->q, 8);
		gn_pipe_skip(&f->p, 2);
	}
}

static void too_many_pieces_become_memory(void **state)
{
	struct fixture *f = *state;
	uint8_t got[3];

	bring(f, &f->p, 100000, 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(gn_pipe_move(&f->q, &f->p, 3), 0);
		gn_pipe_skip(&f->p, 1);
	}
	assert_int_equal(gn_pipe_len(&f->q), 3000);
	for (int i = 0; i < 1000; i++) {
		gn_pipe_copy(&f->q, got, 3);
		assert_int_equal(got[0], (uint8_t)(4 * i));
		assert_int_equal(got[2], (uint8_t)(4 * i + 2));
		gn_pipe_skip(&f->q, 3);
	}
}

/* As many pieces as a run has, always: those that were read make room for new ones. */
static void pieces_come_and_go(void **state)
{
	struct fixture *f = *state;
	uint8_t got[3];

	bring(f, &f->p, 100000, 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(gn_pipe_move(&f->q, &f->p, 3), 0);
		gn_pipe_skip(&f->p, 1);
		if (i < GN_PIPE_VIEWS - 1)
			continue;
		assert_int_equal(f->q.owned, 0); /* nothing was copied */
		gn_pipe_copy(&f->q, got, 3);
		assert_int_equal(got[0], (uint8_t)(4 * (i - GN_PIPE_VIEWS + 1)));
		gn_pipe_skip(&f->q, 3);
	}
}

/* More pipes with views than there are runs of views. */
static void a_hundred_borrowers(void **state)
{
	struct fixture *f = *state;
	static struct gn_pipe many[100];

	bring(f, &f->p, 100000, 0);
	for (int i = 0; i < 100; i++) {
		gn_pipe_init(&many[i], &f->s, 100000);
		assert_int_equal(gn_pipe_move(&many[i], &f->p, 1000), 0);
	}
	bring(f, &f->q, 200000, 1);
	for (int i = 0; i < 100; i++) {
		assert_run(&many[i], 1000, (uint8_t)(1000 * i));
		gn_pipe_fini(&many[i]);
	}
}

static void fini_leaves_the_lists(void **state)
{
	struct fixture *f = *state;
	struct gn_pipe other;

	gn_pipe_init(&other, &f->s, 1 << 20);
	bring(f, &other, 100, 0);
	assert_false(gn_list_is_empty(&f->s.borrowers));
	gn_pipe_fini(&other);
	assert_true(gn_list_is_empty(&f->s.borrowers));
	gn_pipe_init(&other, &f->s, 1 << 20);
	other.sends = true;
	assert_int_equal(gn_pipe_put(&other, "abc", 3), 0);
	assert_ptr_equal(f->s.sender, &other);
	gn_pipe_fini(&other);
	assert_null(f->s.sender);
	bring(f, &f->p, 10, 0);
}

/* ---- the send buffer ---- */

static void what_is_sent_stays_one_piece(void **state)
{
	struct fixture *f = *state;
	struct iovec v[4];

	f->p.sends = true;
	for (int i = 0; i < 4; i++) {
		uint8_t *at = gn_pipe_reserve(&f->p, 65537);

		assert_non_null(at);
		if (i == 0)
			assert_int_equal((uintptr_t)at % 64, 0);
		memset(at, i, 65537);
		gn_pipe_commit(&f->p, 65537);
	}
	assert_null(gn_pipe_reserve(&f->p, 65537));
	assert_int_equal(gn_pipe_peek(&f->p, v, 4, 1 << 20), 1);
	assert_int_equal(v[0].iov_len, 4 * 65537);
	gn_pipe_skip(&f->p, 4 * 65537 - 1); /* a short write: no room before the rest has gone */
	assert_null(gn_pipe_reserve(&f->p, 65537));
	assert_int_equal(gn_pipe_peek(&f->p, v, 4, 1 << 20), 1);
	assert_int_equal(((uint8_t *)v[0].iov_base)[0], 3);
	gn_pipe_skip(&f->p, 1);
	assert_non_null(gn_pipe_reserve(&f->p, 65537));
}

/* The cap says there is room, the buffer is used up. */
static void a_put_finds_room_beside_the_buffer(void **state)
{
	struct fixture *f = *state;
	uint8_t *at, got[8];

	f->p.sends = true;
	for (int i = 0; i < 4; i++) {
		at = gn_pipe_reserve(&f->p, 65537);
		memset(at, i, 65537);
		gn_pipe_commit(&f->p, 65537);
	}
	gn_pipe_skip(&f->p, 4 * 65537 - 4);
	at = gn_pipe_reserve(&f->p, 60);
	assert_non_null(at);
	memset(at, 9, 60);
	gn_pipe_commit(&f->p, 60);
	assert_int_equal(gn_pipe_put(&f->p, "word", 4), 0);
	assert_int_equal(gn_pipe_len(&f->p), 68);
	gn_pipe_skip(&f->p, 60);
	gn_pipe_copy(&f->p, got, 8);
	assert_memory_equal(got, "\x09\x09\x09\x09word", 8);
}

static void another_sender_evicts(void **state)
{
	struct fixture *f = *state;
	uint8_t got[6];

	f->p.sends = f->q.sends = true;
	assert_int_equal(gn_pipe_put(&f->p, "one", 3), 0);
	assert_int_equal(gn_pipe_put(&f->q, "two", 3), 0);
	assert_int_equal(f->p.owned, 3);
	assert_int_equal(gn_pipe_put(&f->p, "ONE", 3), 0);
	assert_int_equal(gn_pipe_put(&f->q, "TWO", 3), 0);
	gn_pipe_copy(&f->p, got, 6);
	assert_memory_equal(got, "oneONE", 6);
	gn_pipe_copy(&f->q, got, 6);
	assert_memory_equal(got, "twoTWO", 6);
}

/* ---- a source ---- */

struct text {
	const char *at;
};

static int text_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct text *t = arg;
	size_t n = strlen(t->at);
	char *p;

	if (n == 0 || max == 0)
		return 0;
	memcpy(&p, &t->at, sizeof p);
	v[0].iov_base = p;
	v[0].iov_len = n < limit ? n : limit;
	return 1;
}

static void text_skip(void *arg, size_t n)
{
	struct text *t = arg;

	assert_true(n <= strlen(t->at));
	t->at += n;
}

static const struct gn_source text_source = {.peek = text_peek, .skip = text_skip};

static void a_source_stands_behind_the_bytes(void **state)
{
	struct fixture *f = *state;
	struct text t = {"source"};
	struct iovec v[4];
	uint8_t *out;

	gn_pipe_source(&f->p, &text_source, &t);
	assert_int_equal(gn_pipe_put(&f->p, "own", 3), 0);
	assert_int_equal(gn_pipe_len(&f->p), 3);
	assert_int_equal(gn_pipe_peek(&f->p, v, 4, 5), 2);
	assert_memory_equal(v[0].iov_base, "own", 3);
	assert_int_equal(v[1].iov_len, 2);
	assert_memory_equal(v[1].iov_base, "so", 2);
	assert_int_equal(gn_pipe_peek(&f->p, v, 4, 3), 1);
	assert_int_equal(gn_pipe_peek(&f->p, v, 1, 100), 1);
	assert_int_equal(gn_pipe_whole(&f->p, 4, &out), GN_EAGAIN); /* looks at memory only */
	gn_pipe_skip(&f->p, 5);
	assert_string_equal(t.at, "urce");
	gn_pipe_close(&f->p, GN_EOF);
	assert_int_equal(gn_pipe_end(&f->p), 0); /* the source's bytes come before the end */
	gn_pipe_skip(&f->p, 4);
	assert_int_equal(gn_pipe_end(&f->p), GN_EOF);
}

static void a_reset_drops_the_source(void **state)
{
	struct fixture *f = *state;
	struct text t = {"source"};

	gn_pipe_source(&f->p, &text_source, &t);
	gn_pipe_reset(&f->p, GN_ERESET);
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
	assert_string_equal(t.at, "source");
}

/* ---- blocks ---- */

static void blocks_come_in_three_sizes(void **state)
{
	struct fixture *f = *state;
	static const size_t want[] = {0, 1, 4032, 4033, 16320, 16321, GN_BLOCK_MAX};
	struct gn_block *b[sizeof want / sizeof *want];

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		b[i] = gn_block_new(&f->s, want[i]);
		assert_non_null(b[i]);
		assert_true(b[i]->room >= want[i]);
		memset(b[i]->data, 0xa5, b[i]->room);
	}
	assert_null(gn_block_new(&f->s, GN_BLOCK_MAX + 1));
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		gn_block_free(&f->s, b[i]);
	b[0] = gn_block_new(&f->s, 16320);
	assert_int_equal(b[0]->head, 0);
	assert_int_equal(b[0]->tail, 0);
	gn_block_free(&f->s, b[0]);
}

static void a_drained_pipe_holds_no_block(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++)
		assert_true(gn_pipe_write(&f->p, "0123456789", 10) == 10);
	assert_non_null(f->p.head);
	gn_pipe_skip(&f->p, 1000);
	assert_null(f->p.head);
	assert_null(f->p.tail);
}

/* ---- the model ---- */

static void random_operations_against_queues(void **state)
{
	uint64_t first = 1, n = 150;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct rng r;
		struct model m;

		rng_seed(&r, seed);
		model_init(&m, &r);
		for (int i = 0; i < 300; i++)
			if (!model_step(&m))
				fail_msg("GN_SEED=%llu, operation number %d", (unsigned long long)seed, i);
		model_fini(&m);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_pipe_is_empty_and_open),
		T(put_takes_all_or_nothing_up_to_the_cap),
		T(writing_nothing_is_no_error),
		T(a_large_put_spans_blocks),
		T(the_end_stands_behind_the_last_byte),
		T(an_error_comes_in_order_too),
		T(a_reset_drops_what_is_there),
		T(a_reset_comes_through_after_a_good_end),
		T(a_unit_across_pieces_is_pulled_together),
		T(a_unit_across_owned_and_borrowed),
		T(whole_lets_the_reader_change_in_place),
		T(a_read_goes_behind_what_was_left),
		T(the_longest_rest_has_room),
		T(a_read_that_brings_nothing_loses_nothing),
		T(a_rest_in_many_pieces),
		T(a_read_of_another_evicts_views),
		T(a_drained_pipe_borrows_for_ever),
		T(too_many_pieces_become_memory),
		T(pieces_come_and_go),
		T(a_hundred_borrowers),
		T(fini_leaves_the_lists),
		T(what_is_sent_stays_one_piece),
		T(a_put_finds_room_beside_the_buffer),
		T(another_sender_evicts),
		T(a_source_stands_behind_the_bytes),
		T(a_reset_drops_the_source),
		T(blocks_come_in_three_sizes),
		T(a_drained_pipe_holds_no_block),
		cmocka_unit_test(random_operations_against_queues),
	};

	return cmocka_run_group_tests_name("pipe", tests, NULL, NULL);
}
