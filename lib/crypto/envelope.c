/* SPDX-License-Identifier: MIT */
#include "crypto/envelope.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "envelope.pb-c.h"
#include "id/peer_id.h"

#define OVERHEAD 512 /* signed bytes other than type and payload: the domain and three lengths */

static int signed_bytes_put(struct gn_buf *b, const char *domain, const void *type, size_t n_type, const void *payload,
			    size_t n_payload)
{
	int err = gn_buf_put_prefixed(b, domain, strlen(domain));

	if (err == 0)
		err = gn_buf_put_prefixed(b, type, n_type);
	if (err == 0)
		err = gn_buf_put_prefixed(b, payload, n_payload);
	return err;
}

/* ---- sealing ---- */

static ProtobufCBinaryData view(const void *p, size_t n)
{
	/* protobuf-c has no const pointers; packing only reads. */
	union {
		const void *from;
		uint8_t *data;
	} u = {.from = p};

	return (ProtobufCBinaryData){n, u.data};
}

int gn_envelope_seal(const struct gn_key *key, const struct gn_envelope_cfg *cfg, struct gn_buf *out)
{
	Gn__Pb__Envelope pb = GN__PB__ENVELOPE__INIT;
	uint8_t sig[GN_KEY_SIG_LEN];
	const uint8_t *public;
	struct gn_buf b;
	size_t n;
	int err;

	gn_buf_init(&b, GN_ENVELOPE_MAX + OVERHEAD);
	err = signed_bytes_put(&b, cfg->domain, cfg->type, cfg->n_type, cfg->payload, cfg->n_payload);
	if (err == 0)
		gn_key_sign(key, b.p, b.len, sig);
	gn_buf_fini(&b);
	if (err < 0)
		return err;
	public = gn_key_public(key, &n);
	pb.has_public_key = pb.has_payload_type = pb.has_payload = pb.has_signature = true;
	pb.public_key = view(public, n);
	pb.payload_type = view(cfg->type, cfg->n_type);
	pb.payload = view(cfg->payload, cfg->n_payload);
	pb.signature = view(sig, sizeof(sig));
	n = gn__pb__envelope__get_packed_size(&pb);
	if (n > GN_ENVELOPE_MAX)
		return GN_ETOOBIG;
	err = gn_buf_reserve(out, n);
	if (err < 0)
		return err;
	out->len += gn__pb__envelope__pack(&pb, out->p + out->len);
	return 0;
}

/* ---- decoding, without protobuf-c, so that type and payload are views of the input ---- */

#define WIRE_VARINT 0
#define WIRE_FIXED64 1
#define WIRE_BYTES 2
#define WIRE_FIXED32 5

static int field_skip(struct gn_cursor *c, unsigned wire)
{
	const uint8_t *view_p;
	uint8_t byte;
	size_t n;

	switch (wire) {
	case WIRE_VARINT:
		/* Protobuf's varints have up to ten bytes and need not be in the shortest form. */
		for (int i = 0; i < 10; i++) {
			if (gn_cursor_get_u8(c, &byte) < 0)
				return GN_ETRUNC;
			if (!(byte & 0x80))
				return 0;
		}
		return GN_EFORMAT;
	case WIRE_FIXED64:
		return gn_cursor_get_view(c, 8, &view_p);
	case WIRE_FIXED32:
		return gn_cursor_get_view(c, 4, &view_p);
	case WIRE_BYTES:
		return gn_cursor_get_prefixed(c, &view_p, &n);
	default:
		return GN_EFORMAT;
	}
}

/* Finds the fields 1, 2, 3 and 5.  As protobuf demands, the last occurrence of a repeated field is used. */
static int fields_find(struct gn_cursor *c, const uint8_t *p[6], size_t n[6])
{
	while (!gn_cursor_is_done(c)) {
		uint64_t tag;
		int err = gn_cursor_get_uvarint(c, &tag);

		if (err < 0)
			return err;
		if (tag >> 3 == 0)
			return GN_EFORMAT;
		if ((tag & 7) == WIRE_BYTES && tag >> 3 < 6)
			err = gn_cursor_get_prefixed(c, &p[tag >> 3], &n[tag >> 3]);
		else
			err = field_skip(c, (unsigned)(tag & 7));
		if (err < 0)
			return err;
	}
	return 0;
}

int gn_envelope_decode(const uint8_t *p, size_t n, struct gn_envelope *out)
{
	const uint8_t *field[6] = {NULL};
	size_t len[6] = {0};
	struct gn_envelope env;
	struct gn_cursor c;
	int err;

	if (n > GN_ENVELOPE_MAX)
		return GN_ETOOBIG;
	gn_cursor_init(&c, p, n);
	err = fields_find(&c, field, len);
	if (err < 0)
		return err;
	if (field[1] == NULL || field[2] == NULL || field[3] == NULL || field[5] == NULL)
		return GN_EFORMAT;
	err = gn_pubkey_decode(field[1], len[1], &env.key);
	if (err < 0)
		return err;
	gn_peer_id_from_public(&env.key, &env.signer);
	env.type = field[2], env.n_type = len[2];
	env.payload = field[3], env.n_payload = len[3];
	env.signature = field[5], env.n_signature = len[5];
	*out = env;
	return 0;
}

int gn_envelope_verify(const struct gn_envelope *env, const char *domain)
{
	struct gn_buf b;
	int err;

	gn_buf_init(&b, GN_ENVELOPE_MAX + OVERHEAD);
	err = signed_bytes_put(&b, domain, env->type, env->n_type, env->payload, env->n_payload);
	if (err == 0)
		err = gn_pubkey_verify(&env->key, b.p, b.len, env->signature, env->n_signature);
	gn_buf_fini(&b);
	return err;
}

int gn_envelope_open(const uint8_t *p, size_t n, const struct gn_envelope_cfg *want, struct gn_envelope *out)
{
	struct gn_envelope env;
	int err = gn_envelope_decode(p, n, &env);

	if (err < 0)
		return err;
	if (env.n_type != want->n_type || memcmp(env.type, want->type, env.n_type) != 0)
		return GN_EFORMAT;
	err = gn_envelope_verify(&env, want->domain);
	if (err == 0)
		*out = env;
	return err;
}
