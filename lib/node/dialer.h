/* SPDX-License-Identifier: MIT */
/*
 * Connecting to a peer: names are resolved, then all addresses are tried in a staggered race (RFC 8305, "Happy
 * Eyeballs": IPv6 and IPv4 alternate, the next address follows after 250 ms or as soon as one has failed).  The first
 * connection that is open wins, and the other attempts are dropped.  A connection to the peer that is open
 * already and not suspect (paths.h) is used at once.
 *
 * The addresses of the peer that the node's book has, and that do not rest after a failure, take part in the race
 * behind those of the caller (peerbook.h).  If the caller has given only the peer's id, and the known addresses had
 * their turn, all routers of the node are asked (router.h), and their answers join the race as they arrive.
 *
 * Dials to one peer share their work: an address that another dial to the peer is attempting is not attempted a second
 * time (attempt.h), and the first connection that is open ends all of these dials with success.  Each dial has its own
 * limit and its own addresses, and a dial that is cancelled leaves the others.
 *
 * At most limits.dials attempts run at once.  Dials that find no place wait, each for its turn, and their limits
 * count meanwhile.
 *
 * A dial with is_probe, or with a role, shares nothing, and uses no other address: it makes a connection of its own,
 * beside those that are open.  When it was no probe, other dials use that connection.
 */
#ifndef GN_NODE_DIALER_H
#define GN_NODE_DIALER_H

#include "gn.h"
#include "node/paths.h"

struct gn_conn;
struct gn_dialer;

struct gn_dialer_cfg {
	struct gn_target target;
	void *attempt_arg; /* of target.on_attempt, which is the program's callback; it may call gn_dialer_cancel() */
	enum gn_conn_role role;
	/* The connection is for the caller only: nobody else's lookup finds it.  The caller closes it. */
	bool is_probe;
	/* The connection serves a lookup: unless another dial uses it, or used it before, it closes once it has had no
	 * stream for GN_TRANSIENT_IDLE.  A probe does so, too. */
	bool is_transient;
	/* The caller consents to a limited connection.  So does one whose target has the path GN_TARGET_RELAYED, or an
	 * address with a /p2p-circuit. */
	bool takes_limited;
	/* Called exactly once, never from inside gn_dialer_start(), never after gn_dialer_cancel(); the dial is freed
	 * before.  err 0: the connection, which the node owns.  On failure the most specific error of the attempts:
	 * GN_EPEERID, GN_EREFUSED, GN_EAUTH, GN_EPROTO or GN_ENOPROTO; GN_EUNREACH if they differ otherwise; GN_ENOADDR if
	 * only the peer is given, and neither the book nor a router has an address; -EPERM: the connection is limited, and
	 * the caller has not consented. */
	void (*on_done)(void *arg, int err, struct gn_conn *c);
	/* Called instead of on_done when the node is freed; it may free arg and do nothing else. */
	void (*on_lost)(void *arg);
	void *arg;
};

/* 0; -EINVAL: neither address nor peer; GN_EPEERID: they name different peers; GN_ECLOSED: the node is closing; -ENOMEM. */
int gn_dialer_start(struct gn_node *node, const struct gn_dialer_cfg *cfg, struct gn_dialer **out);
void gn_dialer_cancel(struct gn_dialer *op);
/* The connection is open, or is no longer suspect: it ends every dial to its peer that may use it, so that no second
 * one is made. */
void gn_dialers_offer(struct gn_conn *c);
/* The connection has ended: dials whose on_done is pending with it fail with its error. */
void gn_dialers_gone(const struct gn_conn *c);
/* The node is closing: all dials fail with GN_ECLOSED. */
void gn_dialers_close(struct gn_node *node);
/* The node is being freed: all dials are freed, and on_lost is called. */
void gn_dialers_free(struct gn_node *node);

#endif
