/* SPDX-License-Identifier: MIT */
/* Reading bytes with a limit.  Every get takes all it needs and returns 0, or leaves the
 * cursor where it was and returns GN_ETRUNC (not enough bytes) or what it says beside. */
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

/* Big-endian. */
int gn_cursor_get_u8(struct gn_cursor *c, uint8_t *v);
int gn_cursor_get_u16(struct gn_cursor *c, uint16_t *v);
int gn_cursor_get_u32(struct gn_cursor *c, uint32_t *v);
int gn_cursor_get_u64(struct gn_cursor *c, uint64_t *v);
/* Also GN_EFORMAT: overlong, or not minimal. */
int gn_cursor_get_uvarint(struct gn_cursor *c, uint64_t *v);
/* A view of the next n bytes, as long-lived as what the cursor reads. */
int gn_cursor_get_view(struct gn_cursor *c, size_t n, const uint8_t **view);
/* A uvarint length and a view of that many bytes.  Also GN_EFORMAT. */
int gn_cursor_get_prefixed(struct gn_cursor *c, const uint8_t **view, size_t *n);

#endif
