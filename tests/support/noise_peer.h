/* SPDX-License-Identifier: MIT */
/*
 * The peer of a Noise layer, controlled by a test, which can make it violate the protocol.  It does the
 * handshake with any payload, and seals records with libsodium instead of the layer's code, so that the two
 * are independent.
 */
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
	uint8_t payload[4096]; /* the payload of the last message that it has read */
	size_t n_payload;
};

void noise_peer_init(struct noise_peer *p, bool initiator, uint8_t seed);

void noise_peer_fini(struct noise_peer *p);

/* Writes a protobuf field of wire type 2 (length-delimited).  Returns its length. */
size_t noise_peer_put_field(uint8_t *at, uint8_t field, const void *p, size_t n);

/* Writes a valid handshake payload that offers n muxers; muxers NULL: without extensions.  Returns its
 * length. */
size_t noise_peer_payload(struct noise_peer *p, const char *const *muxers, size_t n, uint8_t *out);

/* Writes handshake message `number` with a payload, after its length.  Returns the number of bytes in
 * total. */
size_t noise_peer_write(struct noise_peer *p, int number, const void *payload, size_t n, uint8_t *out);

/* Consumes handshake message `number` from the wire, which must contain all of it; the message must be
 * valid. */
void noise_peer_read(struct noise_peer *p, int number, struct wire *w);

/* Writes a record of n bytes of plaintext (at most 65519), after its length.  Returns 2 + n + 16. */
size_t noise_peer_seal(struct noise_peer *p, const void *plain, size_t n, uint8_t *out);

/* Decrypts every complete record on the wire, and appends the plaintext to `out`. */
void noise_peer_unseal(struct noise_peer *p, struct wire *w, struct wire *out);

#endif
