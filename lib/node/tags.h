/* SPDX-License-Identifier: MIT */
/* The tags of peers, gn_peer.h.  They belong to the peer's entry in the table of peers, which they keep alive. */
#ifndef GN_NODE_TAGS_H
#define GN_NODE_TAGS_H

#include "gn.h"

struct gn_peer;
struct gn_tags; /* of one peer */

/* The value of a peer whose entry is at hand. */
void gn_tags_value(const struct gn_peer *peer, struct gn_peer_value *out);
/* The node is being freed: drops the tags of all peers. */
void gn_tags_free(struct gn_node *node);

#endif
