/* SPDX-License-Identifier: MIT */
/* Peer records, libp2p RFC 0003: a peer's addresses, in an envelope that it signed. */
#ifndef GN_CRYPTO_PEER_RECORD_H
#define GN_CRYPTO_PEER_RECORD_H

#include "addr/multiaddr.h"
#include "base/buf.h"
#include "gn.h"

#define GN_PEER_RECORD_ADDRS_MAX 128

struct gn_peer_record {
	struct gn_peer_id peer;
	uint64_t seq; /* grows with every new record of the peer */
	struct gn_multiaddr **addrs;
	size_t n_addrs;
};

/* Appends to out the envelope of a record: of the key's own id, these addresses (a trailing
 * /p2p/ID is left out) and seq.  Sealed the way that go and js do.  0, GN_ETOOBIG, GN_ELIMIT
 * (over GN_PEER_RECORD_ADDRS_MAX), -ENOMEM. */
int gn_peer_record_seal(const struct gn_key *key, uint64_t seq, const struct gn_multiaddr *const *addrs, size_t n_addrs,
			struct gn_buf *out);
/* Opens an envelope that `want` signed (NULL: anybody), of go's and js's kind or of the kind that RFC 0003's text and rust's
 * default calls have.  Addresses that are malformed, of unknown protocols, of another peer or
 * past GN_PEER_RECORD_ADDRS_MAX are left out; a trailing /p2p with the peer's own id is cut
 * off.  GN_EPEERID (another signer; this is found out before the signature, which is dear, is looked at),
 * GN_EAUTH (signature; or signer and peer are not the same), GN_EFORMAT, GN_ETRUNC, GN_ETOOBIG,
 * GN_EKEYTYPE, -ENOMEM.  The caller calls gn_peer_record_fini(). */
int gn_peer_record_open(const uint8_t *p, size_t n, const struct gn_peer_id *want, struct gn_peer_record *out);
void gn_peer_record_fini(struct gn_peer_record *rec);

#endif
