/* SPDX-License-Identifier: MIT */
/*
 * The cipher of records: ChaCha20-Poly1305.  Long records use libcrypto, whose bulk rate is higher.  One context for
 * sealing and one for opening serve all connections of a node; a context gets the key again when the record is of
 * another connection.  Short records use libsodium, which needs no context: libcrypto takes about 0.3 us more to
 * start a record.
 */
#ifndef GN_SECURITY_NOISE_CIPHER_H
#define GN_SECURITY_NOISE_CIPHER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct evp_cipher_st;
struct evp_cipher_ctx_st;

enum {
	GN_NOISE_SHORT = 512
}; /* bytes of the longest record, without its tag, that libsodium seals, and opens in one piece */

/* One direction's key and counter. */
struct gn_noise_key {
	uint8_t key[32];
	uint64_t n; /* the next nonce, which is the number of records so far */
};

/* All zero: not opened yet. */
struct gn_noise_cipher {
	struct evp_cipher_st *alg;
	struct evp_cipher_ctx_st *ctx[2];  /* 0 opens, 1 seals */
	const struct gn_noise_key *key[2]; /* the key that the context has; NULL: none that is in use */
};

/* Makes the contexts unless they exist, which takes a millisecond.  0 or -ENOMEM. */
int gn_noise_cipher_open(struct gn_noise_cipher *c);
/* Wipes and frees the contexts. */
void gn_noise_cipher_fini(struct gn_noise_cipher *c);
/* Seals the n views into out, followed by the tag of 16 bytes.  0, GN_ELIMIT (all nonces are used), or
 * -ENOMEM. */
int gn_noise_cipher_seal(struct gn_noise_cipher *c, struct gn_noise_key *k, const struct iovec *v, int n, uint8_t *out);
/* Opens the n views in place; the tag has 16 bytes.  0, GN_EAUTH (the tag is wrong), GN_ELIMIT, or -ENOMEM. */
int gn_noise_cipher_unseal(struct gn_noise_cipher *c, struct gn_noise_key *k, const struct iovec *v, int n,
			   const uint8_t *tag);
/* Wipes the key, here and in the contexts.  It must not be used again. */
void gn_noise_cipher_forget(struct gn_noise_cipher *c, struct gn_noise_key *k);

#endif
