/* SPDX-License-Identifier: MIT */
/* The representation of multiaddrs, which the files of lib/addr share.  Private to lib/addr. */
#ifndef GN_ADDR_MULTIADDR_OWN_H
#define GN_ADDR_MULTIADDR_OWN_H

#include "base/buf.h"
#include "gn.h"

struct gn_multiaddr {
	size_t len;
	uint8_t bytes[];
};

/* Appends a component.  GN_EFORMAT: the code is unknown, or the value is not valid for it. */
int gn_multiaddr_part_put(struct gn_buf *b, uint32_t code, const void *value, size_t n);

#endif
