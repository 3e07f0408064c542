/* SPDX-License-Identifier: MIT */
/*
 * share: who runs how many programs, and whose turn it is.
 *
 * A peer that has programs may start another one while it has fewer than three times as many as places
 * stay free; the same holds for all peers of one address together (an IPv4 address or an IPv6 /64), since
 * identities cost nothing.  So one peer alone gets three quarters of the places, a second one three quarters
 * of the rest, and the last place goes to one that has none.  An address of the loopback, behind which many hosts
 * may stand, may have nine times as many as stay free, so that its peers find places beside one another
 * and other addresses still find some.  With one or two places there is no such rule.
 *
 * A free place goes to the address, and of its peers to the one, that runs fewest; among equals, to the one that
 * has waited longest since it was served.
 */
#ifndef CMD_GN_LISTEN_SHARE_H
#define CMD_GN_LISTEN_SHARE_H

#include "gn.h"

struct share;
struct share_peer; /* a peer at an address, as long as it has a stream */

struct share_cfg {
	unsigned places;
	bool is_free;                   /* the rule above does not hold: nobody else may come */
	unsigned waiting, waiting_peer; /* how many streams may wait, in all and of a peer */
};

int share_new(const struct share_cfg *cfg, struct share **out);
void share_free(struct share *s); /* after the last share_leave() */

/* A stream has come, and waits.  NULL: out of memory. */
struct share_peer *share_enter(struct share *s, const struct gn_channel_state *st);
void share_leave(struct share *s, struct share_peer *p, bool is_waiting);
/* It gets a place, gives it back; after that it only has to leave. */
void share_start(struct share *s, struct share_peer *p);
void share_stop(struct share *s, struct share_peer *p);

/* May a stream of this peer be started now? */
bool share_may_start(const struct share *s, const struct share_peer *p);
/* Does a stream of a come before one of b? */
bool share_is_before(const struct share_peer *a, const struct share_peer *b);
/* Does the peer have more waiting than it may? */
bool share_is_over(const struct share *s, const struct share_peer *p);
/* Do more wait in all than may? */
bool share_is_full(const struct share *s);
/* Streams of its address that wait. */
unsigned share_waiting(const struct share_peer *p);

#endif
