/* SPDX-License-Identifier: MIT */
/*
 * The limits on connections and streams, struct gn_limits of gn.h.  A connection is in the counters that its
 * enum gn_conn_count names.  Admission takes O(log n) for n networks, however many connections are open.
 */
#ifndef GN_NODE_LIMITS_H
#define GN_NODE_LIMITS_H

#include "node/conn.h"

/* Replaces each limit of 0 by its default; afterwards keepalive and idle are 0 where they were GN_NEVER, and conns_low
 * is at most conns_high. */
void gn_limits_fill(struct gn_limits *limits);
/* Moves the connection from its counters to others. */
void gn_conn_count_as(struct gn_conn *c, enum gn_conn_count count);
/* For an inbound connection that is secured and that the gate lets in.  Returns 0 when the connection is ADMITTED,
 * or REFUSED with the limit in c->refusal; GN_ELIMIT when a limit is hit and too many peers are being informed of
 * one already. */
int gn_conn_admit(struct gn_conn *c);

/* For gn_conn_events.opened. */
void gn_conn_opened(struct gn_conn *c);
/* A stream of the connection has got its protocol; such a stream is closed. */
void gn_conn_stream_opened(struct gn_conn *c);
void gn_conn_stream_closed(struct gn_conn *c);
/* Whether a stream of the connection has a protocol.  Streams that are being negotiated do not count, because the peer
 * can leave them in that state for ever, also those that this node has opened for identify. */
bool gn_conn_is_used(const struct gn_conn *c);

/* The tags of the peer have become fewer: its connections without a stream may be closed to make room again, unless
 * there is another reason to keep them. */
void gn_conns_untagged(const struct gn_peer *peer);

/* One more inbound connection is about to be pending.  While limits.conns_pending are, closes the oldest pending
 * connection of the network that has the most of them.  GN_ELIMIT: the node is closing, or none may be pending. */
int gn_node_make_room(struct gn_node *node);
/* Whether a dial, which has no pending state, may make one more: fewer than limits.conns are admitted, or there is an unused inbound
 * connection that may be closed for it. */
bool gn_node_has_place(struct gn_node *node);
/* Closes that connection if limits.conns are admitted.  False: there is no place. */
bool gn_node_make_place(struct gn_node *node);
/* Whether one more inbound stream may be opened: 0; GN_ELIMIT, the stream is reset; GN_ECLOSED, the node is closing or
 * the peer is refused. */
int gn_node_admits_stream(struct gn_node *node, const struct gn_conn *c);

#endif
