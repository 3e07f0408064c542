/* SPDX-License-Identifier: MIT */
/* dialer: gn-dial's configuration, and the state that its three jobs (stream, ping, identify) share. */
#ifndef CMD_GN_DIAL_DIALER_H
#define CMD_GN_DIAL_DIALER_H

#include "common/identity.h"
#include "common/attempts.h"
#include "common/limit.h"
#include "common/streamlog.h"
#include "common/targets.h"
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
	struct targets targets;
	const char *protocol; /* NULL with --ping and --identify */
	char *const *argv;    /* NULL: stdin and stdout */
	struct attempts attempts;
	int code;   /* the exit code */
	int signal; /* the signal that ends the tool; 0: none */
	bool closing;
};

/* Fills in the target of a job's operation, whose arg has to be the dialer. */
void dialer_target(struct dialer *d, struct gn_target *out);
/* To be called when the dial has failed: reports it, with -v also the attempts, and closes with the code
 * for err. */
void dialer_failed(struct dialer *d, int err);
/* To be called when the job has ended: closes the node in good order, which ends the loop. */
void dialer_close(struct dialer *d, int code);

/* The jobs.  _start returns 0 or an error of gn.h; one of the two functions above is called when the job
 * has ended. _stop releases everything; it may be called several times, and must be called before the node
 * is freed. */
int stream_start(struct dialer *d);
void stream_stop(void);
/* Resets the stream and ends the program; dialer_close() is called when the program has ended.  Returns
 * false if no program runs. */
bool stream_end_program(void);
int ping_start(struct dialer *d);
void ping_stop(void);
int identify_start(struct dialer *d);
void identify_stop(void);

#endif
