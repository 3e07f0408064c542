/* SPDX-License-Identifier: MIT */
#include "crypto/voucher.h"

#include "base/pb_alloc.h"
#include "crypto/envelope.h"
#include "voucher.pb-c.h"

/* The two bytes are the multicodec code 0x0302, big-endian. */
static const uint8_t type_bytes[] = {0x03, 0x02};

static const struct gn_envelope_cfg kind = {
	.domain = "libp2p-relay-rsvp",
	.type = type_bytes,
	.n_type = sizeof(type_bytes),
};

int gn_voucher_seal(const struct gn_key *relay, const struct gn_peer_id *peer, uint64_t expire, struct gn_buf *out)
{
	Gn__Pb__ReservationVoucher pb = GN__PB__RESERVATION_VOUCHER__INIT;
	struct gn_envelope_cfg cfg = kind;
	struct gn_peer_id self, other = *peer;
	uint8_t payload[2 * (2 + GN_PEER_ID_MAX) + 11];

	gn_key_id(relay, &self);
	pb.has_relay = pb.has_peer = pb.has_expiration = true;
	pb.relay = (ProtobufCBinaryData){self.len, self.bytes};
	pb.peer = (ProtobufCBinaryData){other.len, other.bytes};
	pb.expiration = expire;
	cfg.payload = payload;
	cfg.n_payload = gn__pb__reservation_voucher__pack(&pb, payload);
	return gn_envelope_seal(relay, &cfg, out);
}

static int voucher_get(const struct gn_envelope *env, struct gn_voucher *out)
{
	struct gn_voucher v;
	struct gn_pb_alloc pb;
	Gn__Pb__ReservationVoucher *m;
	int err = 0;

	m = gn__pb__reservation_voucher__unpack(gn_pb_alloc_init(&pb, GN_PB_BUDGET(env->n_payload)), env->n_payload,
						env->payload);
	if (m == NULL)
		return gn_pb_alloc_error(&pb);
	if (!m->has_relay || gn_peer_id_decode(m->relay.data, m->relay.len, &v.relay) < 0 || !m->has_peer ||
	    gn_peer_id_decode(m->peer.data, m->peer.len, &v.peer) < 0 || !m->has_expiration)
		err = GN_EFORMAT;
	else if (!gn_peer_id_is_equal(&v.relay, &env->signer))
		err = GN_EAUTH;
	v.expire = m->expiration;
	gn__pb__reservation_voucher__free_unpacked(m, &pb.ops);
	if (err == 0)
		*out = v;
	return err;
}

int gn_voucher_open(const uint8_t *p, size_t n, struct gn_voucher *out)
{
	struct gn_envelope env;
	int err = gn_envelope_open(p, n, &kind, &env);

	return err < 0 ? err : voucher_get(&env, out);
}
