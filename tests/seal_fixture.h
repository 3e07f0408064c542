/* SPDX-License-Identifier: MIT */
/* Four people, a message of Alice's, and opening in one go or in random pieces. */
#ifndef GN_TESTS_SEAL_FIXTURE_H
#define GN_TESTS_SEAL_FIXTURE_H

#include "vectors.h"

#include "rng.h"
#include "seal_craft.h"

static struct gn_key *alice, *bob, *carol, *dave;

static inline struct gn_key *seeded(uint8_t seed)
{
	const uint8_t bytes[GN_KEY_SEED_LEN] = {seed};
	struct gn_key *key;

	assert_int_equal(gn_key_new_seeded(bytes, &key), 0);
	return key;
}

static inline int set_up(void **state)
{
	(void)state;
	alice = seeded(1);
	bob = seeded(2);
	carol = seeded(3);
	dave = seeded(4);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	gn_key_free(alice);
	gn_key_free(bob);
	gn_key_free(carol);
	gn_key_free(dave);
	return 0;
}

/* Opens as `own`, from `from` (NULL: any), in one go or in random pieces.  What came out is in
 * `got`, also when it failed. */
static inline int unseal(const struct gn_key *own, const struct gn_key *from, const char *context,
			 const struct gn_buf *in, struct gn_buf *got)
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
			/* It stays. */
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

#define assert_opens(own, from, context, in, want)                        \
	do {                                                              \
		struct gn_buf opened;                                     \
		int result;                                               \
                                                                          \
		gn_buf_init(&opened, (size_t)1 << 24);                    \
		result = unseal((own), (from), (context), (in), &opened); \
		gn_buf_fini(&opened);                                     \
		assert_int_equal(result, (want));                         \
	} while (0)

static const char *const chunks[] = {"one, ", "two, ", "three"};
#define WHOLE "one, two, three"

/* A message of Alice's, in three chunks. */
static inline void sample(struct gn_buf *out, const struct gn_key *const *to, size_t n_to)
{
	struct gn_peer_id ids[4];
	const struct gn_seal_cfg cfg = {alice, ids, n_to, "greeting", "here", false};
	struct gn_sealer *s;

	for (size_t i = 0; i < n_to; i++)
		gn_key_id(to[i], &ids[i]);
	assert_int_equal(gn_sealer_new(&cfg, &s), 0);
	gn_buf_init(out, (size_t)1 << 20);
	for (size_t i = 0; i < 3; i++) {
		const void *p = NULL;
		size_t n = 0;

		assert_int_equal(gn_sealer_put(s, chunks[i], strlen(chunks[i]), i == 2, &p, &n), 0);
		assert_int_equal(gn_buf_put(out, p, n), 0);
	}
	gn_sealer_free(s);
}

#endif
