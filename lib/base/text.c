/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <string.h>

#include "gn.h"

size_t gn_utf8_decode(const uint8_t *p, size_t n, uint32_t *c)
{
	uint32_t v, min;
	size_t len;

	if (p[0] < 0x80) {
		*c = p[0];
		return 1;
	}
	if (p[0] >= 0xc0 && p[0] < 0xe0)
		len = 2, v = p[0] & 0x1fU, min = 0x80;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		len = 3, v = p[0] & 0x0fU, min = 0x800;
	else if (p[0] >= 0xf0 && p[0] < 0xf8)
		len = 4, v = p[0] & 0x07U, min = 0x10000;
	else
		return 0;
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3fU);
	}
	if (v < min || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	*c = v;
	return len;
}

static bool is_safe_char(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) /* C0, DEL, C1 */
		return false;
	if (c == 0x61c || c == 0x200e || c == 0x200f) /* marks of direction */
		return false;
	if (c == 0x2028 || c == 0x2029) /* line and paragraph separator */
		return false;
	/* embeddings, overrides and isolates of direction */
	return !((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
}

size_t gn_text_next(const char *text, size_t n, bool *is_safe)
{
	uint32_t c = 0;
	size_t len = gn_utf8_decode((const uint8_t *)text, n, &c);

	*is_safe = len > 0 && is_safe_char(c);
	return len > 0 ? len : 1;
}

size_t gn_text_filter(const char *text, size_t n, char *out, size_t room)
{
	size_t at = 0, len, put;
	bool is_safe;

	for (size_t i = 0; i < n; i += len, at += put) {
		len = gn_text_next(text + i, n - i, &is_safe);
		put = is_safe ? len : 1;
		if (at + put >= room)
			break;
		if (is_safe)
			memmove(out + at, text + i, len);
		else
			out[at] = '?';
	}
	out[at] = '\0';
	return at;
}
