/* SPDX-License-Identifier: MIT */
/*
 * gn_dial.h: the part of gn.h for the operations that reach a peer: dialing, ping and identify.  Programs include
 * gn.h, which includes this file; its conventions hold here, too.
 *
 * The error of an operation that could not connect is the most specific one of its attempts: GN_EPEERID, GN_EREFUSED,
 * GN_EAUTH, GN_EPROTO or GN_ENOPROTO; else the one that all have in common, or GN_EUNREACH.  GN_ENOADDR: there was no
 * address to try.
 */
#ifndef GN_DIAL_H
#define GN_DIAL_H

#include "gn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the peer of an operation ------------------------------------------------- */

/* Which connections an operation uses. */
enum gn_target_path {
	GN_TARGET_ANY,
	GN_TARGET_DIRECT, /* only direct ones */
	GN_TARGET_RELAYED /* only those through a relay; their addresses contain p2p-circuit */
};

/* A peer, and how it is reached.  All zero, with one address, is an ordinary target.  A connection to the peer that is
 * open is used; else names are resolved, and all addresses are tried in a staggered race.  Addresses that
 * the node knows of the peer join it; if only the peer is given, also those that the node's routers find. */
struct gn_target {
	const struct gn_multiaddr *const *addrs; /* of one peer; copied; one may be only /p2p/ID */
	size_t n_addrs;
	const struct gn_peer_id *peer; /* copied; NULL: the one that the addresses name, if any */
	enum gn_target_path path;      /* addresses of another path are left out */
	gn_time limit;                 /* until a connection is open; 0: limits.dial of the node */
	/* An attempt with one address has failed, or (err 0) succeeded; arg is that of the operation, which may be
	 * cancelled.  May be NULL. */
	void (*on_attempt)(void *arg, const struct gn_multiaddr *addr, int err, gn_time took);
};

/* ---- dialing ------------------------------------------------------------------ */

struct gn_dial;

struct gn_dial_cfg {
	struct gn_target target;
	const char *protocol; /* borrowed until the operation ends */
	enum gn_channel_kind kind;
	size_t max_frame;
	/* Called exactly once.  With err 0 the program owns ch and may write to it at once; GN_OPENED or GN_DEAD
	 * follows when the peer has accepted or refused the protocol. */
	void (*on_done)(void *arg, int err, struct gn_channel *ch);
	void *arg;
};
/* Connects to a peer, or uses a connection to it that is open, and opens a channel.  -EINVAL: no protocol, no
 * on_done, neither address nor peer; GN_ECLOSED; -ENOMEM; GN_EPEERID: two peers are named. */
int gn_dial_start(struct gn_node *node, const struct gn_dial_cfg *cfg, struct gn_dial **out);
void gn_dial_cancel(struct gn_dial *op); /* before on_done only */

/* ---- ping and identify (lib/protocols) ---------------------------------------- */

struct gn_ping;

struct gn_ping_cfg {
	struct gn_target target;
	unsigned count;   /* 0: until it is cancelled */
	gn_time interval; /* between two pings; 0: 1 s */
	gn_time limit;    /* until an answer; 0: 10 s */
	void (*on_rtt)(void *arg, unsigned seq, gn_time rtt);
	void (*on_done)(void *arg, int err); /* called exactly once */
	void *arg;
};
/* Errors as gn_dial_start(); -EINVAL also: the node has no ping service. */
int gn_ping_start(struct gn_node *node, const struct gn_ping_cfg *cfg, struct gn_ping **out);
void gn_ping_cancel(struct gn_ping *op); /* before on_done only */

/* The identify message of a peer (specs identify/README.md).  Valid during the callback. */
struct gn_identify_info {
	struct gn_peer_id peer;
	const char *agent, *protocol_version;
	const char *const *protocols;
	size_t n_protocols;
	const struct gn_multiaddr *const *listen;
	size_t n_listen;
	const struct gn_multiaddr *observed; /* this node's address as the peer sees it; NULL: not sent */
	bool signed_record;                  /* it came with a peer record whose signature is valid */
};

struct gn_identify;

struct gn_identify_cfg {
	struct gn_target target;
	void (*on_done)(void *arg, int err, const struct gn_identify_info *info); /* called exactly once */
	void *arg;
};
/* Errors as gn_dial_start(); -EINVAL also: the node has no identify service. */
int gn_identify_start(struct gn_node *node, const struct gn_identify_cfg *cfg, struct gn_identify **out);
void gn_identify_cancel(struct gn_identify *op); /* before on_done only */

#ifdef __cplusplus
}
#endif

#endif
