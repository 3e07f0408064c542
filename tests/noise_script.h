/* SPDX-License-Identifier: MIT */
/* The layer /noise against a peer of the test's. */
#ifndef GN_TESTS_NOISE_SCRIPT_H
#define GN_TESTS_NOISE_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "noise_peer.h"
#include "security/secure.h"

static const char *const yamux_only[] = {"/yamux/1.0.0", NULL};
static const char *const two_muxers[] = {"/mplex/6.7.0", "/yamux/1.0.0", NULL};
static const char *const two_others[] = {"/yamux/1.0.0", "/mplex/6.7.0", NULL};
static const char *const strange[] = {"/strange/1", NULL};

struct fixture {
	struct gn_iobuf iobuf;
	struct side s;
	struct gn_layer *l;
	struct gn_key *key;
	struct noise_peer peer;
	struct wire out; /* what the layer sends */
	uint8_t buf[70000];
};

/* The layer in a role, the peer in the other. */
static inline void begin(struct fixture *f, bool initiator, const char *const *muxers, const struct gn_peer_id *expect)
{
	struct gn_secure_cfg cfg = {.key = f->key, .initiator = initiator, .muxers = muxers};

	if (expect != NULL)
		cfg.expect = *expect;
	side_init(&f->s, &f->iobuf);
	noise_peer_init(&f->peer, !initiator, 0x42);
	assert_int_equal(gn_stack_push(&f->s.stack, gn_security_noise.layer, &cfg, false, &f->l), 0);
}

static inline void over(struct fixture *f)
{
	side_fini(&f->s);
	noise_peer_fini(&f->peer);
	wire_skip(&f->out, f->out.len);
	f->out.end = 0;
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	uint8_t seed[32] = {7};

	assert_non_null(f);
	gn_iobuf_init(&f->iobuf);
	assert_int_equal(gn_key_new_seeded(seed, &f->key), 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	gn_iobuf_fini(&f->iobuf);
	gn_key_free(f->key);
	wire_fini(&f->out);
	free(f);
	return 0;
}

/* Up to the peer's payload, which goes in as given; returns what the stack says. */
static inline int meet(struct fixture *f, bool initiator, const void *payload, size_t n)
{
	size_t len;

	side_drain(&f->s, &f->out, 1);
	if (initiator) {
		noise_peer_read(&f->peer, 1, &f->out);
		len = noise_peer_write(&f->peer, 2, payload, n, f->buf);
	} else {
		len = noise_peer_write(&f->peer, 1, "", 0, f->buf);
		side_feed(&f->s, f->buf, len, 1);
		side_drain(&f->s, &f->out, 1);
		noise_peer_read(&f->peer, 2, &f->out);
		len = noise_peer_write(&f->peer, 3, payload, n, f->buf);
	}
	side_feed(&f->s, f->buf, len, 1);
	side_drain(&f->s, &f->out, 1);
	if (initiator && side_said(&f->s, GN_READY))
		noise_peer_read(&f->peer, 3, &f->out);
	return side_pump(&f->s, 1);
}

static inline void meet_well(struct fixture *f, bool initiator, const char *const *muxers, size_t n)
{
	uint8_t payload[4096];
	size_t len = noise_peer_payload(&f->peer, muxers, n, payload);
	struct gn_peer_id id;

	assert_int_equal(meet(f, initiator, payload, len), 0);
	assert_true(side_said(&f->s, GN_READY));
	assert_int_equal(f->s.n_steps, 1);
	gn_key_id(f->peer.key, &id);
	assert_true(gn_peer_id_is_equal(&id, &gn_security_noise.info(f->l)->peer));
}

static inline void opened(struct fixture *f, bool initiator)
{
	begin(f, initiator, NULL, NULL);
	meet_well(f, initiator, NULL, 0);
}

#endif
