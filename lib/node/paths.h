/* SPDX-License-Identifier: MIT */
/*
 * The path of a connection, its role in the handshake, and which of several connections to a peer new streams use.
 *
 * A path is direct or goes through a relay, and the relay may limit its bytes and its time.  A connection is suspect
 * while its peer is silent although an answer is expected, see gn_conn_check_silence().  Of the connections to a peer,
 * one that is not suspect is better than a suspect one, then a direct one is better than a relayed one, then one
 * without limits is better than a limited one, then a newer one is better than an older one.
 */
#ifndef GN_NODE_PATHS_H
#define GN_NODE_PATHS_H

#include "gn.h"

struct gn_conn;

/* The client of a handshake is the initiator in multistream-select and Noise, and opens the streams with odd ids in
 * yamux.  Usually that is the side that dialled.  In hole punching both sides dial, and one of them has to be the
 * server (specs relay/DCUtR.md). */
enum gn_conn_role {
	GN_ROLE_BY_DIAL, /* the side that dialled is the client */
	GN_ROLE_CLIENT,
	GN_ROLE_SERVER,
};

/* Whether a relay limits the bytes or the time of the connection. */
bool gn_conn_is_limited(const struct gn_conn *c);
void gn_conn_path_limits(const struct gn_conn *c, struct gn_path_limits *out);
/* The path of the connection has changed: services are notified by on_path, unless it is what it was.  At first a
 * connection has the path of its link.  limits NULL: none. */
void gn_conn_set_path(struct gn_conn *c, enum gn_path path, const struct gn_path_limits *limits);
/* Whether new streams to the peer of both use a rather than b.  False if a and b are the same. */
bool gn_conn_is_better(const struct gn_conn *a, const struct gn_conn *b);

/* Flags of gn_node_find_conn(): which connections the caller accepts. */
enum {
	GN_FIND_LIMITED = 1, /* limited ones, too */
	GN_FIND_SUSPECT = 2, /* suspect ones, too */
};
/* The best connection to the peer that is open and takes streams, or NULL.  Probes are not found.  Takes time for the
 * connections of this peer only. */
struct gn_conn *gn_node_find_conn(struct gn_node *node, const struct gn_peer_id *id, unsigned flags);

#endif
