/* SPDX-License-Identifier: MIT */
/* Peer records, libp2p RFC 0003: the addresses of a peer, in an envelope that the peer signed. */
#ifndef GN_CRYPTO_PEER_RECORD_H
#define GN_CRYPTO_PEER_RECORD_H

#include "addr/multiaddr.h"
#include "base/buf.h"
#include "gn.h"

#define GN_PEER_RECORD_ADDRS_MAX 128

struct gn_peer_record {
	struct gn_peer_id peer;
	uint64_t seq; /* higher in every newer record of the peer */
	struct gn_multiaddr **addrs;
	size_t n_addrs;
};

/* Makes a record of the key's peer id, the addresses (without a final /p2p/ID) and seq, and appends its
 * envelope, in the format of go and js, to out.  Returns 0, GN_ETOOBIG, GN_ELIMIT (more than
 * GN_PEER_RECORD_ADDRS_MAX addresses) or -ENOMEM. */
int gn_peer_record_seal(const struct gn_key *key, uint64_t seq, const struct gn_multiaddr *const *addrs, size_t n_addrs,
			struct gn_buf *out);
/* Opens an envelope that `want` signed (NULL: any peer), in the format of go and js or in that of RFC
 * 0003's text, which rust writes by default.  Addresses that are malformed, use unknown protocols, belong
 * to another peer or exceed GN_PEER_RECORD_ADDRS_MAX are left out; a final /p2p with the peer's own id is
 * removed.  Returns 0; GN_EPEERID (another peer signed, which is checked before the expensive signature);
 * GN_EAUTH (the signature is wrong, or the record is about another peer than the signer); GN_EFORMAT,
 * GN_ETRUNC, GN_ETOOBIG, GN_EKEYTYPE or -ENOMEM.  After success the caller calls gn_peer_record_fini(). */
int gn_peer_record_open(const uint8_t *p, size_t n, const struct gn_peer_id *want, struct gn_peer_record *out);
void gn_peer_record_fini(struct gn_peer_record *rec);

#endif
