/* SPDX-License-Identifier: MIT */
/*
 * The interface of routers: a router finds the addresses of a peer whose id is known, for example in a DHT, among
 * the relays that the peer is known to use, or in a table of the user's.
 *
 * A dial that was given a peer id and no address asks all routers of the node at once, after the addresses in the
 * book have had their turn.  Addresses join the race as they are found, and are added to the book.  The dial waits for the
 * routers until its limit.
 *
 * tests/conform/router.c tests what every router has to guarantee.
 */
#ifndef GN_NODE_ROUTER_H
#define GN_NODE_ROUTER_H

#include "gn.h"
#include "node/book.h"

/* Addresses that were found. */
struct gn_router_answer {
	struct gn_book_source source;            /* how much they are trusted, and how long they are valid */
	const struct gn_multiaddr *const *addrs; /* of the peer, with or without /p2p/ID; they may contain names */
	size_t n;
	/* The user vouches for the addresses.  Else private ones are dialled only in networks of this host, and loopback
	 * addresses not at all (peerbook.h).  A later dial that takes them from the book knows only the origin. */
	bool is_trusted;
};

struct gn_router_find; /* a search; each router defines its own */

struct gn_router_find_cfg {
	struct gn_peer_id peer;
	/* Addresses were found; called any number of times before on_done.  The answer is valid during the call. */
	void (*on_addrs)(void *arg, const struct gn_router_answer *answer);
	/* Called exactly once, unless the search is cancelled; it is freed before.  0: the search is complete;
	 * GN_ENOADDR: it is, and no address was found; GN_EUNREACH: nobody could be asked; GN_ETIMEOUT; GN_ECLOSED: the
	 * router was stopped; -ENOMEM. */
	void (*on_done)(void *arg, int err);
	void *arg;
};

struct gn_router_ops {
	const char *name;
	/* Creates the state.  config is what gn_router_attach() was given, valid during the call; NULL: defaults.  0 or
	 * an error. */
	int (*start)(struct gn_node *node, const void *config, void **state);
	/* Frees the state.  Each search that is running ends with GN_ECLOSED before stop returns. */
	void (*stop)(void *state);
	/* Starts a search.  Neither callback is called from inside find; both are called from the loop, never while a
	 * stack is pumped.  A callback may start and cancel searches, also this one in on_addrs.  0, -ENOMEM, or
	 * an error as on_done has it. */
	int (*find)(void *state, const struct gn_router_find_cfg *cfg, struct gn_router_find **out);
	/* Ends and frees the search; no callback is called any more.  Not after on_done. */
	void (*cancel)(struct gn_router_find *find);
};

/* Attaches a router; later dials ask it.  Errors as gn_attached_add(). */
int gn_router_attach(struct gn_node *node, const struct gn_router_ops *ops, const void *config);
/* Stops a router.  Not from inside a function of this router.  -ENOENT: it is not attached. */
int gn_router_detach(struct gn_node *node, const struct gn_router_ops *ops);

#endif
