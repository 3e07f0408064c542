/* SPDX-License-Identifier: MIT */
/* Conversion between bytes and text in the bases of multiformats/multibase that peer ids, addresses and
 * CIDs use.
 *
 * An encoder ends its text with a NUL; the comment at each encoder says how much room the text needs.  A
 * decoder reads n characters of text (a NUL is not needed), writes at most `room` bytes to out and their
 * number to *len. It returns 0; GN_EFORMAT for an invalid character, an impossible length or unused bits
 * that are not zero; or GN_ESPACE when the bytes do not fit.  After a failure out may hold a part of the
 * bytes.  Base58 and base36 take time quadratic in the length; `room` bounds it. */
#ifndef GN_BASE_BASE_H
#define GN_BASE_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "gn.h"

/* RFC 4648 base32 in lower case without padding; the decoder accepts either case.  gn.h declares
 * gn_base32_encode(). */
int gn_base32_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* Lower case; text needs n * 2 + 1 characters.  The decoder accepts either case. */
void gn_hex_encode(const void *p, size_t n, char *text);
int gn_hex_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* RFC 4648 section 5 without padding; text needs n * 4 / 3 + 3 characters. */
void gn_base64url_encode(const void *p, size_t n, char *text);
int gn_base64url_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);
/* RFC 4648 section 4 without padding. */
int gn_base64_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* Bitcoin's alphabet; text needs n * 7 / 5 + 2 characters. */
void gn_base58_encode(const void *p, size_t n, char *text);
int gn_base58_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* Lower case; a leading zero byte becomes a leading '0'.  text needs n * 8 / 5 + 2 characters. */
void gn_base36_encode(const void *p, size_t n, char *text);
int gn_base36_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* Decodes by the multibase prefix: b and B, f and F, k and K, m, u, U (padded), z; GN_EFORMAT for any
 * other. */
int gn_multibase_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

#endif
