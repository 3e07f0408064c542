/* SPDX-License-Identifier: MIT */
/*
 * Ping (specs ping/ping.md): the peer sends back 32 bytes.
 *
 *     ping.c     the service, which answers
 *     ping_op.c  gn_ping_start() and _cancel()
 */
#ifndef GN_PROTOCOLS_PING_H
#define GN_PROTOCOLS_PING_H

#include "node/conn.h"
#include "node/stream.h"

#define GN_PING_ID "/ipfs/ping/1.0.0"

enum {
	GN_PING_LEN = 32,
	GN_PING_STREAMS = 2,  /* inbound streams on a connection at a time, as in go and js */
	GN_PING_SILENCE = 30, /* s without a byte that end an inbound stream; rust pings every 15 s */
	GN_PING_INTERVAL = 1, /* s between two pings, by default */
	GN_PING_LIMIT = 10,   /* s until an answer, by default */
};

struct gn_ping_service {
	struct gn_node *node;
	struct gn_list streams;
	struct gn_list ops; /* struct gn_ping */
};

/* The service is being stopped: frees all operations.  Unless the node is being freed, their on_done is called, with
 * GN_ECLOSED if they have no result. */
void gn_ping_ops_stop(struct gn_ping_service *service);
/* The connection has ended: its operations fail. */
void gn_ping_ops_gone(struct gn_ping_service *service, const struct gn_conn *c);

#endif
