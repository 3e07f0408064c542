/* SPDX-License-Identifier: MIT */
/*
 * Inbound streams whose protocol is not negotiated yet.  They are counted apart from all other streams and reserve
 * no memory.
 *
 * A peer may open many streams at once and propose their protocols a moment later.  Therefore a stream is judged only
 * after a grace period of about GN_NEGOTIATING_GRACE.  If it has no protocol then, and its connection has more than
 * GN_NEGOTIATING_PER_CONN such streams or its network more than GN_NEGOTIATING_PER_ADDR, it is reset.  A network
 * never has more than GN_NEGOTIATING_BURST: one more resets the oldest.  A stream that holds more than
 * GN_NEGOTIATING_BYTES unread bytes is reset.
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
	GN_NEGOTIATING_BYTES = 4096, /* that the selection has not consumed */
};

/* Starts and stops counting a stream.  Deleting a stream that is not counted does nothing. */
void gn_negotiating_add(struct gn_stream *s);
void gn_negotiating_del(struct gn_stream *s);
/* The grace period of a stream; at most the limit `negotiate`. */
gn_time gn_negotiating_grace(const struct gn_stream *s);
/* Whether a stream whose grace period is over is to be reset because there are too many. */
bool gn_negotiating_is_crowded(const struct gn_stream *s);
/* The stream to reset because its network has more than GN_NEGOTIATING_BURST; NULL. */
struct gn_stream *gn_negotiating_surplus(const struct gn_network *net);

#endif
