/* SPDX-License-Identifier: MIT */
/* Reservation vouchers, libp2p specs relay/circuit-v2.md: a relay's statement, in an envelope that it
 * signed, that it relays for a peer. */
#ifndef GN_CRYPTO_VOUCHER_H
#define GN_CRYPTO_VOUCHER_H

#include "base/buf.h"
#include "gn.h"

struct gn_voucher {
	struct gn_peer_id relay, peer;
	uint64_t expire; /* Unix time in seconds */
};

/* Makes a voucher for `peer`, signed by the relay's key, and appends its envelope to out.  Returns 0,
 * GN_ETOOBIG (out's maximum) or -ENOMEM. */
int gn_voucher_seal(const struct gn_key *relay, const struct gn_peer_id *peer, uint64_t expire, struct gn_buf *out);
/* Opens an envelope and verifies its signature; the caller checks relay, peer and expiry.  Returns 0;
 * GN_EAUTH (the signature is wrong, or the relay is not the signer); GN_EFORMAT (also when a field is
 * missing), GN_ETRUNC, GN_ETOOBIG, GN_EKEYTYPE or -ENOMEM. */
int gn_voucher_open(const uint8_t *p, size_t n, struct gn_voucher *out);

#endif
