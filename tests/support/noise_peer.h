/* SPDX-License-Identifier: MIT */
/* The far end of a Noise channel, to be as nasty as a test wants: it does the handshake with
 * the payload it is given, and seals records with libsodium, not with the layer's code. */
#ifndef GN_SUPPORT_NOISE_PEER_H
#define GN_SUPPORT_NOISE_PEER_H

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "id/key.h"
#include "security/noise_handshake.h"
#include "support/wire.h"

struct noise_peer {
	struct gn_noise hs;
	struct gn_key *key;
	uint8_t send[32], receive[32];
	uint64_t n_send, n_receive;
	uint8_t payload[4096]; /* that it heard */
	size_t n_payload;
};

void noise_peer_init(struct noise_peer *p, bool initiator, uint8_t seed);

void noise_peer_fini(struct noise_peer *p);

/* A field of protobuf: wire type 2. */
size_t noise_peer_put_field(uint8_t *at, uint8_t field, const void *p, size_t n);

/* An honest payload, with up to so many muxers. */
size_t noise_peer_payload(struct noise_peer *p, const char *const *muxers, size_t n, uint8_t *out);

/* Message number with a payload, its length in front; returns the bytes. */
size_t noise_peer_write(struct noise_peer *p, int number, const void *payload, size_t n, uint8_t *out);

/* Reads a message off the wire, which must have it whole and good. */
void noise_peer_read(struct noise_peer *p, int number, struct wire *w);

/* A record of n bytes (at most 65519) with its length; returns 2 + n + 16. */
size_t noise_peer_seal(struct noise_peer *p, const void *plain, size_t n, uint8_t *out);

/* Opens every whole record on the wire, appends what was in them. */
void noise_peer_unseal(struct noise_peer *p, struct wire *w, struct wire *out);

#endif
