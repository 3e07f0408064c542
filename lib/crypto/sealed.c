/* SPDX-License-Identifier: MIT */
#include "crypto/sealed.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/text.h"
#include "crypto/hkdf.h"
#include "id/peer_id.h"

#define VARINT(field) ((field) << 3)
#define BYTES(field) ((field) << 3 | 2)

_Static_assert(GN_SEALED_TO_MAX *(2 + 38) + 2 * (3 + GN_SEALED_TEXT_MAX) + 128 <= GN_SEALED_MESSAGE_HEADER_MAX,
	       "its room");

/* The first bytes of an Ed25519 key's serialised public key and of its peer id. */
static const uint8_t public_head[] = {0x08, 0x01, 0x12, 0x20}, id_head[] = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20};
#define ID_LEN (sizeof(id_head) + 32)

/* ---- encoding; the caller guarantees the room ---- */

static uint8_t *put_varint(uint8_t *p, uint8_t tag, uint64_t v)
{
	*p++ = tag;
	return p + gn_uvarint_encode(v, p);
}

static uint8_t *put_bytes(uint8_t *p, uint8_t tag, const void *v, size_t n)
{
	p = put_varint(p, tag, n);
	memcpy(p, v, n);
	return p + n;
}

/* ---- decoding; the order of the fields is fixed ---- */

/* Consumes the tag if it is the next byte. */
static bool sealed_take(struct gn_cursor *c, uint8_t tag)
{
	if (gn_cursor_is_done(c) || *c->p != tag)
		return false;
	c->p++;
	return true;
}

static int get_varint(struct gn_cursor *c, uint8_t tag, uint64_t *v)
{
	return sealed_take(c, tag) && gn_cursor_get_uvarint(c, v) == 0 ? 0 : GN_EFORMAT;
}

/* Reads a field of exactly n bytes. */
static int get_bytes(struct gn_cursor *c, uint8_t tag, size_t n, void *out)
{
	const uint8_t *p;
	size_t len;

	if (!sealed_take(c, tag) || gn_cursor_get_prefixed(c, &p, &len) < 0 || len != n)
		return GN_EFORMAT;
	memcpy(out, p, n);
	return 0;
}

/* ---- H ---- */

size_t gn_sealed_header_encode(const struct gn_sealed_header *h, uint8_t out[GN_SEALED_HEADER_MAX])
{
	uint8_t *p = put_varint(out, VARINT(1), 1);

	p = put_bytes(p, BYTES(2), h->salt, sizeof(h->salt));
	p = put_bytes(p, BYTES(3), h->commitment, sizeof(h->commitment));
	for (size_t i = 0; i < h->n; i++)
		p = put_bytes(p, BYTES(4), h->stanzas[i], GN_SEALED_STANZA_LEN);
	return (size_t)(p - out);
}

int gn_sealed_header_decode(const uint8_t *p, size_t n, struct gn_sealed_header *out)
{
	struct gn_cursor c;
	uint64_t version;

	gn_cursor_init(&c, p, n);
	if (get_varint(&c, VARINT(1), &version) < 0 || version != 1 ||
	    get_bytes(&c, BYTES(2), sizeof(out->salt), out->salt) < 0 ||
	    get_bytes(&c, BYTES(3), sizeof(out->commitment), out->commitment) < 0)
		return GN_EFORMAT;
	for (out->n = 0; !gn_cursor_is_done(&c); out->n++) {
		if (out->n == GN_SEALED_TO_MAX ||
		    get_bytes(&c, BYTES(4), GN_SEALED_STANZA_LEN, out->stanzas[out->n]) < 0)
			return GN_EFORMAT;
	}
	return out->n > 0 ? 0 : GN_EFORMAT;
}

/* ---- the message header ---- */

/* The length of the next character; 0 when it is malformed or a control character. */
static size_t utf8_step(const uint8_t *p, size_t n)
{
	uint32_t c = 0;
	size_t len = gn_utf8_decode(p, n, &c);

	return c < 0x20 || (c >= 0x7f && c < 0xa0) ? 0 : len;
}

int gn_sealed_text_check(const char *text, size_t n)
{
	const uint8_t *p = (const uint8_t *)text;

	if (n > GN_SEALED_TEXT_MAX)
		return GN_ETOOBIG;
	while (n > 0) {
		size_t k = utf8_step(p, n);

		if (k == 0)
			return GN_EFORMAT;
		p += k;
		n -= k;
	}
	return 0;
}

size_t gn_sealed_message_header_encode(const struct gn_sealed_message_header *l,
				       uint8_t out[GN_SEALED_MESSAGE_HEADER_MAX])
{
	const struct gn_sealed_info *info = &l->info;
	uint8_t *p = put_bytes(out, BYTES(1), l->sender, sizeof(l->sender));

	for (size_t i = 0; i < info->n_to; i++)
		p = put_bytes(p, BYTES(2), l->to[i].bytes, l->to[i].len);
	if (l->type[0] != '\0')
		p = put_bytes(p, BYTES(3), l->type, strlen(l->type));
	if (l->context[0] != '\0')
		p = put_bytes(p, BYTES(4), l->context, strlen(l->context));
	p = put_varint(p, VARINT(5), (uint64_t)info->time);
	p = put_bytes(p, BYTES(6), info->id, sizeof(info->id));
	if (info->in_sequence) {
		p = put_bytes(p, BYTES(7), info->sequence, sizeof(info->sequence));
		p = put_varint(p, VARINT(8), info->number);
		if (info->is_end)
			p = put_varint(p, VARINT(9), 1);
	}
	return (size_t)(p - out);
}

static int get_sender(struct gn_cursor *c, struct gn_sealed_message_header *out)
{
	struct gn_pubkey pub;

	if (get_bytes(c, BYTES(1), sizeof(out->sender), out->sender) < 0 ||
	    memcmp(out->sender, public_head, sizeof(public_head)) != 0 ||
	    gn_pubkey_decode(out->sender, sizeof(out->sender), &pub) < 0)
		return GN_EFORMAT;
	gn_peer_id_from_public(&pub, &out->info.sender);
	return 0;
}

static int get_recipients(struct gn_cursor *c, struct gn_sealed_message_header *out)
{
	size_t n;

	for (n = 0; !gn_cursor_is_done(c) && *c->p == BYTES(2); n++) {
		struct gn_peer_id *id = &out->to[n];

		if (n == GN_SEALED_TO_MAX || get_bytes(c, BYTES(2), ID_LEN, id->bytes) < 0 ||
		    memcmp(id->bytes, id_head, sizeof(id_head)) != 0)
			return GN_EFORMAT;
		id->len = ID_LEN;
		for (size_t i = 0; i < n; i++) {
			if (gn_peer_id_is_equal(id, &out->to[i]))
				return GN_EFORMAT;
		}
	}
	out->info.n_to = n;
	return n > 0 ? 0 : GN_EFORMAT;
}

/* Reads an optional text.  An absent field gives ""; a field that is present must not be empty. */
static int get_text(struct gn_cursor *c, uint8_t tag, char out[GN_SEALED_TEXT_MAX + 1])
{
	const uint8_t *p;
	size_t n;

	if (!sealed_take(c, tag))
		return 0;
	if (gn_cursor_get_prefixed(c, &p, &n) < 0 || n == 0 || n > GN_SEALED_TEXT_MAX)
		return GN_EFORMAT;
	memcpy(out, p, n);
	return gn_sealed_text_check(out, n);
}

static int get_sequence(struct gn_cursor *c, struct gn_sealed_info *out)
{
	uint64_t is_end;

	if (gn_cursor_is_done(c))
		return 0;
	if (get_bytes(c, BYTES(7), sizeof(out->sequence), out->sequence) < 0 ||
	    get_varint(c, VARINT(8), &out->number) < 0)
		return GN_EFORMAT;
	out->in_sequence = true;
	if (gn_cursor_is_done(c))
		return 0;
	out->is_end = true;
	return get_varint(c, VARINT(9), &is_end) == 0 && is_end == 1 ? 0 : GN_EFORMAT;
}

int gn_sealed_message_header_decode(const uint8_t *p, size_t n, struct gn_sealed_message_header *out)
{
	struct gn_cursor c;
	uint64_t time;

	memset(out, 0, sizeof *out);
	gn_cursor_init(&c, p, n);
	if (get_sender(&c, out) < 0 || get_recipients(&c, out) < 0 || get_text(&c, BYTES(3), out->type) < 0 ||
	    get_text(&c, BYTES(4), out->context) < 0 || get_varint(&c, VARINT(5), &time) < 0 ||
	    get_bytes(&c, BYTES(6), sizeof(out->info.id), out->info.id) < 0 || get_sequence(&c, &out->info) < 0 ||
	    !gn_cursor_is_done(&c))
		return GN_EFORMAT;
	out->info.time = (gn_time)time; /* a uvarint is below 2^63 */
	out->info.type = out->type;
	out->info.context = out->context;
	out->info.to = out->to;
	return 0;
}

/* ---- keys, nonces, and the signed bytes ---- */

void gn_sealed_info_make(const uint8_t salt[GN_SEALED_SALT_LEN], uint8_t out[GN_SEALED_INFO_LEN])
{
	memcpy(out, "golem-net sealed 1 key", 22);
	memcpy(out + 22, salt, GN_SEALED_SALT_LEN);
}

void gn_sealed_prk(const uint8_t salt[GN_SEALED_SALT_LEN], const uint8_t k[GN_SEALED_KEY_LEN],
		   uint8_t prk[GN_SEALED_HASH_LEN], uint8_t commitment[GN_SEALED_HASH_LEN])
{
	gn_hkdf_extract(salt, GN_SEALED_SALT_LEN, k, GN_SEALED_KEY_LEN, prk);
	(void)gn_hkdf_expand(prk, "commit", 6, commitment, GN_SEALED_HASH_LEN);
}

void gn_sealed_key(const uint8_t prk[GN_SEALED_HASH_LEN], const uint8_t hh[GN_SEALED_HASH_LEN],
		   uint8_t key[GN_SEALED_KEY_LEN])
{
	const struct gn_hkdf_part info[] = {{"payload", 7}, {hh, GN_SEALED_HASH_LEN}};

	(void)gn_hkdf_expand_parts(prk, info, 2, key, GN_SEALED_KEY_LEN);
}

void gn_sealed_nonce(uint64_t i, bool is_last, uint8_t out[12])
{
	memset(out, 0, 3);
	gn_put_u64(out + 3, i);
	out[11] = is_last;
}

void gn_sealed_signed(const uint8_t hh[GN_SEALED_HASH_LEN], uint64_t i, bool is_last,
		      const uint8_t hp[GN_SEALED_HASH_LEN], uint8_t out[GN_SEALED_SIGNED_LEN])
{
	/* The NUL of the literal is the zero octet that the format has after the text. */
	memcpy(out, "golem-net sealed 1 chunk", 25);
	memcpy(out + 25, hh, GN_SEALED_HASH_LEN);
	gn_put_u64(out + 57, i);
	out[65] = is_last;
	memcpy(out + 66, hp, GN_SEALED_HASH_LEN);
}
