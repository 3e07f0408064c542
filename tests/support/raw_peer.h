/* SPDX-License-Identifier: MIT */
/* A foe of the node in tests/test_node.h: a link and nothing else, which says what a test makes it
 * say, over Noise too, frame by frame. */
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
	int err;      /* 0 while it is connected */
	bool is_deaf; /* reads nothing */
	bool answers; /* answers pings */
	bool is_secure, is_muxed;
	struct wire in, plain, out, record;
	struct noise_peer noise;
	/* what yamux said */
	unsigned frames[4], syns, acks, fins, rsts, pongs, pings;
	uint64_t data, credit;
	bool is_away;
	uint32_t away_code;
	uint32_t body_left;
};

void raw_peer_flush(struct raw_peer *f);

void raw_peer_put(struct raw_peer *f, const void *p, size_t n);

/* Begins to connect; the seed makes its identity. */
void raw_peer_begin(struct raw_peer *f, struct test_node *t, uint8_t seed);

void raw_peer_connect(struct raw_peer *f, struct test_node *t, uint8_t seed);

/* A client with a source address of its own. */
void raw_peer_connect_from(struct raw_peer *f, struct test_node *t, uint8_t seed, const uint8_t from[4]);

void raw_peer_abort(struct raw_peer *f);

void raw_peer_listen(struct raw_peer *f, bool hears);

#define RAW_PEER_SELECT "\x13/multistream/1.0.0\n"
#define RAW_PEER_NOISE "\x07/noise\n"
#define RAW_PEER_YAMUX "\x0d/yamux/1.0.0\n"

void raw_peer_send_text(struct raw_peer *f, const char *text);

void raw_peer_noise_1(struct raw_peer *f);

/* Message 2 has come whole? */
bool raw_peer_has_2(const struct raw_peer *f);

/* early: yamux is offered in the handshake. */
void raw_peer_noise_3(struct raw_peer *f, bool early);

/* Up to and with a yamux session. */
void raw_peer_open(struct raw_peer *f, struct test_node *t, uint8_t seed);

void raw_peer_plain(struct raw_peer *f, const void *p, size_t n);

/* What was said since goes out, in records as large as can be. */
void raw_peer_seal(struct raw_peer *f);

void raw_peer_frame(struct raw_peer *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length);

void raw_peer_data(struct raw_peer *f, uint16_t flags, uint32_t id, const void *p, size_t n);

/* A stream with its protocol proposed. */
void raw_peer_stream(struct raw_peer *f, uint32_t id, const char *protocol);

#endif
