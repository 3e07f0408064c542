/* SPDX-License-Identifier: MIT */
/* Bounds-checked reading of bytes.  Every get consumes what it returns and returns 0; or it leaves the cursor
 * unchanged and returns GN_ETRUNC (too few bytes left) or one of the errors named at the function. */
#ifndef GN_BASE_CURSOR_H
#define GN_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gn_cursor {
	const uint8_t *p, *end;
};

static inline void gn_cursor_init(struct gn_cursor *c, const void *p, size_t n)
{
	c->p = p;
	c->end = n > 0 ? c->p + n : c->p;
}

static inline size_t gn_cursor_left(const struct gn_cursor *c)
{
	return (size_t)(c->end - c->p);
}

static inline bool gn_cursor_is_done(const struct gn_cursor *c)
{
	return c->p == c->end;
}

/* Big-endian integers. */
int gn_cursor_get_u8(struct gn_cursor *c, uint8_t *v);
int gn_cursor_get_u16(struct gn_cursor *c, uint16_t *v);
int gn_cursor_get_u32(struct gn_cursor *c, uint32_t *v);
int gn_cursor_get_u64(struct gn_cursor *c, uint64_t *v);
/* Also GN_EFORMAT: longer than nine bytes, or not in the shortest form. */
int gn_cursor_get_uvarint(struct gn_cursor *c, uint64_t *v);
/* A view of the next n bytes, valid as long as the bytes that the cursor reads. */
int gn_cursor_get_view(struct gn_cursor *c, size_t n, const uint8_t **view);
/* Reads a uvarint length n and a view of the n bytes behind it.  Also GN_EFORMAT: the length is not valid. */
int gn_cursor_get_prefixed(struct gn_cursor *c, const uint8_t **view, size_t *n);

#endif
