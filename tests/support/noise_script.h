/* SPDX-License-Identifier: MIT */
/* The layer /noise, connected to a peer that the test controls. */
#ifndef GN_SUPPORT_NOISE_SCRIPT_H
#define GN_SUPPORT_NOISE_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/noise_peer.h"
#include "security/secure.h"

extern const char *const noise_muxers_yamux[];
extern const char *const noise_muxers_mplex_yamux[];
extern const char *const noise_muxers_yamux_mplex[];
extern const char *const noise_muxers_unknown[];

struct noise_script {
	struct gn_iobuf iobuf;
	struct side s;
	struct gn_layer *l;
	struct gn_key *key;
	void *noise; /* the state of /noise */
	struct noise_peer peer;
	size_t record_max; /* a member of the layer's configuration */
	struct wire out;   /* what the layer sends */
	uint8_t buf[70000];
};

/* Makes the layer in the given role, and the peer in the other one. */
void noise_script_start(struct noise_script *f, bool initiator, const char *const *muxers,
			const struct gn_peer_id *expect);

void noise_script_stop(struct noise_script *f);

int noise_script_setup(void **state);

int noise_script_teardown(void **state);

/* Does the handshake up to the message with the peer's payload, which is sent as given.  Returns the
 * result of the stack. */
int noise_script_handshake(struct noise_script *f, bool initiator, const void *payload, size_t n);

void noise_script_complete(struct noise_script *f, bool initiator, const char *const *muxers, size_t n);

void noise_script_open(struct noise_script *f, bool initiator);

#endif
