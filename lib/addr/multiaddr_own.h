/* SPDX-License-Identifier: MIT */
/* What the files that make up the multiaddr share.  Private to lib/addr. */
#ifndef GN_ADDR_MULTIADDR_OWN_H
#define GN_ADDR_MULTIADDR_OWN_H

#include "base/buf.h"
#include "gn.h"

struct gn_multiaddr {
	size_t len;
	uint8_t bytes[];
};

/* Appends a component; GN_EFORMAT when the code is unknown or the value cannot be its. */
int gn_multiaddr_part_put(struct gn_buf *b, uint32_t code, const void *value, size_t n);

#endif
