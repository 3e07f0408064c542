/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "support/support.h"
#include "id/key.h"
#include "security/secure.h"

static void random_owners_get_what_was_sent(void **state)
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
			fail_msg("GN_SEED=%llu: the bytes differ from what was sent", (unsigned long long)seed);
		if (!mux_wind_up(&m) || mux_is_bad(&m) || !mux_is_clean(&m))
			fail_msg("GN_SEED=%llu: streams are left", (unsigned long long)seed);
		mux_fini(&m);
	}
}

/* The connection is cut at a random moment: what was read is a prefix, and every stream is notified. */
static void a_cut_at_a_random_moment_leaves_a_prefix(void **state)
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
					fail_msg("GN_SEED=%llu: a stream was not notified", (unsigned long long)seed);
			}
			assert_true(m.end[i].session->err != 0);
		}
		if (mux_is_bad(&m))
			fail_msg("GN_SEED=%llu: the bytes differ from what was sent", (unsigned long long)seed);
		mux_fini(&m);
	}
}

/* ---- over Noise, in one stack ---- */

static void bytes_pass_through_noise_in_one_stack(void **state)
{
	uint64_t first = 1, n = 60;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct pair p;
		struct rng r;
		struct gn_key *key;
		void *noise = NULL;
		struct gn_layer *l[2];
		struct gn_mux_session *ses[2];
		struct gn_mux_stream *st = NULL, *other;
		struct yamux_script f = {.releases = false};
		uint8_t block[3000];
		size_t in = 0, out = 0;

		rng_seed(&r, seed);
		pair_init(&p, rng_one_in(&r, 2));
		assert_int_equal(gn_key_new_seeded((uint8_t[32]){(uint8_t)seed}, &key), 0);
		assert_int_equal(gn_security_noise.start(NULL, NULL, &noise), 0);
		for (int i = 0; i < 2; i++) {
			struct gn_secure_cfg secure = {.state = noise, .key = key, .initiator = i == 0};

			p.side[i].tx.sends = true;
			assert_int_equal(gn_stack_push(&p.side[i].stack, gn_security_noise.layer, &secure, false, NULL),
					 0);
		}
		pair_run_random(&p, &r, 1000, 1000);
		for (int i = 0; i < 2; i++) {
			struct gn_mux_cfg cfg = {.client = i == 0, .window = 1 << 20};

			assert_true(side_returned(&p.side[i], GN_READY));
			assert_int_equal(gn_stack_push(&p.side[i].stack, gn_muxer_yamux.layer, &cfg, false, &l[i]), 0);
			ses[i] = gn_muxer_yamux.session(l[i]);
		}
		f.ops = ses[1]->ops;
		assert_int_equal(ses[0]->ops->open(ses[0], &st), 0);
		for (int i = 0; i < 200; i++) {
			memset(block, i, sizeof block);
			if (gn_pipe_put(&st->tx, block, sizeof block) == 0)
				in += sizeof block;
			ses[0]->ops->touch(st); /* only touch() marks the layer below */
			(void)side_pump(&p.side[0], 1);
			if (rng_one_in(&r, 4))
				pair_carry(&p, rng_size(&r, 50000) + 1, rng_one_in(&r, 2));
		}
		gn_pipe_close(&st->tx, GN_EOF);
		ses[0]->ops->touch(st);
		for (int i = 0; i < 10000 && out < in; i++) {
			pair_carry(&p, rng_size(&r, 50000) + 1, rng_one_in(&r, 2));
			gn_mux_session_deliver(ses[1], script_on_new, &f);
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
		gn_security_noise.stop(noise);
		gn_key_free(key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_owners_get_what_was_sent),
		cmocka_unit_test(a_cut_at_a_random_moment_leaves_a_prefix),
		cmocka_unit_test(bytes_pass_through_noise_in_one_stack),
	};

	return cmocka_run_group_tests_name("yamux: random schedules", tests, NULL, NULL);
}
