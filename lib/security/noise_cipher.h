/* SPDX-License-Identifier: MIT */
/*
 * The bulk cipher of an open connection: ChaCha20-Poly1305 of libcrypto (three times as
 * fast as libsodium's).  One seal and one open context serve all connections of a
 * iobuf; they are given the key anew for each record of another connection.
 */
#ifndef GN_SECURITY_NOISE_CIPHER_H
#define GN_SECURITY_NOISE_CIPHER_H

#include "stack/iobuf.h"

/* One direction's key and counter. */
struct gn_noise_key {
	uint8_t key[32];
	uint64_t n; /* records so far */
};

/* Makes the contexts unless they are there, which takes a millisecond.  0 or -ENOMEM. */
int gn_noise_cipher_open(struct gn_iobuf *s);
/* Seals the views into out, the tag behind.  0, GN_ELIMIT (counter used up), -ENOMEM. */
int gn_noise_cipher_seal(struct gn_iobuf *s, struct gn_noise_key *k, const struct iovec *v, int n, uint8_t *out);
/* Opens n bytes in place, their tag of 16 behind them.  Also GN_EAUTH. */
int gn_noise_cipher_unseal(struct gn_iobuf *s, struct gn_noise_key *k, uint8_t *p, size_t n);
/* The key will not be used again: wipes it, and makes the contexts forget it. */
void gn_noise_cipher_forget(struct gn_iobuf *s, struct gn_noise_key *k);

#endif
