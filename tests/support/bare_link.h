/* SPDX-License-Identifier: MIT */
/*
 * A node and one of its connections.  The test holds the peer's end of the link, and sends and receives bytes
 * on it without any layer.  Everything runs on a virtual loop over the mem transport.
 */
#ifndef GN_SUPPORT_BARE_LINK_H
#define GN_SUPPORT_BARE_LINK_H

#include "node/conn.h"
#include "node/node.h"
#include "support/wire.h"

struct bare_link {
	struct gn_loop *loop;
	struct gn_key *key;
	struct gn_node *node;
	struct gn_link_listener *listener;
	struct gn_link *own;  /* the node's end until bare_link_conn() has used it */
	struct gn_link *peer; /* the test's end; NULL when it was dropped */
	struct gn_conn *c;
	unsigned opened; /* calls of on_open */
	int err;         /* the argument of the last call */
	struct wire in;  /* what the test has received and not consumed */
	int in_err;      /* the error or GN_EOF that ended reading; 0 while the link is open */
};

/* Makes a node and the two ends of a link.  tune may change the node's configuration; it may be NULL. */
void bare_link_init(struct bare_link *b, void (*tune)(struct gn_node_cfg *cfg));
/* Frees everything; asserts that the node has no connection and uses no memory then. */
void bare_link_fini(struct bare_link *b);

/* Makes the connection.  expect and began are those of struct gn_conn_cfg; expect is NULL for any peer. */
void bare_link_conn(struct bare_link *b, bool inbound, const struct gn_peer_id *expect, gn_time began);
/* Turns the loop for the time `span`, and appends what the test's end receives to b->in. */
void bare_link_run(struct bare_link *b, gn_time span);
/* Sends bytes from the test's end, and runs for 1 ms. */
void bare_link_send(struct bare_link *b, const void *p, size_t n);
/* Asserts that b->in begins with these bytes, and consumes them. */
void bare_link_expect(struct bare_link *b, const void *p, size_t n);
/* Drops the test's end of the link. */
void bare_link_drop(struct bare_link *b);

#endif
