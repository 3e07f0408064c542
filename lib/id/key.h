/* SPDX-License-Identifier: MIT */
/* Keys and their protobufs, libp2p specs peer-ids/peer-ids.md.  Our own keys are Ed25519;
 * signatures of peers with the three other types are checked too (pubkey_other.c). */
#ifndef GN_ID_KEY_H
#define GN_ID_KEY_H

#include "gn.h"

enum gn_key_type { GN_KEY_RSA, GN_KEY_ED25519, GN_KEY_SECP256K1, GN_KEY_ECDSA };

#define GN_KEY_SEED_LEN 32
#define GN_KEY_SIG_LEN 64       /* of a signature that we make */
#define GN_KEY_PUBLIC_LEN 36    /* of our own serialised public key */
#define GN_KEY_PRIVATE_LEN 68   /* of our own serialised private key */
#define GN_KEY_PRIVATE_MAX 8192 /* an RSA key of 8192 bits is 4.7 KB; a longer one is malformed */
#define GN_KEY_X25519_LEN 32
#define GN_PUBKEY_MAX 2048     /* of anyone's serialised public key; 8192 bits of RSA are 1.1 KB */
#define GN_PUBKEY_SIG_MAX 1024 /* of anyone's signature: 8192 bits of RSA */

/* ---- public keys ---- */

/* A public key as views into the bytes it was decoded from. */
struct gn_pubkey {
	enum gn_key_type type;
	const uint8_t *data; /* the Data field: what the type says */
	size_t len;
	const uint8_t *pb; /* the serialised PublicKey message as a whole */
	size_t pb_len;
};

/* The PublicKey message of exactly n bytes, in its one valid encoding, its Data of a length
 * that the type can have; RSA's and ECDSA's DER is looked into only when verifying.
 * GN_EFORMAT, GN_ETRUNC, GN_ETOOBIG (over GN_PUBKEY_MAX), GN_EKEYTYPE (an unknown type). */
int gn_pubkey_decode(const uint8_t *p, size_t n, struct gn_pubkey *out);
/* 0, or GN_EAUTH: the signature is not good; GN_EFORMAT: the key is no such key;
 * GN_EKEYTYPE: RSA not of 2048 to 8192 bits, ECDSA not on P-256, P-384 or P-521; -ENOMEM. */
int gn_pubkey_verify(const struct gn_pubkey *pub, const void *msg, size_t n, const uint8_t *sig, size_t n_sig);

/* The X25519 key of an Ed25519 key, to encrypt to.  GN_EKEYTYPE for the other types,
 * GN_EFORMAT when it is no point of the curve's main group. */
int gn_pubkey_x25519(const struct gn_pubkey *pub, uint8_t out[GN_KEY_X25519_LEN]);

/* ---- our own ---- */

/* The key that a seed makes, for tests and simulations that repeat. */
int gn_key_new_seeded(const uint8_t seed[GN_KEY_SEED_LEN], struct gn_key **out);
int gn_key_dup(const struct gn_key *key, struct gn_key **out);
/* The PrivateKey message of exactly n bytes.  Ed25519's Data has 64 bytes, or 96 (old files)
 * when it is consistent; the public half must be the seed's.  Well-formed keys of other types
 * are GN_EKEYTYPE; GN_EFORMAT, GN_ETRUNC, GN_ETOOBIG, -ENOMEM. */
int gn_key_decode(const uint8_t *p, size_t n, struct gn_key **out);
/* The caller wipes it. */
void gn_key_encode(const struct gn_key *key, uint8_t out[GN_KEY_PRIVATE_LEN]);
void gn_key_sign(const struct gn_key *key, const void *msg, size_t n, uint8_t sig[GN_KEY_SIG_LEN]);

/* Its X25519 form; the caller wipes sk.  One key serves both uses: see "Ed25519 to Curve25519" in
 * libsodium's manual, and eprint 2021/509 on signing beside a KEM.  GN_EFORMAT: as gn_pubkey_x25519(). */
int gn_key_x25519(const struct gn_key *key, uint8_t sk[GN_KEY_X25519_LEN], uint8_t pk[GN_KEY_X25519_LEN]);

#endif
