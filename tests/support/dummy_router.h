/* SPDX-License-Identifier: MIT */
/* A router (node/router.h) that knows the addresses of one peer from its configuration, and finds them one by one. */
#ifndef GN_SUPPORT_DUMMY_ROUTER_H
#define GN_SUPPORT_DUMMY_ROUTER_H

#include "node/router.h"

enum { DUMMY_ROUTER_ADDRS = 4 };

/* Has to stay valid while the router is attached. */
struct dummy_router_cfg {
	struct gn_peer_id peer;                /* that it knows; len 0: every one */
	const char *addrs[DUMMY_ROUTER_ADDRS]; /* ends with NULL, unless all are used */
	enum gn_book_origin origin;
	bool is_trusted;
	gn_time delay;    /* before each address and before the end */
	int err;          /* at the end of a search for the peer; for others it is GN_ENOADDR */
	int find_err;     /* that find returns; 0: it succeeds */
	unsigned n_finds; /* counted by the router: searches so far */
	unsigned n_open;  /* that are running */
};

/* Two of the same kind, since a node can have each only once. */
extern const struct gn_router_ops dummy_router, dummy_router_second;

#endif
