/* SPDX-License-Identifier: MIT */
/*
 * Names in addresses: /dns, /dns4, /dns6 and /dnsaddr become the addresses they stand
 * for (specs addressing/README.md, "Names"), without blocking.
 */
#ifndef GN_NODE_NAMES_H
#define GN_NODE_NAMES_H

#include "addr/multiaddr.h"
#include "loop/loop.h"

enum {
	GN_NAMES_DEPTH = 32,    /* dnsaddr within dnsaddr */
	GN_NAMES_RESULTS = 100, /* addresses in all */
};

struct gn_names;

struct gn_names_cfg {
	struct gn_loop *loop;
	const struct gn_multiaddr *const *addrs; /* copied */
	size_t n_addrs;
	/* Exactly once.  The addresses without any name in them, in the order they were given and
	 * answered (of a /dns the IPv6 ones first), each once; the callee frees them with
	 * gn_multiaddrs_free().  Those that need no resolving are passed through.  err: GN_ENONAME,
	 * GN_ETIMEOUT ... when nothing is left, and then none. */
	void (*on_done)(void *arg, int err, struct gn_multiaddr **addrs, size_t n);
	/* For every name that did not resolve; may be NULL. */
	void (*on_failed)(void *arg, const struct gn_multiaddr *addr, int err);
	void *arg;
};

/* Is there a name in it? */
bool gn_names_is_in(const struct gn_multiaddr *addr);
int gn_names_resolve(const struct gn_names_cfg *cfg, struct gn_names **out);
void gn_names_cancel(struct gn_names *op);

#endif
