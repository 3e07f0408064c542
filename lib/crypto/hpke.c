/* SPDX-License-Identifier: MIT */
#include "crypto/hpke.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "crypto/hkdf.h"
#include "gn.h"

#define NONCE_LEN crypto_aead_chacha20poly1305_ietf_NPUBBYTES

_Static_assert(GN_HPKE_KEY_LEN == crypto_scalarmult_BYTES, "X25519's output");
_Static_assert(GN_HPKE_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "the AEAD's tag");
_Static_assert(sizeof(((struct gn_hpke *)0)->nonce) == NONCE_LEN, "the AEAD's nonce");

enum mode { BASE = 0, AUTH = 2 };

/* ---- section 4: labels ---- */

/* A label and its suite id: that of the KEM, or that of the whole suite. */
struct label {
	bool is_kem;
	const char *text;
};

/* The identifiers of the KEM, the KDF and the AEAD are 0x0020, 0x0001 and 0x0003. */
static const struct gn_hkdf_part suite_kem = {"KEM\0\x20", 5}, suite_all = {"HPKE\0\x20\0\x01\0\x03", 10},
				 version = {"HPKE-v1", 7}, nothing = {"", 0};

static void labeled_extract(const uint8_t *salt, struct label label, struct gn_hkdf_part ikm, uint8_t out[GN_HKDF_LEN])
{
	const struct gn_hkdf_part parts[] = {
		version,
		label.is_kem ? suite_kem : suite_all,
		{label.text, strlen(label.text)},
		ikm,
	};

	gn_hkdf_extract_parts(salt, salt != NULL ? GN_HKDF_LEN : 0, parts, 4, out);
}

static int labeled_expand(const uint8_t prk[GN_HKDF_LEN], struct label label, struct gn_hkdf_part info, uint8_t *out,
			  size_t n)
{
	uint8_t len[2];
	const struct gn_hkdf_part parts[] = {
		{len, sizeof(len)},
		version,
		label.is_kem ? suite_kem : suite_all,
		{label.text, strlen(label.text)},
		info,
	};

	if (n > GN_HKDF_EXPAND_MAX)
		return GN_ETOOBIG;
	gn_put_u16(len, (uint16_t)n);
	return gn_hkdf_expand_parts(prk, parts, 5, out, n);
}

/* ---- section 4.1: the KEM ---- */

void gn_hpke_pair_derive(const void *ikm, size_t n, struct gn_hpke_pair *out)
{
	uint8_t prk[GN_HKDF_LEN];

	labeled_extract(NULL, (struct label){true, "dkp_prk"}, (struct gn_hkdf_part){ikm, n}, prk);
	(void)labeled_expand(prk, (struct label){true, "sk"}, nothing, out->sk, sizeof(out->sk));
	(void)crypto_scalarmult_base(out->pk, out->sk);
	sodium_memzero(prk, sizeof(prk));
}

static void pair_make(struct gn_hpke_pair *out)
{
	gn_random(out->sk, sizeof(out->sk));
	(void)crypto_scalarmult_base(out->pk, out->sk);
}

/* ExtractAndExpand of one shared secret or, in auth mode, two.  It wipes dh. */
static void shared_make(uint8_t dh[64], const uint8_t ctx[96], enum mode mode, uint8_t out[32])
{
	uint8_t prk[GN_HKDF_LEN];

	labeled_extract(NULL, (struct label){true, "eae_prk"}, (struct gn_hkdf_part){dh, mode == AUTH ? 64 : 32}, prk);
	(void)labeled_expand(prk, (struct label){true, "shared_secret"},
			     (struct gn_hkdf_part){ctx, mode == AUTH ? 96 : 64}, out, 32);
	sodium_memzero(prk, sizeof(prk));
	sodium_memzero(dh, 64);
}

/* Encap and AuthEncap.  libsodium refuses a shared secret of zero bytes, which results from a key of low
 * order. */
static int encap(const struct gn_hpke_cfg *cfg, const struct gn_hpke_pair *eph, uint8_t out[32])
{
	uint8_t dh[64] = {0}, ctx[96] = {0};

	if (crypto_scalarmult(dh, eph->sk, cfg->peer) != 0 ||
	    (cfg->own != NULL && crypto_scalarmult(dh + 32, cfg->own->sk, cfg->peer) != 0)) {
		sodium_memzero(dh, sizeof(dh));
		return GN_EAUTH;
	}
	memcpy(ctx, eph->pk, 32);
	memcpy(ctx + 32, cfg->peer, 32);
	if (cfg->own != NULL)
		memcpy(ctx + 64, cfg->own->pk, 32);
	shared_make(dh, ctx, cfg->own != NULL ? AUTH : BASE, out);
	return 0;
}

/* Decap and AuthDecap. */
static int decap(const struct gn_hpke_cfg *cfg, const uint8_t enc[GN_HPKE_ENC_LEN], uint8_t out[32])
{
	uint8_t dh[64] = {0}, ctx[96] = {0};

	if (crypto_scalarmult(dh, cfg->own->sk, enc) != 0 ||
	    (cfg->peer != NULL && crypto_scalarmult(dh + 32, cfg->own->sk, cfg->peer) != 0)) {
		sodium_memzero(dh, sizeof(dh));
		return GN_EAUTH;
	}
	memcpy(ctx, enc, 32);
	memcpy(ctx + 32, cfg->own->pk, 32);
	if (cfg->peer != NULL)
		memcpy(ctx + 64, cfg->peer, 32);
	shared_make(dh, ctx, cfg->peer != NULL ? AUTH : BASE, out);
	return 0;
}

/* ---- section 5.1: the key schedule, without a PSK; it wipes the shared secret ---- */

static void schedule(struct gn_hpke *h, enum mode mode, uint8_t shared[32], const struct gn_hpke_cfg *cfg)
{
	uint8_t ctx[1 + 2 * GN_HKDF_LEN] = {(uint8_t)mode}, secret[GN_HKDF_LEN];
	const struct gn_hkdf_part c = {ctx, sizeof(ctx)};

	labeled_extract(NULL, (struct label){false, "psk_id_hash"}, nothing, ctx + 1);
	labeled_extract(NULL, (struct label){false, "info_hash"},
			cfg->n_info > 0 ? (struct gn_hkdf_part){cfg->info, cfg->n_info} : nothing,
			ctx + 1 + GN_HKDF_LEN);
	labeled_extract(shared, (struct label){false, "secret"}, nothing, secret);
	(void)labeled_expand(secret, (struct label){false, "key"}, c, h->key, sizeof(h->key));
	(void)labeled_expand(secret, (struct label){false, "base_nonce"}, c, h->nonce, sizeof(h->nonce));
	(void)labeled_expand(secret, (struct label){false, "exp"}, c, h->exporter, sizeof(h->exporter));
	h->seq = 0;
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(shared, 32);
}

int gn_hpke_init_sender(struct gn_hpke *h, const struct gn_hpke_cfg *cfg, uint8_t enc[GN_HPKE_ENC_LEN])
{
	const struct gn_hpke_pair *eph = cfg->ephemeral;
	struct gn_hpke_pair fresh;
	uint8_t shared[32];
	int err;

	gn_random_init();
	if (eph == NULL) {
		pair_make(&fresh);
		eph = &fresh;
	}
	err = encap(cfg, eph, shared);
	if (err == 0) {
		memcpy(enc, eph->pk, GN_HPKE_ENC_LEN);
		schedule(h, cfg->own != NULL ? AUTH : BASE, shared, cfg);
	}
	sodium_memzero(&fresh, sizeof(fresh));
	return err;
}

int gn_hpke_init_receiver(struct gn_hpke *h, const struct gn_hpke_cfg *cfg, const uint8_t enc[GN_HPKE_ENC_LEN])
{
	uint8_t shared[32];
	int err;

	gn_random_init();
	err = decap(cfg, enc, shared);
	if (err == 0)
		schedule(h, cfg->peer != NULL ? AUTH : BASE, shared, cfg);
	return err;
}

void gn_hpke_fini(struct gn_hpke *h)
{
	sodium_memzero(h, sizeof *h);
}

/* ---- sections 5.2 and 5.3: using a context ---- */

/* The nonce is the base nonce XOR the message's number in big-endian.  Returns 0 or GN_ELIMIT. */
static int nonce_make(const struct gn_hpke *h, uint8_t nonce[NONCE_LEN])
{
	uint8_t seq[8];

	if (h->seq == UINT64_MAX)
		return GN_ELIMIT;
	gn_put_u64(seq, h->seq);
	memcpy(nonce, h->nonce, NONCE_LEN);
	for (size_t i = 0; i < sizeof(seq); i++)
		nonce[NONCE_LEN - sizeof(seq) + i] ^= seq[i];
	return 0;
}

int gn_hpke_seal(struct gn_hpke *h, const struct gn_hpke_text *text, uint8_t *out)
{
	uint8_t nonce[NONCE_LEN];
	int err = nonce_make(h, nonce);

	if (err < 0)
		return err;
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, text->p, text->n, text->ad, text->n_ad, NULL, nonce,
							h->key);
	h->seq++;
	return 0;
}

int gn_hpke_unseal(struct gn_hpke *h, const struct gn_hpke_text *text, uint8_t *out)
{
	uint8_t nonce[NONCE_LEN];
	int err = nonce_make(h, nonce);

	if (err < 0)
		return err;
	if (text->n < GN_HPKE_TAG_LEN || crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, text->p, text->n,
										   text->ad, text->n_ad, nonce, h->key))
		return GN_EAUTH;
	h->seq++;
	return 0;
}

int gn_hpke_export(const struct gn_hpke *h, const void *ctx, size_t n_ctx, uint8_t *out, size_t n)
{
	return labeled_expand(h->exporter, (struct label){false, "sec"},
			      n_ctx > 0 ? (struct gn_hkdf_part){ctx, n_ctx} : nothing, out, n);
}

/* ---- section 6.1: single shot ---- */

int gn_hpke_seal_once(const struct gn_hpke_cfg *cfg, const struct gn_hpke_text *text, uint8_t enc[GN_HPKE_ENC_LEN],
		      uint8_t *out)
{
	struct gn_hpke h;
	int err = gn_hpke_init_sender(&h, cfg, enc);

	if (err < 0)
		return err;
	err = gn_hpke_seal(&h, text, out);
	gn_hpke_fini(&h);
	return err;
}

int gn_hpke_unseal_once(const struct gn_hpke_cfg *cfg, const uint8_t enc[GN_HPKE_ENC_LEN],
			const struct gn_hpke_text *text, uint8_t *out)
{
	struct gn_hpke h;
	int err = gn_hpke_init_receiver(&h, cfg, enc);

	if (err < 0)
		return err;
	err = gn_hpke_unseal(&h, text, out);
	gn_hpke_fini(&h);
	return err;
}
