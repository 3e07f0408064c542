/* SPDX-License-Identifier: MIT */
/*
 * Connecting to a peer: names are resolved, all its addresses are tried in a staggered
 * race (happy eyeballs: IPv6 and IPv4 in turns, the next one 250 ms later or as soon as
 * one has failed), the first that is secured wins.  A connection to the peer that is
 * open already is taken at once.
 */
#ifndef GN_NODE_DIALER_H
#define GN_NODE_DIALER_H

#include "gn.h"

struct gn_conn;
struct gn_dialer;

struct gn_dialer_cfg {
	const struct gn_multiaddr *const *addrs; /* copied */
	size_t n_addrs;
	gn_time limit; /* 0: the node's */
	/* As in struct gn_dial_cfg, with an argument of its own: it is the program's. */
	void (*on_attempt)(void *arg, const struct gn_multiaddr *addr, int err, gn_time took);
	void *attempt_arg;
	/* Exactly once; the connection is the node's.  On failure the most telling of the
	 * attempts' errors: GN_EPEERID, GN_EREFUSED, GN_EAUTH; GN_EUNREACH if they differ otherwise. */
	void (*on_done)(void *arg, int err, struct gn_conn *c);
	/* In place of that when the node is freed: arg may be freed, nothing else may be done. */
	void (*on_lost)(void *arg);
	void *arg;
};

int gn_dialer_start(struct gn_node *node, const struct gn_dialer_cfg *cfg, struct gn_dialer **out);
void gn_dialer_cancel(struct gn_dialer *op);
/* The connection is over: those that were about to tell of it have failed. */
void gn_dialers_gone(struct gn_node *node, const struct gn_conn *c);
/* The node is closing: those that run have failed. */
void gn_dialers_close(struct gn_node *node);
/* All of the node's, without a word: when it is freed. */
void gn_dialers_free(struct gn_node *node);

#endif
