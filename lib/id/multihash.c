/* SPDX-License-Identifier: MIT */
#include "id/multihash.h"

#include <sodium.h>
#include <string.h>

#include "base/cursor.h"
#include "base/random.h"
#include "gn.h"

int gn_multihash_decode(const uint8_t *p, size_t n, struct gn_multihash *out)
{
	struct gn_multihash h;
	struct gn_cursor c;
	uint64_t len;
	int err;

	gn_cursor_init(&c, p, n);
	err = gn_cursor_get_uvarint(&c, &h.code);
	if (err < 0)
		return err;
	err = gn_cursor_get_uvarint(&c, &len);
	if (err < 0)
		return err;
	if (len > GN_MULTIHASH_DIGEST_MAX)
		return GN_ETOOBIG;
	if (h.code == GN_MULTIHASH_SHA2_256 && len != crypto_hash_sha256_BYTES)
		return GN_EFORMAT;
	if (h.code == GN_MULTIHASH_SHA2_512 && len != crypto_hash_sha512_BYTES)
		return GN_EFORMAT;
	h.len = (size_t)len;
	err = gn_cursor_get_view(&c, h.len, &h.digest);
	if (err < 0)
		return err;
	if (!gn_cursor_is_done(&c))
		return GN_EFORMAT;
	*out = h;
	return 0;
}

int gn_multihash_encode(uint64_t code, const uint8_t *p, size_t n, uint8_t out[GN_MULTIHASH_MAX])
{
	size_t len, k;

	gn_random_init();
	switch (code) {
	case GN_MULTIHASH_IDENTITY:
		len = n;
		break;
	case GN_MULTIHASH_SHA2_256:
		len = crypto_hash_sha256_BYTES;
		break;
	case GN_MULTIHASH_SHA2_512:
		len = crypto_hash_sha512_BYTES;
		break;
	default:
		return GN_EFORMAT;
	}
	if (len > GN_MULTIHASH_DIGEST_MAX)
		return GN_ETOOBIG;
	k = gn_uvarint_encode(code, out);
	k += gn_uvarint_encode(len, out + k);
	if (code == GN_MULTIHASH_SHA2_256)
		crypto_hash_sha256(out + k, p, n);
	else if (code == GN_MULTIHASH_SHA2_512)
		crypto_hash_sha512(out + k, p, n);
	else if (n > 0)
		memcpy(out + k, p, n);
	return (int)(k + len);
}
