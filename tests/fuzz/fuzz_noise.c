/* SPDX-License-Identifier: MIT */
/* /noise against a peer that the fuzzer controls.  Bit 0 of the first byte chooses our role, and the next
 * four bits choose the use of the remaining bytes:
 *     0 to 3: they are what the peer sends from the first byte on;
 *     4 and 5: they are the payload of a handshake that is valid otherwise;
 *     6 and 7: they are what the peer sends after a valid handshake;
 *     else: they are cut into valid records, some of which are changed afterwards. */
#include <sodium.h>

#include "support/noise_peer.h"
#include "security/secure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const muxers[] = {"/yamux/1.0.0", "/mplex/6.7.0", NULL};

struct run {
	struct gn_iobuf iobuf;
	struct side s;
	struct gn_layer *l;
	struct gn_key *key;
	void *noise; /* the state of /noise */
	struct noise_peer peer;
	struct wire out;
	struct rng r;
	bool initiator;
};

static void feed(struct run *x, const uint8_t *p, size_t n, bool by_read)
{
	struct wire in = {0};

	wire_put(&in, p, n);
	while (in.len > 0 && x->s.stack.err == 0) {
		if (!wire_give(&in, &x->s.rx, rng_one_in(&x->r, 2) ? in.len : rng_size(&x->r, in.len) + 1, by_read))
			break;
		gn_stack_mark_bottom(&x->s.stack);
		(void)side_pump(&x->s, 1);
	}
	wire_fini(&in);
}

/* Runs the handshake up to the message that carries the payload of the peer. */
static void handshake(struct run *x, const uint8_t *payload, size_t n)
{
	static uint8_t buf[70000];

	side_drain(&x->s, &x->out, 1);
	if (x->initiator) {
		noise_peer_read(&x->peer, 1, &x->out);
		feed(x, buf, noise_peer_write(&x->peer, 2, payload, n, buf), true);
	} else {
		feed(x, buf, noise_peer_write(&x->peer, 1, NULL, 0, buf), true);
		side_drain(&x->s, &x->out, 1);
		noise_peer_read(&x->peer, 2, &x->out);
		feed(x, buf, noise_peer_write(&x->peer, 3, payload, n, buf), true);
	}
}

static void handshake_well(struct run *x)
{
	uint8_t payload[4096];

	handshake(x, payload, noise_peer_payload(&x->peer, muxers, 2, payload));
	REQUIRE(side_returned(&x->s, GN_READY));
	side_drain(&x->s, &x->out, 1);
	if (x->initiator)
		noise_peer_read(&x->peer, 3, &x->out);
}

/* Sends records, and checks that the layer delivers their plaintext up to the first record that was
 * changed. */
static void records(struct run *x)
{
	static uint8_t plain[65519], rec[65537];
	struct wire want = {0};
	bool good = true;

	handshake_well(x);
	for (int i = 0; i < 40 && !rng_is_done(&x->r) && x->s.stack.err == 0; i++) {
		size_t len = rng_size(&x->r, sizeof plain), n;

		rng_fill(&x->r, plain, len);
		n = noise_peer_seal(&x->peer, plain, len, rec);
		if (rng_one_in(&x->r, 8)) {
			rec[rng_below(&x->r, (uint32_t)n)] ^= (uint8_t)(1 << rng_below(&x->r, 8));
			good = false;
		}
		if (good)
			wire_put(&want, plain, len);
		feed(x, rec, n, rng_one_in(&x->r, 2));
		while (gn_pipe_len(x->l->up_rx) > 0) {
			struct iovec v;

			REQUIRE(gn_pipe_peek(x->l->up_rx, &v, 1, SIZE_MAX) == 1);
			REQUIRE(v.iov_len <= want.len && memcmp(v.iov_base, want.p + want.at, v.iov_len) == 0);
			wire_skip(&want, v.iov_len);
			gn_pipe_skip(x->l->up_rx, v.iov_len);
			gn_stack_mark_top(&x->s.stack);
			(void)side_pump(&x->s, 1);
		}
	}
	REQUIRE(want.len == 0);
	REQUIRE(!good || x->s.stack.err == 0);
	wire_fini(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct run x;
	struct gn_secure_cfg cfg = {.muxers = muxers};
	int mode;

	if (n < 1)
		return 0;
	memset(&x, 0, sizeof x);
	mode = data[0] >> 1 & 15;
	x.initiator = cfg.initiator = data[0] & 1;
	rng_input(&x.r, data + 1, n - 1);
	gn_iobuf_init(&x.iobuf);
	side_init(&x.s, &x.iobuf);
	REQUIRE(gn_key_new_seeded((uint8_t[32]){1}, &x.key) == 0);
	REQUIRE(gn_security_noise.start(NULL, NULL, &x.noise) == 0);
	cfg.key = x.key;
	cfg.state = x.noise;
	noise_peer_init(&x.peer, !cfg.initiator, 9);
	REQUIRE(gn_stack_push(&x.s.stack, gn_security_noise.layer, &cfg, false, &x.l) == 0);
	if (mode < 4) {
		x.r.p = x.r.end;
		feed(&x, data + 1, n - 1, mode & 1);
		REQUIRE(!side_returned(&x.s, GN_READY)); /* impossible without a key */
	} else if (mode < 6) {
		x.r.p = x.r.end;
		handshake(&x, data + 1, n - 1 < 8000 ? n - 1 : 8000);
		REQUIRE(!side_returned(&x.s, GN_READY)); /* it would take a forged signature */
		REQUIRE(x.s.stack.err != 0);
	} else if (mode < 8) {
		handshake_well(&x);
		feed(&x, data + 1, n - 1, mode & 1);
		REQUIRE(gn_pipe_len(x.l->up_rx) == 0);
	} else {
		records(&x);
	}
	noise_peer_fini(&x.peer);
	side_fini(&x.s);
	wire_fini(&x.out);
	gn_iobuf_fini(&x.iobuf);
	gn_security_noise.stop(x.noise);
	gn_key_free(x.key);
	return 0;
}
