/* SPDX-License-Identifier: MIT */
/*
 * origin: the network that a peer is in, and how many lines may be printed about it.
 *
 * Strangers can provoke lines on standard error.  Lines about one IPv4 address or IPv6 /64 are therefore limited
 * by a token bucket: ORIGIN_BURST at once, then one a second.  What was left out is counted, and told by a line
 * "N lines about ADDR were left out".  The table is bounded (ORIGIN_MAX); when it is full of networks that were
 * heard of lately, the other networks share one bucket.
 */
#ifndef CMD_COMMON_ORIGIN_H
#define CMD_COMMON_ORIGIN_H

#include "gn.h"

#define ORIGIN_MAX 256
#define ORIGIN_BURST 10
#define ORIGIN_TEXT_MAX 64

/* Comparable with memcmp(): bytes that are not used are zero. */
struct origin {
	uint8_t family;   /* 4; 6; 0: none of both (then all such addresses are one origin) */
	uint8_t bytes[8]; /* the IPv4 address, or the first 64 bits of the IPv6 address */
};

/* Of a multiaddr; an IPv4 address that is mapped into IPv6 counts as IPv4.  addr may be NULL. */
void origin_of(const struct gn_multiaddr *addr, struct origin *out);
/* "192.0.2.7", "2001:db8:0:7::/64", "other addresses". */
const char *origin_format(const struct origin *o, char text[ORIGIN_TEXT_MAX]);

/* Whether a line about it may be printed now, for lines that diag_from() of diag.h does not print itself (JSON).
 * Says how many were left out before, if any were. */
bool origin_may_print(const struct origin *o);

/* The limiter without a clock and without output, for origin_may_print() and tests. */
struct origin_entry {
	struct origin who;
	gn_time refilled; /* when a whole token was last added */
	gn_time last;     /* when a line was last asked for; 0: the entry is free */
	unsigned tokens;
	uint64_t left_out;
};
struct origin_table {
	struct origin_entry entry[ORIGIN_MAX + 1]; /* the last one is everybody's for whom there is no other */
	gn_time swept;
};
/* on_left_out() is called for each origin of which lines were left out, when that is to be told. */
bool origin_take(struct origin_table *t, const struct origin *o, gn_time now,
		 void (*on_left_out)(const struct origin *o, uint64_t n));

#endif
