/* SPDX-License-Identifier: MIT */
/* CIDs (multiformats/cid), versions 0 and 1. */
#ifndef GN_ADDR_CID_H
#define GN_ADDR_CID_H

#include "gn.h"
#include "id/multihash.h"

#define GN_CID_RAW 0x55
#define GN_CID_DAG_PB 0x70
#define GN_CID_LIBP2P_KEY 0x72

#define GN_CID_MAX (1 + 9 + GN_MULTIHASH_MAX)
#define GN_CID_TEXT_MAX (GN_CID_MAX * 2 + 2) /* enough for any base, with the prefix and the NUL */

struct gn_cid {
	uint8_t version; /* 0 or 1 */
	uint64_t codec;  /* GN_CID_DAG_PB in version 0 */
	size_t len;
	uint8_t multihash[GN_MULTIHASH_MAX];
};

/* Decodes exactly n bytes.  Returns 0 or GN_EFORMAT. */
int gn_cid_decode(const uint8_t *p, size_t n, struct gn_cid *out);
/* Returns the length. */
size_t gn_cid_encode(const struct gn_cid *cid, uint8_t out[GN_CID_MAX]);
/* Parses base58btc without a prefix (version 0), or any base of gn_multibase_decode().  Returns 0 or
 * GN_EFORMAT. */
int gn_cid_parse(const char *text, struct gn_cid *out);
/* Formats in the base 'b', 'k', 'z', 'f' or 'u'; version 0 is always base58btc.  Returns text, or NULL for
 * another base. */
char *gn_cid_format(const struct gn_cid *cid, char base, char text[GN_CID_TEXT_MAX]);

#endif
