/* SPDX-License-Identifier: MIT */
#include "addr/cid.h"

#include <string.h>

#include "base/base.h"
#include "base/cursor.h"

static int hash_put(struct gn_cid *cid, const uint8_t *p, size_t n)
{
	struct gn_multihash h;

	if (n > sizeof(cid->multihash) || gn_multihash_decode(p, n, &h) < 0)
		return GN_EFORMAT;
	memcpy(cid->multihash, p, n);
	cid->len = n;
	return 0;
}

int gn_cid_decode(const uint8_t *p, size_t n, struct gn_cid *out)
{
	struct gn_cid cid = {0};
	struct gn_cursor c;
	uint64_t version;

	/* Version 0 is a bare sha2-256 multihash. */
	if (n == 34 && p[0] == GN_MULTIHASH_SHA2_256 && p[1] == 32) {
		cid.codec = GN_CID_DAG_PB;
		(void)hash_put(&cid, p, n);
		*out = cid;
		return 0;
	}
	gn_cursor_init(&c, p, n);
	if (gn_cursor_get_uvarint(&c, &version) < 0 || version != 1 || gn_cursor_get_uvarint(&c, &cid.codec) < 0)
		return GN_EFORMAT;
	if (hash_put(&cid, c.p, gn_cursor_left(&c)) < 0)
		return GN_EFORMAT;
	cid.version = 1;
	*out = cid;
	return 0;
}

size_t gn_cid_encode(const struct gn_cid *cid, uint8_t out[GN_CID_MAX])
{
	size_t n = 0;

	if (cid->version > 0) {
		out[n++] = cid->version;
		n += gn_uvarint_encode(cid->codec, out + n);
	}
	memcpy(out + n, cid->multihash, cid->len);
	return n + cid->len;
}

int gn_cid_parse(const char *text, struct gn_cid *out)
{
	bool is_v0 = strncmp(text, "Qm", 2) == 0;
	uint8_t bytes[GN_CID_MAX];
	struct gn_cid cid;
	size_t n = strlen(text), len;

	if (n >= GN_CID_TEXT_MAX)
		return GN_EFORMAT;
	if (is_v0 ? gn_base58_decode(text, n, bytes, sizeof(bytes), &len) < 0
		  : gn_multibase_decode(text, n, bytes, sizeof(bytes), &len) < 0)
		return GN_EFORMAT;
	/* Version 0 has no multibase prefix; every other version has one. */
	if (gn_cid_decode(bytes, len, &cid) < 0 || is_v0 != (cid.version == 0))
		return GN_EFORMAT;
	*out = cid;
	return 0;
}

char *gn_cid_format(const struct gn_cid *cid, char base, char text[GN_CID_TEXT_MAX])
{
	uint8_t bytes[GN_CID_MAX];
	size_t n = gn_cid_encode(cid, bytes);

	if (cid->version == 0) {
		gn_base58_encode(bytes, n, text);
		return text;
	}
	text[0] = base;
	switch (base) {
	case 'b':
		gn_base32_encode(bytes, n, text + 1);
		break;
	case 'f':
		gn_hex_encode(bytes, n, text + 1);
		break;
	case 'k':
		gn_base36_encode(bytes, n, text + 1);
		break;
	case 'u':
		gn_base64url_encode(bytes, n, text + 1);
		break;
	case 'z':
		gn_base58_encode(bytes, n, text + 1);
		break;
	default:
		return NULL;
	}
	return text;
}
