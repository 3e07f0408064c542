/* SPDX-License-Identifier: MIT */
/* A byte buffer that grows up to a maximum.  A put takes all or nothing: 0, GN_ETOOBIG
 * (past the maximum) or -ENOMEM.  What it held is not wiped: not for secrets. */
#ifndef GN_BASE_BUF_H
#define GN_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct gn_buf {
	uint8_t *p; /* the caller may read p[0] to p[len - 1]; moves when it grows */
	size_t len, room, max;
};

void gn_buf_init(struct gn_buf *b, size_t max); /* takes no memory yet */
void gn_buf_fini(struct gn_buf *b);
/* Room for n more bytes at p + len; for those who write there and add to len themselves. */
int gn_buf_reserve(struct gn_buf *b, size_t n);
int gn_buf_put(struct gn_buf *b, const void *p, size_t n);
int gn_buf_put_u8(struct gn_buf *b, uint8_t v);
int gn_buf_put_uvarint(struct gn_buf *b, uint64_t v);
/* A uvarint length and the bytes. */
int gn_buf_put_prefixed(struct gn_buf *b, const void *p, size_t n);
/* Like printf; the NUL is written behind, and is not part of len. */
__attribute__((format(printf, 2, 3))) int gn_buf_format(struct gn_buf *b, const char *fmt, ...);
/* Hands the memory over, to be freed with free(); the buffer is empty then. NULL when nothing was put. */
uint8_t *gn_buf_take(struct gn_buf *b);

#endif
