/* SPDX-License-Identifier: MIT */
/* address: a multiaddr as a tool takes it, gn-address(7): MULTIADDR or MULTIADDR#TOKEN. */
#ifndef CMD_COMMON_ADDRESS_H
#define CMD_COMMON_ADDRESS_H

#include "gn.h"
#include "say.h"

#define ADDRESS_TOKEN_MAX 64 /* characters of base32 alphabet, lower case */

struct address {
	struct gn_multiaddr *addr;
	struct gn_peer_id peer;            /* len 0: it does not end in /p2p/ID */
	char token[ADDRESS_TOKEN_MAX + 1]; /* "": none */
};

/* 0, or -1 and a fault that shows the place at which it went wrong. */
int address_parse(const char *text, struct address *out, struct fault *f);
/* The same, and it must end in /p2p/ID. */
int address_parse_peer(const char *text, struct address *out, struct fault *f);
void address_fini(struct address *a);
/* A peer id in any textual form. */
int address_parse_id(const char *text, struct gn_peer_id *out, struct fault *f);

#endif
