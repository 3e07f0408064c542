/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"

#include "base/bytes.h"
#include "gn.h"

int gn_cursor_get_view(struct gn_cursor *c, size_t n, const uint8_t **view)
{
	if (gn_cursor_left(c) < n)
		return GN_ETRUNC;
	*view = c->p;
	if (n > 0)
		c->p += n;
	return 0;
}

int gn_cursor_get_u8(struct gn_cursor *c, uint8_t *v)
{
	const uint8_t *p;

	if (gn_cursor_get_view(c, 1, &p) < 0)
		return GN_ETRUNC;
	*v = *p;
	return 0;
}

int gn_cursor_get_u16(struct gn_cursor *c, uint16_t *v)
{
	const uint8_t *p;

	if (gn_cursor_get_view(c, 2, &p) < 0)
		return GN_ETRUNC;
	*v = gn_get_u16(p);
	return 0;
}

int gn_cursor_get_u32(struct gn_cursor *c, uint32_t *v)
{
	const uint8_t *p;

	if (gn_cursor_get_view(c, 4, &p) < 0)
		return GN_ETRUNC;
	*v = gn_get_u32(p);
	return 0;
}

int gn_cursor_get_u64(struct gn_cursor *c, uint64_t *v)
{
	const uint8_t *p;

	if (gn_cursor_get_view(c, 8, &p) < 0)
		return GN_ETRUNC;
	*v = gn_get_u64(p);
	return 0;
}

int gn_cursor_get_uvarint(struct gn_cursor *c, uint64_t *v)
{
	int n = gn_uvarint_decode(c->p, gn_cursor_left(c), v);

	if (n < 0)
		return n == GN_EAGAIN ? GN_ETRUNC : n;
	c->p += n;
	return 0;
}

int gn_cursor_get_prefixed(struct gn_cursor *c, const uint8_t **view, size_t *n)
{
	struct gn_cursor try = *c;
	uint64_t len;
	int err = gn_cursor_get_uvarint(&try, &len);

	if (err < 0)
		return err;
	if (len > gn_cursor_left(&try))
		return GN_ETRUNC;
	err = gn_cursor_get_view(&try, (size_t)len, view);
	if (err < 0)
		return err;
	*n = (size_t)len;
	*c = try;
	return 0;
}
