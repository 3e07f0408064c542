/* SPDX-License-Identifier: MIT */
/*
 * The peers of a node: a hash table by peer id, with a random seed, so that a lookup takes constant time whatever ids
 * the peers choose.  An entry exists while somebody holds a reference to it: a connection that is secured or expects
 * the peer, a dial, or tags of the peer.  It is the place for all that belongs to a peer and not to one of its connections.
 */
#ifndef GN_NODE_PEERS_H
#define GN_NODE_PEERS_H

#include <stdint.h>

#include "base/list.h"
#include "base/scope.h"
#include "gn.h"

struct gn_conn;
struct gn_tags;

struct gn_peer {
	struct gn_peer *next; /* in the bucket */
	struct gn_peer_id id;
	unsigned refs;
	unsigned n_conns;     /* the length of conns */
	struct gn_list conns; /* its secured connections, gn_conn.link_peer, in the order in which they were secured */
	struct gn_conn *reported; /* event.c: of the last event about the peer; NULL: it was GONE, or none */
	struct gn_tags *tags;     /* NULL: none; see tags.h */
	struct gn_scope scope;    /* what its secured connections hold */
	struct gn_list dials;     /* dials that are to connect to it or have, gn_dialer.link_peer */
};

struct gn_peers {
	struct gn_peer **buckets;
	unsigned n_buckets, n;
	uint64_t seed;
	size_t memory_per_peer;
	uint64_t visits; /* entries, and connections of entries, that lookups have visited; tests read it */
};

void gn_peers_init(struct gn_peers *t, size_t memory_per_peer); /* the limit of struct gn_limits */
void gn_peers_fini(struct gn_peers *t);                         /* all references must have been released */
/* Finds the peer, without a reference; NULL if there is none. */
struct gn_peer *gn_peers_find(struct gn_peers *t, const struct gn_peer_id *id);
/* Finds or adds the peer and takes a reference.  NULL when out of memory. */
struct gn_peer *gn_peers_get(struct gn_peers *t, const struct gn_peer_id *id);
/* Releases a reference; the last one frees the peer.  peer may be NULL. */
void gn_peers_put(struct gn_peers *t, struct gn_peer *peer);

#endif
