/* SPDX-License-Identifier: MIT */
/*
 * Ping (specs ping/ping.md): 32 bytes go out, and come back.
 *
 *     ping.c     the service, which sends them back
 *     ping_op.c  gn_ping_start() and _cancel()
 */
#ifndef GN_PROTOCOLS_PING_H
#define GN_PROTOCOLS_PING_H

#include "node/conn.h"
#include "node/stream.h"

#define GN_PING_ID "/ipfs/ping/1.0.0"

enum {
	GN_PING_LEN = 32,
	GN_PING_STREAMS = 2,  /* that a peer may have open on a connection, as in go and js */
	GN_PING_SILENCE = 30, /* s: longer than the 15 s that rust lets pass between two */
	GN_PING_INTERVAL = 1, /* s, if nothing else was said */
	GN_PING_LIMIT = 10,   /* s, likewise */
};

struct gn_ping_service {
	struct gn_node *node;
	struct gn_list streams;
	struct gn_list ops; /* struct gn_ping */
};

/* Frees all of them, without a word. */
void gn_ping_ops_free(struct gn_ping_service *service);
/* Those on the connection are over. */
void gn_ping_ops_gone(struct gn_ping_service *service, const struct gn_conn *c);

#endif
