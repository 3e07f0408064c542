/* SPDX-License-Identifier: MIT */
/* Reservation vouchers, libp2p specs relay/circuit-v2.md: a relay's word, in an envelope that it
 * signed, that it relays for a peer. */
#ifndef GN_CRYPTO_VOUCHER_H
#define GN_CRYPTO_VOUCHER_H

#include "base/buf.h"
#include "gn.h"

struct gn_voucher {
	struct gn_peer_id relay, peer;
	uint64_t expire; /* Unix time, seconds */
};

/* Appends to out the envelope of a voucher that the relay, whose key it is, gives to peer.
 * GN_ETOOBIG (out's maximum), -ENOMEM. */
int gn_voucher_seal(const struct gn_key *relay, const struct gn_peer_id *peer, uint64_t expire, struct gn_buf *out);
/* Opens an envelope.  The caller sees to it that relay, peer and time are the right ones.  GN_EAUTH
 * (signature; or signer and relay are not the same), GN_EFORMAT (also when a field is missing),
 * GN_ETRUNC, GN_ETOOBIG, GN_EKEYTYPE, -ENOMEM. */
int gn_voucher_open(const uint8_t *p, size_t n, struct gn_voucher *out);

#endif
