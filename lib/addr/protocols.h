/* SPDX-License-Identifier: MIT */
/* The protocols of multiaddrs: code, name, and how a value is written.  Private to lib/addr. */
#ifndef GN_ADDR_PROTOCOLS_H
#define GN_ADDR_PROTOCOLS_H

#include "base/buf.h"
#include "gn.h"

#define GN_PROTOCOL_VAR (-1) /* size: a uvarint length stands before the value */

struct gn_protocol_value; /* how values of one kind are read and written: values.h */

struct gn_multiaddr_protocol {
	uint32_t code;
	int size; /* bytes of the value; 0: none; GN_PROTOCOL_VAR */
	const char *name;
	const struct gn_protocol_value *value; /* NULL when size is 0 */
	bool is_path;                          /* the value takes the rest of the text, and must come last */
};

/* NULL: unknown. */
const struct gn_multiaddr_protocol *gn_protocols_find(uint64_t code);
const struct gn_multiaddr_protocol *gn_protocols_find_name(const char *name, size_t n);

#endif
