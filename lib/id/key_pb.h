/* SPDX-License-Identifier: MIT */
/* The encoding that PublicKey and PrivateKey share (proto/keys.proto).  Private to lib/id.
 *
 *     08 type   12 length data
 */
#ifndef GN_ID_KEY_PB_H
#define GN_ID_KEY_PB_H

#include <stddef.h>
#include <stdint.h>

#define GN_KEY_PB_TYPE 0x08 /* field 1, varint */
#define GN_KEY_PB_DATA 0x12 /* field 2, bytes */
#define GN_KEY_PB_HEAD 4    /* bytes before the data, if it has fewer than 128 */

/* Decodes a message of exactly n bytes; *data is a view of p.  Returns 0, GN_EFORMAT or GN_ETRUNC. */
int gn_key_pb_decode(const uint8_t *p, size_t n, uint64_t *type, const uint8_t **data, size_t *len);

#endif
