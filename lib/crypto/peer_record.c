/* SPDX-License-Identifier: MIT */
#include "crypto/peer_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pb_alloc.h"
#include "crypto/envelope.h"
#include "peer_record.pb-c.h"

/* The two bytes are the multicodec code 0x0301, big-endian. */
static const uint8_t type_bytes[] = {0x03, 0x01};
static const char type_rfc[] = "/libp2p/routing-state-record";

static const struct gn_envelope_cfg kinds[] = {
	{.domain = "libp2p-peer-record", .type = type_bytes, .n_type = sizeof(type_bytes)},
	{.domain = "libp2p-routing-state", .type = type_rfc, .n_type = sizeof(type_rfc) - 1},
};

/* ---- sealing ---- */

/* Appends an address in the encoding of the record, without a final /p2p. */
static int addr_put(struct gn_buf *b, const struct gn_multiaddr *addr)
{
	struct gn_multiaddr *bare;
	const uint8_t *p;
	struct gn_buf info;
	size_t n;
	int err = gn_multiaddr_without_peer(addr, &bare);

	if (err == GN_ENONAME)
		return 0; /* /p2p/ID alone is not an address that could be dialled */
	if (err < 0)
		return err;
	p = gn_multiaddr_bytes(bare, &n);
	gn_buf_init(&info, GN_MULTIADDR_MAX + 8);
	err = gn_buf_put_u8(&info, 1 << 3 | 2);
	if (err == 0)
		err = gn_buf_put_prefixed(&info, p, n);
	if (err == 0)
		err = gn_buf_put_u8(b, 3 << 3 | 2);
	if (err == 0)
		err = gn_buf_put_prefixed(b, info.p, info.len);
	gn_buf_fini(&info);
	gn_multiaddr_free(bare);
	return err;
}

/* The record is encoded field by field, because protobuf-c would need a struct for each address. */
static int record_put(struct gn_buf *b, const struct gn_key *key, uint64_t seq)
{
	struct gn_peer_id id;
	uint8_t v[10];
	size_t n = 0;
	int err;

	gn_key_id(key, &id);
	err = gn_buf_put_u8(b, 1 << 3 | 2);
	if (err == 0)
		err = gn_buf_put_prefixed(b, id.bytes, id.len);
	if (err == 0)
		err = gn_buf_put_u8(b, 2 << 3 | 0);
	/* Unlike gn_uvarint_encode(), a protobuf varint has all 64 bits. */
	for (; seq >= 0x80; seq >>= 7)
		v[n++] = (uint8_t)(seq | 0x80);
	v[n++] = (uint8_t)seq;
	return err < 0 ? err : gn_buf_put(b, v, n);
}

int gn_peer_record_seal(const struct gn_key *key, uint64_t seq, const struct gn_multiaddr *const *addrs, size_t n_addrs,
			struct gn_buf *out)
{
	struct gn_envelope_cfg cfg = kinds[0];
	struct gn_buf b;
	int err;

	if (n_addrs > GN_PEER_RECORD_ADDRS_MAX)
		return GN_ELIMIT;
	gn_buf_init(&b, GN_ENVELOPE_MAX);
	err = record_put(&b, key, seq);
	for (size_t i = 0; i < n_addrs && err == 0; i++)
		err = addr_put(&b, addrs[i]);
	if (err == 0) {
		cfg.payload = b.p;
		cfg.n_payload = b.len;
		err = gn_envelope_seal(key, &cfg, out);
	}
	gn_buf_fini(&b);
	return err;
}

/* ---- opening ---- */

/* Decodes one address of the record.  GN_ENONAME: it is to be left out. */
static int peer_record_addr_get(const Gn__Pb__PeerRecord__AddressInfo *info, const struct gn_peer_id *peer,
				struct gn_multiaddr **out)
{
	struct gn_multiaddr *addr;
	struct gn_peer_id id;
	int err;

	if (!info->has_multiaddr)
		return GN_ENONAME;
	err = gn_multiaddr_decode(info->multiaddr.data, info->multiaddr.len, &addr);
	if (err < 0)
		return err == -ENOMEM ? err : GN_ENONAME;
	if (gn_multiaddr_peer(addr, &id) == 0 && !gn_peer_id_is_equal(&id, peer))
		err = GN_ENONAME;
	else
		err = gn_multiaddr_without_peer(addr, out);
	gn_multiaddr_free(addr);
	return err;
}

static int peer_record_addrs_get(const Gn__Pb__PeerRecord *pb, struct gn_peer_record *rec)
{
	size_t room = pb->n_addresses < GN_PEER_RECORD_ADDRS_MAX ? pb->n_addresses : GN_PEER_RECORD_ADDRS_MAX;

	if (room == 0)
		return 0;
	rec->addrs = calloc(room, sizeof *rec->addrs);
	if (rec->addrs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < pb->n_addresses && rec->n_addrs < room; i++) {
		int err = peer_record_addr_get(pb->addresses[i], &rec->peer, &rec->addrs[rec->n_addrs]);

		if (err == 0)
			rec->n_addrs++;
		else if (err != GN_ENONAME)
			return err;
	}
	return 0;
}

static int peer_record_record_get(const struct gn_envelope *env, struct gn_peer_record *out)
{
	struct gn_peer_record rec;
	struct gn_pb_alloc pb;
	Gn__Pb__PeerRecord *m;
	int err;

	m = gn__pb__peer_record__unpack(gn_pb_alloc_init(&pb, GN_PB_BUDGET(env->n_payload)), env->n_payload,
					env->payload);
	if (m == NULL)
		return gn_pb_alloc_error(&pb);
	memset(&rec, 0, sizeof(rec));
	rec.seq = m->has_seq ? m->seq : 0;
	if (!m->has_peer_id || gn_peer_id_decode(m->peer_id.data, m->peer_id.len, &rec.peer) < 0)
		err = GN_EFORMAT;
	else if (!gn_peer_id_is_equal(&rec.peer, &env->signer))
		err = GN_EAUTH;
	else
		err = peer_record_addrs_get(m, &rec);
	gn__pb__peer_record__free_unpacked(m, &pb.ops);
	if (err < 0)
		gn_peer_record_fini(&rec);
	else
		*out = rec;
	return err;
}

int gn_peer_record_open(const uint8_t *p, size_t n, const struct gn_peer_id *want, struct gn_peer_record *out)
{
	struct gn_envelope env;
	int err = gn_envelope_decode(p, n, &env);

	if (err < 0)
		return err;
	if (want != NULL && !gn_peer_id_is_equal(&env.signer, want))
		return GN_EPEERID;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (env.n_type != kinds[i].n_type || memcmp(env.type, kinds[i].type, env.n_type) != 0)
			continue;
		err = gn_envelope_verify(&env, kinds[i].domain);
		return err < 0 ? err : peer_record_record_get(&env, out);
	}
	return GN_EFORMAT;
}

void gn_peer_record_fini(struct gn_peer_record *rec)
{
	for (size_t i = 0; i < rec->n_addrs; i++)
		gn_multiaddr_free(rec->addrs[i]);
	free(rec->addrs);
	memset(rec, 0, sizeof *rec);
}
