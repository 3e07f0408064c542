/* SPDX-License-Identifier: MIT */
/*
 * Names in addresses: /dns, /dns4, /dns6 and /dnsaddr are resolved without blocking (libp2p specs,
 * addressing/README.md).
 */
#ifndef GN_NODE_NAMES_H
#define GN_NODE_NAMES_H

#include "addr/multiaddr.h"
#include "loop/loop.h"

enum {
	GN_NAMES_DEPTH = 32,    /* levels of dnsaddr within dnsaddr */
	GN_NAMES_RESULTS = 100, /* addresses in all; further ones are dropped */
};

/* An address without names, and the name that was resolved last to get it: "a.example" of /dns4/a.example, also if
 * /dnsaddr/boot.example led there; "boot.example" of a /dnsaddr/boot.example that has IP addresses. */
struct gn_resolved {
	struct gn_multiaddr *addr;
	char *name; /* NULL: the address was given without a name */
};

/* Frees an array, and what is left in it. */
void gn_resolved_free(struct gn_resolved *resolved, size_t n);

struct gn_names;

struct gn_names_cfg {
	struct gn_loop *loop;
	const struct gn_multiaddr *const *addrs; /* copied */
	size_t n_addrs;
	/* Called exactly once, never from inside gn_names_resolve(), never after gn_names_cancel(); the operation is
	 * freed before.  resolved: addresses without names, in the order in which they were given and answered (of a /dns
	 * the IPv6 addresses first); addresses without a name are passed through.  Of equal addresses only the first is
	 * there, with its name.  The callee frees them with gn_resolved_free().  err: 0; GN_ENONAME, GN_ETIMEOUT or another error of gn_dns_start() when no
	 * address is left; GN_ELIMIT; -ENOMEM.  With an error there are no addresses. */
	void (*on_done)(void *arg, int err, struct gn_resolved *resolved, size_t n);
	/* Called for each name that did not resolve; may be NULL.  It may call gn_names_cancel(). */
	void (*on_failed)(void *arg, const struct gn_multiaddr *addr, int err);
	void *arg;
};

/* Whether the address contains a name. */
bool gn_names_is_in(const struct gn_multiaddr *addr);
/* 0 or -ENOMEM. */
int gn_names_resolve(const struct gn_names_cfg *cfg, struct gn_names **out);
void gn_names_cancel(struct gn_names *op);

#endif
