/* SPDX-License-Identifier: MIT */
/* Unsigned varints, multiformats/unsigned-varint: seven bits in each byte, the low ones first; the top bit
 * is set in every byte but the last.  At most nine bytes, and only the shortest form is valid. */
#include "gn.h"

size_t gn_uvarint_encode(uint64_t v, uint8_t buf[GN_UVARINT_MAX])
{
	size_t n = 0;

	while (v >= 0x80 && n < GN_UVARINT_MAX - 1) {
		buf[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	/* Nine bytes hold 63 bits.  The contract of the function excludes larger values. */
	buf[n++] = (uint8_t)(v & 0x7f);
	return n;
}

int gn_uvarint_decode(const uint8_t *p, size_t n, uint64_t *v)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < n && i < GN_UVARINT_MAX; i++) {
		r |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] & 0x80)
			continue;
		if (p[i] == 0 && i > 0)
			return GN_EFORMAT;
		*v = r;
		return (int)i + 1;
	}
	return n < GN_UVARINT_MAX ? GN_EAGAIN : GN_EFORMAT;
}
