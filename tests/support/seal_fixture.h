/* SPDX-License-Identifier: MIT */
/* Four keys, a sealed message of one of them, and a function that opens messages in one piece or in random
 * pieces. */
#ifndef GN_SUPPORT_SEAL_FIXTURE_H
#define GN_SUPPORT_SEAL_FIXTURE_H

#include "support/vectors.h"

#include "support/rng.h"
#include "support/seal_craft.h"

extern struct gn_key *seal_alice, *seal_bob, *seal_carol, *seal_dave;

struct gn_key *seal_key(uint8_t seed);

int seal_setup(void **state);

int seal_teardown(void **state);

/* Opens a message with the key `own`, in one piece or in random pieces.  The sender must be `from` unless
 * that is NULL.  `got` contains the data that was opened, also after an error.  Returns 0 or the error. */
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

/* Makes a message of seal_alice in three chunks, whose texts are seal_chunks. */
void seal_sample(struct gn_buf *out, const struct gn_key *const *to, size_t n_to);

#endif
