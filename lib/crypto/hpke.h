/* SPDX-License-Identifier: MIT */
/* HPKE (RFC 9180), which is ECIES as it is standardised today: DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, ChaCha20-Poly1305; the modes base and auth.
 *
 * Base mode says nothing of who sealed.  Auth mode tells the receiver, and only it: whoever has
 * the receiver's key can make such messages too.  Neither has forward secrecy towards the
 * receiver's key, nor protection against replay. */
#ifndef GN_CRYPTO_HPKE_H
#define GN_CRYPTO_HPKE_H

#include <stddef.h>
#include <stdint.h>

#define GN_HPKE_KEY_LEN 32
#define GN_HPKE_ENC_LEN 32 /* of the ephemeral key, which goes before the ciphertext */
#define GN_HPKE_TAG_LEN 16 /* how much longer than the plaintext a ciphertext is */

/* An X25519 key pair. */
struct gn_hpke_pair {
	uint8_t sk[GN_HPKE_KEY_LEN], pk[GN_HPKE_KEY_LEN];
};

/* DeriveKeyPair, section 7.1.3.  The caller wipes it. */
void gn_hpke_pair_derive(const void *ikm, size_t n, struct gn_hpke_pair *out);

struct gn_hpke_cfg {
	const struct gn_hpke_pair *own; /* of who calls; a sender in base mode has none: NULL */
	const uint8_t *peer;            /* the other's public key; a receiver in base mode has none: NULL */
	const void *info;
	size_t n_info;
	const struct gn_hpke_pair *ephemeral; /* NULL: a fresh one, as it must be but for test vectors */
};

/* A context of one direction. */
struct gn_hpke {
	uint8_t key[32], nonce[12], exporter[32];
	uint64_t seq; /* messages so far */
};

/* Both fill h, which gn_hpke_fini() wipes. */
/* SetupBaseS or, with an own pair, SetupAuthS.  0, or GN_EAUTH: the receiver's key is of low order. */
int gn_hpke_init_sender(struct gn_hpke *h, const struct gn_hpke_cfg *cfg, uint8_t enc[GN_HPKE_ENC_LEN]);
/* SetupBaseR or, with a peer, SetupAuthR.  0, or GN_EAUTH: enc or the sender's key is of low order. */
int gn_hpke_init_receiver(struct gn_hpke *h, const struct gn_hpke_cfg *cfg, const uint8_t enc[GN_HPKE_ENC_LEN]);
void gn_hpke_fini(struct gn_hpke *h);

struct gn_hpke_text {
	const void *ad; /* authenticated beside it; NULL when n_ad is 0 */
	size_t n_ad;
	const uint8_t *p; /* the plaintext or the ciphertext */
	size_t n;
};

/* The context's next message.  out has room for n + GN_HPKE_TAG_LEN, and may be text->p.  0 or
 * GN_ELIMIT (2^64 - 1 messages). */
int gn_hpke_seal(struct gn_hpke *h, const struct gn_hpke_text *text, uint8_t *out);
/* Likewise; out has room for n - GN_HPKE_TAG_LEN.  GN_EAUTH, and the same message is due still. */
int gn_hpke_unseal(struct gn_hpke *h, const struct gn_hpke_text *text, uint8_t *out);
/* Secret.Export, section 5.3.  GN_ETOOBIG: n is over 255 * 32. */
int gn_hpke_export(const struct gn_hpke *h, const void *ctx, size_t n_ctx, uint8_t *out, size_t n);

/* Single shot, section 6.1: a context for one message. */
int gn_hpke_seal_once(const struct gn_hpke_cfg *cfg, const struct gn_hpke_text *text, uint8_t enc[GN_HPKE_ENC_LEN],
		      uint8_t *out);
int gn_hpke_unseal_once(const struct gn_hpke_cfg *cfg, const uint8_t enc[GN_HPKE_ENC_LEN],
			const struct gn_hpke_text *text, uint8_t *out);

#endif
