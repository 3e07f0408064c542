/* SPDX-License-Identifier: MIT */
/* targets: the addresses of one peer that a tool dials; the library races them. */
#ifndef CMD_COMMON_TARGETS_H
#define CMD_COMMON_TARGETS_H

#include "address.h"

struct targets {
	const struct gn_multiaddr **addrs; /* for struct gn_target; owned by the targets */
	size_t n;
	struct gn_peer_id peer;
	char token[ADDRESS_TOKEN_MAX + 1]; /* "": none */
};

/* Parses n > 0 strings of argv with address_take_peer().  All must name the same peer, and those that have
 * a token the same token; else, or after another failure, the tool ends with EXIT_USAGE or the code of
 * address_take_peer().  The strings no longer show their tokens afterwards. */
void targets_take(char **args, size_t n, struct targets *out);
/* A text for messages about all addresses, "ADDR" or "ADDR (and 2 more)", in memory that the caller frees;
 * NULL when out of memory. */
char *targets_format(const struct targets *t);
/* Frees the addresses and wipes the token. */
void targets_fini(struct targets *t);

#endif
