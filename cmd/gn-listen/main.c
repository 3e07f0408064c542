/* SPDX-License-Identifier: MIT */
/* gn-listen: serves streams of a protocol, on stdin and stdout or by a program for each. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/allow.h"
#include "common/events.h"
#include "common/exit.h"
#include "common/identity.h"
#include "common/listening.h"
#include "common/program.h"
#include "common/protocol.h"
#include "common/signals.h"
#include "gn.h"
#include "options.h"
#include "serve.h"

/* SERVING           -- a signal --> DRAINING
 * SERVING, DRAINING -- SIGQUIT --> STOPPING
 * DRAINING          -- another signal --> STOPPING
 */
enum phase { PHASE_SERVING, PHASE_DRAINING, PHASE_STOPPING };

struct listener {
	struct cfg cfg;
	struct gn_loop *loop;
	struct gn_node *node;
	struct gn_peer_id self;
	struct allow allow;
	struct listening listening;
	struct serve *serve;
	enum phase phase;
	int code, signal;
	bool node_closed, serve_ended;
};

static void check_end(struct listener *l)
{
	if (l->serve_ended && (l->node_closed || l->signal))
		gn_loop_stop(l->loop);
}

static void listen_on_closed(void *arg)
{
	struct listener *l = arg;

	l->node_closed = true;
	check_end(l);
}

static void on_served(void *arg)
{
	struct listener *l = arg;

	l->serve_ended = true;
	check_end(l);
}

/* Explains why the tool does not end at once.  On a terminal somebody has typed Ctrl-C and waits. */
static void listen_print_drain(const struct listener *l)
{
	if (!serve_has_streams(l->serve) || l->cfg.log.json)
		return;
	if (l->cfg.log.verbose || isatty(STDERR_FILENO))
		diag("ending: open streams have %.1f s; a second signal resets them",
		     (double)l->cfg.drain / (double)GN_SEC);
}

/* The first signal: no new streams, but open ones may finish.  The second signal, or SIGQUIT: they are
 * reset, and their programs are terminated.  The third: programs are killed. */
static void listen_on_stop_signal(void *arg, int sig)
{
	struct listener *l = arg;

	if (l->phase == PHASE_STOPPING) {
		programs_signal(SIGKILL);
		gn_loop_stop(l->loop);
	} else if (l->phase == PHASE_DRAINING || sig == SIGQUIT) {
		l->phase = PHASE_STOPPING;
		l->signal = sig;
		gn_node_unlisten(l->node);
		serve_stop(l->serve);
	} else {
		l->phase = PHASE_DRAINING;
		if (gn_node_close(l->node, l->cfg.drain, listen_on_closed, l))
			l->node_closed = true;
		serve_drain(l->serve, l->cfg.drain);
		listen_print_drain(l);
	}
}

static void on_broken(void *arg, int code)
{
	struct listener *l = arg;

	l->code = code;
	if (gn_node_close(l->node, GN_SEC / 2, listen_on_closed, l))
		l->node_closed = true;
	serve_stop(l->serve);
	check_end(l);
}

static void listen_start_node(struct listener *l)
{
	struct gn_key *key = identity_load(&l->cfg.key, l->cfg.log.verbose && !l->cfg.log.json);
	struct gn_node_cfg nc;
	int err;

	gn_node_cfg_init(&nc);
	nc.loop = l->loop;
	nc.key = key;
	nc.limits = l->cfg.limits;
	nc.gate = allow_gate;
	nc.on_event = l->cfg.log.json ? events_print : NULL;
	nc.arg = &l->allow;
	err = gn_node_new(&nc, &l->node);
	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	gn_node_id(l->node, &l->self);
	gn_key_free(key);
}

static void start_serving(struct listener *l, const struct opt_args *args)
{
	const struct serve_cfg sc = {
		.loop = l->loop,
		.self = &l->self,
		.argv = args->program,
		.conc = l->cfg.conc,
		.is_one_peer = l->cfg.allow.n == 1,
		.recv_only = l->cfg.recv_only,
		.idle = l->cfg.idle,
		.frames = l->cfg.wire.frames,
		.format = l->cfg.wire.format,
		.format_out = l->cfg.wire.format_out,
		.max_frame = l->cfg.wire.max_frame,
		.log = &l->cfg.log,
		.on_broken = on_broken,
		.on_ended = on_served,
		.arg = l,
	};
	int err = serve_new(&sc, &l->serve);

	if (err != 0)
		die(EXIT_LOCAL, "standard input or output: %s", gn_strerror(err));
	for (int i = 0; i < args->n; i++) {
		const struct gn_protocol_cfg pc = {
			.id = args->operands[i],
			.kind = l->cfg.wire.frames ? GN_FRAMES : GN_BYTES,
			.max_frame = l->cfg.wire.max_frame,
			.on_open = serve_open,
			.arg = l->serve,
		};

		err = gn_protocol_add(l->node, &pc);
		if (err != 0)
			die_usage("%s: %s", pc.id, gn_strerror(err));
	}
}

static void start_listening(struct listener *l)
{
	int err = listening_start(&l->listening, l->node, NULL);

	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	signals_on(SIGTERM, listen_on_stop_signal, l);
	signals_on(SIGINT, listen_on_stop_signal, l);
	signals_on(SIGHUP, listen_on_stop_signal, l);
	signals_on(SIGQUIT, listen_on_stop_signal, l);
	listening_show(&l->listening, l->cfg.log.json, l->cfg.log.verbose > 0);
	err = listening_ready(&l->listening, l->cfg.ready_fd);
	if (err != 0)
		die(EXIT_LOCAL, "--ready-fd: %s", gn_strerror(err));
}

static void listen_check(struct listener *l, const struct opt_args *args)
{
	struct fault f;

	if (args->n == 0)
		die_usage("PROTO is missing");
	for (int i = 0; i < args->n; i++)
		if (protocol_check(args->operands[i], &f))
			die_usage("%s", f.text);
	if (wire_set_defaults(&l->cfg.wire, args->program, &f) || allow_init(&l->allow, &l->cfg.allow, &f) ||
	    listening_init(&l->listening, l->cfg.addrs.v, l->cfg.addrs.n, &f) ||
	    listening_announce(&l->listening, &l->cfg.announce, &f))
		die_usage("%s", f.text);
	if (l->cfg.recv_only && args->program != NULL)
		die_usage("--recv-only goes with standard input and output only");
	l->cfg.log.program = args->program;
}

int main(int argc, char **argv)
{
	struct listener l = {.cfg = {.conc = 40, .ready_fd = -1, .drain = 5 * GN_SEC}};
	struct opt_args args;
	int err;

	gn_limits_init(&l.cfg.limits);
	opt_begin(&listen_tool, &l.cfg, argc, argv, &args);
	listen_check(&l, &args);
	diag_library(l.cfg.log.verbose);
	err = gn_loop_new(&l.loop);
	if (err == 0)
		err = signals_open(l.loop);
	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	listen_start_node(&l);
	start_serving(&l, &args);
	start_listening(&l);
	err = gn_loop_run(l.loop);
	if (err != 0)
		diag("%s", gn_strerror(err));
	serve_free(l.serve);
	gn_node_free(l.node);
	programs_close();
	signals_close();
	gn_loop_free(l.loop);
	listening_fini(&l.listening);
	allow_fini(&l.allow);
	opt_list_free(&l.cfg.addrs);
	opt_list_free(&l.cfg.allow);
	if (l.signal)
		exit_by_signal(l.signal);
	return err != 0 ? EXIT_LOCAL : l.code;
}
