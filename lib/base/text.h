/* SPDX-License-Identifier: MIT */
/* text: UTF-8, one character at a time.  gn_text_next() and gn_text_filter() of gn.h are built on it. */
#ifndef GN_BASE_TEXT_H
#define GN_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed UTF-8 sequence at p[0..n), n > 0, and its character in *c; or 0: a stray or missing
 * continuation byte, an overlong form, a surrogate, or above U+10FFFF (Unicode, table 3-7). */
size_t gn_utf8_decode(const uint8_t *p, size_t n, uint32_t *c);

#endif
