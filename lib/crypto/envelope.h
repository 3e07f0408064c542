/* SPDX-License-Identifier: MIT */
/* Signed envelopes, libp2p RFC 0002: a payload, what type it is of, who says so.
 *
 * What is signed is domain, type and payload, a uvarint length before each.  The domain is
 * not sent: it keeps a signature that was made for one use from being good for another. */
#ifndef GN_CRYPTO_ENVELOPE_H
#define GN_CRYPTO_ENVELOPE_H

#include "base/buf.h"
#include "gn.h"
#include "id/key.h"

#define GN_ENVELOPE_MAX 16384 /* bytes of one that is opened; identify's messages have 8 KiB at most */

struct gn_envelope_cfg {
	const char *domain;
	const void *type; /* of the payload */
	size_t n_type;
	const void *payload;
	size_t n_payload;
};

/* Appends the envelope to out: 0, GN_ETOOBIG (over GN_ENVELOPE_MAX, or out's maximum), -ENOMEM. */
int gn_envelope_seal(const struct gn_key *key, const struct gn_envelope_cfg *cfg, struct gn_buf *out);

/* An opened envelope: views into the bytes that it was opened from. */
struct gn_envelope {
	struct gn_peer_id signer;
	struct gn_pubkey key;
	const uint8_t *type, *payload, *signature;
	size_t n_type, n_payload, n_signature;
};

/* Takes the envelope apart; nothing of it is to be believed before gn_envelope_verify().
 * GN_EFORMAT (also when a field is missing), GN_ETRUNC, GN_ETOOBIG, GN_EKEYTYPE. */
int gn_envelope_decode(const uint8_t *p, size_t n, struct gn_envelope *out);
/* 0, GN_EAUTH, or as gn_pubkey_verify(). */
int gn_envelope_verify(const struct gn_envelope *env, const char *domain);
/* Both, with the domain and the type of `want`: GN_EFORMAT when the type is
 * another.  want->payload is not looked at. */
int gn_envelope_open(const uint8_t *p, size_t n, const struct gn_envelope_cfg *want, struct gn_envelope *out);

#endif
