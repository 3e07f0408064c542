/* SPDX-License-Identifier: MIT */
/* PKCS#8 in PEM.  libcrypto reads it, because encrypted files use many ciphers and key derivations.  The
 * written files are unencrypted and differ only in the seed. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>

#include "id/key.h"
#include "id/key_forms.h"

/* The bytes before the seed: OneAsymmetricKey { 0, id-Ed25519, OCTET STRING { OCTET STRING of 32 bytes }
 * }. */
static const uint8_t head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
			       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

/* One PEM block, from its BEGIN to its END. */
struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static PKCS8_PRIV_KEY_INFO *key_pem_decrypt(const struct block *b, gn_passphrase_cb *ask, void *arg, int *err)
{
	const unsigned char *p = b->data;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	char pass[GN_PASSPHRASE_MAX];
	X509_SIG *sealed;
	int n;

	sealed = d2i_X509_SIG(NULL, &p, b->len);
	if (sealed == NULL || p != b->data + b->len) {
		X509_SIG_free(sealed);
		*err = GN_EFORMAT;
		return NULL;
	}
	n = ask != NULL ? ask(arg, pass) : GN_EAUTH;
	*err = n < 0 ? n : 0;
	if (n >= 0) {
		info = PKCS8_decrypt(sealed, pass, n);
		if (info == NULL)
			*err = GN_EAUTH;
	}
	sodium_memzero(pass, sizeof(pass));
	X509_SIG_free(sealed);
	return info;
}

static int key_pem_key_of(const PKCS8_PRIV_KEY_INFO *info, struct gn_key **out)
{
	EVP_PKEY *pkey = EVP_PKCS82PKEY(info);
	uint8_t seed[GN_KEY_SEED_LEN];
	size_t n = sizeof(seed);
	int err;

	if (pkey == NULL)
		return GN_EFORMAT;
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519)
		err = GN_EKEYTYPE;
	else if (EVP_PKEY_get_raw_private_key(pkey, seed, &n) != 1 || n != sizeof(seed))
		err = GN_EFORMAT;
	else
		err = gn_key_new_seeded(seed, out);
	sodium_memzero(seed, sizeof(seed));
	EVP_PKEY_free(pkey);
	return err;
}

/* Version 2 includes the public key (RFC 5958); libcrypto 3.0 cannot read it.  It begins as version 1
 * does, with another length and version; optional attributes and [1] public key follow the seed. */
static int v2_decode(const uint8_t *p, size_t n, struct gn_key **out)
{
	static const uint8_t public_head[] = {0x81, 0x21, 0x00};
	const size_t front = sizeof(head) + GN_KEY_SEED_LEN, back = sizeof(public_head) + 32;
	const uint8_t *public;
	struct gn_key *key;
	size_t n_own;
	int err;

	if (n < front + back || n > 127 + 2 || p[0] != head[0] || p[1] != n - 2 || p[2] != head[2] || p[3] != head[3] ||
	    p[4] != 1 || memcmp(p + 5, head + 5, sizeof(head) - 5) != 0 ||
	    memcmp(p + n - back, public_head, sizeof(public_head)) != 0)
		return GN_EFORMAT;
	err = gn_key_new_seeded(p + sizeof(head), &key);
	if (err < 0)
		return err;
	public = gn_key_public(key, &n_own);
	if (memcmp(public + n_own - 32, p + n - 32, 32) != 0) {
		gn_key_free(key);
		return GN_EFORMAT;
	}
	*out = key;
	return 0;
}

static int block_decode(const struct block *b, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	const unsigned char *p = b->data;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	int err = GN_EFORMAT;

	if (strcmp(b->name, PEM_STRING_PKCS8) == 0) {
		info = key_pem_decrypt(b, ask, arg, &err);
	} else if (strcmp(b->name, PEM_STRING_PKCS8INF) == 0) {
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, b->len);
		if (info != NULL && p != b->data + b->len) {
			PKCS8_PRIV_KEY_INFO_free(info);
			info = NULL;
		}
		if (info == NULL)
			err = v2_decode(b->data, (size_t)b->len, out);
	} else if (strstr(b->name, "PRIVATE KEY") != NULL) {
		err = GN_EKEYTYPE; /* the older formats of RSA, EC and DSA keys */
	}
	if (info == NULL)
		return err;
	err = key_pem_key_of(info, out);
	PKCS8_PRIV_KEY_INFO_free(info);
	return err;
}

/* Certificates, parameters and public keys may precede the private key; they are skipped. */
static bool is_private(const char *name)
{
	static const char tail[] = "PRIVATE KEY";
	size_t n = strlen(name);

	return n >= sizeof(tail) - 1 && strcmp(name + n - (sizeof(tail) - 1), tail) == 0;
}

int gn_key_pem_parse(const char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	BIO *bio = BIO_new_mem_buf(text, (int)n);
	int err = GN_EFORMAT;
	bool found = false;
	struct block b;

	if (bio == NULL)
		return -ENOMEM;
	while (!found && PEM_read_bio(bio, &b.name, &b.header, &b.data, &b.len) == 1) {
		found = is_private(b.name);
		if (found)
			err = block_decode(&b, ask, arg, out);
		OPENSSL_free(b.name);
		OPENSSL_free(b.header);
		OPENSSL_clear_free(b.data, (size_t)b.len);
	}
	BIO_free(bio);
	ERR_clear_error();
	return err;
}

size_t gn_key_pem_format(const struct gn_key *key, char out[GN_KEY_FORMS_ROOM])
{
	static const char begin[] = "-----BEGIN PRIVATE KEY-----\n", end[] = "\n-----END PRIVATE KEY-----\n";
	uint8_t pb[GN_KEY_PRIVATE_LEN], der[sizeof(head) + GN_KEY_SEED_LEN];
	size_t at = sizeof(begin) - 1;

	gn_key_encode(key, pb);
	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), pb + 4, GN_KEY_SEED_LEN);
	memcpy(out, begin, at);
	(void)sodium_bin2base64(out + at, GN_KEY_FORMS_ROOM - at, der, sizeof(der), sodium_base64_VARIANT_ORIGINAL);
	at += strlen(out + at);
	memcpy(out + at, end, sizeof(end));
	sodium_memzero(pb, sizeof(pb));
	sodium_memzero(der, sizeof(der));
	return at + sizeof(end) - 1;
}
