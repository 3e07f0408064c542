/* SPDX-License-Identifier: MIT */
/*
 * Two sessions (mux/session.h) without a layer and without a wire format: the bytes of a stream are copied
 * from the tx pipe of one end to the rx pipe of the other.  The conformance suite of sessions runs over this
 * multiplexer as well as over yamux.  It models a transport that multiplexes by itself.
 */
#ifndef GN_SUPPORT_DIRECT_MUX_H
#define GN_SUPPORT_DIRECT_MUX_H

#include "mux/session.h"

enum { DIRECT_MUX_WINDOW = 256 * 1024 }; /* the most bytes that a stream buffers for its reader */

struct direct_mux {
	struct gn_mux_session session; /* must be the first member */
	struct direct_mux *peer;
	struct gn_mux_cfg cfg;
	struct gn_iobuf iobuf;
	struct gn_list all; /* of struct direct_stream, by its member link */
	uint32_t next_id;
	bool is_closing, pending_go_away;
	uint32_t go_away_code;
};

void direct_mux_init(struct direct_mux m[2], const struct gn_mux_cfg cfg[2]);
/* Transfers new streams, bytes, ends and acknowledgements in both directions until nothing is left to
 * transfer. */
void direct_mux_carry(struct direct_mux m[2]);
void direct_mux_fini(struct direct_mux m[2]);

#endif
