/* SPDX-License-Identifier: MIT */
/* Unsigned varints as in multiformats/unsigned-varint: seven bits a byte, low ones first,
 * the top bit says that more follow; at most nine bytes, in the shortest form only. */
#include "gn.h"

size_t gn_uvarint_encode(uint64_t v, uint8_t buf[GN_UVARINT_MAX])
{
	size_t n = 0;

	while (v >= 0x80 && n < GN_UVARINT_MAX - 1) {
		buf[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	/* A 64th bit has no form; contracts everywhere keep lengths and codes far below. */
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
