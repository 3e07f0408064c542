/* SPDX-License-Identifier: MIT */
#include "support/noise_script.h"

#include "support/cmocka.h"

const char *const noise_muxers_yamux[] = {"/yamux/1.0.0", NULL};
const char *const noise_muxers_mplex_yamux[] = {"/mplex/6.7.0", "/yamux/1.0.0", NULL};
const char *const noise_muxers_yamux_mplex[] = {"/yamux/1.0.0", "/mplex/6.7.0", NULL};
const char *const noise_muxers_unknown[] = {"/strange/1", NULL};

void noise_script_start(struct noise_script *f, bool initiator, const char *const *muxers,
			const struct gn_peer_id *expect)
{
	struct gn_secure_cfg cfg = {.state = f->noise,
				    .key = f->key,
				    .initiator = initiator,
				    .muxers = muxers,
				    .record_max = f->record_max};

	if (expect != NULL)
		cfg.expect = *expect;
	side_init(&f->s, &f->iobuf);
	noise_peer_init(&f->peer, !initiator, 0x42);
	assert_int_equal(gn_stack_push(&f->s.stack, gn_security_noise.layer, &cfg, false, &f->l), 0);
}

void noise_script_stop(struct noise_script *f)
{
	side_fini(&f->s);
	noise_peer_fini(&f->peer);
	wire_skip(&f->out, f->out.len);
	f->out.end = 0;
}

int noise_script_setup(void **state)
{
	struct noise_script *f = calloc(1, sizeof *f);
	uint8_t seed[32] = {7};

	assert_non_null(f);
	gn_iobuf_init(&f->iobuf);
	assert_int_equal(gn_key_new_seeded(seed, &f->key), 0);
	assert_int_equal(gn_security_noise.start(NULL, NULL, &f->noise), 0);
	*state = f;
	return 0;
}

int noise_script_teardown(void **state)
{
	struct noise_script *f = *state;

	gn_iobuf_fini(&f->iobuf);
	gn_security_noise.stop(f->noise);
	gn_key_free(f->key);
	wire_fini(&f->out);
	free(f);
	return 0;
}

int noise_script_handshake(struct noise_script *f, bool initiator, const void *payload, size_t n)
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
	if (initiator && side_returned(&f->s, GN_READY))
		noise_peer_read(&f->peer, 3, &f->out);
	return side_pump(&f->s, 1);
}

void noise_script_complete(struct noise_script *f, bool initiator, const char *const *muxers, size_t n)
{
	uint8_t payload[4096];
	size_t len = noise_peer_payload(&f->peer, muxers, n, payload);
	struct gn_peer_id id;

	assert_int_equal(noise_script_handshake(f, initiator, payload, len), 0);
	assert_true(side_returned(&f->s, GN_READY));
	assert_int_equal(f->s.n_steps, 1);
	gn_key_id(f->peer.key, &id);
	assert_true(gn_peer_id_is_equal(&id, &gn_security_noise.info(f->l)->peer));
}

void noise_script_open(struct noise_script *f, bool initiator)
{
	noise_script_start(f, initiator, NULL, NULL);
	noise_script_complete(f, initiator, NULL, 0);
}
