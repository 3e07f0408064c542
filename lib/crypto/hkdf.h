/* SPDX-License-Identifier: MIT */
/* HKDF with SHA-256 (RFC 5869). */
#ifndef GN_CRYPTO_HKDF_H
#define GN_CRYPTO_HKDF_H

#include <stddef.h>
#include <stdint.h>

#define GN_HKDF_LEN 32 /* bytes of a key and of a hash */
#define GN_HKDF_EXPAND_MAX (255 * GN_HKDF_LEN)

/* A part of an input that consists of several parts. */
struct gn_hkdf_part {
	const void *p;
	size_t n;
};

/* Extracts from the concatenation of the parts.  out may overlap a part or the salt. */
void gn_hkdf_extract_parts(const void *salt, size_t n_salt, const struct gn_hkdf_part *ikm, int n_ikm,
			   uint8_t out[GN_HKDF_LEN]);
/* Expands with the concatenation of the parts as info.  out may not overlap a part.  Returns 0, or
 * GN_ETOOBIG when n exceeds GN_HKDF_EXPAND_MAX. */
int gn_hkdf_expand_parts(const uint8_t prk[GN_HKDF_LEN], const struct gn_hkdf_part *info, int n_info, uint8_t *out,
			 size_t n);

/* out may overlap the salt or ikm. */
void gn_hkdf_extract(const void *salt, size_t n_salt, const void *ikm, size_t n_ikm, uint8_t out[GN_HKDF_LEN]);
/* Returns 0, or GN_ETOOBIG when n exceeds GN_HKDF_EXPAND_MAX. */
int gn_hkdf_expand(const uint8_t prk[GN_HKDF_LEN], const void *info, size_t n_info, uint8_t *out, size_t n);
/* Noise's HKDF with two outputs: extracts with ck as the salt and expands without info.  Either output may
 * overlap ck or ikm. */
void gn_hkdf_pair(const uint8_t ck[GN_HKDF_LEN], const void *ikm, size_t n_ikm, uint8_t out1[GN_HKDF_LEN],
		  uint8_t out2[GN_HKDF_LEN]);

#endif
