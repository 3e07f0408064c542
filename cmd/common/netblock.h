/* SPDX-License-Identifier: MIT */
/*
 * netblock: the network that a peer is in (an IPv4 address or an IPv6 /64), and how many lines may be
 * printed about it.
 *
 * Any host can cause lines on standard error.  Lines about one network are therefore limited by a token
 * bucket: NETBLOCK_BURST at once, then one per second.  Suppressed lines are counted and reported by one
 * line, "N lines about ADDR were left out".  The table is bounded (NETBLOCK_MAX); when it is full of
 * recently active networks, all other networks share one bucket.
 */
#ifndef CMD_COMMON_NETBLOCK_H
#define CMD_COMMON_NETBLOCK_H

#include "gn.h"

#define NETBLOCK_MAX 256
#define NETBLOCK_BURST 10
#define NETBLOCK_TEXT_MAX 64

/* Unused bytes are zero, so that netblocks compare with memcmp(). */
struct netblock {
	uint8_t family;   /* 4 or 6; 0: no IP address (all such addresses are one netblock) */
	uint8_t bytes[8]; /* the IPv4 address, or the first 64 bits of the IPv6 address */
};

/* The netblock of a multiaddr.  An IPv4-mapped IPv6 address counts as IPv4.  addr may be NULL (family 0). */
void netblock_of(const struct gn_multiaddr *addr, struct netblock *out);
/* Whether it belongs to the loopback: 127.0.0.0/8, or ::1. */
bool netblock_is_loopback(const struct netblock *b);
bool netblock_is_equal(const struct netblock *a, const struct netblock *b);
/* Formats "192.0.2.7", "2001:db8:0:7::/64" or "other addresses"; returns text. */
const char *netblock_format(const struct netblock *b, char text[NETBLOCK_TEXT_MAX]);

/* Whether a line about it may be printed now, for callers that do not print through diag_from() of diag.h
 * (JSON).  If lines were suppressed before, it first prints how many. */
bool netblock_may_print(const struct netblock *b);

/* The limiter without a clock and without output, for netblock_may_print() and tests. */
struct netblock_entry {
	struct netblock block;
	gn_time refilled; /* when a whole token was last added */
	gn_time last;     /* when a line was last requested; 0: the entry is free */
	unsigned tokens;
	uint64_t suppressed;
};
struct netblock_table {
	struct netblock_entry entry[NETBLOCK_MAX + 1]; /* the last one is shared by the networks that have no other */
	gn_time swept;
};
/* Takes a token for a line.  Returns false if there is none; the line is then counted as suppressed.
 * on_suppressed(): called for each netblock whose count of suppressed lines is due to be reported. */
bool netblock_take(struct netblock_table *t, const struct netblock *b, gn_time now,
		   void (*on_suppressed)(const struct netblock *b, uint64_t n));

#endif
