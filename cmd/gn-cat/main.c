/* SPDX-License-Identifier: MIT */
/* gn-cat: a pipe between two peers, in both directions. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cat.h"
#include "common/events.h"
#include "common/exit.h"
#include "common/fdio.h"
#include "common/identity.h"
#include "common/protocol.h"
#include "common/secret.h"
#include "common/signals.h"
#include "protocol.h"
#include "token.h"

/* A chunk with its head fills four yamux bodies in full Noise records, so that a read results in one write. */
#define READ_MAX ((size_t)4 * 65507 - 4)

static const struct opt opts[] = {
	{'l', "listen", NULL, "listen, and serve one stream", opt_flag, offsetof(struct cat_cfg, listen)},
	{0, "keep", NULL, "-l: serve one stream after the other", opt_flag, offsetof(struct cat_cfg, keep)},
	IDENTITY_OPTS(struct cat_cfg, key, "the identity (GN_KEY_FILE, the default key, else one for this run)"),
	{'p', "proto", "PROTO", "raw bytes over this protocol, for any libp2p program", opt_string,
	 offsetof(struct cat_cfg, proto)},
	{0, "allow", "ID", "-l: let this peer in and no other; may be repeated", opt_list,
	 offsetof(struct cat_cfg, allow)},
	{0, "open", NULL, "-l: let everyone in, without a token", opt_flag, offsetof(struct cat_cfg, open)},
	ANNOUNCE_OPT(struct cat_cfg, announce),
	{0, "token-file", "FILE", "-l: keep the token in this file across restarts; made if missing", opt_string,
	 offsetof(struct cat_cfg, token_file)},
	{0, "ready-fd", "FD", "-l: write the addresses to it when reachable, then close it", opt_fd,
	 offsetof(struct cat_cfg, ready_fd)},
	{0, "recv-only", NULL, "do not read standard input", opt_flag, offsetof(struct cat_cfg, recv_only)},
	{0, "send-only", NULL, "write nothing; end when everything was sent", opt_flag,
	 offsetof(struct cat_cfg, send_only)},
	{'w', "wait", "TIME", "time limit for the peer to answer (15s)", opt_time, offsetof(struct cat_cfg, wait)},
	{'i', "idle", "TIME", "end when no byte moves for this time (never)", opt_time, offsetof(struct cat_cfg, idle)},
	LIMIT_OPT(struct cat_cfg, limits),
	{0, "progress", NULL, "show bytes, rate and time left", opt_flag, offsetof(struct cat_cfg, progress)},
	{'j', "json", NULL, "events on stderr as JSON objects", opt_flag, offsetof(struct cat_cfg, log.json)},
	{'v', "verbose", NULL, "print more, such as each address tried; twice: debug output", opt_count,
	 offsetof(struct cat_cfg, log.verbose)},
};

static const struct opt_tool tool = {
	.name = "gn-cat",
	.usage = "-l [-jv] [-k FILE] [--keep] [-p PROTO] [--allow ID]... [--open] [--announce ADDR]..."
		 " [--token-file FILE] [--ready-fd N] [-i TIME] [ADDR]...\n"
		 "[-jv] [-k FILE] [-p PROTO] [-w TIME] [-i TIME] ADDR...",
	.about = "Sends standard input to a peer, and writes what the peer sends to standard output.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "gn-cat(1) has examples, gn-address(7) the addresses.",
};

static void cat_on_signal(void *arg, int sig)
{
	struct cat *c = arg;

	(c->cfg.listen ? listen_on_signal : dial_on_signal)(c, sig);
}

static void check_listener(struct cat *c, const struct opt_args *args)
{
	struct fault f;

	if (c->cfg.wait != 0)
		die_usage("-w is for the side that dials");
	if (c->cfg.token_file != NULL && (c->cfg.open || c->cfg.proto != NULL))
		die_usage("--token-file: with %s there is no token", c->cfg.open ? "--open" : "-p");
	if (allow_init(&c->allow, &c->cfg.allow, &f) ||
	    listening_init(&c->listening, (const char *const *)args->operands, (size_t)args->n, &f) ||
	    listening_announce(&c->listening, &c->cfg.announce, &f))
		die_usage("%s", f.text);
}

static void check_dialer(struct cat *c, const struct opt_args *args)
{
	const char *listeners = c->cfg.keep                 ? "--keep"
				: c->cfg.open               ? "--open"
				: c->cfg.allow.n            ? "--allow"
				: c->cfg.announce.n         ? "--announce"
				: c->cfg.token_file != NULL ? "--token-file"
				: c->cfg.ready_fd >= 0      ? "--ready-fd"
							    : NULL;

	if (listeners != NULL)
		die_usage("%s goes with -l only", listeners);
	if (args->n == 0)
		die_usage("ADDR is missing; to listen: -l");
	targets_take(args->operands, (size_t)args->n, &c->targets);
}

/* If exactly one of stdin and stdout is a terminal, data goes in one direction only. */
static void cat_set_directions(struct cat_cfg *cfg)
{
	bool in = isatty(STDIN_FILENO), out = isatty(STDOUT_FILENO);

	if (cfg->recv_only && cfg->send_only)
		die_usage("either --recv-only or --send-only");
	if (!cfg->recv_only && !cfg->send_only) {
		cfg->recv_only = in && !out;
		cfg->send_only = out && !in;
	}
	if (isatty(STDERR_FILENO) && !cfg->log.json && ((!in && !cfg->recv_only) || (!out && !cfg->send_only)))
		cfg->progress = true;
}

/* A listener has a token unless --open admits everyone or --allow names the peers. */
static void cat_set_token(struct cat *c)
{
	if (c->cfg.token_file != NULL)
		token_of_file(c->cfg.token_file, c->cfg.key.any_mode, c->token);
	else if (!c->cfg.open && c->cfg.allow.n == 0)
		token_new(c->token);
}

/* The protocol is PROTO with raw bytes; or /gn/cat/1.0.0, followed by the token if there is one. */
static void cat_set_protocol(struct cat *c)
{
	struct fault f;

	c->raw = c->cfg.proto;
	if (c->raw) {
		if (protocol_check(c->cfg.proto, &f))
			die_usage("%s", f.text);
		snprintf(c->protocol, sizeof c->protocol, "%s", c->cfg.proto);
		return;
	}
	if (c->cfg.listen)
		cat_set_token(c);
	else
		memcpy(c->token, c->targets.token, sizeof c->token);
	snprintf(c->protocol, sizeof c->protocol, "%s%s%s", CAT_PROTOCOL, c->token[0] ? "/" : "", c->token);
	c->cfg.log.protocol = CAT_PROTOCOL;
}

/* allow_gate() with struct cat as arg, which all callbacks of the node's configuration share. */
static int gate(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound)
{
	return allow_gate(&((struct cat *)arg)->allow, peer, remote, inbound);
}

static void cat_start_node(struct cat *c)
{
	struct gn_key *key = identity_load(&c->cfg.key, c->cfg.log.verbose && !c->cfg.log.json);
	struct gn_node_cfg nc;
	int err;

	gn_node_cfg_init(&nc);
	nc.loop = c->loop;
	nc.key = key;
	nc.limits = c->cfg.limits;
	limits_for_one_peer(&nc.limits);
	nc.gate = gate;
	nc.on_event = c->cfg.log.json ? events_print : NULL;
	if (c->cfg.listen)
		nc.on_unknown_protocol = listen_on_unknown;
	nc.arg = c;
	err = gn_node_new(&nc, &c->node);
	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	gn_key_free(key);
}

static void cat_open_stdio(struct cat *c)
{
	const struct input_cfg in = {.fd = STDIN_FILENO, .ring = INPUT_READ_MAX, .read_max = READ_MAX};
	int err = 0;

	c->in_size = fdio_size(STDIN_FILENO);
	if (!c->cfg.recv_only)
		err = input_new(c->loop, &in, &c->in);
	if (err != 0)
		die(EXIT_LOCAL, "standard input: %s", gn_strerror(err));
	if (!c->cfg.send_only)
		err = output_new(c->loop, STDOUT_FILENO, false, &c->out);
	if (err != 0)
		die(EXIT_LOCAL, "standard output: %s", gn_strerror(err));
	if (c->cfg.progress && progress_new(c->loop, carry_moved, c, &c->progress))
		die_memory();
}

static void cat_start(struct cat *c)
{
	int err = gn_loop_new(&c->loop);

	if (err == 0)
		err = signals_open(c->loop);
	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	cat_open_stdio(c);
	cat_start_node(c);
	signals_on(SIGTERM, cat_on_signal, c);
	signals_on(SIGINT, cat_on_signal, c);
	signals_on(SIGHUP, cat_on_signal, c);
	err = c->cfg.listen ? listen_start(c) : dial_start(c);
	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
}

static void cat_stop(struct cat *c)
{
	carry_stop(c);
	if (c->cfg.listen)
		listen_stop(c);
	else
		dial_stop(c);
	gn_node_free(c->node);
	input_free(c->in);
	output_free(c->out);
	progress_free(c->progress);
	signals_close();
	gn_loop_free(c->loop);
	listening_fini(&c->listening);
	allow_fini(&c->allow);
	targets_fini(&c->targets);
	secret_wipe(c->token, sizeof c->token);
	secret_wipe(c->protocol, sizeof c->protocol);
	attempts_fini(&c->attempts);
	opt_list_free(&c->cfg.allow);
}

int main(int argc, char **argv)
{
	struct cat c = {.cfg = {.ready_fd = -1}};
	struct opt_args args;
	int err;

	gn_limits_init(&c.cfg.limits);
	opt_begin(&tool, &c.cfg, argc, argv, &args);
	(c.cfg.listen ? check_listener : check_dialer)(&c, &args);
	cat_set_directions(&c.cfg);
	cat_set_protocol(&c);
	diag_library(c.cfg.log.verbose);
	cat_start(&c);
	err = gn_loop_run(c.loop);
	if (err != 0)
		diag("%s", gn_strerror(err));
	cat_stop(&c);
	if (c.signal)
		exit_by_signal(c.signal);
	return err != 0 ? EXIT_LOCAL : c.code;
}
