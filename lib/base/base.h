/* SPDX-License-Identifier: MIT */
/* Bytes as text: the bases of multiformats/multibase that peer ids, addresses and CIDs use.
 *
 * Encoders write a NUL at the end; text has the room that is named.  Decoders take n
 * characters of text (no NUL needed) and write *len bytes to out, which has `room`: 0,
 * GN_EFORMAT (a character or length that cannot be, bits left over that are not zero) or
 * GN_ESPACE.  out may hold part of the bytes after a failure.  Base58 and base36 take time in
 * the square of the length; the room bounds it. */
#ifndef GN_BASE_BASE_H
#define GN_BASE_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "gn.h"

/* Lower case; decoding takes either case. gn_base32_encode() stands in gn.h. */
int gn_base32_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* n * 2 + 1 characters; decoding takes either case. */
void gn_hex_encode(const void *p, size_t n, char *text);
int gn_hex_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* RFC 4648 section 5 without padding; n * 4 / 3 + 3 characters. */
void gn_base64url_encode(const void *p, size_t n, char *text);
int gn_base64url_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);
/* RFC 4648 section 4 without padding. */
int gn_base64_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* Bitcoin's alphabet; text has room for n * 7 / 5 + 2. */
void gn_base58_encode(const void *p, size_t n, char *text);
int gn_base58_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* Lower case, leading zero bytes are leading zeros; text has room for n * 8 / 5 + 2. */
void gn_base36_encode(const void *p, size_t n, char *text);
int gn_base36_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* By multibase prefix: b and B, f and F, k and K, m, u, U (padded), z.  GN_EFORMAT for others. */
int gn_multibase_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

#endif
