/* SPDX-License-Identifier: MIT */
/* Reads what a yamux session sends, frame by frame, and says whether the protocol allows it.
 * It is told what the session has heard, since that grants and opens. */
#ifndef GN_SUPPORT_YAMUX_WATCH_H
#define GN_SUPPORT_YAMUX_WATCH_H

#include "base/bytes.h"
#include "mux/yamux.h"
#include "support/wire.h"

enum { WATCH_IDS = 2048, WATCH_PINGS = 256 };

struct watch_id {
	bool opened;        /* by SYN of either side */
	bool acked;         /* we have said ACK */
	bool fin, rst;      /* we have said */
	unsigned more;      /* SYNs of a peer that uses the id again before it has our reset */
	uint64_t sent, may; /* bytes of bodies, and what was granted */
	uint64_t granted;   /* what we granted, beyond the first window */
};

struct watch {
	bool client;  /* the session that is watched */
	bool is_away; /* it has said Go Away */
	uint32_t away_code;
	uint8_t head[YAMUX_HEAD]; /* of its frames */
	size_t n_head, body;
	uint8_t in_head[YAMUX_HEAD]; /* of what it hears */
	size_t n_in_head, in_body;
	unsigned pings_in, pongs; /* asked of it, answered */
	uint32_t asked[WATCH_PINGS];
	uint64_t frames;
	struct watch_id ids[WATCH_IDS];
};

void watch_init(struct watch *w, bool client);

void watch_receive(struct watch *w, const uint8_t *p, size_t n);

/* More bytes of the session; false when they are not allowed. */
bool watch_send(struct watch *w, const uint8_t *p, size_t n);

#endif
