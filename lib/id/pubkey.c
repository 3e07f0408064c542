/* SPDX-License-Identifier: MIT */
#include <sodium.h>
#include <string.h>

#include "base/cursor.h"
#include "base/random.h"
#include "id/key.h"
#include "id/key_pb.h"
#include "id/pubkey_other.h"

#define SECP256K1_LEN 33
#define RSA_DER_MIN 256 /* a key of 2048 bits has 294 bytes */
#define ECDSA_DER_MAX 512

int gn_key_pb_decode(const uint8_t *p, size_t n, uint64_t *type, const uint8_t **data, size_t *len)
{
	struct gn_cursor c;
	uint8_t tag;
	int err;

	gn_cursor_init(&c, p, n);
	err = gn_cursor_get_u8(&c, &tag);
	if (err < 0)
		return err;
	if (tag != GN_KEY_PB_TYPE)
		return GN_EFORMAT;
	err = gn_cursor_get_uvarint(&c, type);
	if (err < 0)
		return err;
	err = gn_cursor_get_u8(&c, &tag);
	if (err < 0)
		return err;
	if (tag != GN_KEY_PB_DATA)
		return GN_EFORMAT;
	err = gn_cursor_get_prefixed(&c, data, len);
	if (err < 0)
		return err;
	return gn_cursor_is_done(&c) ? 0 : GN_EFORMAT;
}

int gn_pubkey_decode(const uint8_t *p, size_t n, struct gn_pubkey *out)
{
	struct gn_pubkey pub = {.pb = p, .pb_len = n};
	uint64_t type;
	bool ok;
	int err;

	if (n > GN_PUBKEY_MAX)
		return GN_ETOOBIG;
	err = gn_key_pb_decode(p, n, &type, &pub.data, &pub.len);
	if (err < 0)
		return err;
	switch (type) {
	case GN_KEY_ED25519:
		ok = pub.len == crypto_sign_PUBLICKEYBYTES;
		break;
	case GN_KEY_SECP256K1:
		/* Only compressed points are valid: 2 and 3 stand for the two signs of y. */
		ok = pub.len == SECP256K1_LEN && (pub.data[0] == 2 || pub.data[0] == 3);
		break;
	case GN_KEY_RSA:
		ok = pub.len >= RSA_DER_MIN;
		break;
	case GN_KEY_ECDSA:
		ok = pub.len > 0 && pub.len <= ECDSA_DER_MAX;
		break;
	default:
		return GN_EKEYTYPE;
	}
	if (!ok)
		return GN_EFORMAT;
	pub.type = (enum gn_key_type)type;
	*out = pub;
	return 0;
}

int gn_pubkey_verify(const struct gn_pubkey *pub, const void *msg, size_t n, const uint8_t *sig, size_t n_sig)
{
	if (n_sig > GN_PUBKEY_SIG_MAX)
		return GN_EAUTH;
	if (pub->type != GN_KEY_ED25519)
		return gn_pubkey_other_verify(pub, msg, n, sig, n_sig);
	gn_random_init();
	if (n_sig != crypto_sign_BYTES || crypto_sign_verify_detached(sig, msg, n, pub->data) != 0)
		return GN_EAUTH;
	return 0;
}

int gn_pubkey_x25519(const struct gn_pubkey *pub, uint8_t out[GN_KEY_X25519_LEN])
{
	uint8_t x[GN_KEY_X25519_LEN];

	if (pub->type != GN_KEY_ED25519)
		return GN_EKEYTYPE;
	gn_random_init();
	if (crypto_sign_ed25519_pk_to_curve25519(x, pub->data) != 0)
		return GN_EFORMAT;
	memcpy(out, x, sizeof(x));
	return 0;
}
