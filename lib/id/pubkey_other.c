/* SPDX-License-Identifier: MIT */
#include "id/pubkey_other.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define RSA_E_BITS_MAX 32 /* as in go-libp2p; a long exponent only makes verifying expensive */

/* The bytes before the point: SubjectPublicKeyInfo { id-ecPublicKey, secp256k1, BIT STRING of 33 bytes }. */
static const uint8_t secp256k1_head[] = {0x30, 0x36, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
					 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x22, 0x00};

static EVP_PKEY *der_decode(const uint8_t *der, size_t n)
{
	const uint8_t *p = der;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)n);

	if (key != NULL && p != der + n) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static EVP_PKEY *secp256k1_decode(const struct gn_pubkey *pub)
{
	uint8_t der[sizeof(secp256k1_head) + 33];

	if (pub->len != 33)
		return NULL;
	memcpy(der, secp256k1_head, sizeof(secp256k1_head));
	memcpy(der + sizeof(secp256k1_head), pub->data, 33);
	return der_decode(der, sizeof(der));
}

static int rsa_check(const EVP_PKEY *key)
{
	BIGNUM *e = NULL;
	int bits, e_bits;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return GN_EFORMAT;
	bits = EVP_PKEY_get_bits(key);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return GN_EKEYTYPE;
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return GN_EFORMAT;
	e_bits = BN_num_bits(e);
	BN_free(e);
	return e_bits <= RSA_E_BITS_MAX ? 0 : GN_EKEYTYPE;
}

static int ecdsa_check(const EVP_PKEY *key)
{
	static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
	int is_explicit = 0;
	char name[64];
	size_t n;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
		return GN_EFORMAT;
	/* A curve given by explicit parameters is refused, as other implementations do, even when the
	 * curve is a known one. */
	if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) == 1 &&
	    is_explicit)
		return GN_EKEYTYPE;
	if (EVP_PKEY_get_group_name(key, name, sizeof(name), &n) != 1)
		return GN_EKEYTYPE;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(name, curves[i]) == 0)
			return 0;
	return GN_EKEYTYPE;
}

static int key_decode(const struct gn_pubkey *pub, EVP_PKEY **out)
{
	EVP_PKEY *key = pub->type == GN_KEY_SECP256K1 ? secp256k1_decode(pub) : der_decode(pub->data, pub->len);
	int err = 0;

	if (key == NULL)
		return GN_EFORMAT;
	if (pub->type == GN_KEY_RSA)
		err = rsa_check(key);
	else if (pub->type == GN_KEY_ECDSA)
		err = ecdsa_check(key);
	if (err < 0) {
		EVP_PKEY_free(key);
		return err;
	}
	*out = key;
	return 0;
}

/* libcrypto's default padding for RSA is PKCS#1 v1.5, which libp2p uses. */
static int digest_verify(EVP_PKEY *key, const void *msg, size_t n, const uint8_t *sig, size_t n_sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int err = GN_EAUTH;

	if (ctx == NULL)
		return -ENOMEM;
	if (EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) != 1)
		err = -ENOMEM;
	else if (EVP_DigestVerify(ctx, sig, n_sig, msg, n) == 1)
		err = 0;
	EVP_MD_CTX_free(ctx);
	return err;
}

int gn_pubkey_other_verify(const struct gn_pubkey *pub, const void *msg, size_t n, const uint8_t *sig, size_t n_sig)
{
	EVP_PKEY *key;
	int err;

	/* The system's OpenSSL configuration file is not read: it must not change the result, and reading
	 * it delays the start. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -ENOMEM;
	ERR_set_mark();
	err = key_decode(pub, &key);
	if (err == 0) {
		err = digest_verify(key, msg, n, sig, n_sig);
		EVP_PKEY_free(key);
	}
	/* Errors about a peer's key must not remain in the program's OpenSSL error queue. */
	ERR_pop_to_mark();
	return err;
}
