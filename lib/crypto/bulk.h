/* SPDX-License-Identifier: MIT */
/* ChaCha20-Poly1305 and SHA-256 for large amounts of data, by libcrypto, which is several times as fast as
 * libsodium. An object has one cipher context and one hash context, which are reused.  Unless stated
 * otherwise, functions return 0 or -ENOMEM (libcrypto failed). */
#ifndef GN_CRYPTO_BULK_H
#define GN_CRYPTO_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GN_BULK_KEY_LEN 32
#define GN_BULK_NONCE_LEN 12
#define GN_BULK_TAG_LEN 16
#define GN_BULK_HASH_LEN 32
#define GN_BULK_MAX ((size_t)1 << 30) /* bytes in one call of gn_bulk_put() */

struct gn_bulk;

int gn_bulk_new(bool is_sealing, struct gn_bulk **out);
void gn_bulk_free(struct gn_bulk *b); /* wipes all secrets; NULL is allowed */

/* Begins a text with a key, a nonce and associated data. */
int gn_bulk_start(struct gn_bulk *b, const uint8_t key[GN_BULK_KEY_LEN], const uint8_t nonce[GN_BULK_NONCE_LEN],
		  const void *ad, size_t n_ad);
/* Encrypts or decrypts the next n bytes of the text; out may be p. */
int gn_bulk_put(struct gn_bulk *b, const uint8_t *p, size_t n, uint8_t *out);
/* Ends the text when sealing, and returns its tag. */
int gn_bulk_seal(struct gn_bulk *b, uint8_t tag[GN_BULK_TAG_LEN]);
/* Ends the text when opening.  GN_EAUTH: the tag is wrong, and the decrypted bytes must not be used. */
int gn_bulk_unseal(struct gn_bulk *b, const uint8_t tag[GN_BULK_TAG_LEN]);
/* Removes all secrets from the cipher context. */
void gn_bulk_forget(struct gn_bulk *b);

/* A SHA-256 hash, independent of the cipher: start, any number of puts, get. */
int gn_bulk_hash_start(struct gn_bulk *b);
int gn_bulk_hash_put(struct gn_bulk *b, const void *p, size_t n);
int gn_bulk_hash_get(struct gn_bulk *b, uint8_t out[GN_BULK_HASH_LEN]);

#endif
