/* SPDX-License-Identifier: MIT */
/* Verifies signatures by RSA, ECDSA and secp256k1 keys with libcrypto.  Private to lib/id. */
#ifndef GN_ID_PUBKEY_OTHER_H
#define GN_ID_PUBKEY_OTHER_H

#include "id/key.h"

/* As gn_pubkey_verify(), for every type except Ed25519. */
int gn_pubkey_other_verify(const struct gn_pubkey *pub, const void *msg, size_t n, const uint8_t *sig, size_t n_sig);

#endif
