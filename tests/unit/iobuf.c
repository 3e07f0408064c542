/* SPDX-License-Identifier: MIT */
#include "support/support.h"

static void whole_lets_the_reader_change_in_place(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t *at = pipe_pair_fill(f, &f->p, 100, 0), *out, got[100];

	gn_pipe_skip(&f->p, 2);
	assert_int_equal(gn_pipe_whole(&f->p, 50, &out), 0);
	assert_ptr_equal(out, at + 2); /* the bytes were not copied */
	memset(out, 'x', 50);
	gn_pipe_copy(&f->p, got, 98);
	assert_int_equal(got[49], 'x');
	assert_int_equal(got[50], 52);
}

static void a_read_goes_behind_the_rest_of_the_last_one(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t *at = pipe_pair_fill(f, &f->p, 1000, 0), *out;

	gn_pipe_skip(&f->p, 900);
	assert_ptr_equal(pipe_pair_fill(f, &f->p, 500, (uint8_t)1000),
			 at); /* the bytes are read to the same aligned address */
	pipe_assert_run(&f->p, 600, (uint8_t)900);
	assert_int_equal(gn_pipe_whole(&f->p, 600, &out), 0);
	assert_ptr_equal(out, at - 100); /* the bytes are contiguous and are not copied again */
}

static void a_rest_may_be_as_long_as_its_room(void **state)
{
	struct pipe_pair *f = *state;
	size_t room, n = GN_IOBUF_REST;
	uint8_t *out;

	pipe_pair_fill(f, &f->p, n, 0);
	pipe_pair_fill(f, &f->p, 100, (uint8_t)n);
	pipe_assert_run(&f->p, n + 100, 0);
	assert_null(gn_iobuf_fill(&f->s, &f->p, &room)); /* the rest is longer than its room */
	pipe_assert_run(&f->p, n + 100, 0);
	assert_int_equal(gn_pipe_whole(&f->p, 65537, &out), 0);
}

static void a_read_that_brings_nothing_keeps_the_rest(void **state)
{
	struct pipe_pair *f = *state;

	pipe_pair_fill(f, &f->p, 1000, 0);
	gn_pipe_skip(&f->p, 10);
	for (int i = 0; i < 5; i++) {
		pipe_pair_fill(f, &f->p, 0, 0);
		pipe_assert_run(&f->p, 990, 10);
	}
	assert_int_equal(gn_pipe_settle(&f->p), 0);
	pipe_pair_fill(f, &f->p, 0, 0);
	pipe_assert_run(&f->p, 990, 10);
}

/* The rest consists of many pieces, in an order in which an overlapping copy would corrupt them. */
static void a_rest_in_many_pieces_is_joined(void **state)
{
	struct pipe_pair *f = *state;

	pipe_pair_fill(f, &f->q, 60 * 512, 0);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(gn_pipe_move(&f->p, &f->q, 500), 0);
		gn_pipe_skip(&f->q, 12);
	}
	assert_true(f->p.borrowed == 60 * 500);
	pipe_pair_fill(f, &f->p, 1, 7);
	for (int i = 0; i < 60; i++) {
		uint8_t *out;

		assert_int_equal(gn_pipe_whole(&f->p, 500, &out), 0);
		for (int k = 0; k < 500; k++)
			assert_int_equal(out[k], (uint8_t)(i * 512 + k));
		gn_pipe_skip(&f->p, 500);
	}
	pipe_assert_run(&f->p, 1, 7);
}

static void a_read_for_another_pipe_copies_views(void **state)
{
	struct pipe_pair *f = *state;

	pipe_pair_fill(f, &f->p, 100000, 3);
	assert_int_equal(f->p.borrowed, 100000);
	pipe_pair_fill(f, &f->q, 100000, 99);
	assert_int_equal(f->p.owned, 100000);
	assert_int_equal(f->p.borrowed, 0);
	pipe_assert_run(&f->p, 100000, 3);
	pipe_assert_run(&f->q, 100000, 99);
	gn_pipe_skip(&f->p, 99000);
	pipe_pair_fill(f, &f->p, 10, (uint8_t)(3 + 100000));
	pipe_assert_run(&f->p, 1010, (uint8_t)(3 + 99000));
	pipe_assert_run(&f->q, 100000, 99);
}

/* Bytes are moved without a copy, however many pieces pass through the pipe in total. */
static void a_drained_pipe_may_borrow_again_and_again(void **state)
{
	struct pipe_pair *f = *state;

	pipe_pair_fill(f, &f->p, 100000, 0);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(gn_pipe_move(&f->q, &f->p, 8), 0);
		assert_int_equal(f->q.owned, 0);
		pipe_assert_run(&f->q, 8, (uint8_t)(i * 10));
		gn_pipe_skip(&f->q, 8);
		gn_pipe_skip(&f->p, 2);
	}
}

static void too_many_views_are_copied(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t got[3];

	pipe_pair_fill(f, &f->p, 100000, 0);
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

/* The pipe's array of views stays full; the place of a consumed view is used for a new one. */
static void consumed_views_make_room_for_new_ones(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t got[3];

	pipe_pair_fill(f, &f->p, 100000, 0);
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

/* There are more pipes than arrays of views.  The pipes without an array copy the bytes. */
static void pipes_without_a_run_of_views_copy(void **state)
{
	struct pipe_pair *f = *state;
	static struct gn_pipe many[100];

	pipe_pair_fill(f, &f->p, 100000, 0);
	for (int i = 0; i < 100; i++) {
		gn_pipe_init(&many[i], &f->s, 100000);
		assert_int_equal(gn_pipe_move(&many[i], &f->p, 1000), 0);
	}
	pipe_pair_fill(f, &f->q, 200000, 1);
	for (int i = 0; i < 100; i++) {
		pipe_assert_run(&many[i], 1000, (uint8_t)(1000 * i));
		gn_pipe_fini(&many[i]);
	}
}

static void fini_takes_a_pipe_off_the_lists(void **state)
{
	struct pipe_pair *f = *state;
	struct gn_pipe other;

	gn_pipe_init(&other, &f->s, 1 << 20);
	pipe_pair_fill(f, &other, 100, 0);
	assert_false(gn_list_is_empty(&f->s.borrowers));
	gn_pipe_fini(&other);
	assert_true(gn_list_is_empty(&f->s.borrowers));
	gn_pipe_init(&other, &f->s, 1 << 20);
	other.sends = true;
	assert_int_equal(gn_pipe_put(&other, "abc", 3), 0);
	assert_ptr_equal(f->s.sender, &other);
	gn_pipe_fini(&other);
	assert_null(f->s.sender);
	pipe_pair_fill(f, &f->p, 10, 0);
}

/* ---- the send buffer ---- */

static void bytes_in_the_send_buffer_stay_one_piece(void **state)
{
	struct pipe_pair *f = *state;
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
	/* After a short write there is no room until the rest was sent. */
	gn_pipe_skip(&f->p, 4 * 65537 - 1);
	assert_null(gn_pipe_reserve(&f->p, 65537));
	assert_int_equal(gn_pipe_peek(&f->p, v, 4, 1 << 20), 1);
	assert_int_equal(((uint8_t *)v[0].iov_base)[0], 3);
	gn_pipe_skip(&f->p, 1);
	assert_non_null(gn_pipe_reserve(&f->p, 65537));
}

/* The pipe is below its capacity, but the send buffer is full. */
static void a_put_uses_memory_when_the_send_buffer_is_full(void **state)
{
	struct pipe_pair *f = *state;
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

static void another_sender_copies_the_bytes_of_the_first(void **state)
{
	struct pipe_pair *f = *state;
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

/* ---- blocks ---- */

static void blocks_come_in_three_sizes(void **state)
{
	struct pipe_pair *f = *state;
	static const size_t want[] = {0, 1, 4032, 4033, 16320, 16321, GN_BLOCK_MAX};
	static const size_t room[] = {4032, 4032, 4032, 16320, 16320, GN_BLOCK_MAX, GN_BLOCK_MAX};
	struct gn_block *b[sizeof want / sizeof *want];

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		b[i] = gn_block_new(&f->s, want[i]);
		assert_non_null(b[i]);
		assert_int_equal(b[i]->room, room[i]);
		assert_int_equal(gn_block_room(want[i]), room[i]);
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

static void some_unused_blocks_of_each_size_are_kept(void **state)
{
	struct pipe_pair *f = *state;
	static const size_t room[] = {4032, 16320, GN_BLOCK_MAX}, kept[] = {16, 8, 8};

	for (int k = 0; k < 3; k++) {
		struct gn_block *b[17];

		for (size_t i = 0; i <= kept[k]; i++)
			b[i] = gn_block_new(&f->s, room[k]);
		f->s.freed = 0;
		for (size_t i = 0; i < kept[k]; i++)
			gn_block_free(&f->s, b[i]);
		assert_int_equal(f->s.freed, 0);
		gn_block_free(&f->s, b[kept[k]]);
		assert_int_equal(f->s.freed, room[k]);
		assert_int_equal(f->s.n_pool[k], kept[k]);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, pipe_pair_setup, pipe_pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(whole_lets_the_reader_change_in_place),
		T(a_read_goes_behind_the_rest_of_the_last_one),
		T(a_rest_may_be_as_long_as_its_room),
		T(a_read_that_brings_nothing_keeps_the_rest),
		T(a_rest_in_many_pieces_is_joined),
		T(a_read_for_another_pipe_copies_views),
		T(a_drained_pipe_may_borrow_again_and_again),
		T(too_many_views_are_copied),
		T(consumed_views_make_room_for_new_ones),
		T(pipes_without_a_run_of_views_copy),
		T(fini_takes_a_pipe_off_the_lists),
		T(bytes_in_the_send_buffer_stay_one_piece),
		T(a_put_uses_memory_when_the_send_buffer_is_full),
		T(another_sender_copies_the_bytes_of_the_first),
		T(blocks_come_in_three_sizes),
		T(some_unused_blocks_of_each_size_are_kept),
	};

	return cmocka_run_group_tests_name("iobuf", tests, NULL, NULL);
}
