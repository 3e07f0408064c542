/* SPDX-License-Identifier: MIT */
/*
 * Checks that every frame that a yamux session sends is allowed by the protocol.  It is also given the bytes
 * that the session receives, because these open streams and grant credit.
 */
#ifndef GN_SUPPORT_YAMUX_WATCH_H
#define GN_SUPPORT_YAMUX_WATCH_H

#include "base/bytes.h"
#include "mux/yamux.h"
#include "support/wire.h"

enum { WATCH_IDS = 2048, WATCH_PINGS = 256 };

struct watch_id {
	bool opened;        /* by a SYN of either side */
	bool acked;         /* the session has sent ACK */
	bool fin, rst;      /* the session has sent them */
	unsigned more;      /* SYNs of a peer that uses the id again before it receives the reset */
	uint64_t sent, may; /* bytes of bodies that were sent; credit that the peer has granted */
	uint64_t granted;   /* credit that the session has granted beyond the initial window */
};

struct watch {
	bool client;  /* the session is the client */
	bool is_away; /* the session has sent Go Away */
	uint32_t away_code;
	uint8_t head[YAMUX_HEAD]; /* of the frame that the session is sending */
	size_t n_head, body;
	uint8_t in_head[YAMUX_HEAD]; /* of the frame that the session is receiving */
	size_t n_in_head, in_body;
	unsigned pings_in, pongs; /* pings that it has received; pings that it has answered */
	uint32_t asked[WATCH_PINGS];
	uint64_t frames;
	struct watch_id ids[WATCH_IDS];
};

void watch_init(struct watch *w, bool client);

/* Processes bytes that the session is going to receive. */
void watch_receive(struct watch *w, const uint8_t *p, size_t n);

/* Processes bytes that the session sends.  Returns false when the protocol does not allow them. */
bool watch_send(struct watch *w, const uint8_t *p, size_t n);

#endif
