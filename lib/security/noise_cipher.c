/* SPDX-License-Identifier: MIT */
#include "security/noise_cipher.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "gn.h"

enum { NONCE_LEN = 12 };

int gn_noise_cipher_open(struct gn_noise_cipher *c)
{
	if (c->alg != NULL)
		return 0;
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	c->alg = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	for (int i = 0; i < 2; i++)
		c->ctx[i] = EVP_CIPHER_CTX_new();
	if (c->alg == NULL || c->ctx[0] == NULL || c->ctx[1] == NULL ||
	    EVP_CipherInit_ex2(c->ctx[0], c->alg, NULL, NULL, 0, NULL) != 1 ||
	    EVP_CipherInit_ex2(c->ctx[1], c->alg, NULL, NULL, 1, NULL) != 1) {
		gn_noise_cipher_fini(c);
		return -ENOMEM;
	}
	return 0;
}

void gn_noise_cipher_fini(struct gn_noise_cipher *c)
{
	EVP_CIPHER_CTX_free(c->ctx[0]);
	EVP_CIPHER_CTX_free(c->ctx[1]);
	EVP_CIPHER_free(c->alg);
	memset(c, 0, sizeof *c);
}

/* Writes the nonce of the next record and counts the record.  0 or GN_ELIMIT. */
static int noise_key_next(struct gn_noise_key *k, uint8_t nonce[NONCE_LEN])
{
	if (k->n == UINT64_MAX) /* reserved (Noise revision 34, section 5.1) */
		return GN_ELIMIT;
	memset(nonce, 0, 4);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(k->n >> (8 * i));
	k->n++;
	return 0;
}

/* Sets the nonce, and the key unless the context has it already, and counts the record. */
static int noise_cipher_start(struct gn_noise_cipher *c, struct gn_noise_key *k, int dir, EVP_CIPHER_CTX **ctx)
{
	uint8_t nonce[NONCE_LEN];
	const uint8_t *key = c->key[dir] == k ? NULL : k->key;
	int err = gn_noise_cipher_open(c);

	if (err == 0)
		err = noise_key_next(k, nonce);
	if (err != 0)
		return err;
	if (EVP_CipherInit_ex2(c->ctx[dir], NULL, key, nonce, dir, NULL) != 1)
		return -ENOMEM;
	c->key[dir] = k;
	*ctx = c->ctx[dir];
	return 0;
}

static int noise_seal_short(struct gn_noise_key *k, const struct iovec *v, int n, uint8_t *out)
{
	uint8_t nonce[NONCE_LEN];
	size_t len = 0;
	int err = noise_key_next(k, nonce);

	if (err != 0)
		return err;
	for (int i = 0; i < n; i++) {
		if (v[i].iov_len > 0)
			memcpy(out + len, v[i].iov_base, v[i].iov_len);
		len += v[i].iov_len;
	}
	(void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(out, out + len, NULL, out, len, NULL, 0, NULL, nonce,
								 k->key);
	return 0;
}

static int noise_unseal_short(struct gn_noise_key *k, uint8_t *p, size_t n, const uint8_t *tag)
{
	uint8_t nonce[NONCE_LEN];
	int err = noise_key_next(k, nonce);

	if (err != 0)
		return err;
	err = crypto_aead_chacha20poly1305_ietf_decrypt_detached(p, NULL, p, n, tag, NULL, 0, nonce, k->key);
	return err == 0 ? 0 : GN_EAUTH;
}

int gn_noise_cipher_seal(struct gn_noise_cipher *c, struct gn_noise_key *k, const struct iovec *v, int n, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = NULL;
	size_t total = 0;
	int len, err;

	for (int i = 0; i < n; i++)
		total += v[i].iov_len;
	if (total <= GN_NOISE_SHORT)
		return noise_seal_short(k, v, n, out);
	err = noise_cipher_start(c, k, 1, &ctx);
	if (err != 0)
		return err;
	for (int i = 0; i < n; i++) {
		if (EVP_CipherUpdate(ctx, out, &len, v[i].iov_base, (int)v[i].iov_len) != 1)
			return -ENOMEM;
		out += len;
	}
	if (EVP_CipherFinal_ex(ctx, out, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + len) != 1)
		return -ENOMEM;
	return 0;
}

int gn_noise_cipher_unseal(struct gn_noise_cipher *c, struct gn_noise_key *k, const struct iovec *v, int n,
			   const uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t none[16];
	int len, err;

	if (n == 1 && v[0].iov_len <= GN_NOISE_SHORT)
		return noise_unseal_short(k, v[0].iov_base, v[0].iov_len, tag);
	err = noise_cipher_start(c, k, 0, &ctx);
	if (err != 0)
		return err;
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(uintptr_t)tag) != 1)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		if (v[i].iov_len > 0 &&
		    EVP_CipherUpdate(ctx, v[i].iov_base, &len, v[i].iov_base, (int)v[i].iov_len) != 1)
			return GN_EAUTH;
	return EVP_CipherFinal_ex(ctx, none, &len) == 1 ? 0 : GN_EAUTH;
}

void gn_noise_cipher_forget(struct gn_noise_cipher *c, struct gn_noise_key *k)
{
	sodium_memzero(k->key, sizeof k->key);
	for (int dir = 0; c->alg != NULL && dir < 2; dir++) {
		static const uint8_t zero_key[32];

		if (c->key[dir] == k) {
			EVP_CipherInit_ex2(c->ctx[dir], NULL, zero_key, NULL, dir, NULL);
			c->key[dir] = NULL;
		}
	}
}
