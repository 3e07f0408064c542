/* SPDX-License-Identifier: MIT */
/*
 * gn_peer.h: the part of gn.h for the value of peers.  Programs include gn.h, which includes this file.
 *
 * The connection manager keeps the number of connections between two marks of struct gn_limits.  When there are more
 * than conns_high, it closes connections in good order until conns_low are left.  Connections that are younger than
 * 20 s are neither closed nor counted among those that are left, so that they cannot push out older ones.  It first
 * closes those of the peers with the smallest sum of weights, of these the ones on which this node has opened the fewest
 * streams, inbound ones before those that this node has dialled, and of these the youngest.  It never closes a
 * connection with a channel of the program, or to a protected peer, so that more than conns_low may be left.  Inbound
 * connections leave 1/32 of limits.conns to the dials of this node.
 *
 * A tag is a reason to keep the connections to a peer, with a weight.  A peer need not be connected.  At most
 * GN_TAGGED_PEERS peers of a node may have tags, each at most GN_PEER_TAGS.
 */
#ifndef GN_PEER_H
#define GN_PEER_H

#include "gn.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { GN_TAGGED_PEERS = 256, GN_PEER_TAGS = 8 };

/* Sets the weight of a tag; 0 deletes it, unless it protects the peer.  The name is borrowed as long as the tag exists,
 * and two names with the same text are the same tag.  -EINVAL: no name, or no peer; GN_ELIMIT: there are as many tags
 * or tagged peers as may be; -ENOMEM. */
int gn_peer_tag(struct gn_node *node, const struct gn_peer_id *peer, const char *name, int weight);
/* Protects the peer under this name: its connections are not closed.  Errors as gn_peer_tag(). */
int gn_peer_protect(struct gn_node *node, const struct gn_peer_id *peer, const char *name);
/* Ends the protection under this name, if there is one; others stay. */
void gn_peer_unprotect(struct gn_node *node, const struct gn_peer_id *peer, const char *name);

struct gn_peer_value {
	int64_t weight;    /* the sum of the tags */
	bool is_protected; /* under any name */
};
/* A peer without tags has the weight 0. */
void gn_peer_value(const struct gn_node *node, const struct gn_peer_id *peer, struct gn_peer_value *out);

#ifdef __cplusplus
}
#endif

#endif
