/* SPDX-License-Identifier: MIT */
#include "support/support.h"

static void a_new_pipe_is_empty_and_open(void **state)
{
	struct pipe_pair *f = *state;
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
	struct pipe_pair *f = *state;

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
	struct pipe_pair *f = *state;

	assert_int_equal(gn_pipe_put(&f->p, "", 0), 0);
	assert_int_equal(gn_pipe_write(&f->p, "", 0), 0);
	assert_int_equal(gn_pipe_len(&f->p), 0);
	assert_int_equal(f->p.head == NULL, 1);
}

/* A put may be larger than the maximum size of a block. */
static void a_large_put_spans_blocks(void **state)
{
	struct pipe_pair *f = *state;
	size_t n = 3 * GN_BLOCK_MAX + 17;
	uint8_t *big = malloc(n);

	assert_non_null(big);
	for (size_t i = 0; i < n; i++)
		big[i] = (uint8_t)i;
	assert_int_equal(gn_pipe_put(&f->p, big, n), 0);
	pipe_assert_run(&f->p, n, 0);
	free(big);
}

static void the_end_comes_behind_the_last_byte(void **state)
{
	struct pipe_pair *f = *state;
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

static void an_error_comes_behind_the_last_byte_too(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t *out;

	assert_int_equal(gn_pipe_put(&f->p, "xyz", 3), 0);
	gn_pipe_close(&f->p, -104);
	gn_pipe_close(&f->p, GN_EOF); /* a second close has no effect */
	assert_int_equal(gn_pipe_end(&f->p), 0);
	assert_int_equal(gn_pipe_whole(&f->p, 3, &out), 0);
	assert_memory_equal(out, "xyz", 3);
	gn_pipe_skip(&f->p, 3);
	assert_int_equal(gn_pipe_end(&f->p), -104);
	assert_int_equal(gn_pipe_whole(&f->p, 1, &out), -104);
}

static void a_reset_drops_buffered_bytes(void **state)
{
	struct pipe_pair *f = *state;

	pipe_pair_fill(f, &f->p, 1000, 0);
	assert_int_equal(gn_pipe_put(&f->p, "own", 3), 0);
	gn_pipe_reset(&f->p, GN_ERESET);
	assert_int_equal(gn_pipe_len(&f->p), 0);
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
	assert_int_equal(gn_pipe_put(&f->p, "a", 1), GN_ERESET);
	assert_true(gn_list_is_empty(&f->s.borrowers));
	gn_pipe_reset(&f->p, GN_EPROTO); /* a second reset has no effect */
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
}

static void a_reset_replaces_an_end_of_file(void **state)
{
	struct pipe_pair *f = *state;

	assert_int_equal(gn_pipe_put(&f->p, "a", 1), 0);
	gn_pipe_close(&f->p, GN_EOF);
	gn_pipe_reset(&f->p, GN_ERESET);
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
}

static void whole_joins_pieces(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t *out;

	pipe_pair_fill(f, &f->q, 5000, 0);
	for (int i = 0; i < 50; i++) { /* settle now and then, so that the bytes are in many blocks */
		assert_int_equal(gn_pipe_move(&f->p, &f->q, 100), 0);
		if (i % 10 == 9)
			assert_int_equal(gn_pipe_settle(&f->p), 0);
	}
	for (size_t n = 1; n <= 5000; n += 333) {
		assert_int_equal(gn_pipe_whole(&f->p, n, &out), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], (uint8_t)i);
		pipe_assert_run(&f->p, 5000, 0);
	}
	gn_pipe_skip(&f->p, 4000);
	pipe_assert_run(&f->p, 1000, (uint8_t)4000);
}

/* A unit that begins in owned bytes and ends in borrowed ones. */
static void whole_joins_owned_and_borrowed_bytes(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t *out;

	pipe_pair_fill(f, &f->p, 300, 0);
	assert_int_equal(gn_pipe_settle(&f->p), 0);
	pipe_pair_fill(f, &f->q, 300, 44);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, 300), 0);
	assert_int_equal(f->p.owned, 300);
	assert_int_equal(f->p.borrowed, 300);
	assert_int_equal(gn_pipe_whole(&f->p, 310, &out), 0);
	pipe_assert_run(&f->p, 600, 0);
	for (size_t i = 0; i < 310; i++)
		assert_int_equal(out[i], (uint8_t)i);
}

static void pieces_are_shown_where_they_are(void **state)
{
	struct pipe_pair *f = *state;
	struct iovec v[3];
	uint8_t *whole;

	assert_int_equal(gn_pipe_pieces(&f->p, 1, v, 3), GN_EAGAIN);
	pipe_pair_fill(f, &f->p, 300, 0);
	assert_int_equal(gn_pipe_settle(&f->p), 0);
	pipe_pair_fill(f, &f->q, 300, 44);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, 300), 0);
	assert_int_equal(gn_pipe_pieces(&f->p, 300, v, 1), 1);
	assert_int_equal(v[0].iov_len, 300);
	assert_int_equal(gn_pipe_pieces(&f->p, 301, v, 3), 2);
	assert_int_equal(v[0].iov_len, 300);
	assert_int_equal(v[1].iov_len, 1);
	assert_int_equal(gn_pipe_pieces(&f->p, 600, v, 2), 2);
	assert_int_equal(v[1].iov_len, 300);
	assert_int_equal(f->p.borrowed, 300);
	/* More than max pieces are copied into one. */
	assert_int_equal(gn_pipe_pieces(&f->p, 310, v, 1), 1);
	assert_int_equal(v[0].iov_len, 310);
	assert_int_equal(gn_pipe_whole(&f->p, 310, &whole), 0);
	assert_ptr_equal(v[0].iov_base, whole);
	pipe_assert_run(&f->p, 600, 0);
	assert_int_equal(gn_pipe_pieces(&f->p, 601, v, 3), GN_EAGAIN);
	gn_pipe_close(&f->p, GN_EOF);
	assert_int_equal(gn_pipe_pieces(&f->p, 601, v, 3), GN_ETRUNC);
	gn_pipe_skip(&f->p, 600);
	assert_int_equal(gn_pipe_pieces(&f->p, 1, v, 3), GN_EOF);
}

enum { FILLED = 10000 };

/* Leaves n bytes in a block of q that `filled` bytes were put into, moves them to p, and returns whether they are where they
 * were. */
static bool is_moved_in_place_of(struct pipe_pair *f, size_t filled, size_t n)
{
	static const uint8_t bytes[FILLED];
	struct iovec before, after;

	assert_int_equal(gn_pipe_put(&f->q, bytes, filled), 0);
	gn_pipe_skip(&f->q, filled - n);
	assert_int_equal(gn_pipe_peek(&f->q, &before, 1, n), 1);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, n), 0);
	assert_int_equal(gn_pipe_len(&f->q), 0);
	assert_null(f->q.head);
	assert_int_equal(gn_pipe_peek(&f->p, &after, 1, SIZE_MAX), 1);
	assert_int_equal(after.iov_len, n);
	gn_pipe_skip(&f->p, n);
	assert_null(f->p.head);
	return before.iov_base == after.iov_base;
}

static bool is_moved_in_place(struct pipe_pair *f, size_t n)
{
	return is_moved_in_place_of(f, FILLED, n);
}

static void a_block_is_moved_unless_its_bytes_fit_a_smaller_one(void **state)
{
	struct pipe_pair *f = *state;
	static const uint8_t bytes[FILLED];
	struct gn_scope from, to;
	size_t smaller = gn_block_room(1);

	gn_pipe_init(&f->p, &f->s, 1 << 20);
	gn_pipe_init(&f->q, &f->s, 1 << 20);
	assert_true(is_moved_in_place(f, FILLED));
	assert_true(is_moved_in_place(f, smaller + 1));
	assert_false(is_moved_in_place(f, smaller));
	assert_true(is_moved_in_place_of(f, 3000, 2048));
	assert_false(is_moved_in_place_of(f, 3000, 2047));
	/* The charge of a block moves with it. */
	gn_scope_init(&from, NULL, 1 << 20);
	gn_scope_init(&to, NULL, gn_block_room(FILLED));
	f->q.scope = &from;
	f->p.scope = &to;
	assert_int_equal(gn_pipe_put(&f->q, bytes, FILLED), 0);
	assert_int_equal(from.used, gn_block_room(FILLED));
	assert_int_equal(gn_pipe_move(&f->p, &f->q, FILLED), 0);
	assert_int_equal(from.used, 0);
	assert_int_equal(to.used, gn_block_room(FILLED));
	/* There is no room for a second one. */
	assert_int_equal(gn_pipe_put(&f->q, bytes, FILLED), 0);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, FILLED), GN_ELIMIT);
	gn_pipe_reset(&f->q, GN_ECLOSED);
	assert_int_equal(from.used + to.used, 0);
	f->q.scope = f->p.scope = NULL;
}

static void blocks_are_moved_behind_others_in_order(void **state)
{
	struct pipe_pair *f = *state;
	uint8_t bytes[FILLED];

	gn_pipe_init(&f->p, &f->s, 1 << 20);
	gn_pipe_init(&f->q, &f->s, 1 << 20);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i + 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(gn_pipe_put(&f->p, &(uint8_t){(uint8_t)i}, 1), 0);
	assert_int_equal(gn_pipe_put(&f->q, bytes, sizeof bytes), 0);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, 9999), 0); /* a part of a block */
	assert_int_equal(gn_pipe_move(&f->p, &f->q, 1), 0);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, 1), GN_ETRUNC);
	assert_int_equal(gn_pipe_put(&f->q, bytes, sizeof bytes), 0);
	assert_int_equal(gn_pipe_move(&f->p, &f->q, sizeof bytes), 0);
	gn_pipe_skip(&f->p, 100 + sizeof bytes);
	pipe_assert_run(&f->p, sizeof bytes, 100);
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

static void a_source_comes_behind_the_bytes(void **state)
{
	struct pipe_pair *f = *state;
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
	assert_int_equal(gn_pipe_whole(&f->p, 4, &out), GN_EAGAIN); /* it does not read from the source */
	gn_pipe_skip(&f->p, 5);
	assert_string_equal(t.at, "urce");
	gn_pipe_close(&f->p, GN_EOF);
	assert_int_equal(gn_pipe_end(&f->p), 0); /* the source's bytes come before the end */
	gn_pipe_skip(&f->p, 4);
	assert_int_equal(gn_pipe_end(&f->p), GN_EOF);
}

static void a_reset_drops_the_source(void **state)
{
	struct pipe_pair *f = *state;
	struct text t = {"source"};

	gn_pipe_source(&f->p, &text_source, &t);
	gn_pipe_reset(&f->p, GN_ERESET);
	assert_int_equal(gn_pipe_end(&f->p), GN_ERESET);
	assert_string_equal(t.at, "source");
}

static void a_drained_pipe_holds_no_block(void **state)
{
	struct pipe_pair *f = *state;

	for (int i = 0; i < 100; i++)
		assert_true(gn_pipe_write(&f->p, "0123456789", 10) == 10);
	assert_non_null(f->p.head);
	gn_pipe_skip(&f->p, 1000);
	assert_null(f->p.head);
	assert_null(f->p.tail);
}

/* ---- scopes ---- */

static void blocks_are_charged_but_for_the_first_small_one(void **state)
{
	static const uint8_t big[100000];
	struct pipe_pair *f = *state;
	struct gn_scope b = {.max = 200000};

	f->p.scope = &b;
	assert_int_equal(gn_pipe_put(&f->p, big, 4000), 0);
	assert_int_equal(b.used, 0);
	assert_int_equal(gn_pipe_put(&f->p, big, 4000), 0);
	assert_int_equal(b.used, gn_block_room(4000));
	gn_pipe_skip(&f->p, 8000);
	assert_int_equal(b.used, 0);
	assert_int_equal(gn_pipe_put(&f->p, big, sizeof big), 0);
	assert_true(b.used >= sizeof big && b.used <= 2 * GN_BLOCK_MAX);
	gn_pipe_reset(&f->p, GN_ERESET);
	assert_int_equal(b.used, 0);
}

static void without_room_in_its_scope_a_pipe_is_full(void **state)
{
	static const uint8_t big[300000];
	struct pipe_pair *f = *state;
	struct gn_scope whole = {.max = 200000}, b = {.parent = &whole, .max = SIZE_MAX, .is_fair = true};
	ptrdiff_t n;

	f->p.scope = &b;
	/* A write accepts as many bytes as the pipe's share of the memory allows. */
	n = gn_pipe_write(&f->p, big, sizeof big);
	assert_true(n >= 60000 && n < 110000);
	assert_true(b.used <= 100000);
	assert_int_equal(gn_pipe_write(&f->p, big, sizeof big), GN_EAGAIN);
	assert_int_equal(gn_pipe_put(&f->p, big, 70000), GN_EAGAIN);
	assert_int_equal(gn_pipe_len(&f->p), n);
	gn_pipe_skip(&f->p, (size_t)n);
	assert_int_equal(whole.used, 0);
	/* An empty pipe accepts one block even when other pipes have used its share of the memory. */
	whole.used = 199000;
	assert_int_equal(gn_pipe_write(&f->p, big, sizeof big), (ptrdiff_t)gn_block_room(1));
	assert_int_equal(gn_pipe_write(&f->p, big, 1), GN_EAGAIN);
	assert_int_equal(whole.used, 199000);
	gn_pipe_skip(&f->p, gn_block_room(1));
	/* A put into an empty pipe counts against the whole memory, not against the share. */
	assert_int_equal(gn_pipe_put(&f->p, big, 20000), GN_ELIMIT);
	whole.used = 100000;
	assert_int_equal(gn_pipe_put(&f->p, big, 90000), GN_ELIMIT);
	assert_int_equal(gn_pipe_put(&f->p, big, 60000), 0);
	assert_int_equal(whole.used, 100000 + gn_block_room(60000));
	gn_pipe_fini(&f->p);
	assert_int_equal(whole.used, 100000);
}

/* After random puts, writes and skips no put was partial, and the scope is charged for the blocks that
 * are held. */
static void random_puts_are_charged_for_what_is_held(void **state)
{
	static const uint8_t big[150000];
	uint64_t first = 1, n = 200;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct gn_scope whole = {0}, b = {.parent = &whole, .max = SIZE_MAX, .is_fair = true};
		struct gn_iobuf s;
		struct gn_pipe p;
		struct rng r;

		rng_seed(&r, seed);
		gn_iobuf_init(&s);
		gn_pipe_init(&p, &s, 1 << 20);
		p.scope = &b;
		whole.max = rng_size(&r, 1 << 20);
		for (int i = 0; i < 300; i++) {
			size_t len = gn_pipe_len(&p), total = 0, charged = 0;
			struct iovec v[4];
			ptrdiff_t k = 0;

			switch (rng_below(&r, 3)) {
			case 0:
				for (int j = 0; j < 4; j++) {
					v[j].iov_base = (void *)(uintptr_t)big;
					v[j].iov_len = rng_size(&r, rng_one_in(&r, 2) ? 9 : sizeof big);
					total += v[j].iov_len;
				}
				k = gn_pipe_putv(&p, v, 4);
				assert_true(k == 0 || k == (len == 0 ? GN_ELIMIT : GN_EAGAIN) || len + total > p.cap);
				len += k == 0 ? total : 0;
				break;
			case 1:
				total = 1 + rng_size(&r, sizeof big - 1);
				k = gn_pipe_write(&p, big, total);
				assert_true(k > 0 || (k == GN_EAGAIN && len > 0));
				len += k > 0 ? (size_t)k : 0;
				break;
			default:
				total = rng_size(&r, len);
				gn_pipe_skip(&p, total);
				len -= total;
			}
			assert_int_equal(gn_pipe_len(&p), len);
			for (const struct gn_block *at = p.head; at != NULL; at = at->next)
				charged += at->is_charged ? at->room : 0;
			assert_int_equal(b.used, charged);
			assert_int_equal(whole.used, charged);
			assert_true(charged <= whole.max);
		}
		gn_pipe_fini(&p);
		assert_int_equal(whole.used, 0);
		gn_iobuf_fini(&s);
	}
}

/* ---- the model ---- */

static void random_operations_behave_as_a_queue(void **state)
{
	uint64_t first = 1, n = 150;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct rng r;
		struct pipe_model m;

		rng_seed(&r, seed);
		pipe_model_init(&m, &r);
		for (int i = 0; i < 300; i++)
			if (!pipe_model_step(&m))
				fail_msg("GN_SEED=%llu, operation number %d", (unsigned long long)seed, i);
		pipe_model_fini(&m);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, pipe_pair_setup, pipe_pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_pipe_is_empty_and_open),
		T(put_takes_all_or_nothing_up_to_the_cap),
		T(writing_nothing_is_no_error),
		T(a_large_put_spans_blocks),
		T(the_end_comes_behind_the_last_byte),
		T(an_error_comes_behind_the_last_byte_too),
		T(a_reset_drops_buffered_bytes),
		T(a_reset_replaces_an_end_of_file),
		T(whole_joins_pieces),
		T(whole_joins_owned_and_borrowed_bytes),
		T(pieces_are_shown_where_they_are),
		T(a_block_is_moved_unless_its_bytes_fit_a_smaller_one),
		T(blocks_are_moved_behind_others_in_order),
		T(a_source_comes_behind_the_bytes),
		T(a_reset_drops_the_source),
		T(a_drained_pipe_holds_no_block),
		T(blocks_are_charged_but_for_the_first_small_one),
		T(without_room_in_its_scope_a_pipe_is_full),
		cmocka_unit_test(random_puts_are_charged_for_what_is_held),
		cmocka_unit_test(random_operations_behave_as_a_queue),
	};

	return cmocka_run_group_tests_name("pipe", tests, NULL, NULL);
}
