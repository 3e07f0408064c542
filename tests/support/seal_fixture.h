/* SPDX-License-Identifier: MIT */
/* Four people, a message of Alice's, and opening in one go or in random pieces. */
#ifndef GN_SUPPORT_SEAL_FIXTURE_H
#define GN_SUPPORT_SEAL_FIXTURE_H

#include "support/vectors.h"

#include "support/rng.h"
#include "support/seal_craft.h"

extern struct gn_key *seal_alice, *seal_bob, *seal_carol, *seal_dave;

struct gn_key *seal_key(uint8_t seed);

int seal_setup(void **state);

int seal_teardown(void **state);

/* Opens as `own`, from `from` (NULL: any), in one go or in random pieces.  What came out is in
 * `got`, also when it failed. */
int seal_unseal(const struct gn_key *own, const struct gn_key *from, const char *context, const struct gn_buf *in,
		struct gn_buf *got);

#define seal_assert_opens(own, from, context, in, want)                        \
	do {                                                                   \
		struct gn_buf opened;                                          \
		int result;                                                    \
                                                                               \
		gn_buf_init(&opened, (size_t)1 << 24);                         \
		result = seal_unseal((own), (from), (context), (in), &opened); \
		gn_buf_fini(&opened);                                          \
		assert_int_equal(result, (want));                              \
	} while (0)

extern const char *const seal_chunks[3];
#define SEAL_WHOLE "one, two, three"

/* A message of Alice's, in three chunks. */
void seal_sample(struct gn_buf *out, const struct gn_key *const *to, size_t n_to);

#endif
