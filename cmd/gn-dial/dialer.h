/* SPDX-License-Identifier: MIT */
/* dialer: what gn-dial was told, and the loop and node that its three jobs share. */
#ifndef CMD_GN_DIAL_DIALER_H
#define CMD_GN_DIAL_DIALER_H

#include "common/address.h"
#include "common/identity.h"
#include "common/attempts.h"
#include "common/limit.h"
#include "common/streamlog.h"
#include "common/opt.h"
#include "common/wire.h"
#include "gn.h"

struct cfg {
	struct identity_cfg key;
	gn_time wait; /* -w, 0: the node's */
	struct wire wire;
	struct streamlog_cfg log;
	bool identify, ping, recv_only;
	unsigned pings; /* 0: until interrupted */
	gn_time interval;
	struct gn_limits limits;
};

struct dialer {
	struct cfg cfg;
	struct gn_loop *loop;
	struct gn_node *node;
	struct gn_peer_id self;
	struct address address;
	const char *protocol; /* NULL with --ping and --identify */
	char *const *argv;    /* NULL: stdin and stdout */
	struct attempts attempts;
	int code;   /* of the tool */
	int signal; /* it dies of this in the end; 0: it does not */
	bool closing;
};

/* The part of every gn_dial_cfg; arg is the dialer. */
void dialer_cfg(struct dialer *d, struct gn_dial_cfg *out);
/* The dial failed: says so, with the table under -v, and closes with the code for it. */
void dialer_failed(struct dialer *d, int err);
/* The job is done: closes the node in good order, which ends the loop. */
void dialer_close(struct dialer *d, int code);

/* The jobs: each starts, and calls one of the two above when it has ended.  0 or an error
 * of gn.h.  _stop is called once, before the node goes. */
int stream_start(struct dialer *d);
void stream_stop(void);
/* Resets the stream and ends the program; dialer_close() follows when it has ended.  False: there is none. */
bool stream_end_program(void);
int ping_start(struct dialer *d);
void ping_stop(void);
int identify_start(struct dialer *d);
void identify_stop(void);

#endif
