/* SPDX-License-Identifier: MIT */
/*
 * The use of the node's address book (book.h): what goes into it, and which of its addresses are dialled.
 *
 * The book is made when the first peer enters it.  A peer that this node has dialled enters it when its identify message
 * arrives, and is held until its last connection that entered it has ended; so does a peer for which a router
 * has found addresses.  Of peers that dialled this node only tagged ones (tags.h) enter it, when their message arrives
 * and, if they were tagged later, when their connection ends: what identify knows of the others is one block that is
 * freed with the connection (protocols/identify.h).  A peer that is in the book already is updated.
 *
 * Addresses that others have sent may lead anywhere, also into networks that only this host can reach.  Two rules
 * prevent that a stranger makes this node scan them:
 *     - The book takes only addresses that have a meaning where the peer was met (gn_multiaddr_is_for()): of a peer with
 *       a public address no private ones, and loopback addresses only of a peer on the loopback.
 *     - A private address is dialled only if an interface of this host has an address in the same network; a
 *       link-local address, and one that is unspecified, is not dialled at all.
 * Neither rule holds for addresses that the program or its user has given.
 */
#ifndef GN_NODE_PEERBOOK_H
#define GN_NODE_PEERBOOK_H

#include "gn.h"
#include "node/book.h"

struct gn_conn;

/* The node's book; NULL: there was no memory to make it. */
struct gn_book *gn_node_book(struct gn_node *node);

/* What the peer of a connection has sent in an identify message. */
struct gn_peerbook_message {
	const struct gn_identify_info *info;
	struct gn_book_record record; /* whose signature is valid; envelope NULL: none */
	const struct gn_multiaddr *const *signed_addrs;
	size_t n_signed;
};
/* Without memory the book stays as it was. */
void gn_peerbook_identified(struct gn_conn *c, const struct gn_peerbook_message *message);
/* The connection has ended. */
void gn_peerbook_gone(struct gn_conn *c);

/* An attempt with an address of the peer has ended with err; 0: with success.  Errors of this host do not count as
 * failures of the address. */
void gn_peerbook_result(struct gn_node *node, const struct gn_peer_id *peer, const struct gn_multiaddr *addr, int err);

/* The networks of this host, which are read when they are needed first. */
struct gn_ifaddr;
struct gn_peerbook_host {
	struct gn_ifaddr *ifs;
	size_t n;
	bool is_read;
};
void gn_peerbook_host_fini(struct gn_peerbook_host *host);
/* Whether an address that others have sent may be dialled, by the second rule.  `host` begins with all zeros. */
bool gn_peerbook_may_dial(struct gn_peerbook_host *host, const struct gn_multiaddr *addr);

/* Enters addresses of the peer that a router has found, by the first rule as for a peer with a private address.  Writes
 * those that may be dialled and do not rest to out, as gn_peerbook_addrs(). */
struct gn_router_answer;
size_t gn_peerbook_routed(struct gn_node *node, const struct gn_peer_id *peer, const struct gn_router_answer *answer,
			  struct gn_multiaddr *out[GN_BOOK_ADDRS_MAX]);
/* The known addresses of the peer that may be dialled and do not rest, with /p2p/ID, the most useful first.  The
 * caller frees them.  Returns their number; addresses for which there is no memory are left out. */
size_t gn_peerbook_addrs(struct gn_node *node, const struct gn_peer_id *peer,
			 struct gn_multiaddr *out[GN_BOOK_ADDRS_MAX]);

#endif
