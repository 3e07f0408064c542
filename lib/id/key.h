/* SPDX-License-Identifier: MIT */
/* Keys and their protobufs, libp2p specs peer-ids/peer-ids.md.  Private keys are Ed25519 only; signatures
 * by peers' keys of the three other types are verified, too (pubkey_other.c). */
#ifndef GN_ID_KEY_H
#define GN_ID_KEY_H

#include "gn.h"

enum gn_key_type { GN_KEY_RSA, GN_KEY_ED25519, GN_KEY_SECP256K1, GN_KEY_ECDSA };

#define GN_KEY_SEED_LEN 32
#define GN_KEY_SIG_LEN 64       /* of an Ed25519 signature */
#define GN_KEY_PUBLIC_LEN 36    /* of a serialised Ed25519 public key */
#define GN_KEY_PRIVATE_LEN 68   /* of a serialised Ed25519 private key */
#define GN_KEY_PRIVATE_MAX 8192 /* of any serialised private key; an RSA key of 8192 bits has 4.7 KB */
#define GN_KEY_X25519_LEN 32
#define GN_PUBKEY_MAX 2048     /* of any serialised public key; an RSA key of 8192 bits has 1.1 KB */
#define GN_PUBKEY_SIG_MAX 1024 /* of any signature: that of an RSA key of 8192 bits */

/* ---- public keys ---- */

/* A public key as views into the bytes it was decoded from. */
struct gn_pubkey {
	enum gn_key_type type;
	const uint8_t *data; /* the Data field; its format depends on the type */
	size_t len;
	const uint8_t *pb; /* the whole serialised PublicKey message */
	size_t pb_len;
};

/* Decodes a PublicKey message of exactly n bytes.  Only the one valid encoding is accepted, and only a
 * Data field of a length that is possible for the type; the DER of RSA and ECDSA keys is parsed only by
 * gn_pubkey_verify(). Returns 0, GN_EFORMAT, GN_ETRUNC, GN_ETOOBIG (over GN_PUBKEY_MAX) or GN_EKEYTYPE (an
 * unknown type). */
int gn_pubkey_decode(const uint8_t *p, size_t n, struct gn_pubkey *out);
/* Returns 0 when the signature is valid; GN_EAUTH when it is not; GN_EFORMAT when the key's data is
 * malformed; GN_EKEYTYPE for RSA keys outside 2048 to 8192 bits and ECDSA keys not on P-256, P-384 or
 * P-521; -ENOMEM. */
int gn_pubkey_verify(const struct gn_pubkey *pub, const void *msg, size_t n, const uint8_t *sig, size_t n_sig);

/* Converts an Ed25519 key to the X25519 key, to encrypt to its owner.  GN_EKEYTYPE for the other types;
 * GN_EFORMAT when the key is not a point of the curve's main subgroup. */
int gn_pubkey_x25519(const struct gn_pubkey *pub, uint8_t out[GN_KEY_X25519_LEN]);

/* ---- private keys ---- */

/* Makes the key of a seed, for tests and simulations that must be repeatable.  0 or -ENOMEM. */
int gn_key_new_seeded(const uint8_t seed[GN_KEY_SEED_LEN], struct gn_key **out);
int gn_key_dup(const struct gn_key *key, struct gn_key **out);
/* Decodes a PrivateKey message of exactly n bytes.  Its Data field has 64 bytes, or 96 in old files, which
 * repeat the public key; the public key must belong to the seed.  Returns 0, GN_EKEYTYPE (a well-formed
 * key of another type), GN_EFORMAT, GN_ETRUNC, GN_ETOOBIG or -ENOMEM. */
int gn_key_decode(const uint8_t *p, size_t n, struct gn_key **out);
/* Encodes the PrivateKey message; the caller wipes out. */
void gn_key_encode(const struct gn_key *key, uint8_t out[GN_KEY_PRIVATE_LEN]);
void gn_key_sign(const struct gn_key *key, const void *msg, size_t n, uint8_t sig[GN_KEY_SIG_LEN]);

/* Converts the key to an X25519 pair; the caller wipes sk.  Using one key for both purposes is safe: see
 * "Ed25519 to Curve25519" in libsodium's manual, and eprint 2021/509 on signatures and a KEM with the same
 * key.  Returns 0 or GN_EFORMAT, as gn_pubkey_x25519(). */
int gn_key_x25519(const struct gn_key *key, uint8_t sk[GN_KEY_X25519_LEN], uint8_t pk[GN_KEY_X25519_LEN]);

#endif
