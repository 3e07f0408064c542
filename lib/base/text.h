/* SPDX-License-Identifier: MIT */
/* Decoding of UTF-8, one character at a time.  gn_text_next() and gn_text_filter() of gn.h use it. */
#ifndef GN_BASE_TEXT_H
#define GN_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Decodes the character that begins at p[0], of n > 0 bytes, into *c and returns the length of its
 * sequence.  Returns 0 for a stray or missing continuation byte, an overlong form, a surrogate, or a value
 * above U+10FFFF (Unicode, table 3-7). */
size_t gn_utf8_decode(const uint8_t *p, size_t n, uint32_t *c);

#endif
