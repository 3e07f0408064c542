/* SPDX-License-Identifier: MIT */
#include "support/seal_fixture.h"

#include "support/cmocka.h"

struct gn_key *seal_alice, *seal_bob, *seal_carol, *seal_dave;

struct gn_key *seal_key(uint8_t seed)
{
	const uint8_t bytes[GN_KEY_SEED_LEN] = {seed};
	struct gn_key *key;

	assert_int_equal(gn_key_new_seeded(bytes, &key), 0);
	return key;
}

int seal_setup(void **state)
{
	(void)state;
	seal_alice = seal_key(1);
	seal_bob = seal_key(2);
	seal_carol = seal_key(3);
	seal_dave = seal_key(4);
	return 0;
}

int seal_teardown(void **state)
{
	(void)state;
	gn_key_free(seal_alice);
	gn_key_free(seal_bob);
	gn_key_free(seal_carol);
	gn_key_free(seal_dave);
	return 0;
}

int seal_unseal(const struct gn_key *own, const struct gn_key *from, const char *context, const struct gn_buf *in,
		struct gn_buf *got)
{
	static struct rng rng;
	struct gn_peer_id id;
	const struct gn_unseal_cfg cfg = {own, &id, 1, from == NULL, context};
	const bool whole = rng_below(&rng, 2) == 0;
	struct gn_unsealer *u;
	const void *view = NULL;
	size_t len = 0;
	int ev = 0, ended = 0;

	if (from)
		gn_key_id(from, &id);
	assert_int_equal(gn_unsealer_new(&cfg, &u), 0);
	got->len = 0;
	for (size_t at = 0; at < in->len && ev >= 0;) {
		size_t k = whole ? in->len : rng_below(&rng, 200), n = in->len - at < k ? in->len - at : k;
		const void *p = in->p + at;

		at += n;
		while ((ev = gn_unsealer_put(u, &p, &n, &view, &len)) > 0) {
			assert_int_equal(ended, 0);
			assert_true(ev != GN_UNSEALED_DATA || len > 0);
			if (ev == GN_UNSEALED_DATA)
				assert_int_equal(gn_buf_put(got, view, len), 0);
			ended += ev == GN_UNSEALED_END;
		}
		if (ev == GN_EAGAIN) {
			assert_int_equal(n, 0);
			ev = 0;
		} else {
			/* Each further call returns the same error. */
			assert_int_equal(gn_unsealer_put(u, &p, &n, &view, &len), ev);
		}
	}
	if (ev == 0)
		ev = gn_unsealer_finish(u);
	else
		assert_int_equal(gn_unsealer_finish(u), ev);
	assert_true(ev < 0 || ended == 1);
	gn_unsealer_free(u);
	return ev;
}

const char *const seal_chunks[] = {"one, ", "two, ", "three"};

void seal_sample(struct gn_buf *out, const struct gn_key *const *to, size_t n_to)
{
	struct gn_peer_id ids[4];
	const struct gn_seal_cfg cfg = {seal_alice, ids, n_to, "greeting", "here", false};
	struct gn_sealer *s;

	for (size_t i = 0; i < n_to; i++)
		gn_key_id(to[i], &ids[i]);
	assert_int_equal(gn_sealer_new(&cfg, &s), 0);
	gn_buf_init(out, (size_t)1 << 20);
	for (size_t i = 0; i < 3; i++) {
		const void *p = NULL;
		size_t n = 0;

		assert_int_equal(gn_sealer_put(s, seal_chunks[i], strlen(seal_chunks[i]), i == 2, &p, &n), 0);
		assert_int_equal(gn_buf_put(out, p, n), 0);
	}
	gn_sealer_free(s);
}
