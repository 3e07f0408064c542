/* SPDX-License-Identifier: MIT */
/* The format of sealed messages and its keys, gn-sealed(5), which the sealer and the unsealer of gn.h
 * share.  The values have the names of that page.
 *
 *     uvarint length   H   chunk 0: the message header   chunk 1   ...   the last chunk
 */
#ifndef GN_CRYPTO_SEALED_H
#define GN_CRYPTO_SEALED_H

#include "gn.h"
#include "id/key.h"

#define GN_SEALED_HASH_LEN 32
#define GN_SEALED_SALT_LEN 32
#define GN_SEALED_KEY_LEN 32
#define GN_SEALED_STANZA_LEN 80                                                 /* enc (32), ct (48) */
#define GN_SEALED_HEADER_LEN(n) ((size_t)70 + (GN_SEALED_STANZA_LEN + 2) * (n)) /* H with n stanzas */
#define GN_SEALED_HEADER_MAX GN_SEALED_HEADER_LEN(GN_SEALED_TO_MAX)
#define GN_SEALED_MESSAGE_HEADER_MAX 4096
#define GN_SEALED_HEAD_LEN 4 /* of a chunk: last, length */
#define GN_SEALED_LAST ((uint32_t)1 << 31)
#define GN_SEALED_CHUNK_OVER (GN_KEY_SIG_LEN + 16) /* |ct| - |P|: signature, tag */
#define GN_SEALED_SIGNED_LEN (24 + 1 + GN_SEALED_HASH_LEN + 8 + 1 + GN_SEALED_HASH_LEN)
#define GN_SEALED_INFO_LEN (22 + GN_SEALED_SALT_LEN)

/* ---- H ---- */

struct gn_sealed_header {
	uint8_t salt[GN_SEALED_SALT_LEN], commitment[GN_SEALED_HASH_LEN];
	uint8_t stanzas[GN_SEALED_TO_MAX][GN_SEALED_STANZA_LEN];
	size_t n;
};

/* Returns the length, GN_SEALED_HEADER_LEN(h->n). */
size_t gn_sealed_header_encode(const struct gn_sealed_header *h, uint8_t out[GN_SEALED_HEADER_MAX]);
/* Decodes exactly n bytes; only the one valid encoding is accepted.  Returns 0 or GN_EFORMAT. */
int gn_sealed_header_decode(const uint8_t *p, size_t n, struct gn_sealed_header *out);

/* ---- the message header ---- */

struct gn_sealed_message_header {
	struct gn_sealed_info info; /* type, context and to point into this struct */
	uint8_t sender[GN_KEY_PUBLIC_LEN];
	char type[GN_SEALED_TEXT_MAX + 1], context[GN_SEALED_TEXT_MAX + 1];
	struct gn_peer_id to[GN_SEALED_TO_MAX];
};

/* Whether the text is valid as a type or a context: 0, GN_ETOOBIG or GN_EFORMAT. */
int gn_sealed_text_check(const char *text, size_t n);
/* Returns the length.  The pointers and the sender in l->info are not used. */
size_t gn_sealed_message_header_encode(const struct gn_sealed_message_header *l,
				       uint8_t out[GN_SEALED_MESSAGE_HEADER_MAX]);
/* Decodes exactly n bytes; only the one valid encoding is accepted.  Returns 0, or GN_EFORMAT and *out is
 * undefined. */
int gn_sealed_message_header_decode(const uint8_t *p, size_t n, struct gn_sealed_message_header *out);

/* ---- keys, nonces, and the signed bytes ---- */

/* HPKE's info for a stanza: "golem-net sealed 1 key", then the salt. */
void gn_sealed_info_make(const uint8_t salt[GN_SEALED_SALT_LEN], uint8_t out[GN_SEALED_INFO_LEN]);
/* prk = HKDF-Extract(salt, K); commitment = HKDF-Expand(prk, "commit"). */
void gn_sealed_prk(const uint8_t salt[GN_SEALED_SALT_LEN], const uint8_t k[GN_SEALED_KEY_LEN],
		   uint8_t prk[GN_SEALED_HASH_LEN], uint8_t commitment[GN_SEALED_HASH_LEN]);
/* key = HKDF-Expand(prk, "payload", hh). */
void gn_sealed_key(const uint8_t prk[GN_SEALED_HASH_LEN], const uint8_t hh[GN_SEALED_HASH_LEN],
		   uint8_t key[GN_SEALED_KEY_LEN]);
void gn_sealed_nonce(uint64_t i, bool is_last, uint8_t out[12]);
/* The bytes that the sender signs for chunk i, whose plaintext has the hash hp. */
void gn_sealed_signed(const uint8_t hh[GN_SEALED_HASH_LEN], uint64_t i, bool is_last,
		      const uint8_t hp[GN_SEALED_HASH_LEN], uint8_t out[GN_SEALED_SIGNED_LEN]);

/* ---- for test vectors only ---- */

/* The values that a sealer otherwise takes at random or from the clock for each message. */
struct gn_sealer_fixed {
	uint8_t k[GN_SEALED_KEY_LEN], salt[GN_SEALED_SALT_LEN];
	uint8_t ephemeral[GN_SEALED_TO_MAX][32]; /* X25519 secret keys */
	gn_time time;
	uint8_t id[GN_SEALED_ID_LEN], sequence[GN_SEALED_ID_LEN];
};
/* Sets fixed values before the first message; the sealer borrows *fixed until it is freed.  Two messages
 * with the same fixed values reveal their contents. */
void gn_sealer_fix(struct gn_sealer *s, const struct gn_sealer_fixed *fixed);

#endif
