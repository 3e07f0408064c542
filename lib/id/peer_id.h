/* SPDX-License-Identifier: MIT */
/* Peer ids, libp2p specs peer-ids/peer-ids.md; the public part stands in gn.h. */
#ifndef GN_ID_PEER_ID_H
#define GN_ID_PEER_ID_H

#include "gn.h"
#include "id/key.h"

#define GN_PEER_ID_INLINE_MAX 42 /* a serialised key of at most so many bytes is the id itself */

void gn_peer_id_from_public(const struct gn_pubkey *pub, struct gn_peer_id *out);
/* The key that an id holds, as views into the id; GN_ENONAME when it is a hash. */
int gn_peer_id_public(const struct gn_peer_id *id, struct gn_pubkey *out);

#endif
