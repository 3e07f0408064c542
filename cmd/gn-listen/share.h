/* SPDX-License-Identifier: MIT */
/*
 * share: divides the places for running programs among the peers.
 *
 * A peer that runs programs may start another one only while it runs fewer than three times the number of
 * places that stay free.  The same holds for all peers of one IPv4 address or IPv6 /64 together, since peer
 * ids cost nothing.  Thus a single peer gets three quarters of the places, a second one three quarters of
 * the rest, and the last place goes to a peer that runs none.  For a loopback address, which may stand for
 * many hosts (a proxy), the factor is nine.  With one or two places this rule does not apply.
 *
 * A free place goes to the address that runs the fewest programs, and of its peers to the one that runs the
 * fewest; among equals, to the one that was served least recently.
 */
#ifndef CMD_GN_LISTEN_SHARE_H
#define CMD_GN_LISTEN_SHARE_H

#include "gn.h"

struct share;
struct share_peer; /* a peer at an address, as long as it has a stream */

struct share_cfg {
	unsigned places;
	bool is_free;                   /* the rule above does not apply: only one peer is admitted */
	unsigned waiting, waiting_peer; /* the number of streams that may wait, in all and of one peer */
};

int share_new(const struct share_cfg *cfg, struct share **out);
void share_free(struct share *s); /* after the last share_leave() */

/* Adds a waiting stream.  NULL: out of memory. */
struct share_peer *share_enter(struct share *s, const struct gn_channel_state *st);
/* Removes a stream that waits, or that has given its place back. */
void share_leave(struct share *s, struct share_peer *p, bool is_waiting);
/* Gives a place to a waiting stream of the peer; takes it back. */
void share_start(struct share *s, struct share_peer *p);
void share_stop(struct share *s, struct share_peer *p);

/* Whether a stream of this peer may be started now. */
bool share_may_start(const struct share *s, const struct share_peer *p);
/* Whether a stream of a is to be started before one of b. */
bool share_is_before(const struct share_peer *a, const struct share_peer *b);
/* Whether more streams of the peer wait than allowed. */
bool share_is_over(const struct share *s, const struct share_peer *p);
/* Whether more streams wait in all than allowed. */
bool share_is_full(const struct share *s);
/* The number of waiting streams of the peer's address. */
unsigned share_waiting(const struct share_peer *p);

#endif
