/* SPDX-License-Identifier: MIT */
/*
 * Noise_XX_25519_ChaChaPoly_SHA256 (noiseprotocol.org, revision 34), empty prologue, as
 * a machine without I/O: messages in, messages out.
 *
 *     -> e
 *     <- e, ee, s, es   payload
 *     -> s, se          payload
 *
 * Functions return 0, GN_EAUTH (a message that cannot be decrypted, a low-order point) or
 * GN_ETRUNC (shorter than its fixed parts).  After a failure the state is good for
 * gn_noise_fini() only.
 */
#ifndef GN_SECURITY_NOISE_HANDSHAKE_H
#define GN_SECURITY_NOISE_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GN_NOISE_KEY = 32,
	GN_NOISE_TAG = 16,
	GN_NOISE_MSG1 = 32,           /* bytes of message 1 without a payload */
	GN_NOISE_MSG2 = 32 + 48 + 16, /* beside their payload */
	GN_NOISE_MSG3 = 48 + 16,
};

struct gn_noise {
	uint8_t s[GN_NOISE_KEY], s_pub[GN_NOISE_KEY]; /* our static pair */
	uint8_t e[GN_NOISE_KEY], e_pub[GN_NOISE_KEY]; /* our ephemeral pair */
	uint8_t rs[GN_NOISE_KEY], re[GN_NOISE_KEY];   /* the far end's public keys */
	uint8_t h[32], ck[32], k[32];
	uint64_t n;
	bool initiator, has_key;
};

/* With fresh keys; a static pair of its own for every connection is as good as any. */
void gn_noise_init(struct gn_noise *hs, bool initiator);
/* With given private keys: for test vectors. */
int gn_noise_init_fixed(struct gn_noise *hs, bool initiator, const uint8_t s[GN_NOISE_KEY],
			const uint8_t e[GN_NOISE_KEY], const void *prologue, size_t n);
void gn_noise_fini(struct gn_noise *hs); /* wipes it */

/* Message number 1, 2 or 3: writes GN_NOISE_MSGx + n bytes (for message 1 with a payload
 * 32 + n) to out. */
int gn_noise_write(struct gn_noise *hs, int number, const uint8_t *payload, size_t n, uint8_t *out);
/* Reads one of n bytes; *payload (within the message, decrypted in place) of *len bytes. */
int gn_noise_read(struct gn_noise *hs, int number, uint8_t *msg, size_t n, uint8_t **payload, size_t *len);

/* After message 3: the keys of the two directions, seen from here. */
void gn_noise_split(struct gn_noise *hs, uint8_t send[GN_NOISE_KEY], uint8_t receive[GN_NOISE_KEY]);

#endif
