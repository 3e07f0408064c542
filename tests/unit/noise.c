/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "support/support.h"

static void both_roles_complete_a_handshake(void **state)
{
	struct noise_script *f = *state;
	struct gn_peer_id id;

	for (int role = 0; role < 2; role++) {
		noise_script_start(f, role, NULL, NULL);
		gn_key_id(f->peer.key, &id);
		noise_script_stop(f);
		noise_script_start(f, role, NULL, &id); /* the expected id is that of the peer */
		noise_script_complete(f, role, NULL, 0);
		assert_int_equal(gn_security_noise.info(f->l)->muxer, -1);
		noise_script_stop(f);
	}
}

/* The fixture of payload_line(), to which vectors_each() passes no argument. */
static struct noise_script *vector_fixture;

static void payload_line(char **field)
{
	struct noise_script *f = vector_fixture;
	size_t n, n_key, n_static, n_pub;
	uint8_t *key = unhex(field[0], &n_key), *priv = unhex(field[1], &n_static), *pub = unhex(field[2], &n_pub);
	uint8_t *payload = unhex(field[4], &n);
	bool with = strcmp(field[3], "-") != 0;
	struct gn_peer_id want;

	for (int role = 0; role < 2; role++) {
		noise_script_start(f, role, noise_muxers_yamux, NULL);
		gn_key_free(f->peer.key);
		assert_int_equal(gn_key_decode(key, n_key, &f->peer.key), 0);
		gn_key_id(f->peer.key, &want);
		memcpy(f->peer.hs.s, priv, 32);
		memcpy(f->peer.hs.s_pub, pub, 32);
		assert_int_equal(noise_script_handshake(f, role, payload, n), 0);
		assert_true(side_returned(&f->s, GN_READY));
		assert_true(gn_peer_id_is_equal(&want, &gn_security_noise.info(f->l)->peer));
		assert_int_equal(gn_security_noise.info(f->l)->muxer, with ? 0 : -1);
		/* Our payload has the same muxers, and keys of the same lengths. */
		if (with)
			assert_int_equal(f->peer.n_payload, n);
		noise_script_stop(f);
	}
	free(key);
	free(priv);
	free(pub);
	free(payload);
}

static void payloads_of_js_libp2p_are_read_and_equal_ours(void **state)
{
	vector_fixture = *state;
	vectors_each("noise-payload.tsv", payload_line);
}

/* noise_peer, which implements the specification, makes the same payload from our key. */
static void our_payload_is_the_one_of_the_specification(void **state)
{
	struct noise_script *f = *state;

	for (int role = 0; role < 2; role++) {
		struct noise_peer twin;
		uint8_t want[4096];
		size_t n;

		noise_script_start(f, role, noise_muxers_mplex_yamux, NULL);
		noise_script_complete(f, role, noise_muxers_mplex_yamux, 2);
		noise_peer_init(&twin, role, 1);
		gn_key_free(twin.key);
		assert_int_equal(gn_key_dup(f->key, &twin.key), 0);
		memcpy(twin.hs.s_pub, f->peer.hs.rs, 32);
		n = noise_peer_payload(&twin, noise_muxers_mplex_yamux, 2, want);
		assert_int_equal(f->peer.n_payload, n);
		assert_memory_equal(f->peer.payload, want, n);
		noise_peer_fini(&twin);
		noise_script_stop(f);
	}
}

static void the_first_common_muxer_of_the_initiator_is_chosen(void **state)
{
	struct noise_script *f = *state;
	static const struct {
		const char *const *ours, *const *theirs;
		size_t n;
		int as_initiator, as_responder; /* the index of the chosen muxer in ours, or -1 */
	} cases[] = {
		{noise_muxers_yamux, noise_muxers_yamux, 1, 0, 0},
		{noise_muxers_yamux, noise_muxers_mplex_yamux, 2, 0, 0},
		{noise_muxers_mplex_yamux, noise_muxers_yamux, 1, 1, 1},
		{noise_muxers_mplex_yamux, noise_muxers_mplex_yamux, 2, 0, 0},
		{noise_muxers_mplex_yamux, noise_muxers_yamux_mplex, 2, 0, 1}, /* the initiator's order counts */
		{NULL, noise_muxers_yamux, 1, -1, -1},
		{noise_muxers_yamux, NULL, 0, -1, -1},
		{noise_muxers_yamux, noise_muxers_yamux, 0, -1, -1}, /* extensions without a list */
		{noise_muxers_yamux, noise_muxers_unknown, 1, -1, -1},
		{NULL, NULL, 0, -1, -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int role = 0; role < 2; role++) {
			noise_script_start(f, role, cases[i].ours, NULL);
			noise_script_complete(f, role, cases[i].theirs, cases[i].n);
			assert_int_equal(gn_security_noise.info(f->l)->muxer,
					 role ? cases[i].as_initiator : cases[i].as_responder);
			noise_script_stop(f);
		}
	}
}

/* Makes an invalid payload of kind number `way`, and returns its length. *err is the expected error, 0 if
 * any error is right, and 1 if there is no such kind. */
static size_t spoil(struct noise_script *f, int way, uint8_t *out, int *err)
{
	uint8_t text[56] = "noise-libp2p-static-key:", sig[64], other[36];
	size_t n = noise_peer_payload(&f->peer, NULL, 0, out), n_pub;
	const uint8_t *pub = gn_key_public(f->peer.key, &n_pub);

	*err = GN_EAUTH;
	switch (way) {
	case 0: /* a changed bit of the signature */
		out[n - 1] ^= 1;
		return n;
	case 1: /* the key of another peer, with a signature by the first key */
		memcpy(other, gn_key_public(f->key, &n_pub), 36);
		n = noise_peer_put_field(out, 1, other, 36);
		gn_key_sign(f->peer.key, text, sizeof text, sig);
		return n + noise_peer_put_field(out + n, 2, sig, 64);
	case 2: /* a signature of another static key, as a man in the middle would send */
		memcpy(text + 24, f->peer.hs.rs, 32);
		gn_key_sign(f->peer.key, text, sizeof text, sig);
		n = noise_peer_put_field(out, 1, pub, n_pub);
		return n + noise_peer_put_field(out + n, 2, sig, 64);
	case 3: /* a signature of the static key without the prefix */
		n = noise_peer_put_field(out, 1, pub, n_pub);
		gn_key_sign(f->peer.key, f->peer.hs.s_pub, 32, sig);
		return n + noise_peer_put_field(out + n, 2, sig, 64);
	case 4: /* no signature */
		return noise_peer_put_field(out, 1, pub, n_pub);
	case 5: /* no key */
		return n - 38 > 0 ? (memmove(out, out + 38, n - 38), n - 38) : 0;
	case 6: /* an empty payload */
		return 0;
	case 7: /* a signature of no bytes */
		n = noise_peer_put_field(out, 1, pub, n_pub);
		return n + noise_peer_put_field(out + n, 2, "", 0);
	case 8: /* a truncated protobuf */
		*err = GN_EFORMAT;
		return n - 1;
	case 9:
		*err = GN_EFORMAT;
		memset(out, 0xff, 300);
		return 300;
	case 10: /* an Ed25519 key of 3 bytes */
		*err = 0;
		n = noise_peer_put_field(out, 1,
					 "\x08\x01\x12\x03"
					 "abc",
					 7);
		return n + noise_peer_put_field(out + n, 2, sig, 64);
	case 11: /* a key of an unknown type */
		*err = 0;
		n = noise_peer_put_field(out, 1,
					 "\x08\x09\x12\x03"
					 "abc",
					 7);
		return n + noise_peer_put_field(out + n, 2, sig, 64);
	default:
		*err = 1;
		return 0;
	}
}

static void bad_payloads_fail_the_handshake(void **state)
{
	struct noise_script *f = *state;

	for (int role = 0; role < 2; role++) {
		for (int way = 0;; way++) {
			uint8_t payload[4096];
			size_t n, sent;
			int err, r;

			noise_script_start(f, role, NULL, NULL);
			memset(f->peer.hs.rs, 9, 32);
			n = spoil(f, way, payload, &err);
			if (err == 1) {
				noise_script_stop(f);
				break;
			}
			r = noise_script_handshake(f, role, payload, n);
			sent = f->out.len;
			if (r == 0 || (err != 0 && r != err))
				fail_msg("way %d in role %d: %s", way, role, gn_strerror(r));
			assert_false(side_returned(&f->s, GN_READY));
			assert_int_equal(sent, 0); /* no message 3 was sent */
			noise_script_stop(f);
		}
	}
}

static void unknown_fields_are_skipped(void **state)
{
	struct noise_script *f = *state;

	for (int role = 0; role < 2; role++) {
		uint8_t payload[4096], ext[100];
		size_t n, n_ext;

		noise_script_start(f, role, noise_muxers_yamux, NULL);
		n = noise_peer_put_field(payload, 3, "old data", 8);
		n += noise_peer_payload(&f->peer, NULL, 0, payload + n);
		n_ext = noise_peer_put_field(ext, 1, "certhash", 8);
		n_ext += noise_peer_put_field(ext + n_ext, 9, "?", 1);
		n_ext += noise_peer_put_field(ext + n_ext, 2, "/yamux/1.0.0", 12);
		n += noise_peer_put_field(payload + n, 4, ext, n_ext);
		n += noise_peer_put_field(payload + n, 15, "new", 3);
		assert_int_equal(noise_script_handshake(f, role, payload, n), 0);
		assert_true(side_returned(&f->s, GN_READY));
		assert_int_equal(gn_security_noise.info(f->l)->muxer, 0);
		noise_script_stop(f);
	}
}

static void another_peer_than_expected_is_refused(void **state)
{
	struct noise_script *f = *state;
	struct gn_peer_id ours;

	gn_key_id(f->key, &ours);
	for (int role = 0; role < 2; role++) {
		uint8_t payload[4096];
		size_t n;

		noise_script_start(f, role, NULL, &ours); /* the peer has another id */
		n = noise_peer_payload(&f->peer, NULL, 0, payload);
		assert_int_equal(noise_script_handshake(f, role, payload, n), GN_EPEERID);
		assert_false(side_returned(&f->s, GN_READY));
		assert_int_equal(f->out.len, 0);
		noise_script_stop(f);
	}
}

/* A payload in message 1 is ignored. */
static void message_1_may_have_a_payload(void **state)
{
	struct noise_script *f = *state;
	uint8_t payload[4096];
	size_t n;

	noise_script_start(f, false, NULL, NULL);
	n = noise_peer_write(&f->peer, 1, "early", 5, f->buf);
	side_feed(&f->s, f->buf, n, 1);
	side_drain(&f->s, &f->out, 1);
	noise_peer_read(&f->peer, 2, &f->out);
	n = noise_peer_payload(&f->peer, NULL, 0, payload);
	n = noise_peer_write(&f->peer, 3, payload, n, f->buf);
	side_feed(&f->s, f->buf, n, 1);
	assert_true(side_returned(&f->s, GN_READY));
	noise_script_stop(f);
}

static void handshake_messages_of_bad_lengths_fail(void **state)
{
	struct noise_script *f = *state;
	static const struct {
		uint16_t len;
		int err;
	} bad[] = {{0, GN_ETRUNC}, {31, GN_ETRUNC}, {8193, GN_ETOOBIG}, {65535, GN_ETOOBIG}};

	for (int role = 0; role < 2; role++) {
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			noise_script_start(f, role, NULL, NULL);
			side_drain(&f->s, &f->out, 1);
			wire_skip(&f->out, f->out.len);
			memset(f->buf, 0x31, 65537);
			gn_put_u16(f->buf, bad[i].len);
			side_feed(&f->s, f->buf, bad[i].len > 8192 ? 2 : 2 + bad[i].len,
				  1); /* the length is enough to reject it */
			assert_int_equal(side_pump(&f->s, 1), bad[i].err);
			assert_int_equal(f->s.tx.owned, 0);
			noise_script_stop(f);
		}
	}
}

/* A low-order point as the ephemeral key of the peer. */
static void a_low_order_ephemeral_key_fails_the_layer(void **state)
{
	struct noise_script *f = *state;
	uint8_t msg[34] = {0, 32};

	noise_script_start(f, false, NULL, NULL);
	side_feed(&f->s, msg, sizeof msg, 1);
	assert_int_equal(side_pump(&f->s, 1), GN_EAUTH);
	assert_int_equal(gn_pipe_len(&f->s.tx), 0);
	noise_script_stop(f);
}

static void a_responder_sends_nothing_before_message_1(void **state)
{
	struct noise_script *f = *state;

	noise_script_start(f, false, NULL, NULL);
	side_drain(&f->s, &f->out, 1);
	assert_int_equal(f->out.len, 0);
	noise_script_stop(f);
}

/* The sending side is closed, so the layer fails instead of waiting for room. */
static void a_handshake_that_cannot_answer_fails(void **state)
{
	struct noise_script *f = *state;

	noise_script_start(f, false, NULL, NULL);
	gn_pipe_reset(&f->s.tx, -EPIPE);
	side_feed(&f->s, f->buf, noise_peer_write(&f->peer, 1, NULL, 0, f->buf), 1);
	assert_int_equal(side_pump(&f->s, 1), GN_EGONE);
	noise_script_stop(f);
}

/* The layer carries no bytes of the layer above before it is ready. */
static void no_byte_passes_before_ready(void **state)
{
	struct noise_script *f = *state;

	for (int role = 0; role < 2; role++) {
		size_t was;

		noise_script_start(f, role, NULL, NULL);
		assert_int_equal(gn_pipe_put(f->l->up_tx, "secret", 6), 0);
		gn_pipe_close(f->l->up_tx, GN_EOF);
		gn_stack_mark_top(&f->s.stack);
		side_drain(&f->s, &f->out, 1);
		was = f->out.len;
		assert_int_equal(was, role ? 34 : 0);
		assert_int_equal(gn_pipe_len(f->l->up_tx), 6);
		assert_int_equal(f->out.end, 0);
		noise_script_complete(f, role, NULL, 0);
		side_drain(&f->s, &f->out, 1);
		{
			struct wire plain = {0};

			noise_peer_unseal(&f->peer, &f->out, &plain);
			assert_int_equal(plain.len, 6);
			assert_memory_equal(plain.p, "secret", 6);
			wire_fini(&plain);
		}
		assert_int_equal(f->out.end, GN_EOF);
		noise_script_stop(f);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, noise_script_setup, noise_script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(both_roles_complete_a_handshake),
		T(payloads_of_js_libp2p_are_read_and_equal_ours),
		T(our_payload_is_the_one_of_the_specification),
		T(the_first_common_muxer_of_the_initiator_is_chosen),
		T(bad_payloads_fail_the_handshake),
		T(unknown_fields_are_skipped),
		T(another_peer_than_expected_is_refused),
		T(message_1_may_have_a_payload),
		T(handshake_messages_of_bad_lengths_fail),
		T(a_low_order_ephemeral_key_fails_the_layer),
		T(a_responder_sends_nothing_before_message_1),
		T(a_handshake_that_cannot_answer_fails),
		T(no_byte_passes_before_ready),
	};

	return cmocka_run_group_tests_name("noise: the handshake at the layer", tests, NULL, NULL);
}
