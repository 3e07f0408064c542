/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sodium.h>

#include "noise_peer.h"
#include "security/noise_cipher.h"
#include "security/secure.h"
#include "vectors.h"

/* ---- the handshake as a machine ---- */

static struct {
	struct gn_noise hs[2]; /* 0 initiates */
	struct gn_noise_key send[2], receive[2];
	int number;
	bool flip; /* instead: each byte flipped must not be taken */
	unsigned flipped;
} xx;

static struct gn_scratch xx_scratch;

static void keys_line(char **field)
{
	size_t n;
	uint8_t *b[6];

	for (int i = 1; i < 6; i++)
		b[i] = unhex(field[i], &n);
	n = strlen(field[1]) / 2;
	assert_int_equal(gn_noise_init_fixed(&xx.hs[0], true, b[2], b[3], b[1], n), 0);
	assert_int_equal(gn_noise_init_fixed(&xx.hs[1], false, b[4], b[5], b[1], n), 0);
	xx.number = 1;
	for (int i = 1; i < 6; i++)
		free(b[i]);
}

/* Reading a message with one byte changed: an error, or (message 1 has no tag) another hash. */
static void flip_each(const struct gn_noise *reader, int number, const uint8_t *msg, size_t n)
{
	uint8_t *copy = malloc(n), *payload;
	size_t len;

	assert_non_null(copy);
	for (size_t i = 0; i < n; i++) {
		struct gn_noise hs = *reader, good = *reader;
		int r;

		memcpy(copy, msg, n);
		assert_int_equal(gn_noise_read(&good, number, copy, n, &payload, &len), 0);
		memcpy(copy, msg, n);
		copy[i] ^= 0x04;
		r = gn_noise_read(&hs, number, copy, n, &payload, &len);
		if (number == 1)
			assert_memory_not_equal(hs.h, good.h, 32);
		else
			assert_int_equal(r, GN_EAUTH);
		xx.flipped++;
	}
	for (size_t cut = 0; cut < n; cut++) {
		struct gn_noise hs = *reader;
		int r;

		memcpy(copy, msg, n);
		r = gn_noise_read(&hs, number, copy, cut, &payload, &len);
		if (number > 1)
			assert_true(r == GN_ETRUNC || r == GN_EAUTH);
		else
			assert_int_equal(r, cut < GN_NOISE_MSG1 ? GN_ETRUNC : 0);
	}
	free(copy);
}

static void handshake_line(int from, const uint8_t *payload, size_t n, const uint8_t *want, size_t n_want)
{
	uint8_t *out = malloc(n_want), *got;
	size_t len;

	assert_int_equal(n_want, n + (xx.number == 1 ? 32 : xx.number == 2 ? GN_NOISE_MSG2 : GN_NOISE_MSG3));
	assert_int_equal(gn_noise_write(&xx.hs[from], xx.number, payload, n, out), 0);
	assert_memory_equal(out, want, n_want);
	if (xx.flip)
		flip_each(&xx.hs[!from], xx.number, want, n_want);
	assert_int_equal(gn_noise_read(&xx.hs[!from], xx.number, out, n_want, &got, &len), 0);
	assert_int_equal(len, n);
	if (n > 0)
		assert_memory_equal(got, payload, n);
	free(out);
}

static void transport_line(int from, const uint8_t *payload, size_t n, const uint8_t *want, size_t n_want)
{
	uint8_t *out = malloc(n_want), *in = malloc(n > 0 ? n : 1);
	struct iovec v[3] = {{in, n / 3}, {in + n / 3, n - n / 3 - n / 4}, {in + n - n / 4, n / 4}};

	assert_int_equal(n_want, n + 16);
	memcpy(in, payload, n);
	assert_int_equal(gn_noise_cipher_seal(&xx_scratch, &xx.send[from], v, 3, out), 0);
	assert_memory_equal(out, want, n_want);
	assert_int_equal(gn_noise_cipher_unseal(&xx_scratch, &xx.receive[!from], out, n), 0);
	assert_memory_equal(out, payload, n);
	free(out);
	free(in);
}

static char xx_hash[65];

static void xx_line(char **field)
{
	size_t n, n_want;
	uint8_t *payload, *want;
	int from = (xx.number + 1) % 2;

	if (strcmp(field[0], "keys") == 0) {
		(void)snprintf(xx_hash, sizeof xx_hash, "%s", field[6]);
		keys_line(field);
		return;
	}
	payload = unhex(field[1], &n);
	want = unhex(field[2], &n_want);
	if (xx.number <= 3)
		handshake_line(from, payload, n, want, n_want);
	else
		transport_line(from, payload, n, want, n_want);
	if (xx.number == 3) {
		assert_memory_equal(xx.hs[0].h, xx.hs[1].h, 32);
		if (xx_hash[0] != '\0')
			assert_hex(xx.hs[0].h, 32, xx_hash);
		for (int i = 0; i < 2; i++) {
			gn_noise_cipher_forget(&xx_scratch, &xx.send[i]);
			gn_noise_cipher_forget(&xx_scratch, &xx.receive[i]);
			gn_noise_split(&xx.hs[i], xx.send[i].key, xx.receive[i].key);
			xx.send[i].n = xx.receive[i].n = 0;
		}
	}
	xx.number++;
	free(payload);
	free(want);
}

static void vectors_of_the_framework(void **state)
{
	(void)state;
	memset(&xx, 0, sizeof xx);
	gn_scratch_init(&xx_scratch);
	assert_int_equal(vectors_each("noise-xx.tsv", xx_line), 13);
	gn_scratch_fini(&xx_scratch);
}

static void a_changed_or_cut_message_is_not_taken(void **state)
{
	(void)state;
	memset(&xx, 0, sizeof xx);
	xx.flip = true;
	gn_scratch_init(&xx_scratch);
	vectors_each("noise-xx.tsv", xx_line);
	assert_true(xx.flipped > 500);
	gn_scratch_fini(&xx_scratch);
}

/* Points of small order: their product with anything is zero (RFC 7748 section 6). */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void points_of_low_order_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof low_order / sizeof *low_order; i++) {
		struct gn_noise a, b;
		uint8_t *point, msg[200], *payload;
		size_t n;

		point = unhex(low_order[i], &n);
		/* As the initiator's ephemeral. */
		gn_noise_init(&b, false);
		memcpy(msg, point, 32);
		assert_int_equal(gn_noise_read(&b, 1, msg, 32, &payload, &n), 0);
		assert_int_equal(gn_noise_write(&b, 2, NULL, 0, msg), GN_EAUTH);
		/* As the responder's. */
		gn_noise_init(&a, true);
		assert_int_equal(gn_noise_write(&a, 1, NULL, 0, msg), 0);
		memcpy(msg, point, 32);
		assert_int_equal(gn_noise_read(&a, 2, msg, 96, &payload, &n), GN_EAUTH);
		/* As the responder's static, well encrypted. */
		gn_noise_init(&a, true);
		gn_noise_init(&b, false);
		assert_int_equal(gn_noise_write(&a, 1, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&b, 1, msg, 32, &payload, &n), 0);
		memcpy(b.s_pub, point, 32);
		assert_int_equal(gn_noise_write(&b, 2, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&a, 2, msg, 96, &payload, &n), GN_EAUTH);
		/* As the initiator's static. */
		gn_noise_init(&a, true);
		gn_noise_init(&b, false);
		assert_int_equal(gn_noise_write(&a, 1, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&b, 1, msg, 32, &payload, &n), 0);
		assert_int_equal(gn_noise_write(&b, 2, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&a, 2, msg, 96, &payload, &n), 0);
		memcpy(a.s_pub, point, 32);
		assert_int_equal(gn_noise_write(&a, 3, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&b, 3, msg, 64, &payload, &n), GN_EAUTH);
		free(point);
	}
}

static bool is_zero(const void *p, size_t n)
{
	return sodium_is_zero(p, n) == 1;
}

static void keys_are_wiped(void **state)
{
	struct gn_noise hs;
	struct gn_noise_key k = {.key = "some key"};
	struct gn_scratch s;
	struct iovec v = {(uint8_t[]){1}, 1};
	uint8_t out[17];

	(void)state;
	gn_noise_init(&hs, true);
	assert_false(is_zero(hs.s, 32));
	gn_noise_fini(&hs);
	assert_true(is_zero(&hs, sizeof hs));
	gn_scratch_init(&s);
	assert_int_equal(gn_noise_cipher_seal(&s, &k, &v, 1, out), 0);
	gn_noise_cipher_forget(&s, &k);
	assert_true(is_zero(k.key, sizeof k.key));
	gn_scratch_fini(&s);
}

/* ---- records as a machine ---- */

static void the_last_counter_is_reserved(void **state)
{
	struct gn_scratch s;
	struct gn_noise_key out = {.key = "key", .n = UINT64_MAX - 1}, in = out;
	uint8_t text[] = "last", sealed[20];
	struct iovec v = {text, 4};

	(void)state;
	gn_scratch_init(&s);
	assert_int_equal(gn_noise_cipher_seal(&s, &out, &v, 1, sealed), 0);
	assert_int_equal(gn_noise_cipher_unseal(&s, &in, sealed, 4), 0);
	assert_memory_equal(sealed, "last", 4);
	assert_int_equal(gn_noise_cipher_seal(&s, &out, &v, 1, sealed), GN_ELIMIT);
	assert_int_equal(gn_noise_cipher_unseal(&s, &in, sealed, 4), GN_ELIMIT);
	assert_int_equal(gn_noise_cipher_seal(&s, &out, &v, 1, sealed), GN_ELIMIT);
	gn_scratch_fini(&s);
}

/* One context serves many connections: in turns, after a failure, and when a key's memory comes again. */
static void contexts_are_shared(void **state)
{
	struct gn_scratch s;
	struct gn_noise_key out[3], in[3];
	uint8_t text[] = "text", sealed[20];
	struct iovec v = {text, 4};

	(void)state;
	gn_scratch_init(&s);
	memset(out, 0, sizeof out);
	for (int i = 0; i < 3; i++) {
		memset(out[i].key, i + 1, 32);
		in[i] = out[i];
	}
	for (int turn = 0; turn < 30; turn++) {
		int i = turn * 7 % 3;

		assert_int_equal(gn_noise_cipher_seal(&s, &out[i], &v, 1, sealed), 0);
		if (turn % 5 == 4) {
			struct gn_noise_key other = {.key = "other"};

			assert_int_equal(gn_noise_cipher_unseal(&s, &other, (uint8_t[20]){1}, 4), GN_EAUTH);
			gn_noise_cipher_forget(&s, &other);
		}
		if (turn % 7 == 6) { /* the same memory, another key */
			struct gn_noise_key keep = in[2];

			gn_noise_cipher_forget(&s, &in[2]);
			memset(in[2].key, 99, 32);
			assert_int_equal(gn_noise_cipher_unseal(&s, &in[2], (uint8_t[20]){1}, 4), GN_EAUTH);
			gn_noise_cipher_forget(&s, &in[2]);
			in[2] = keep;
		}
		assert_int_equal(gn_noise_cipher_unseal(&s, &in[i], sealed, 4), 0);
		assert_memory_equal(sealed, "text", 4);
	}
	gn_scratch_fini(&s);
}

/* ---- the layer, against a peer of the test's ---- */

static const char *const yamux_only[] = {"/yamux/1.0.0", NULL};
static const char *const two_muxers[] = {"/mplex/6.7.0", "/yamux/1.0.0", NULL};
static const char *const two_others[] = {"/yamux/1.0.0", "/mplex/6.7.0", NULL};
static const char *const strange[] = {"/strange/1", NULL};

struct fixture {
	struct gn_scratch scratch;
	struct side s;
	struct gn_layer *l;
	struct gn_key *key;
	struct noise_peer peer;
	struct wire out; /* what the layer sends */
	uint8_t buf[70000];
};

/* The layer in a role, the peer in the other. */
static void begin(struct fixture *f, bool initiator, const char *const *muxers, const struct gn_peer_id *expect)
{
	struct gn_secure_cfg cfg = {.key = f->key, .initiator = initiator, .muxers = muxers};

	if (expect != NULL)
		cfg.expect = *expect;
	side_init(&f->s, &f->scratch);
	noise_peer_init(&f->peer, !initiator, 0x42);
	assert_int_equal(gn_stack_push(&f->s.stack, gn_security_noise.layer, &cfg, false, &f->l), 0);
}

static void over(struct fixture *f)
{
	side_fini(&f->s);
	noise_peer_fini(&f->peer);
	wire_skip(&f->out, f->out.len);
	f->out.end = 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	uint8_t seed[32] = {7};

	assert_non_null(f);
	gn_scratch_init(&f->scratch);
	assert_int_equal(gn_key_new_seeded(seed, &f->key), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gn_scratch_fini(&f->scratch);
	gn_key_free(f->key);
	wire_fini(&f->out);
	free(f);
	return 0;
}

/* Up to the peer's payload, which goes in as given; returns what the stack says. */
static int meet(struct fixture *f, bool initiator, const void *payload, size_t n)
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

static void meet_well(struct fixture *f, bool initiator, const char *const *muxers, size_t n)
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

static void both_roles_meet(void **state)
{
	struct fixture *f = *state;
	struct gn_peer_id id;

	for (int role = 0; role < 2; role++) {
		begin(f, role, NULL, NULL);
		gn_key_id(f->peer.key, &id);
		over(f);
		begin(f, role, NULL, &id); /* the one that is expected */
		meet_well(f, role, NULL, 0);
		assert_int_equal(gn_security_noise.info(f->l)->muxer, -1);
		over(f);
	}
}

/* What the layer says of itself is what js-libp2p says with the same keys. */
static struct fixture *vector_fixture;

static void payload_line(char **field)
{
	struct fixture *f = vector_fixture;
	size_t n, n_key, n_static, n_pub;
	uint8_t *key = unhex(field[0], &n_key), *priv = unhex(field[1], &n_static), *pub = unhex(field[2], &n_pub);
	uint8_t *payload = unhex(field[4], &n);
	bool with = strcmp(field[3], "-") != 0;
	struct gn_peer_id want;

	for (int role = 0; role < 2; role++) {
		begin(f, role, yamux_only, NULL);
		gn_key_free(f->peer.key);
		assert_int_equal(gn_key_decode(key, n_key, &f->peer.key), 0);
		gn_key_id(f->peer.key, &want);
		memcpy(f->peer.hs.s, priv, 32);
		memcpy(f->peer.hs.s_pub, pub, 32);
		assert_int_equal(meet(f, role, payload, n), 0);
		assert_true(side_said(&f->s, GN_READY));
		assert_true(gn_peer_id_is_equal(&want, &gn_security_noise.info(f->l)->peer));
		assert_int_equal(gn_security_noise.info(f->l)->muxer, with ? 0 : -1);
		/* The same muxers, and keys of the same lengths. */
		if (with)
			assert_int_equal(f->peer.n_payload, n);
		over(f);
	}
	free(key);
	free(priv);
	free(pub);
	free(payload);
}

static void payloads_of_js(void **state)
{
	vector_fixture = *state;
	vectors_each("noise-payload.tsv", payload_line);
}

/* Our own payload, byte for byte what an honest peer with our key would say. */
static void our_payload(void **state)
{
	struct fixture *f = *state;

	for (int role = 0; role < 2; role++) {
		struct noise_peer twin;
		uint8_t want[4096];
		size_t n;

		begin(f, role, two_muxers, NULL);
		meet_well(f, role, two_muxers, 2);
		noise_peer_init(&twin, role, 1);
		gn_key_free(twin.key);
		assert_int_equal(gn_key_dup(f->key, &twin.key), 0);
		memcpy(twin.hs.s_pub, f->peer.hs.rs, 32);
		n = noise_peer_payload(&twin, two_muxers, 2, want);
		assert_int_equal(f->peer.n_payload, n);
		assert_memory_equal(f->peer.payload, want, n);
		noise_peer_fini(&twin);
		over(f);
	}
}

static void early_muxers(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *const *ours, *const *theirs;
		size_t n;
		int as_initiator, as_responder; /* index in ours */
	} cases[] = {
		{yamux_only, yamux_only, 1, 0, 0},
		{yamux_only, two_muxers, 2, 0, 0},
		{two_muxers, yamux_only, 1, 1, 1},
		{two_muxers, two_muxers, 2, 0, 0},
		{two_muxers, two_others, 2, 0, 1}, /* the initiator's order counts */
		{NULL, yamux_only, 1, -1, -1},
		{yamux_only, NULL, 0, -1, -1},
		{yamux_only, yamux_only, 0, -1, -1}, /* extensions without a list */
		{yamux_only, strange, 1, -1, -1},
		{NULL, NULL, 0, -1, -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int role = 0; role < 2; role++) {
			begin(f, role, cases[i].ours, NULL);
			meet_well(f, role, cases[i].theirs, cases[i].n);
			assert_int_equal(gn_security_noise.info(f->l)->muxer,
					 role ? cases[i].as_initiator : cases[i].as_responder);
			over(f);
		}
	}
}

/* Changes an honest payload in one way; 0 when there is no such way. */
static size_t spoil(struct fixture *f, int way, uint8_t *out, int *err)
{
	uint8_t text[56] = "noise-libp2p-static-key:", sig[64], other[36];
	size_t n = noise_peer_payload(&f->peer, NULL, 0, out), n_pub;
	const uint8_t *pub = gn_key_public(f->peer.key, &n_pub);

	*err = GN_EAUTH;
	switch (way) {
	case 0: /* a bit of the signature */
		out[n - 1] ^= 1;
		return n;
	case 1: /* another's key, with the signature of the first */
		memcpy(other, gn_key_public(f->key, &n_pub), 36);
		n = pb_put(out, 1, other, 36);
		gn_key_sign(f->peer.key, text, sizeof text, sig);
		return n + pb_put(out + n, 2, sig, 64);
	case 2: /* of another static key: a man in the middle */
		memcpy(text + 24, f->peer.hs.rs, 32);
		gn_key_sign(f->peer.key, text, sizeof text, sig);
		n = pb_put(out, 1, pub, n_pub);
		return n + pb_put(out + n, 2, sig, 64);
	case 3: /* without its prefix */
		n = pb_put(out, 1, pub, n_pub);
		gn_key_sign(f->peer.key, f->peer.hs.s_pub, 32, sig);
		return n + pb_put(out + n, 2, sig, 64);
	case 4: /* no signature */
		return pb_put(out, 1, pub, n_pub);
	case 5: /* no key */
		return n - 38 > 0 ? (memmove(out, out + 38, n - 38), n - 38) : 0;
	case 6: /* nothing at all */
		return 0;
	case 7: /* a signature of no bytes */
		n = pb_put(out, 1, pub, n_pub);
		return n + pb_put(out + n, 2, "", 0);
	case 8: /* cut short: no protobuf */
		*err = GN_EFORMAT;
		return n - 1;
	case 9:
		*err = GN_EFORMAT;
		memset(out, 0xff, 300);
		return 300;
	case 10: /* a key that is none */
		*err = 0;
		n = pb_put(out, 1, "\x08\x01\x12\x03" "abc", 7);
		return n + pb_put(out + n, 2, sig, 64);
	case 11: /* a key of no known type */
		*err = 0;
		n = pb_put(out, 1, "\x08\x09\x12\x03" "abc", 7);
		return n + pb_put(out + n, 2, sig, 64);
	default:
		*err = 1;
		return 0;
	}
}

static void bad_payloads(void **state)
{
	struct fixture *f = *state;

	for (int role = 0; role < 2; role++) {
		for (int way = 0;; way++) {
			uint8_t payload[4096];
			size_t n, sent;
			int err, r;

			begin(f, role, NULL, NULL);
			memset(f->peer.hs.rs, 9, 32);
			n = spoil(f, way, payload, &err);
			if (err == 1) {
				over(f);
				break;
			}
			r = meet(f, role, payload, n);
			sent = f->out.len;
			if (r == 0 || (err != 0 && r != err))
				fail_msg("way %d in role %d: %s", way, role, gn_strerror(r));
			assert_false(side_said(&f->s, GN_READY));
			assert_int_equal(sent, 0); /* no message 3 to such a one */
			over(f);
		}
	}
}

static void unknown_fields_are_skipped(void **state)
{
	struct fixture *f = *state;

	for (int role = 0; role < 2; role++) {
		uint8_t payload[4096], ext[100];
		size_t n, n_ext;

		begin(f, role, yamux_only, NULL);
		n = pb_put(payload, 3, "old data", 8);
		n += noise_peer_payload(&f->peer, NULL, 0, payload + n);
		n_ext = pb_put(ext, 1, "certhash", 8);
		n_ext += pb_put(ext + n_ext, 9, "?", 1);
		n_ext += pb_put(ext + n_ext, 2, "/yamux/1.0.0", 12);
		n += pb_put(payload + n, 4, ext, n_ext);
		n += pb_put(payload + n, 15, "new", 3);
		assert_int_equal(meet(f, role, payload, n), 0);
		assert_true(side_said(&f->s, GN_READY));
		assert_int_equal(gn_security_noise.info(f->l)->muxer, 0);
		over(f);
	}
}

static void the_wrong_peer(void **state)
{
	struct fixture *f = *state;
	struct gn_peer_id ours;

	gn_key_id(f->key, &ours);
	for (int role = 0; role < 2; role++) {
		uint8_t payload[4096];
		size_t n;

		begin(f, role, NULL, &ours); /* the peer has another */
		n = noise_peer_payload(&f->peer, NULL, 0, payload);
		assert_int_equal(meet(f, role, payload, n), GN_EPEERID);
		assert_false(side_said(&f->s, GN_READY));
		assert_int_equal(f->out.len, 0);
		over(f);
	}
}

/* A payload in message 1 is passed over. */
static void message_1_may_have_a_payload(void **state)
{
	struct fixture *f = *state;
	uint8_t payload[4096];
	size_t n;

	begin(f, false, NULL, NULL);
	n = noise_peer_write(&f->peer, 1, "early", 5, f->buf);
	side_feed(&f->s, f->buf, n, 1);
	side_drain(&f->s, &f->out, 1);
	noise_peer_read(&f->peer, 2, &f->out);
	n = noise_peer_payload(&f->peer, NULL, 0, payload);
	n = noise_peer_write(&f->peer, 3, payload, n, f->buf);
	side_feed(&f->s, f->buf, n, 1);
	assert_true(side_said(&f->s, GN_READY));
	over(f);
}

static void handshake_messages_of_bad_lengths(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint16_t len;
		int err;
	} bad[] = {{0, GN_ETRUNC}, {31, GN_ETRUNC}, {8193, GN_ETOOBIG}, {65535, GN_ETOOBIG}};

	for (int role = 0; role < 2; role++) {
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			begin(f, role, NULL, NULL);
			side_drain(&f->s, &f->out, 1);
			wire_skip(&f->out, f->out.len);
			memset(f->buf, 0x31, 65537);
			gn_put_u16(f->buf, bad[i].len);
			side_feed(&f->s, f->buf, bad[i].len > 8192 ? 2 : 2 + bad[i].len, 1); /* known from the length alone */
			assert_int_equal(side_pump(&f->s, 1), bad[i].err);
			assert_int_equal(f->s.tx.owned, 0);
			over(f);
		}
	}
}

/* A low-order point where the layer meets it. */
static void a_low_order_ephemeral_at_the_layer(void **state)
{
	struct fixture *f = *state;
	uint8_t msg[34] = {0, 32};

	begin(f, false, NULL, NULL);
	side_feed(&f->s, msg, sizeof msg, 1);
	assert_int_equal(side_pump(&f->s, 1), GN_EAUTH);
	assert_int_equal(gn_pipe_len(&f->s.tx), 0);
	over(f);
}

static void a_responder_waits_to_be_spoken_to(void **state)
{
	struct fixture *f = *state;

	begin(f, false, NULL, NULL);
	side_drain(&f->s, &f->out, 1);
	assert_int_equal(f->out.len, 0);
	over(f);
}

/* The way out is closed already: not to be waited for. */
static void a_handshake_that_cannot_answer_fails(void **state)
{
	struct fixture *f = *state;

	begin(f, false, NULL, NULL);
	gn_pipe_reset(&f->s.tx, -EPIPE);
	side_feed(&f->s, f->buf, noise_peer_write(&f->peer, 1, NULL, 0, f->buf), 1);
	assert_int_equal(side_pump(&f->s, 1), GN_EGONE);
	over(f);
}

/* Nothing above the layer passes before it is ready. */
static void no_byte_passes_before_ready(void **state)
{
	struct fixture *f = *state;

	for (int role = 0; role < 2; role++) {
		size_t was;

		begin(f, role, NULL, NULL);
		assert_int_equal(gn_pipe_put(f->l->up_tx, "secret", 6), 0);
		gn_pipe_close(f->l->up_tx, GN_EOF);
		gn_stack_mark_top(&f->s.stack);
		side_drain(&f->s, &f->out, 1);
		was = f->out.len;
		assert_int_equal(was, role ? 34 : 0);
		assert_int_equal(gn_pipe_len(f->l->up_tx), 6);
		assert_int_equal(f->out.end, 0);
		meet_well(f, role, NULL, 0);
		side_drain(&f->s, &f->out, 1);
		{
			struct wire plain = {0};

			noise_peer_unseal(&f->peer, &f->out, &plain);
			assert_int_equal(plain.len, 6);
			assert_memory_equal(plain.p, "secret", 6);
			wire_fini(&plain);
		}
		assert_int_equal(f->out.end, GN_EOF);
		over(f);
	}
}

/* ---- records at the layer ---- */

static void opened(struct fixture *f, bool initiator)
{
	begin(f, initiator, NULL, NULL);
	meet_well(f, initiator, NULL, 0);
}

static void empty_records_are_skipped(void **state)
{
	struct fixture *f = *state;

	opened(f, true);
	for (int i = 0; i < 100; i++)
		side_feed(&f->s, f->buf, noise_peer_seal(&f->peer, "", 0, f->buf), 1);
	side_feed(&f->s, f->buf, noise_peer_seal(&f->peer, "x", 1, f->buf), 1);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(gn_pipe_len(f->l->up_rx), 1);
	over(f);
}

static void records_too_short(void **state)
{
	struct fixture *f = *state;

	for (uint16_t len = 0; len < 16; len++) {
		opened(f, len % 2);
		gn_put_u16(f->buf, len);
		side_feed(&f->s, f->buf, 2 + len, 1);
		assert_int_equal(side_pump(&f->s, 1), GN_EPROTO);
		over(f);
	}
}

static void the_longest_record(void **state)
{
	struct fixture *f = *state;
	static uint8_t plain[65519], got[65519];

	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i * 7 >> 3);
	opened(f, false);
	for (int i = 0; i < 3; i++) {
		side_feed(&f->s, f->buf, noise_peer_seal(&f->peer, plain, sizeof plain, f->buf), 1);
		assert_int_equal(gn_pipe_len(f->l->up_rx), sizeof plain);
		gn_pipe_copy(f->l->up_rx, got, sizeof got);
		assert_memory_equal(got, plain, sizeof got);
		gn_pipe_skip(f->l->up_rx, sizeof got);
	}
	over(f);
}

static void what_goes_out_is_cut_into_full_records(void **state)
{
	struct fixture *f = *state;
	size_t n = 300000;
	uint8_t *big = malloc(n);
	struct wire plain = {0};

	assert_non_null(big);
	for (int sends = 0; sends < 2; sends++) {
		opened(f, true);
		f->s.tx.sends = sends;
		for (size_t i = 0; i < n; i++)
			big[i] = (uint8_t)(i >> 5);
		assert_int_equal(gn_pipe_put(f->l->up_tx, big, n), 0);
		gn_stack_mark_top(&f->s.stack);
		(void)side_pump(&f->s, 1);
		assert_true(gn_pipe_len(&f->s.tx) == 4 * 65537);
		side_drain(&f->s, &f->out, 1);
		assert_int_equal(f->out.len, n + 5 * 18);
		assert_int_equal(gn_get_u16(f->out.p + f->out.at), 65535);
		noise_peer_unseal(&f->peer, &f->out, &plain);
		assert_int_equal(plain.len, n);
		assert_memory_equal(plain.p + plain.at, big, n);
		wire_skip(&plain, n);
		over(f);
	}
	wire_fini(&plain);
	free(big);
}

static void every_end_of_file(void **state)
{
	struct fixture *f = *state;
	const int ends[] = {GN_EOF, -ECONNRESET};

	for (int e = 0; e < 2; e++) {
		for (size_t cut = 0; cut <= 2 * (2 + 5 + 16); cut++) {
			size_t n, whole = cut / 23 * 5;

			opened(f, cut % 2);
			n = noise_peer_seal(&f->peer, "hello", 5, f->buf);
			n += noise_peer_seal(&f->peer, "world", 5, f->buf + n);
			assert_int_equal(gn_pipe_put(&f->s.rx, f->buf, cut), 0);
			gn_pipe_close(&f->s.rx, ends[e]);
			gn_stack_mark_bottom(&f->s.stack);
			assert_int_equal(side_pump(&f->s, 1), 0); /* the end is the pipe's, not the layer's */
			assert_int_equal(gn_pipe_len(f->l->up_rx), whole);
			gn_pipe_skip(f->l->up_rx, whole);
			assert_int_equal(gn_pipe_end(f->l->up_rx),
					 ends[e] != GN_EOF ? ends[e] : cut % 23 == 0 ? GN_EOF : GN_ETRUNC);
			/* The other direction goes on. */
			assert_int_equal(gn_pipe_put(f->l->up_tx, "still", 5), 0);
			gn_stack_mark_top(&f->s.stack);
			side_drain(&f->s, &f->out, 1);
			assert_int_equal(f->out.len, 23);
			over(f);
		}
	}
}

static void a_changed_record_ends_it(void **state)
{
	struct fixture *f = *state;

	for (size_t at = 0; at < 2 * 23; at++) {
		size_t n, good = at / 23 * 5;
		int r;

		opened(f, at % 2);
		n = noise_peer_seal(&f->peer, "hello", 5, f->buf);
		n += noise_peer_seal(&f->peer, "world", 5, f->buf + n);
		f->buf[at] ^= 0x10;
		assert_int_equal(gn_pipe_put(&f->s.rx, f->buf, n), 0);
		gn_pipe_close(&f->s.rx, GN_EOF);
		gn_stack_mark_bottom(&f->s.stack);
		r = side_pump(&f->s, 1);
		assert_int_equal(gn_pipe_len(f->l->up_rx), good);
		if (r == 0) /* a longer length: the end comes in the record */
			assert_true(at % 23 < 2 && gn_pipe_is_closed(f->l->up_rx));
		else
			assert_true(r == GN_EAUTH || r == GN_EPROTO);
		if (r == 0) {
			gn_pipe_skip(f->l->up_rx, good);
			assert_int_equal(gn_pipe_end(f->l->up_rx), GN_ETRUNC);
		}
		over(f);
	}
}

static void replayed_and_reordered_records(void **state)
{
	struct fixture *f = *state;
	uint8_t one[23], two[23];

	for (int way = 0; way < 3; way++) {
		opened(f, true);
		noise_peer_seal(&f->peer, "hello", 5, one);
		noise_peer_seal(&f->peer, "world", 5, two);
		if (way != 1)
			side_feed(&f->s, one, 23, 1);
		side_feed(&f->s, way == 2 ? one : two, 23, 1);
		if (way == 1)
			side_feed(&f->s, one, 23, 1);
		assert_int_equal(side_pump(&f->s, 1), way == 0 ? 0 : GN_EAUTH);
		assert_int_equal(gn_pipe_len(f->l->up_rx), way == 0 ? 10 : way == 1 ? 0 : 5);
		over(f);
	}
}

static void a_full_pipe_above(void **state)
{
	struct fixture *f = *state;
	static uint8_t plain[60000];
	size_t cap, came = 0, fed = 0;

	opened(f, true);
	cap = f->l->up_rx->cap;
	for (int i = 0; i < 20; i++) {
		size_t n = noise_peer_seal(&f->peer, memset(plain, i, sizeof plain), sizeof plain, f->buf);

		f->s.rx.cap = 2000000;
		side_feed(&f->s, f->buf, n, 1);
		fed += sizeof plain;
		assert_true(gn_pipe_len(f->l->up_rx) <= cap);
	}
	assert_true(gn_pipe_len(f->l->up_rx) > cap - 65536);
	assert_true(gn_pipe_len(&f->s.rx) >= fed - cap);
	for (int i = 0; came < fed; i++) {
		size_t n = gn_pipe_len(f->l->up_rx) < 7777 ? gn_pipe_len(f->l->up_rx) : 7777;
		uint8_t got[7777];

		assert_true(n > 0);
		gn_pipe_copy(f->l->up_rx, got, n);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(got[k], (uint8_t)((came + k) / sizeof plain));
		gn_pipe_skip(f->l->up_rx, n);
		came += n;
		gn_stack_mark_top(&f->s.stack);
		(void)side_pump(&f->s, 1);
	}
	over(f);
}

/* ---- two layers against each other ---- */

struct both {
	struct pair p;
	struct gn_key *key[2];
	struct gn_layer *l[2];
};

static void both_init(struct both *b, bool shared)
{
	memset(b, 0, sizeof *b);
	pair_init(&b->p, shared);
	for (int i = 0; i < 2; i++) {
		uint8_t seed[32] = {(uint8_t)(i + 1)};
		struct gn_secure_cfg cfg = {.initiator = i == 0, .muxers = yamux_only};

		assert_int_equal(gn_key_new_seeded(seed, &b->key[i]), 0);
		cfg.key = b->key[i];
		assert_int_equal(gn_stack_push(&b->p.side[i].stack, gn_security_noise.layer, &cfg, false, &b->l[i]), 0);
	}
}

static void both_fini(struct both *b)
{
	pair_fini(&b->p);
	gn_key_free(b->key[0]);
	gn_key_free(b->key[1]);
}

static uint8_t nth(int side, size_t i)
{
	return (uint8_t)(i * 5 + i / 251 + (size_t)side * 99);
}

/* Writes some, reads some, each as the generator says; false when bytes came out that never went in. */
static bool traffic(struct both *b, struct rng *r, size_t *in, size_t *out, size_t total)
{
	for (int i = 0; i < 2; i++) {
		struct gn_pipe *tx = b->l[i]->up_tx, *rx = b->l[i]->up_rx;
		static uint8_t block[70000];
		size_t n = rng_size(r, sizeof block);
		struct iovec v[4];
		int views;

		if (n > total - in[i])
			n = total - in[i];
		for (size_t k = 0; k < n; k++)
			block[k] = nth(i, in[i] + k);
		if (n > 0 && gn_pipe_put(tx, block, n) == 0)
			in[i] += n;
		if (in[i] == total && !gn_pipe_is_closed(tx))
			gn_pipe_close(tx, GN_EOF);
		views = gn_pipe_peek(rx, v, 4, rng_size(r, 100000));
		for (int j = 0; j < views; j++) {
			for (size_t k = 0; k < v[j].iov_len; k++)
				if (((uint8_t *)v[j].iov_base)[k] != nth(!i, out[i]++))
					return false;
		}
		n = 0;
		for (int j = 0; j < views; j++)
			n += v[j].iov_len;
		gn_pipe_skip(rx, n);
		gn_stack_mark_top(&b->p.side[i].stack);
	}
	return true;
}

static void random_chunks(void **state)
{
	uint64_t first = 1, n = 60;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct rng r;
		struct both b;
		size_t in[2] = {0}, out[2] = {0}, total;
		unsigned rounds = 0;

		rng_seed(&r, seed);
		total = rng_size(&r, 600000);
		both_init(&b, rng_one_in(&r, 2));
		b.p.side[0].tx.sends = rng_one_in(&r, 2);
		b.p.side[1].tx.sends = rng_one_in(&r, 2);
		while (gn_pipe_end(b.l[0]->up_rx) == 0 || gn_pipe_end(b.l[1]->up_rx) == 0) {
			if (!traffic(&b, &r, in, out, total) || rounds++ > 1000000)
				fail_msg("GN_SEED=%llu: %zu of %zu, %zu of %zu", (unsigned long long)seed, out[0], in[1],
					 out[1], in[0]);
			pair_carry(&b.p, rng_size(&r, 150000) + 1, rng_one_in(&r, 2));
		}
		for (int i = 0; i < 2; i++) {
			assert_int_equal(out[i], total);
			assert_int_equal(gn_pipe_end(b.l[i]->up_rx), GN_EOF);
			assert_int_equal(b.p.side[i].n_steps, 1);
			assert_int_equal(gn_security_noise.info(b.l[i])->muxer, 0);
		}
		both_fini(&b);
	}
}

/* The wire is changed or cut at one place, anywhere from the first byte to the last record. */
static void one_accident(struct both *b, struct rng *r, int victim, size_t where, bool cut)
{
	size_t in[2] = {0}, out[2] = {0};

	for (int rounds = 0; rounds < 300; rounds++) {
		for (int i = 0; i < 2; i++) {
			struct wire *w = &b->p.wire[i];
			size_t was = w->total;

			if (wire_take(w, &b->p.side[i].tx, SIZE_MAX))
				gn_stack_mark_bottom(&b->p.side[i].stack);
			if (i == victim && where >= was && where < w->total) {
				size_t at = w->at + w->len - (w->total - where);

				if (cut) {
					w->len = at - w->at;
					w->end = GN_EOF;
				} else {
					w->p[at] ^= (uint8_t)(1 << rng_below(r, 8));
				}
			} else if (i == victim && cut && where < was) {
				w->len = 0;
			}
		}
		for (int i = 0; i < 2; i++) {
			while (wire_give(&b->p.wire[i], &b->p.side[!i].rx, 40000, true))
				gn_stack_mark_bottom(&b->p.side[!i].stack);
			(void)side_pump(&b->p.side[!i], 1);
		}
		if (!traffic(b, r, in, out, 3000))
			fail_msg("GN_SEED=%d,%zu: changed bytes were delivered", victim, where);
		(void)side_pump(&b->p.side[0], 1);
		(void)side_pump(&b->p.side[1], 1);
	}
	/* What the victim sent behind that place has not come. */
	assert_true(out[!victim] < 3000);
	assert_true(gn_pipe_end(b->l[!victim]->up_rx) != GN_EOF || cut);
}

static void accidents_at_every_place(void **state)
{
	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		for (int victim = 0; victim < 2; victim++) {
			for (size_t where = 0; where < 700; where += where < 420 ? 1 : 13) {
				struct both b;
				struct rng r;

				rng_seed(&r, where);
				both_init(&b, true);
				one_accident(&b, &r, victim, where, cut);
				both_fini(&b);
			}
		}
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_framework),
		cmocka_unit_test(a_changed_or_cut_message_is_not_taken),
		cmocka_unit_test(points_of_low_order_are_refused),
		cmocka_unit_test(keys_are_wiped),
		cmocka_unit_test(the_last_counter_is_reserved),
		cmocka_unit_test(contexts_are_shared),
		T(both_roles_meet),
		T(payloads_of_js),
		T(our_payload),
		T(early_muxers),
		T(bad_payloads),
		T(unknown_fields_are_skipped),
		T(the_wrong_peer),
		T(message_1_may_have_a_payload),
		T(handshake_messages_of_bad_lengths),
		T(a_low_order_ephemeral_at_the_layer),
		T(a_responder_waits_to_be_spoken_to),
		T(a_handshake_that_cannot_answer_fails),
		T(no_byte_passes_before_ready),
		T(empty_records_are_skipped),
		T(records_too_short),
		T(the_longest_record),
		T(what_goes_out_is_cut_into_full_records),
		T(every_end_of_file),
		T(a_changed_record_ends_it),
		T(replayed_and_reordered_records),
		T(a_full_pipe_above),
		cmocka_unit_test(random_chunks),
		cmocka_unit_test(accidents_at_every_place),
	};

	return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
