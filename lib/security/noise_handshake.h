/* SPDX-License-Identifier: MIT */
/*
 * The handshake Noise_XX_25519_ChaChaPoly_SHA256 (noiseprotocol.org, revision 34) with an empty prologue, without
 * I/O: it reads and writes messages in memory.
 *
 *     -> e
 *     <- e, ee, s, es   payload
 *     -> s, se          payload
 *
 * Functions return 0, GN_EAUTH (a message cannot be decrypted, or a public key is a low-order point) or
 * GN_ETRUNC (a message is shorter than its fixed parts).  After a failure only gn_noise_fini() may be called.
 */
#ifndef GN_SECURITY_NOISE_HANDSHAKE_H
#define GN_SECURITY_NOISE_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GN_NOISE_KEY = 32,
	GN_NOISE_TAG = 16,
	GN_NOISE_MSG1 = 32,           /* bytes of message 1 without its payload */
	GN_NOISE_MSG2 = 32 + 48 + 16, /* bytes of messages 2 and 3 without their payload */
	GN_NOISE_MSG3 = 48 + 16,
};

struct gn_noise {
	uint8_t s[GN_NOISE_KEY], s_pub[GN_NOISE_KEY]; /* our static pair */
	uint8_t e[GN_NOISE_KEY], e_pub[GN_NOISE_KEY]; /* our ephemeral pair */
	uint8_t rs[GN_NOISE_KEY], re[GN_NOISE_KEY];   /* the peer's public keys, static and ephemeral */
	uint8_t h[32], ck[32], k[32];                 /* handshake hash, chaining key, cipher key */
	uint64_t n;                                   /* nonce of k */
	bool initiator, has_key;
};

/* With fresh keys.  Each connection has a static pair of its own, since the identity key signs it in the
 * payload. */
void gn_noise_init(struct gn_noise *hs, bool initiator);
/* With the given private keys and prologue of n bytes, for test vectors.  Returns 0. */
int gn_noise_init_fixed(struct gn_noise *hs, bool initiator, const uint8_t s[GN_NOISE_KEY],
			const uint8_t e[GN_NOISE_KEY], const void *prologue, size_t n);
void gn_noise_fini(struct gn_noise *hs); /* wipes it */

/* Writes message `number` (1, 2 or 3) with a payload of n bytes: GN_NOISE_MSG<number> + n bytes to out. */
int gn_noise_write(struct gn_noise *hs, int number, const uint8_t *payload, size_t n, uint8_t *out);
/* Reads message `number` of n bytes.  Its payload of *len bytes is decrypted in place: *payload points into
 * msg. */
int gn_noise_read(struct gn_noise *hs, int number, uint8_t *msg, size_t n, uint8_t **payload, size_t *len);

/* After message 3: the keys of the two directions, as this side uses them. */
void gn_noise_split(struct gn_noise *hs, uint8_t send[GN_NOISE_KEY], uint8_t receive[GN_NOISE_KEY]);

#endif
