/* SPDX-License-Identifier: MIT */
#include "security/noise_handshake.h"

#include <sodium.h>
#include <string.h>

#include "base/random.h"
#include "crypto/hkdf.h"
#include "gn.h"

/* The name has exactly 32 bytes, so it is the initial value of h and ck (Noise section 5.2). */
static const char name[33] = "Noise_XX_25519_ChaChaPoly_SHA256";

static void mix_hash(struct gn_noise *hs, const void *data, size_t n)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, hs->h, sizeof hs->h);
	crypto_hash_sha256_update(&st, data, n);
	crypto_hash_sha256_final(&st, hs->h);
}

/* MixKey(DH(secret, public)).  libsodium reports a DH result of zero, which comes of a low-order point. */
static int mix_dh(struct gn_noise *hs, const uint8_t secret[32], const uint8_t public[32])
{
	uint8_t dh[32];
	int err = crypto_scalarmult(dh, secret, public) == 0 ? 0 : GN_EAUTH;

	if (err == 0) {
		gn_hkdf_pair(hs->ck, dh, sizeof dh, hs->ck, hs->k);
		hs->n = 0;
		hs->has_key = true;
	}
	sodium_memzero(dh, sizeof dh);
	return err;
}

/* A nonce is 4 zero bytes and the counter as 8 bytes, little-endian. */
static void nonce_of(uint64_t n, uint8_t nonce[12])
{
	memset(nonce, 0, 4);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(n >> (8 * i));
}

/* EncryptAndHash() of n bytes.  Returns the bytes written, which include a tag once there is a key. */
static size_t seal(struct gn_noise *hs, const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t nonce[12];
	size_t len = n;

	if (hs->has_key) {
		nonce_of(hs->n++, nonce);
		crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, n, hs->h, sizeof hs->h, NULL, nonce, hs->k);
		len += GN_NOISE_TAG;
	} else if (n > 0) {
		memmove(out, in, n);
	}
	mix_hash(hs, out, len);
	return len;
}

/* DecryptAndHash() in place of n bytes, which include the tag once there is a key. */
static int unseal(struct gn_noise *hs, uint8_t *p, size_t n)
{
	uint8_t nonce[12], h[32];

	memcpy(h, hs->h, sizeof h);
	mix_hash(hs, p, n);
	if (!hs->has_key)
		return 0;
	nonce_of(hs->n++, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(p, NULL, NULL, p, n, h, sizeof h, nonce, hs->k) != 0)
		return GN_EAUTH;
	return 0;
}

static void noise_handshake_begin(struct gn_noise *hs, const void *prologue, size_t n)
{
	crypto_scalarmult_base(hs->s_pub, hs->s);
	crypto_scalarmult_base(hs->e_pub, hs->e);
	memcpy(hs->h, name, 32);
	memcpy(hs->ck, name, 32);
	mix_hash(hs, prologue, n);
}

void gn_noise_init(struct gn_noise *hs, bool initiator)
{
	memset(hs, 0, sizeof *hs);
	hs->initiator = initiator;
	gn_random(hs->s, sizeof hs->s);
	gn_random(hs->e, sizeof hs->e);
	noise_handshake_begin(hs, "", 0);
}

int gn_noise_init_fixed(struct gn_noise *hs, bool initiator, const uint8_t s[GN_NOISE_KEY],
			const uint8_t e[GN_NOISE_KEY], const void *prologue, size_t n)
{
	memset(hs, 0, sizeof *hs);
	hs->initiator = initiator;
	memcpy(hs->s, s, sizeof hs->s);
	memcpy(hs->e, e, sizeof hs->e);
	noise_handshake_begin(hs, prologue, n);
	return 0;
}

void gn_noise_fini(struct gn_noise *hs)
{
	sodium_memzero(hs, sizeof *hs);
}

int gn_noise_write(struct gn_noise *hs, int number, const uint8_t *payload, size_t n, uint8_t *out)
{
	int err = 0;

	if (number < 3) { /* e */
		memcpy(out, hs->e_pub, 32);
		mix_hash(hs, out, 32);
		out += 32;
	}
	if (number == 2) /* ee */
		err = mix_dh(hs, hs->e, hs->re);
	if (number > 1) { /* s; its DH is es in message 2, se in message 3: our static, their ephemeral */
		out += seal(hs, hs->s_pub, 32, out);
		if (err == 0)
			err = mix_dh(hs, hs->s, hs->re);
	}
	if (err == 0)
		seal(hs, payload, n, out);
	return err;
}

int gn_noise_read(struct gn_noise *hs, int number, uint8_t *msg, size_t n, uint8_t **payload, size_t *len)
{
	size_t fixed = number == 1 ? GN_NOISE_MSG1 : number == 2 ? GN_NOISE_MSG2 : GN_NOISE_MSG3;
	int err = 0;

	if (n < fixed)
		return GN_ETRUNC;
	if (number < 3) { /* e */
		memcpy(hs->re, msg, 32);
		mix_hash(hs, msg, 32);
		msg += 32;
		n -= 32;
	}
	if (number == 2) /* ee */
		err = mix_dh(hs, hs->e, hs->re);
	if (err == 0 && number > 1) { /* s, then es or se: our ephemeral, their static */
		err = unseal(hs, msg, 48);
		if (err == 0) {
			memcpy(hs->rs, msg, 32);
			err = mix_dh(hs, hs->e, hs->rs);
		}
		msg += 48;
		n -= 48;
	}
	if (err == 0)
		err = unseal(hs, msg, n);
	*payload = msg;
	*len = hs->has_key ? n - GN_NOISE_TAG : n;
	return err;
}

void gn_noise_split(struct gn_noise *hs, uint8_t send[GN_NOISE_KEY], uint8_t receive[GN_NOISE_KEY])
{
	if (hs->initiator)
		gn_hkdf_pair(hs->ck, NULL, 0, send, receive);
	else
		gn_hkdf_pair(hs->ck, NULL, 0, receive, send);
}
