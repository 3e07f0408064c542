/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "id/key.h"
#include "security/secure.h"
#include "support/support.h"

static const char *const yamux_only[] = {"/yamux/1.0.0", NULL};

struct both {
	struct pair p;
	struct gn_key *key[2];
	void *noise[2]; /* the states of /noise; the second is used when the sides do not share one */
	struct gn_layer *l[2];
};

static void both_init(struct both *b, bool shared)
{
	memset(b, 0, sizeof *b);
	pair_init(&b->p, shared);
	for (int i = 0; i < 2; i++) {
		uint8_t seed[32] = {(uint8_t)(i + 1)};
		struct gn_secure_cfg cfg = {.initiator = i == 0, .muxers = yamux_only};

		assert_int_equal(gn_key_new_seeded(seed, &b->key[i]), 0);
		assert_int_equal(gn_security_noise.start(NULL, NULL, &b->noise[i]), 0);
		cfg.state = b->noise[shared ? 0 : i];
		cfg.key = b->key[i];
		assert_int_equal(gn_stack_push(&b->p.side[i].stack, gn_security_noise.layer, &cfg, false, &b->l[i]), 0);
	}
}

static void both_fini(struct both *b)
{
	pair_fini(&b->p);
	gn_key_free(b->key[0]);
	gn_key_free(b->key[1]);
	gn_security_noise.stop(b->noise[0]);
	gn_security_noise.stop(b->noise[1]);
}

static uint8_t nth(int side, size_t i)
{
	return (uint8_t)(i * 5 + i / 251 + (size_t)side * 99);
}

/* Writes and reads random amounts.  Returns false when bytes were read that were not written. */
static bool traffic(struct both *b, struct rng *r, size_t *in, size_t *out, size_t total)
{
	for (int i = 0; i < 2; i++) {
		struct gn_pipe *tx = b->l[i]->up_tx, *rx = b->l[i]->up_rx;
		static uint8_t block[70000];
		size_t n = rng_size(r, sizeof block);
		struct iovec v[4];
		int views;

		if (n > total - in[i])
			n = total - in[i];
		for (size_t k = 0; k < n; k++)
			block[k] = nth(i, in[i] + k);
		if (n > 0 && gn_pipe_put(tx, block, n) == 0)
			in[i] += n;
		if (in[i] == total && !gn_pipe_is_closed(tx))
			gn_pipe_close(tx, GN_EOF);
		views = gn_pipe_peek(rx, v, 4, rng_size(r, 100000));
		for (int j = 0; j < views; j++) {
			for (size_t k = 0; k < v[j].iov_len; k++)
				if (((uint8_t *)v[j].iov_base)[k] != nth(!i, out[i]++))
					return false;
		}
		n = 0;
		for (int j = 0; j < views; j++)
			n += v[j].iov_len;
		gn_pipe_skip(rx, n);
		gn_stack_mark_top(&b->p.side[i].stack);
	}
	return true;
}

static void random_chunks_arrive_in_order(void **state)
{
	uint64_t first = 1, n = 60;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct rng r;
		struct both b;
		size_t in[2] = {0}, out[2] = {0}, total;
		unsigned rounds = 0;

		rng_seed(&r, seed);
		total = rng_size(&r, 600000);
		both_init(&b, rng_one_in(&r, 2));
		b.p.side[0].tx.sends = rng_one_in(&r, 2);
		b.p.side[1].tx.sends = rng_one_in(&r, 2);
		while (gn_pipe_end(b.l[0]->up_rx) == 0 || gn_pipe_end(b.l[1]->up_rx) == 0) {
			if (!traffic(&b, &r, in, out, total) || rounds++ > 1000000)
				fail_msg("GN_SEED=%llu: %zu of %zu, %zu of %zu", (unsigned long long)seed, out[0],
					 in[1], out[1], in[0]);
			pair_carry(&b.p, rng_size(&r, 150000) + 1, rng_one_in(&r, 2));
		}
		for (int i = 0; i < 2; i++) {
			assert_int_equal(out[i], total);
			assert_int_equal(gn_pipe_end(b.l[i]->up_rx), GN_EOF);
			assert_int_equal(b.p.side[i].n_steps, 1);
			assert_int_equal(gn_security_noise.info(b.l[i])->muxer, 0);
		}
		both_fini(&b);
	}
}

/* Transfers bytes in both directions, and changes a bit of what `victim` sends at the offset `where` on
 * the wire, or cuts the wire there. */
static void one_accident(struct both *b, struct rng *r, int victim, size_t where, bool cut)
{
	size_t in[2] = {0}, out[2] = {0};

	for (int rounds = 0; rounds < 300; rounds++) {
		for (int i = 0; i < 2; i++) {
			struct wire *w = &b->p.wire[i];
			size_t was = w->total;

			if (wire_take(w, &b->p.side[i].tx, SIZE_MAX))
				gn_stack_mark_bottom(&b->p.side[i].stack);
			if (i == victim && where >= was && where < w->total) {
				size_t at = w->at + w->len - (w->total - where);

				if (cut) {
					w->len = at - w->at;
					w->end = GN_EOF;
				} else {
					w->p[at] ^= (uint8_t)(1 << rng_below(r, 8));
				}
			} else if (i == victim && cut && where < was) {
				w->len = 0;
			}
		}
		for (int i = 0; i < 2; i++) {
			while (wire_give(&b->p.wire[i], &b->p.side[!i].rx, 40000, true))
				gn_stack_mark_bottom(&b->p.side[!i].stack);
			(void)side_pump(&b->p.side[!i], 1);
		}
		if (!traffic(b, r, in, out, 3000))
			fail_msg("GN_SEED=%d,%zu: changed bytes were delivered", victim, where);
		(void)side_pump(&b->p.side[0], 1);
		(void)side_pump(&b->p.side[1], 1);
	}
	/* What the victim sent after that offset was not delivered. */
	assert_true(out[!victim] < 3000);
	assert_true(gn_pipe_end(b->l[!victim]->up_rx) != GN_EOF || cut);
}

static void a_change_or_cut_at_any_place_is_noticed(void **state)
{
	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		for (int victim = 0; victim < 2; victim++) {
			for (size_t where = 0; where < 700; where += where < 420 ? 1 : 13) {
				struct both b;
				struct rng r;

				rng_seed(&r, where);
				both_init(&b, true);
				one_accident(&b, &r, victim, where, cut);
				both_fini(&b);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_chunks_arrive_in_order),
		cmocka_unit_test(a_change_or_cut_at_any_place_is_noticed),
	};

	return cmocka_run_group_tests_name("noise: two layers", tests, NULL, NULL);
}
