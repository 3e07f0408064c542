/* SPDX-License-Identifier: MIT */
/* Peer ids, libp2p specs peer-ids/peer-ids.md; gn.h declares the public functions. */
#ifndef GN_ID_PEER_ID_H
#define GN_ID_PEER_ID_H

#include "gn.h"
#include "id/key.h"

#define GN_PEER_ID_INLINE_MAX 42 /* up to this length, the id contains the serialised key instead of its hash */

void gn_peer_id_from_public(const struct gn_pubkey *pub, struct gn_peer_id *out);
/* Decodes the key that an id contains, as views of the id.  GN_ENONAME when the id is a hash of its key. */
int gn_peer_id_public(const struct gn_peer_id *id, struct gn_pubkey *out);

#endif
