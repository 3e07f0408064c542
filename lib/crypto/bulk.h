/* SPDX-License-Identifier: MIT */
/* ChaCha20-Poly1305 and SHA-256 of libcrypto for much data: both are several times as fast as
 * libsodium's.  One cipher, one hash, used again and again; the contexts are kept.  Everything
 * returns 0 or -ENOMEM (libcrypto failed) unless said. */
#ifndef GN_CRYPTO_BULK_H
#define GN_CRYPTO_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GN_BULK_KEY_LEN 32
#define GN_BULK_NONCE_LEN 12
#define GN_BULK_TAG_LEN 16
#define GN_BULK_HASH_LEN 32
#define GN_BULK_MAX ((size_t)1 << 30) /* bytes of one put */

struct gn_bulk;

int gn_bulk_new(bool is_sealing, struct gn_bulk **out);
void gn_bulk_free(struct gn_bulk *b); /* wipes it; NULL is fine */

/* Begins a text under a key. */
int gn_bulk_start(struct gn_bulk *b, const uint8_t key[GN_BULK_KEY_LEN], const uint8_t nonce[GN_BULK_NONCE_LEN],
		  const void *ad, size_t n_ad);
/* Its next n bytes; out may be p. */
int gn_bulk_put(struct gn_bulk *b, const uint8_t *p, size_t n, uint8_t *out);
/* Its end, when sealing. */
int gn_bulk_seal(struct gn_bulk *b, uint8_t tag[GN_BULK_TAG_LEN]);
/* Its end, when opening: GN_EAUTH, and what was put out is not to be believed. */
int gn_bulk_unseal(struct gn_bulk *b, const uint8_t tag[GN_BULK_TAG_LEN]);
/* The cipher's context holds no secret any more. */
void gn_bulk_forget(struct gn_bulk *b);

/* A hash, independent of the cipher. */
int gn_bulk_hash_start(struct gn_bulk *b);
int gn_bulk_hash_put(struct gn_bulk *b, const void *p, size_t n);
int gn_bulk_hash_get(struct gn_bulk *b, uint8_t out[GN_BULK_HASH_LEN]);

#endif
