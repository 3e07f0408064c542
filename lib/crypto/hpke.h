/* SPDX-License-Identifier: MIT */
/* HPKE (RFC 9180), the current standard for ECIES: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * ChaCha20-Poly1305; the modes base and auth.
 *
 * Base mode does not authenticate the sender.  Auth mode authenticates it to the receiver only, because
 * the holder of the receiver's key can forge such messages.  Neither mode has forward secrecy if the
 * receiver's key is lost, and neither protects against replay. */
#ifndef GN_CRYPTO_HPKE_H
#define GN_CRYPTO_HPKE_H

#include <stddef.h>
#include <stdint.h>

#define GN_HPKE_KEY_LEN 32
#define GN_HPKE_ENC_LEN 32 /* of the ephemeral public key, which is sent before the ciphertext */
#define GN_HPKE_TAG_LEN 16 /* a ciphertext is longer than its plaintext by this */

/* An X25519 key pair. */
struct gn_hpke_pair {
	uint8_t sk[GN_HPKE_KEY_LEN], pk[GN_HPKE_KEY_LEN];
};

/* DeriveKeyPair, section 7.1.3.  The caller wipes *out. */
void gn_hpke_pair_derive(const void *ikm, size_t n, struct gn_hpke_pair *out);

struct gn_hpke_cfg {
	const struct gn_hpke_pair *own; /* the caller's pair; NULL for a sender in base mode */
	const uint8_t *peer;            /* the other's public key; NULL for a receiver in base mode */
	const void *info;
	size_t n_info;
	const struct gn_hpke_pair *ephemeral; /* NULL for a fresh one; anything else is for test vectors only */
};

/* A context for one direction. */
struct gn_hpke {
	uint8_t key[32], nonce[12], exporter[32];
	uint64_t seq; /* the number of the next message */
};

/* Both initialise h; the caller wipes it with gn_hpke_fini(). */
/* SetupBaseS or, with cfg->own, SetupAuthS.  Returns 0, or GN_EAUTH when the receiver's key has a low
 * order. */
int gn_hpke_init_sender(struct gn_hpke *h, const struct gn_hpke_cfg *cfg, uint8_t enc[GN_HPKE_ENC_LEN]);
/* SetupBaseR or, with cfg->peer, SetupAuthR.  Returns 0, or GN_EAUTH when enc or the sender's key has a
 * low order. */
int gn_hpke_init_receiver(struct gn_hpke *h, const struct gn_hpke_cfg *cfg, const uint8_t enc[GN_HPKE_ENC_LEN]);
void gn_hpke_fini(struct gn_hpke *h);

struct gn_hpke_text {
	const void *ad; /* associated data; NULL when n_ad is 0 */
	size_t n_ad;
	const uint8_t *p; /* the plaintext or the ciphertext */
	size_t n;
};

/* Seals the context's next message.  out has room for n + GN_HPKE_TAG_LEN bytes and may be text->p.
 * Returns 0, or GN_ELIMIT after 2^64 - 1 messages. */
int gn_hpke_seal(struct gn_hpke *h, const struct gn_hpke_text *text, uint8_t *out);
/* Opens the context's next message.  out has room for n - GN_HPKE_TAG_LEN bytes and may be text->p.
 * Returns 0, GN_ELIMIT, or GN_EAUTH; the context then still expects the same message. */
int gn_hpke_unseal(struct gn_hpke *h, const struct gn_hpke_text *text, uint8_t *out);
/* Secret.Export, section 5.3.  Returns 0, or GN_ETOOBIG when n exceeds 255 * 32. */
int gn_hpke_export(const struct gn_hpke *h, const void *ctx, size_t n_ctx, uint8_t *out, size_t n);

/* Single-shot functions, section 6.1: a context is made for one message.  Errors as above. */
int gn_hpke_seal_once(const struct gn_hpke_cfg *cfg, const struct gn_hpke_text *text, uint8_t enc[GN_HPKE_ENC_LEN],
		      uint8_t *out);
int gn_hpke_unseal_once(const struct gn_hpke_cfg *cfg, const uint8_t enc[GN_HPKE_ENC_LEN],
			const struct gn_hpke_text *text, uint8_t *out);

#endif
