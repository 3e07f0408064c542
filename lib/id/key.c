/* SPDX-License-Identifier: MIT */
#include "id/key.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "id/key_pb.h"
#include "id/peer_id.h"

#define PUBLIC_LEN crypto_sign_PUBLICKEYBYTES
#define SECRET_LEN crypto_sign_SECRETKEYBYTES /* seed, public */

_Static_assert(GN_KEY_SEED_LEN == crypto_sign_SEEDBYTES, "Ed25519's seed");
_Static_assert(GN_KEY_SIG_LEN == crypto_sign_BYTES, "Ed25519's signature");
_Static_assert(GN_KEY_X25519_LEN == crypto_scalarmult_BYTES, "X25519's keys");
_Static_assert(GN_KEY_PUBLIC_LEN == GN_KEY_PB_HEAD + PUBLIC_LEN, "the public protobuf");
_Static_assert(GN_KEY_PRIVATE_LEN == GN_KEY_PB_HEAD + SECRET_LEN, "the private protobuf");

struct gn_key {
	uint8_t secret[SECRET_LEN];
	uint8_t pb[GN_KEY_PUBLIC_LEN];
	struct gn_peer_id id;
};

static void pb_put_head(uint8_t *pb, uint8_t len)
{
	pb[0] = GN_KEY_PB_TYPE;
	pb[1] = GN_KEY_ED25519;
	pb[2] = GN_KEY_PB_DATA;
	pb[3] = len;
}

int gn_key_new_seeded(const uint8_t seed[GN_KEY_SEED_LEN], struct gn_key **out)
{
	struct gn_key *key = calloc(1, sizeof *key);
	struct gn_pubkey pub;
	int err;

	if (key == NULL)
		return -ENOMEM;
	gn_random_init();
	pb_put_head(key->pb, PUBLIC_LEN);
	(void)crypto_sign_seed_keypair(key->pb + GN_KEY_PB_HEAD, key->secret, seed);
	err = gn_pubkey_decode(key->pb, sizeof(key->pb), &pub);
	if (err < 0) {
		gn_key_free(key);
		return err;
	}
	gn_peer_id_from_public(&pub, &key->id);
	*out = key;
	return 0;
}

int gn_key_new(struct gn_key **out)
{
	uint8_t seed[GN_KEY_SEED_LEN];
	int err;

	gn_random(seed, sizeof(seed));
	err = gn_key_new_seeded(seed, out);
	sodium_memzero(seed, sizeof(seed));
	return err;
}

int gn_key_dup(const struct gn_key *key, struct gn_key **out)
{
	struct gn_key *copy = malloc(sizeof *copy);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, key, sizeof *copy);
	*out = copy;
	return 0;
}

void gn_key_free(struct gn_key *key)
{
	if (key == NULL)
		return;
	sodium_memzero(key, sizeof *key);
	free(key);
}

void gn_key_id(const struct gn_key *key, struct gn_peer_id *out)
{
	*out = key->id;
}

const uint8_t *gn_key_public(const struct gn_key *key, size_t *len)
{
	*len = sizeof(key->pb);
	return key->pb;
}

void gn_key_encode(const struct gn_key *key, uint8_t out[GN_KEY_PRIVATE_LEN])
{
	pb_put_head(out, SECRET_LEN);
	memcpy(out + GN_KEY_PB_HEAD, key->secret, SECRET_LEN);
}

int gn_key_decode(const uint8_t *p, size_t n, struct gn_key **out)
{
	const uint8_t *data;
	struct gn_key *key;
	uint64_t type;
	size_t len;
	int err;

	if (n > GN_KEY_PRIVATE_MAX)
		return GN_ETOOBIG;
	err = gn_key_pb_decode(p, n, &type, &data, &len);
	if (err < 0)
		return err;
	if (len == 0)
		return GN_EFORMAT;
	if (type != GN_KEY_ED25519)
		return GN_EKEYTYPE;
	if (len != SECRET_LEN && len != SECRET_LEN + PUBLIC_LEN)
		return GN_EFORMAT;
	err = gn_key_new_seeded(data, &key);
	if (err < 0)
		return err;
	/* A public key that does not belong to the seed would give the node an id for which it cannot
	 * sign. */
	if (sodium_memcmp(data, key->secret, SECRET_LEN) != 0 ||
	    (len > SECRET_LEN && memcmp(data + SECRET_LEN, key->pb + GN_KEY_PB_HEAD, PUBLIC_LEN) != 0)) {
		gn_key_free(key);
		return GN_EFORMAT;
	}
	*out = key;
	return 0;
}

void gn_key_sign(const struct gn_key *key, const void *msg, size_t n, uint8_t sig[GN_KEY_SIG_LEN])
{
	(void)crypto_sign_detached(sig, NULL, msg, n, key->secret);
}

int gn_key_x25519(const struct gn_key *key, uint8_t sk[GN_KEY_X25519_LEN], uint8_t pk[GN_KEY_X25519_LEN])
{
	uint8_t public[GN_KEY_X25519_LEN];

	if (crypto_sign_ed25519_pk_to_curve25519(public, key->pb + GN_KEY_PB_HEAD) != 0 ||
	    crypto_sign_ed25519_sk_to_curve25519(sk, key->secret) != 0)
		return GN_EFORMAT;
	memcpy(pk, public, sizeof(public));
	return 0;
}
