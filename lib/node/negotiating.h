/* SPDX-License-Identifier: MIT */
/*
 * Inbound streams whose protocol is not agreed on.  They are counted apart from all others, and
 * reserve no memory.
 *
 * A peer may open many at once, and say what they are for a moment later; so how many there are is
 * looked at when one has had its grace, about GN_NEGOTIATING_GRACE.  If it is still without a
 * protocol and there are more than GN_NEGOTIATING_PER_CONN on its connection, or more than
 * GN_NEGOTIATING_PER_ADDR of its address, it is reset.  An address never has more than
 * GN_NEGOTIATING_BURST: one more resets the oldest.  Each keeps at most GN_NEGOTIATING_BYTES.
 */
#ifndef GN_NODE_NEGOTIATING_H
#define GN_NODE_NEGOTIATING_H

#include "node/networks.h"
#include "node/stream.h"

enum {
	GN_NEGOTIATING_PER_CONN = 16,
	GN_NEGOTIATING_PER_ADDR = 64,
	GN_NEGOTIATING_BURST = 256,
	GN_NEGOTIATING_GRACE = 1000, /* ms */
	GN_NEGOTIATING_BYTES = 4096, /* of what came, once the selection has taken what it could */
};

/* The stream is one of them, and is no longer; it may be deleted at any time, and twice. */
void gn_negotiating_add(struct gn_stream *ps);
void gn_negotiating_del(struct gn_stream *ps);
/* How long after its beginning a stream is looked at; at most the limit `negotiate`. */
gn_time gn_negotiating_grace(const struct gn_stream *ps);
/* Is it, after its grace, one of too many? */
bool gn_negotiating_is_crowded(const struct gn_stream *ps);
/* The stream to be reset when an address has more than a burst; NULL. */
struct gn_stream *gn_negotiating_surplus(const struct gn_network *net);

#endif
