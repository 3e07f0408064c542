/* SPDX-License-Identifier: MIT */
/* Signed envelopes with peer records and vouchers.  The first byte chooses what the rest is: an envelope,
 * or the payload of an envelope that is signed here, so that the fuzzer reaches the code after the
 * signature check. */
#include <stdlib.h>
#include <string.h>

#include "crypto/envelope.h"
#include "crypto/peer_record.h"
#include "crypto/voucher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void record_check(const uint8_t *p, size_t n)
{
	struct gn_peer_record rec;
	struct gn_voucher voucher;

	if (gn_voucher_open(p, n, &voucher) == 0)
		need(voucher.relay.len > 0 && voucher.peer.len > 0);
	if (gn_peer_record_open(p, n, NULL, &rec) < 0)
		return;
	need(rec.n_addrs <= GN_PEER_RECORD_ADDRS_MAX);
	for (size_t i = 0; i < rec.n_addrs; i++) {
		struct gn_peer_id id;

		if (gn_multiaddr_peer(rec.addrs[i], &id) == 0)
			continue; /* the address ended with two peer ids, of which one was removed */
	}
	gn_peer_record_fini(&rec);
}

static void payload_check(const uint8_t *p, size_t n, bool is_voucher)
{
	static const uint8_t seed[GN_KEY_SEED_LEN] = {1};
	struct gn_envelope_cfg cfg = {"libp2p-peer-record", "\3\1", 2, NULL, 0};
	struct gn_buf payload, out;
	struct gn_envelope env;
	struct gn_peer_id id;
	struct gn_key *key;

	if (is_voucher)
		cfg = (struct gn_envelope_cfg){"libp2p-relay-rsvp", "\3\2", 2, NULL, 0};
	if (n > GN_ENVELOPE_MAX - 1000 || gn_key_new_seeded(seed, &key) < 0)
		return;
	gn_key_id(key, &id);
	gn_buf_init(&payload, GN_ENVELOPE_MAX);
	gn_buf_init(&out, GN_ENVELOPE_MAX);
	need(gn_buf_put_u8(&payload, 0x0a) == 0 && gn_buf_put_prefixed(&payload, id.bytes, id.len) == 0);
	need(gn_buf_put(&payload, p, n) == 0);
	cfg.payload = payload.p;
	cfg.n_payload = payload.len;
	need(gn_envelope_seal(key, &cfg, &out) == 0);
	need(gn_envelope_open(out.p, out.len, &cfg, &env) == 0);
	need(env.n_payload == payload.len && memcmp(env.payload, payload.p, payload.len) == 0);
	record_check(out.p, out.len);
	gn_buf_fini(&payload);
	gn_buf_fini(&out);
	gn_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		payload_check(data + 1, size - 1, data[0] & 2);
	else
		record_check(data + 1, size - 1);
	return 0;
}
