/* SPDX-License-Identifier: MIT */
/*
 * Scopes count what is held for somebody: bytes of memory, and inbound streams.  They form a fixed chain, and what is
 * charged to a scope is charged to those above it, too:
 *
 *     stream -> connection -> network -> node
 *                         `-> peer
 *
 * A connection is always charged to the network of its remote address.  Once its peer has proved its identity, all
 * that the connection holds is charged to the peer as well, so that all connections of a peer share one maximum.
 *
 * A scope has a maximum.  A fair scope may in addition hold no more than its node has free for all others: a single one
 * gets at most half of the node's memory, and k fair scopes that take all they can get 1 / (k + 1) of it each, so that
 * as much stays free for the next one.
 *
 * Memory is charged per block, never per message.  In the scope of a stream some bytes may be reserved: they are
 * charged to the scopes above whether they are used or not.  These are the bytes that the peer was granted beyond the
 * initial window, so that data within a window that has grown always has its memory.
 */
#ifndef GN_BASE_SCOPE_H
#define GN_BASE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

struct gn_scope {
	size_t used; /* bytes */
	union {
		size_t max;      /* bytes; SIZE_MAX: no maximum of its own */
		size_t reserved; /* of a stream: bytes that count above even if fewer are used */
	};
	struct gn_scope *parent;
	struct gn_scope *peer; /* of a connection's scope, once the peer is known; else NULL */
	unsigned streams;      /* inbound */
	bool is_fair;
	bool is_stream;
};

/* parent may be NULL; it outlives the scope. */
void gn_scope_init(struct gn_scope *s, struct gn_scope *parent, size_t max);
/* The scope of a stream, which has no maximum of its own. */
void gn_scope_init_stream(struct gn_scope *s, struct gn_scope *parent);

/* In all functions below s may be NULL, which means that nothing is counted. */

/* Whether n more bytes may be charged. */
bool gn_scope_has(const struct gn_scope *s, size_t n);
/* As gn_scope_has(), but only the node's maximum applies: for charges that must not fail because of a share. */
bool gn_scope_has_whole(const struct gn_scope *s, size_t n);
/* Charges n bytes if all maximums allow it; otherwise returns false and charges nothing. */
bool gn_scope_take(struct gn_scope *s, size_t n);
/* The same if the node's maximum allows it. */
bool gn_scope_take_whole(struct gn_scope *s, size_t n);
/* Charges n bytes, also past the maximums: for memory that cannot be refused.  It counts when more is asked for. */
void gn_scope_force(struct gn_scope *s, size_t n);
/* Returns n bytes that were charged. */
void gn_scope_give(struct gn_scope *s, size_t n);

/* Reserves n more bytes in the scope of a stream, which are optional memory: fails when more than half of the node's memory, or three quarters
 * of the peer's maximum, would be used, so that the rest is free for what is not reserved. */
bool gn_scope_reserve(struct gn_scope *s, size_t n);
/* Ends all reservations in the scope of a stream. */
void gn_scope_unreserve(struct gn_scope *s);

/* Counts an inbound stream in all scopes; the stream has ended. */
void gn_scope_add_stream(struct gn_scope *s);
void gn_scope_del_stream(struct gn_scope *s);

/* The peer of a connection is known: what the connection holds is charged to the peer from now on. */
void gn_scope_join(struct gn_scope *conn, struct gn_scope *peer);
/* The connection ends.  What it still holds is no longer charged to its peer. */
void gn_scope_leave(struct gn_scope *conn);

#endif
