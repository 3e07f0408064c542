/* SPDX-License-Identifier: MIT */
/* Conversion of the values of multiaddr components between text and bytes.  Private to lib/addr. */
#ifndef GN_ADDR_VALUES_H
#define GN_ADDR_VALUES_H

#include <stdbool.h>

#include "base/buf.h"

struct gn_protocol_value {
	/* Appends the value's bytes, without a length.  Returns 0, GN_EFORMAT, GN_ETOOBIG or -ENOMEM.  The
	 * caller checks the bytes with is_valid, and discards bytes that a failed call appended. */
	int (*parse)(const char *text, size_t n, struct gn_buf *out);
	/* Appends the text of a valid value. */
	int (*format)(const uint8_t *p, size_t n, struct gn_buf *out);
	/* Checks more than the size.  NULL: every value of the right size is valid. */
	bool (*is_valid)(const uint8_t *p, size_t n);
};

extern const struct gn_protocol_value gn_value_ip4, gn_value_ip6, gn_value_u8, gn_value_u16, gn_value_u64;
extern const struct gn_protocol_value gn_value_name;      /* UTF-8 without '/' and control characters */
extern const struct gn_protocol_value gn_value_path;      /* a unix path */
extern const struct gn_protocol_value gn_value_http_path; /* percent-encoded */
extern const struct gn_protocol_value gn_value_peer;      /* a peer id */
extern const struct gn_protocol_value gn_value_hash;      /* multibase of a multihash */
extern const struct gn_protocol_value gn_value_onion, gn_value_onion3;
extern const struct gn_protocol_value gn_value_garlic32, gn_value_garlic64;
extern const struct gn_protocol_value gn_value_hex; /* protocols that the program added, of fixed size */

#endif
