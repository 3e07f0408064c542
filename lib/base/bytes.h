/* SPDX-License-Identifier: MIT */
/* Big-endian integers in memory, at any alignment.  The caller guarantees that the bytes exist; for what a
 * peer sent, use cursor.h, which checks. */
#ifndef GN_BASE_BYTES_H
#define GN_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t gn_get_u16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t gn_get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t gn_get_u64(const uint8_t *p)
{
	return (uint64_t)gn_get_u32(p) << 32 | gn_get_u32(p + 4);
}

static inline void gn_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void gn_put_u32(uint8_t *p, uint32_t v)
{
	gn_put_u16(p, (uint16_t)(v >> 16));
	gn_put_u16(p + 2, (uint16_t)v);
}

static inline void gn_put_u64(uint8_t *p, uint64_t v)
{
	gn_put_u32(p, (uint32_t)(v >> 32));
	gn_put_u32(p + 4, (uint32_t)v);
}

#endif
