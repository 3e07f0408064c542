/* SPDX-License-Identifier: MIT */
/* Multihashes (multiformats/multihash): the code of the hash function, the digest's length, the digest. */
#ifndef GN_ID_MULTIHASH_H
#define GN_ID_MULTIHASH_H

#include <stddef.h>
#include <stdint.h>

#define GN_MULTIHASH_IDENTITY 0x00
#define GN_MULTIHASH_SHA2_256 0x12
#define GN_MULTIHASH_SHA2_512 0x13

#define GN_MULTIHASH_DIGEST_MAX 128
#define GN_MULTIHASH_MAX (GN_MULTIHASH_DIGEST_MAX + 9 + 2) /* code, length, digest */

struct gn_multihash {
	uint64_t code;
	const uint8_t *digest; /* a view of the decoded bytes */
	size_t len;
};

/* Decodes exactly n bytes.  Any code is accepted; the digest of the two SHA-2 codes must have their length.
 * Returns 0, GN_EFORMAT, GN_ETRUNC or GN_ETOOBIG (the digest exceeds GN_MULTIHASH_DIGEST_MAX). */
int gn_multihash_decode(const uint8_t *p, size_t n, struct gn_multihash *out);
/* Hashes the n bytes at p and writes the multihash to out.  Returns its length, GN_EFORMAT for a code
 * other than the three above, or GN_ETOOBIG for an identity hash of more than GN_MULTIHASH_DIGEST_MAX
 * bytes. */
int gn_multihash_encode(uint64_t code, const uint8_t *p, size_t n, uint8_t out[GN_MULTIHASH_MAX]);

#endif
