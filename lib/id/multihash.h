/* SPDX-License-Identifier: MIT */
/* Multihashes (multiformats/multihash): a code, a length, the digest. */
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
	const uint8_t *digest; /* a view */
	size_t len;
};

/* Of exactly n bytes.  Any code is taken; the two SHA-2 ones only with their own length.
 * GN_EFORMAT, GN_ETRUNC, GN_ETOOBIG (the digest is over GN_MULTIHASH_DIGEST_MAX). */
int gn_multihash_decode(const uint8_t *p, size_t n, struct gn_multihash *out);
/* Hashes p and writes the multihash to out; returns its length, GN_EFORMAT for a code that is
 * none of the three, GN_ETOOBIG for an identity of more than GN_MULTIHASH_DIGEST_MAX. */
int gn_multihash_encode(uint64_t code, const uint8_t *p, size_t n, uint8_t out[GN_MULTIHASH_MAX]);

#endif
