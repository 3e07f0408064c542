/* SPDX-License-Identifier: MIT */
#include "id/peer_id.h"

#include <string.h>

#include "base/base.h"
#include "base/cursor.h"
#include "id/multihash.h"

#define CID_VERSION 1
#define CID_LIBP2P_KEY 0x72

void gn_peer_id_from_public(const struct gn_pubkey *pub, struct gn_peer_id *out)
{
	bool fits = pub->pb_len <= GN_PEER_ID_INLINE_MAX;
	uint8_t hash[GN_MULTIHASH_MAX];
	int n = gn_multihash_encode(fits ? GN_MULTIHASH_IDENTITY : GN_MULTIHASH_SHA2_256, pub->pb, pub->pb_len, hash);

	memset(out, 0, sizeof *out);
	if (n <= 0 || n > GN_PEER_ID_MAX)
		return; /* impossible: the length is 44 at most, or 34 */
	memcpy(out->bytes, hash, (size_t)n);
	out->len = (uint8_t)n;
}

int gn_peer_id_public(const struct gn_peer_id *id, struct gn_pubkey *out)
{
	struct gn_multihash h;

	if (gn_multihash_decode(id->bytes, id->len, &h) < 0 || h.code != GN_MULTIHASH_IDENTITY)
		return GN_ENONAME;
	return gn_pubkey_decode(h.digest, h.len, out);
}

int gn_peer_id_decode(const uint8_t *p, size_t n, struct gn_peer_id *out)
{
	struct gn_multihash h;
	struct gn_pubkey pub;

	if (n > GN_PEER_ID_MAX || gn_multihash_decode(p, n, &h) < 0)
		return GN_EFORMAT;
	if (h.code == GN_MULTIHASH_IDENTITY) {
		if (h.len > GN_PEER_ID_INLINE_MAX || gn_pubkey_decode(h.digest, h.len, &pub) < 0)
			return GN_EFORMAT;
	} else if (h.code != GN_MULTIHASH_SHA2_256) {
		return GN_EFORMAT;
	}
	memset(out, 0, sizeof *out);
	memcpy(out->bytes, p, n);
	out->len = (uint8_t)n;
	return 0;
}

/* CIDv1: version, codec, multihash. */
static int cid_decode(const uint8_t *p, size_t n, struct gn_peer_id *out)
{
	uint64_t version, codec;
	struct gn_cursor c;

	gn_cursor_init(&c, p, n);
	if (gn_cursor_get_uvarint(&c, &version) < 0 || version != CID_VERSION)
		return GN_EFORMAT;
	if (gn_cursor_get_uvarint(&c, &codec) < 0 || codec != CID_LIBP2P_KEY)
		return GN_EFORMAT;
	return gn_peer_id_decode(c.p, gn_cursor_left(&c), out);
}

int gn_peer_id_parse(const char *text, struct gn_peer_id *out)
{
	uint8_t bytes[GN_PEER_ID_MAX + 2]; /* a CID has two bytes before the id */
	size_t n = strlen(text), len;

	if (n >= GN_PEER_ID_TEXT_MAX)
		return GN_EFORMAT;
	if (text[0] == '1' || strncmp(text, "Qm", 2) == 0) {
		if (gn_base58_decode(text, n, bytes, GN_PEER_ID_MAX, &len) < 0)
			return GN_EFORMAT;
		return gn_peer_id_decode(bytes, len, out);
	}
	if (gn_multibase_decode(text, n, bytes, sizeof(bytes), &len) < 0)
		return GN_EFORMAT;
	return cid_decode(bytes, len, out);
}

char *gn_peer_id_format(const struct gn_peer_id *id, char text[GN_PEER_ID_TEXT_MAX])
{
	gn_base58_encode(id->bytes, id->len, text);
	return text;
}

bool gn_peer_id_is_equal(const struct gn_peer_id *a, const struct gn_peer_id *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
