/* SPDX-License-Identifier: MIT */
#include "crypto/bulk.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "gn.h"

struct gn_bulk {
	EVP_CIPHER *alg;
	EVP_CIPHER_CTX *cipher;
	EVP_MD *md;
	EVP_MD_CTX *hash;
	bool is_sealing;
};

int gn_bulk_new(bool is_sealing, struct gn_bulk **out)
{
	struct gn_bulk *b = calloc(1, sizeof *b);

	if (b == NULL)
		return -ENOMEM;
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	b->is_sealing = is_sealing;
	b->alg = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	b->cipher = EVP_CIPHER_CTX_new();
	b->md = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	b->hash = EVP_MD_CTX_new();
	if (b->alg == NULL || b->cipher == NULL || b->md == NULL || b->hash == NULL ||
	    EVP_CipherInit_ex2(b->cipher, b->alg, NULL, NULL, is_sealing, NULL) != 1) {
		gn_bulk_free(b);
		return -ENOMEM;
	}
	*out = b;
	return 0;
}

void gn_bulk_free(struct gn_bulk *b)
{
	if (b == NULL)
		return;
	EVP_CIPHER_CTX_free(b->cipher);
	EVP_CIPHER_free(b->alg);
	EVP_MD_CTX_free(b->hash);
	EVP_MD_free(b->md);
	free(b);
}

int gn_bulk_start(struct gn_bulk *b, const uint8_t key[GN_BULK_KEY_LEN], const uint8_t nonce[GN_BULK_NONCE_LEN],
		  const void *ad, size_t n_ad)
{
	int len;

	if (n_ad > GN_BULK_MAX || EVP_CipherInit_ex2(b->cipher, NULL, key, nonce, b->is_sealing, NULL) != 1 ||
	    EVP_CipherUpdate(b->cipher, NULL, &len, ad, (int)n_ad) != 1)
		return -ENOMEM;
	return 0;
}

int gn_bulk_put(struct gn_bulk *b, const uint8_t *p, size_t n, uint8_t *out)
{
	int len;

	if (n == 0)
		return 0;
	if (n > GN_BULK_MAX || EVP_CipherUpdate(b->cipher, out, &len, p, (int)n) != 1)
		return -ENOMEM;
	return 0;
}

int gn_bulk_seal(struct gn_bulk *b, uint8_t tag[GN_BULK_TAG_LEN])
{
	uint8_t none[1];
	int len;

	if (EVP_CipherFinal_ex(b->cipher, none, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(b->cipher, EVP_CTRL_AEAD_GET_TAG, GN_BULK_TAG_LEN, tag) != 1)
		return -ENOMEM;
	return 0;
}

int gn_bulk_unseal(struct gn_bulk *b, const uint8_t tag[GN_BULK_TAG_LEN])
{
	uint8_t none[1], copy[GN_BULK_TAG_LEN];
	int len;

	for (size_t i = 0; i < sizeof(copy); i++)
		copy[i] = tag[i];
	if (EVP_CIPHER_CTX_ctrl(b->cipher, EVP_CTRL_AEAD_SET_TAG, sizeof(copy), copy) != 1)
		return -ENOMEM;
	return EVP_CipherFinal_ex(b->cipher, none, &len) == 1 ? 0 : GN_EAUTH;
}

void gn_bulk_forget(struct gn_bulk *b)
{
	static const uint8_t nobody[GN_BULK_KEY_LEN];

	(void)EVP_CipherInit_ex2(b->cipher, NULL, nobody, nobody, b->is_sealing, NULL);
}

int gn_bulk_hash_start(struct gn_bulk *b)
{
	return EVP_DigestInit_ex2(b->hash, b->md, NULL) == 1 ? 0 : -ENOMEM;
}

int gn_bulk_hash_put(struct gn_bulk *b, const void *p, size_t n)
{
	return EVP_DigestUpdate(b->hash, p, n) == 1 ? 0 : -ENOMEM;
}

int gn_bulk_hash_get(struct gn_bulk *b, uint8_t out[GN_BULK_HASH_LEN])
{
	return EVP_DigestFinal_ex(b->hash, out, NULL) == 1 ? 0 : -ENOMEM;
}
