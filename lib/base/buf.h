/* SPDX-License-Identifier: MIT */
/* A byte buffer that grows up to a maximum.  A put appends all of its bytes and returns 0, or appends
 * nothing and returns GN_ETOOBIG (the maximum would be exceeded) or -ENOMEM.  The memory is not wiped when
 * it is released or moved, so a buffer must not hold secrets. */
#ifndef GN_BASE_BUF_H
#define GN_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct gn_buf {
	uint8_t *p; /* the contents are p[0] to p[len - 1]; p changes when the buffer grows */
	size_t len, room, max;
};

void gn_buf_init(struct gn_buf *b, size_t max); /* allocates nothing */
void gn_buf_fini(struct gn_buf *b);
/* Makes room for n more bytes at p + len, for a caller that writes there and increases len itself. */
int gn_buf_reserve(struct gn_buf *b, size_t n);
int gn_buf_put(struct gn_buf *b, const void *p, size_t n);
int gn_buf_put_u8(struct gn_buf *b, uint8_t v);
int gn_buf_put_uvarint(struct gn_buf *b, uint64_t v);
/* Appends n as a uvarint, then the n bytes. */
int gn_buf_put_prefixed(struct gn_buf *b, const void *p, size_t n);
/* Appends text as printf does.  A NUL follows the text; len does not count it. */
__attribute__((format(printf, 2, 3))) int gn_buf_format(struct gn_buf *b, const char *fmt, ...);
/* Returns the memory, which the caller frees with free(), and leaves the buffer empty.  NULL when nothing
 * was put. */
uint8_t *gn_buf_take(struct gn_buf *b);

#endif
