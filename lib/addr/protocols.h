/* SPDX-License-Identifier: MIT */
/* The table of multiaddr protocols: code, name, and the format of the value.  Private to lib/addr. */
#ifndef GN_ADDR_PROTOCOLS_H
#define GN_ADDR_PROTOCOLS_H

#include "base/buf.h"
#include "gn.h"

#define GN_PROTOCOL_VAR (-1) /* as a size: a uvarint length precedes the value */

struct gn_protocol_value; /* parses and formats values of one kind: values.h */

struct gn_multiaddr_protocol {
	uint32_t code;
	int size; /* of the value in bytes, 0 for no value, or GN_PROTOCOL_VAR */
	const char *name;
	const struct gn_protocol_value *value; /* NULL when size is 0 */
	bool is_path;                          /* the value takes the rest of the text, and must come last */
};

/* Both return NULL for an unknown protocol. */
const struct gn_multiaddr_protocol *gn_protocols_find(uint64_t code);
const struct gn_multiaddr_protocol *gn_protocols_find_name(const char *name, size_t n);

#endif
