/* SPDX-License-Identifier: MIT */
/* Signed envelopes, libp2p RFC 0002: a payload, its type, the signer's public key and the signature.
 *
 * The signature covers domain, type and payload, each after its uvarint length.  The domain is not sent;
 * it prevents that a signature made for one purpose is valid for another. */
#ifndef GN_CRYPTO_ENVELOPE_H
#define GN_CRYPTO_ENVELOPE_H

#include "base/buf.h"
#include "gn.h"
#include "id/key.h"

#define GN_ENVELOPE_MAX 16384 /* bytes of an envelope; messages of identify have at most 8 KiB */

struct gn_envelope_cfg {
	const char *domain;
	const void *type; /* of the payload */
	size_t n_type;
	const void *payload;
	size_t n_payload;
};

/* Signs and appends the envelope to out.  Returns 0, GN_ETOOBIG (over GN_ENVELOPE_MAX or out's maximum) or
 * -ENOMEM. */
int gn_envelope_seal(const struct gn_key *key, const struct gn_envelope_cfg *cfg, struct gn_buf *out);

/* A decoded envelope, as views of the bytes from which it was decoded. */
struct gn_envelope {
	struct gn_peer_id signer;
	struct gn_pubkey key;
	const uint8_t *type, *payload, *signature;
	size_t n_type, n_payload, n_signature;
};

/* Decodes an envelope without checking the signature: nothing in it may be trusted before
 * gn_envelope_verify(). Returns 0, GN_EFORMAT (also when a field is missing), GN_ETRUNC, GN_ETOOBIG or
 * GN_EKEYTYPE. */
int gn_envelope_decode(const uint8_t *p, size_t n, struct gn_envelope *out);
/* Checks the signature.  Returns 0, -ENOMEM, or an error of gn_pubkey_verify(). */
int gn_envelope_verify(const struct gn_envelope *env, const char *domain);
/* Decodes and verifies an envelope of the domain and type of `want`, with the errors of both functions;
 * GN_EFORMAT also when the type is another.  want->payload is not used. */
int gn_envelope_open(const uint8_t *p, size_t n, const struct gn_envelope_cfg *want, struct gn_envelope *out);

#endif
