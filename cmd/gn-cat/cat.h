/* SPDX-License-Identifier: MIT */
/* cat: gn-cat's configuration, and the state that its two roles, listener and dialer, share. */
#ifndef CMD_GN_CAT_CAT_H
#define CMD_GN_CAT_CAT_H

#include "common/address.h"
#include "common/allow.h"
#include "common/identity.h"
#include "common/attempts.h"
#include "common/limit.h"
#include "common/listening.h"
#include "common/streamlog.h"
#include "common/targets.h"
#include "common/opt.h"
#include "progress.h"
#include "stream.h"

struct cat_cfg {
	bool listen, keep, open, recv_only, send_only, progress;
	struct identity_cfg key;
	const char *proto, *token_file;
	struct opt_list allow, announce;
	int ready_fd;
	gn_time wait, idle;
	struct gn_limits limits;
	struct streamlog_cfg log;
};

struct cat {
	struct cat_cfg cfg;
	struct gn_loop *loop;
	struct gn_node *node;
	struct allow allow;
	struct listening listening; /* with -l */
	struct targets targets;     /* without -l */
	struct attempts attempts;
	char protocol[1100];               /* PROTO, or /gn/cat/1.0.0 with the token */
	char token[ADDRESS_TOKEN_MAX + 1]; /* "": none */
	bool raw;
	struct input *in;          /* NULL: only receives */
	long long in_size;         /* bytes of standard input if it is a regular file, else -1 */
	struct output *out;        /* NULL: only sends */
	struct progress *progress; /* NULL: none is shown */
	int code;                  /* the exit code */
	int signal;                /* the signal that ends the tool; 0: none */
	bool closing;

	/* the stream that is carried; carry.c */
	struct stream *stream;
	struct streamlog log;
	bool is_sized; /* standard input is a file with a size: progress counts sent bytes only */
	void (*on_done)(struct cat *c, const struct stream_result *v);
};

/* Closes the node in good order within `limit`, which ends the loop; the tool then exits with code. */
void cat_close(struct cat *c, int code, gn_time limit);

/* Connects a channel with standard input and output, with log lines and progress.  It takes ownership of
 * the channel, also on failure.  on_done: called once, on the loop, after the result was printed. */
int carry_start(struct cat *c, struct gn_channel *ch, void (*on_opened)(void *arg),
		void (*on_done)(struct cat *c, const struct stream_result *v));
/* Resets the stream, if there is one. */
void carry_stop(struct cat *c);
uint64_t carry_moved(void *c); /* for progress_new() */

/* The roles.  _start returns 0 or an error of gn.h; _stop releases everything, and is called before the
 * node is freed. */
int listen_start(struct cat *c);
void listen_on_signal(struct cat *c, int sig);
/* For gn_node_cfg.on_unknown_protocol. */
void listen_on_unknown(void *c, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, const char *protocol);
void listen_stop(struct cat *c);
int dial_start(struct cat *c);
void dial_on_signal(struct cat *c, int sig);
void dial_stop(struct cat *c);

#endif
