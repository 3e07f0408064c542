/* SPDX-License-Identifier: MIT */
/* gn-listen: serves streams of a protocol, on stdin and stdout or by a program each. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "common/allow.h"
#include "common/exit.h"
#include "common/identity.h"
#include "common/limit.h"
#include "common/listening.h"
#include "common/opt.h"
#include "common/protocol.h"
#include "common/signals.h"
#include "common/wire.h"
#include "gn.h"
#include "serve.h"

struct cfg {
	struct identity_cfg key;
	struct opt_list addrs, allow;
	unsigned conc;
	struct wire wire;
	int ready_fd;
	gn_time drain;
	struct gn_limits limits;
	struct note_cfg note;
};

static const struct opt opts[] = {
	IDENTITY_OPTS(struct cfg, key, "the identity (GN_KEY_FILE, the default key, else one for this run)"),
	{'a', "addr", "ADDR", "listen there; may be repeated (every interface, a free port)", opt_list,
	 offsetof(struct cfg, addrs)},
	{'c', "conc", "N", "programs at once, others wait (40)", opt_number, offsetof(struct cfg, conc)},
	{0, "allow", "ID", "let this peer in and no other; may be repeated", opt_list, offsetof(struct cfg, allow)},
	{'F', "form", "FORM", "locally: varint, line, text or raw (varint; on a terminal text; with a program raw)",
	 wire_opt_form_text, offsetof(struct cfg, wire)},
	{0, "wire", "WIRE", "on the network: frames or raw (frames; with a program raw)", wire_opt_wire,
	 offsetof(struct cfg, wire)},
	{0, "max-frame", "SIZE", "the longest frame, in bytes (1M)", opt_size, offsetof(struct cfg, wire.max_frame)},
	{0, "ready-fd", "FD", "write the addresses to it when reachable, then close it", opt_fd,
	 offsetof(struct cfg, ready_fd)},
	{0, "drain", "TIME", "what streams get to end at SIGTERM and SIGINT (5s)", opt_time,
	 offsetof(struct cfg, drain)},
	LIMIT_OPT(struct cfg, limits),
	{'j', "json", NULL, "events on stderr as JSON objects", opt_flag, offsetof(struct cfg, note.json)},
	{'v', "verbose", NULL, "say more; twice: all", opt_count, offsetof(struct cfg, note.verbose)},
};

static const struct opt_tool tool = {
	.name = "gn-listen",
	.usage = "[-jv] [-k FILE] [-a ADDR]... [-c N] [--allow ID]... [-F FORM] [--wire WIRE] PROTO... [-- PROG "
		 "ARGS...]",
	.about = "Serves streams of PROTO: one at a time on standard input and output, or by a program each.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "gn-listen(1) has examples, gn-address(7) the addresses.",
	.program = true,
};

struct listener {
	struct cfg cfg;
	struct gn_loop *loop;
	struct gn_node *node;
	struct gn_peer_id self;
	struct allow allow;
	struct listening listening;
	struct serve *serve;
	int code, signal;
	bool draining;
};

static void on_closed(void *arg)
{
	struct listener *l = arg;

	gn_loop_stop(l->loop);
}

/* The first: no new streams, those that are open may end.  The second: at once. */
static void on_signal(void *arg, int sig)
{
	struct listener *l = arg;

	if (l->draining || gn_node_close(l->node, l->cfg.drain, on_closed, l)) {
		l->signal = sig;
		gn_loop_stop(l->loop);
		return;
	}
	l->draining = true;
	if (l->cfg.note.verbose)
		say("ending: open streams have %.1f s", (double)l->cfg.drain / (double)GN_SEC);
}

static void on_broken(void *arg, int code)
{
	struct listener *l = arg;

	l->code = code;
	if (gn_node_close(l->node, GN_SEC / 2, on_closed, l))
		gn_loop_stop(l->loop);
}

static void start_node(struct listener *l)
{
	struct gn_key *key = identity_load(&l->cfg.key, l->cfg.note.verbose && !l->cfg.note.json);
	struct gn_node_cfg nc;
	int err;

	gn_node_cfg_init(&nc);
	nc.loop = l->loop;
	nc.key = key;
	nc.limits = l->cfg.limits;
	nc.gate = allow_gate;
	nc.arg = &l->allow;
	err = gn_node_new(&nc, &l->node);
	if (err)
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
		.frames = l->cfg.wire.frames,
		.form = l->cfg.wire.form,
		.form_out = l->cfg.wire.form_out,
		.max_frame = l->cfg.wire.max_frame,
		.note = &l->cfg.note,
		.on_broken = on_broken,
		.arg = l,
	};
	int err = serve_new(&sc, &l->serve);

	if (err)
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
		if (err)
			die_usage("%s: %s", pc.id, gn_strerror(err));
	}
}

static void start_listening(struct listener *l)
{
	int err = listening_start(&l->listening, l->node, NULL);

	if (err)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	signals_on(SIGTERM, on_signal, l);
	signals_on(SIGINT, on_signal, l);
	listening_show(&l->listening, l->cfg.note.json, l->cfg.note.verbose > 0);
	err = listening_ready(&l->listening, l->cfg.ready_fd);
	if (err)
		die(EXIT_LOCAL, "--ready-fd: %s", gn_strerror(err));
}

static void check(struct listener *l, const struct opt_args *args)
{
	struct fault f;

	if (!args->n)
		die_usage("PROTO is missing");
	for (int i = 0; i < args->n; i++)
		if (protocol_check(args->operands[i], &f))
			die_usage("%s", f.text);
	if (wire_settle(&l->cfg.wire, args->program, &f) || allow_init(&l->allow, &l->cfg.allow, &f) ||
	    listening_init(&l->listening, l->cfg.addrs.v, l->cfg.addrs.n, &f))
		die_usage("%s", f.text);
	l->cfg.note.program = args->program;
}

int main(int argc, char **argv)
{
	struct listener l = {.cfg = {.conc = 40, .ready_fd = -1, .drain = 5 * GN_SEC}};
	struct opt_args args;
	int err;

	gn_limits_init(&l.cfg.limits);
	opt_begin(&tool, &l.cfg, argc, argv, &args);
	check(&l, &args);
	say_library(l.cfg.note.verbose);
	err = gn_loop_new(&l.loop);
	if (!err)
		err = signals_open(l.loop);
	if (err)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	start_node(&l);
	start_serving(&l, &args);
	start_listening(&l);
	err = gn_loop_run(l.loop);
	if (err)
		say("%s", gn_strerror(err));
	serve_free(l.serve);
	gn_node_free(l.node);
	signals_close();
	gn_loop_free(l.loop);
	listening_fini(&l.listening);
	allow_fini(&l.allow);
	opt_list_free(&l.cfg.addrs);
	opt_list_free(&l.cfg.allow);
	if (l.signal)
		exit_by_signal(l.signal);
	return err ? EXIT_LOCAL : l.code;
}
