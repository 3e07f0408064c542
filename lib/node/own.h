/* SPDX-License-Identifier: MIT */
/*
 * The addresses of this node: where it listens, what port mappings and relays give it, what the user
 * announces, and what peers observed.  Each has an origin and a lifetime.  This table does no I/O and
 * reads no clock: every instant is a parameter.
 *
 * States.  An address is a CANDIDATE or ADVERTISED.  An observed address
 *     - is added as a CANDIDATE by its first observer;
 *     - becomes ADVERTISED when observers in GN_OWN_CONFIRMATIONS different networks have reported it;
 *     - leaves, in either state, when no observer reported it for GN_OWN_OBSERVED_TIME.
 * Addresses of all other origins are ADVERTISED from the beginning.  The number of confirmations is that of
 * go-libp2p.  go takes each IPv4 address and each IPv6 /56 for a distinct observer; this table takes an IPv4
 * /24 and an IPv6 /48, because one stranger may have several addresses.
 *
 * Strangers.  Reports about an observed address are used only when the address is public and of an
 * observer with a public address (documentation and benchmark networks count as public).  The networks of
 * observers are bounded: one network vouches for at most GN_OWN_PER_OBSERVER addresses at a time, and its
 * newest reports replace its oldest ones.  The table has at most GN_OWN_OBSERVED_MAX observed addresses; a
 * new one replaces the candidate with the fewest observers (of these, the one reported longest ago), never
 * an advertised one.  A stranger in one network therefore can neither fill the table nor confirm an
 * address.
 *
 * Ports.  A peer observes the source address of a connection that this node dialled.  When the node dialled
 * from a port on which it listens, as the tcp transport does where it can, the whole address is used: others
 * can connect to it, through a NAT that maps the port in the same way for all peers.  Otherwise no other peer
 * can connect to the port, and only the IP address of the report is used, in the place of that of a listening
 * address of the same family: a NAT often maps a port to the same number.  The report of a peer that dialled
 * this node is used unchanged.
 */
#ifndef GN_NODE_OWN_H
#define GN_NODE_OWN_H

#include "addr/multiaddr.h"
#include "base/list.h"

#define GN_OWN_CONFIRMATIONS 4
#define GN_OWN_OBSERVED_TIME (3600 * GN_SEC)
#define GN_OWN_OBSERVED_MAX 16
#define GN_OWN_PER_OBSERVER 2
#define GN_OWN_OBSERVERS_MAX 8 /* of an address; further ones only prolong its life */
#define GN_OWN_MAX 64          /* addresses of each other origin */
#define GN_OWN_REACH_MAX 64    /* addresses whose reachability is known */

/* The order in which addresses are listed. */
enum gn_own_origin {
	GN_OWN_ANNOUNCED, /* the user named it */
	GN_OWN_MAPPED,    /* a port mapping (NAT-PMP, PCP, UPnP) */
	GN_OWN_LISTENING, /* a listener */
	GN_OWN_OBSERVED,  /* peers reported it */
	GN_OWN_RESERVED,  /* a reservation with a relay */
};
#define GN_OWN_ORIGINS 5

enum gn_own_state { GN_OWN_CANDIDATE, GN_OWN_ADVERTISED };

struct gn_own_observer {
	uint64_t network;
	gn_time reported;
};

struct gn_own_addr {
	struct gn_list link;
	struct gn_multiaddr *addr;
	enum gn_own_origin origin;
	enum gn_own_state state;
	gn_time expires;  /* the address is valid before this instant; GN_NEVER: always */
	gn_time reported; /* observed: when last */
	unsigned n_observers;
	struct gn_own_observer observers[GN_OWN_OBSERVERS_MAX]; /* observed: in different networks */
};

/* Whether others can connect to an address, while that is known. */
struct gn_own_reach {
	struct gn_list link;
	struct gn_multiaddr *addr;
	enum gn_reach reach; /* never UNKNOWN */
};

struct gn_own {
	struct gn_list addrs[GN_OWN_ORIGINS];
	unsigned n[GN_OWN_ORIGINS];
	struct gn_list reaches; /* struct gn_own_reach */
	unsigned n_reaches;
};

void gn_own_init(struct gn_own *own); /* takes no memory */
void gn_own_fini(struct gn_own *own);

/* Functions that change the table report in *changed whether the advertised addresses became other ones,
 * so that peers have to be notified. */

/* Adds an address of any origin but GN_OWN_OBSERVED, which is copied, or sets the lifetime of one that is
 * there. Returns 0; GN_ELIMIT: there are GN_OWN_MAX of that origin; -ENOMEM. */
int gn_own_add(struct gn_own *own, enum gn_own_origin origin, const struct gn_multiaddr *addr, gn_time expires,
	       bool *changed);
/* Removes an address; false when there is none of that origin.  The advertised addresses became other ones
 * then, unless the same address is advertised by another origin. */
bool gn_own_del(struct gn_own *own, enum gn_own_origin origin, const struct gn_multiaddr *addr, bool *changed);

struct gn_own_report {
	const struct gn_multiaddr *observed; /* the address of this node that the peer reports */
	const struct gn_multiaddr *observer; /* the peer's own address, as this node sees it */
	bool is_inbound;                     /* the peer dialled this node */
	bool is_from_listener;               /* this node dialled from an address on which it listens */
};
/* Uses a peer's report.  Returns 0, also when the report is not used; or -ENOMEM. */
int gn_own_observe(struct gn_own *own, const struct gn_own_report *report, gn_time now, bool *changed);

/* own_reach.c.  Sets whether others can connect to an address, without /p2p, that is in the table, in either state, or
 * that a listener on every interface stands for: the same but for the IP address.  It neither confirms an address nor
 * withdraws it.  When no address of the table covers it any more, it becomes UNKNOWN again.  *changed: it was another
 * one before.  GN_ENONAME: it is not covered by the table; GN_ELIMIT: GN_OWN_REACH_MAX; -ENOMEM. */
int gn_own_set_reach(struct gn_own *own, const struct gn_multiaddr *addr, enum gn_reach reach, bool *changed);
enum gn_reach gn_own_reach(const struct gn_own *own, const struct gn_multiaddr *addr);
/* For own.c: forgets addresses that the table no longer covers. */
void gn_own_reach_prune(struct gn_own *own);

/* Removes what has expired at `now`. */
void gn_own_expire(struct gn_own *own, gn_time now, bool *changed);
/* The next instant at which gn_own_expire() removes something; GN_NEVER: there is none. */
gn_time gn_own_next_expiry(const struct gn_own *own);

/* Writes up to `room` advertised addresses that are valid at `now` to out, each once, in the order of
 * enum gn_own_origin and of their addition.  Returns their number.  They stay valid until the next change. */
size_t gn_own_advertised(const struct gn_own *own, gn_time now, const struct gn_multiaddr **out, size_t room);

#endif
