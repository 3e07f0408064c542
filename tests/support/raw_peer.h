/* SPDX-License-Identifier: MIT */
/*
 * A peer of a test_node that has a link and no layers.  A test can make it send any bytes, any message of the
 * Noise handshake and any yamux frame.  It counts the frames that the node sends.
 */
#ifndef GN_SUPPORT_RAW_PEER_H
#define GN_SUPPORT_RAW_PEER_H

#include <fcntl.h>
#include <netinet/in.h>

#include "mux/yamux.h"
#include "support/noise_peer.h"
#include "support/test_node.h"
#include "transport/mem.h"
#include "transport/tcp_link.h"

struct raw_peer {
	struct test_node *t;
	struct gn_link *link;
	struct gn_link_dial *dial;
	int err;        /* the error or GN_EOF of the link; 0 while it is connected */
	bool is_paused; /* the peer does not read from its link */
	bool answers;   /* it answers pings */
	bool is_secure, is_muxed;
	struct wire in, plain, out, record;
	struct noise_peer noise;
	/* The numbers of frames of the node, by type and by flag. */
	unsigned frames[4], syns, acks, fins, rsts, pongs, pings;
	uint64_t data, credit;
	bool is_away;
	uint32_t away_code;
	uint32_t body_left; /* bytes of the current DATA frame that are still to be received */
};

/* Writes as much of the queued bytes as the link accepts. */
void raw_peer_flush(struct raw_peer *f);

/* Sends bytes without any framing or encryption. */
void raw_peer_put(struct raw_peer *f, const void *p, size_t n);

/* Starts a connection to the node.  The seed determines the identity. */
void raw_peer_begin(struct raw_peer *f, struct test_node *t, uint8_t seed);

/* Connects, and waits for the link. */
void raw_peer_connect(struct raw_peer *f, struct test_node *t, uint8_t seed);

/* The same from this IPv4 source address; the node must be on a real loop. */
void raw_peer_connect_from(struct raw_peer *f, struct test_node *t, uint8_t seed, const uint8_t from[4]);

/* Drops the link and releases everything. */
void raw_peer_abort(struct raw_peer *f);

/* Makes the peer read from its link, or stop reading from it. */
void raw_peer_set_reading(struct raw_peer *f, bool is_reading);

#define RAW_PEER_SELECT "\x13/multistream/1.0.0\n"
#define RAW_PEER_NOISE "\x07/noise\n"
#define RAW_PEER_YAMUX "\x0d/yamux/1.0.0\n"

void raw_peer_send_text(struct raw_peer *f, const char *text);

/* Selects /noise and sends message 1 of the handshake. */
void raw_peer_noise_1(struct raw_peer *f);

/* Returns true when message 2 of the handshake has been received completely. */
bool raw_peer_has_2(const struct raw_peer *f);

/* Waits for message 2 and sends message 3.  early: yamux is offered in its payload. */
void raw_peer_noise_3(struct raw_peer *f, bool early);

/* Connects and completes the handshake, so that a yamux session exists. */
void raw_peer_open(struct raw_peer *f, struct test_node *t, uint8_t seed);

/* Makes the node on a virtual loop with test_limits, connects, and asserts that the node has kept the session. */
void raw_peer_start(struct raw_peer *f, struct test_node *t);

/* The same as raw_peer_open() from this IPv4 source address. */
void raw_peer_open_from(struct raw_peer *f, struct test_node *t, uint8_t seed, const uint8_t from[4]);

/* Queues plaintext for raw_peer_seal(). */
void raw_peer_plain(struct raw_peer *f, const void *p, size_t n);

/* Seals what is queued into records as large as possible, and sends them. */
void raw_peer_seal(struct raw_peer *f);

/* These queue a yamux frame: a header alone, or DATA with its body. */
void raw_peer_frame(struct raw_peer *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length);

void raw_peer_data(struct raw_peer *f, uint16_t flags, uint32_t id, const void *p, size_t n);

/* Queues a SYN whose data propose a protocol. */
void raw_peer_stream(struct raw_peer *f, uint32_t id, const char *protocol);

#endif
