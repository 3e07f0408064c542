/* SPDX-License-Identifier: MIT */
/* gn-dial: opens a stream to a peer, for stdin and stdout or for a program; measures round trips;
 * identifies a peer. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "common/events.h"
#include "common/exit.h"
#include "common/identity.h"
#include "common/number.h"
#include "common/program.h"
#include "common/protocol.h"
#include "common/signals.h"
#include "dialer.h"
#include "gn.h"

#define PINGS 4

static int opt_ping(const struct opt *o, const char *value, void *to, struct fault *f)
{
	struct cfg *cfg = to;
	uint64_t n = PINGS;

	(void)o;
	if (value != NULL && number_parse(value, 0, UINT_MAX, &n, f))
		return -1;
	cfg->ping = true;
	cfg->pings = (unsigned)n;
	return 0;
}

static const struct opt opts[] = {
	IDENTITY_OPTS(struct cfg, key, "the identity (GN_KEY_FILE, the default key, else one for this run)"),
	{'w', "wait", "TIME", "time limit for the peer to answer (15s)", opt_time, offsetof(struct cfg, wait)},
	{'F', "form", "FORMAT", "local format: varint, line, text or raw (varint; terminal: text; program: raw)",
	 wire_opt_format_text, offsetof(struct cfg, wire)},
	{0, "wire", "WIRE", "network format: frames or raw (frames; program: raw)", wire_opt_wire,
	 offsetof(struct cfg, wire)},
	{0, "max-frame", "SIZE", "the longest frame, in bytes (1M)", opt_size, offsetof(struct cfg, wire.max_frame)},
	{0, "recv-only", NULL, "do not read standard input; end our side after the peer's", opt_flag,
	 offsetof(struct cfg, recv_only)},
	{0, "ping", "[N]", "measure N round trips (4; 0: until interrupted)", opt_ping, 0},
	{'i', "interval", "TIME", "time between two pings (1s)", opt_time, offsetof(struct cfg, interval)},
	{0, "identify", NULL, "print the peer's agent, protocols and addresses", opt_flag,
	 offsetof(struct cfg, identify)},
	LIMIT_OPT(struct cfg, limits),
	{'j', "json", NULL, "results as JSON objects; events likewise, on stderr", opt_flag,
	 offsetof(struct cfg, log.json)},
	{'v', "verbose", NULL, "print more, such as each address tried; twice: debug output", opt_count,
	 offsetof(struct cfg, log.verbose)},
};

static const struct opt_tool tool = {
	.name = "gn-dial",
	.usage = "[-jv] [-k FILE] [-w TIME] [-F FORMAT] [--wire WIRE] [--recv-only] ADDR... PROTO [-- PROG ARGS...]\n"
		 "[-jv] [-k FILE] [-w TIME] [-i TIME] --ping[=N] ADDR...\n"
		 "[-jv] [-k FILE] [-w TIME] --identify ADDR...",
	.about = "Opens a stream of PROTO to the peer at ADDR, for standard input and output or for a program.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "gn-dial(1) has examples, gn-address(7) the addresses.",
	.program = true,
};

/* Resets the stream; the tool ends by the signal when the reset was sent. */
static void dial_on_stop_signal(void *arg, int sig)
{
	struct dialer *d = arg;

	if (d->signal) {
		stream_stop(); /* kills the program, so that it does not see an end of file that the peer has not sent */
		exit_by_signal(sig);
	}
	d->signal = sig;
	if (stream_end_program())
		return;
	stream_stop();
	ping_stop();
	identify_stop();
	dialer_close(d, 128 + sig);
}

static void dial_start_node(struct dialer *d)
{
	struct gn_key *key = identity_load(&d->cfg.key, d->cfg.log.verbose && !d->cfg.log.json);
	struct gn_node_cfg nc;
	int err;

	gn_node_cfg_init(&nc);
	nc.loop = d->loop;
	nc.key = key;
	nc.limits = d->cfg.limits;
	limits_for_one_peer(&nc.limits);
	nc.on_event = d->cfg.log.json ? events_print : NULL;
	err = gn_node_new(&nc, &d->node);
	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	gn_node_id(d->node, &d->self);
	gn_key_free(key);
}

/* Whether the text is an address of a peer, so that it cannot be meant as PROTO. */
static bool is_address(const char *text)
{
	struct address a;
	struct fault f;

	if (text[0] == '@')
		return true;
	if (address_parse_peer(text, &a, &f) != 0)
		return false;
	address_fini(&a);
	return true;
}

/* The operands are the addresses of a peer; without --ping and --identify the last one is PROTO. */
static void take_operands(struct dialer *d, const struct opt_args *args, bool has_proto)
{
	int n = has_proto ? args->n - 1 : args->n;
	struct fault f;

	if (args->n == 0)
		die_usage("ADDR is missing");
	if (has_proto && (n == 0 || is_address(args->operands[n])))
		die_usage("PROTO is missing");
	if (has_proto && protocol_check(args->operands[n], &f) != 0)
		die_usage("%s", f.text);
	targets_take(args->operands, (size_t)n, &d->targets);
	d->protocol = has_proto ? args->operands[n] : NULL;
}

static void dial_check(struct dialer *d, const struct opt_args *args)
{
	bool plain = !d->cfg.ping && !d->cfg.identify;
	struct fault f;

	if (d->cfg.ping && d->cfg.identify)
		die_usage("either --ping or --identify");
	if (!plain && args->program != NULL)
		die_usage("--ping and --identify run no program");
	if (d->cfg.recv_only && (args->program != NULL || !plain))
		die_usage("--recv-only goes with standard input and output only");
	take_operands(d, args, plain);
	if (wire_set_defaults(&d->cfg.wire, args->program, &f) != 0)
		die_usage("%s", f.text);
	d->argv = args->program;
	d->cfg.log.program = args->program;
}

static int start_job(struct dialer *d)
{
	if (d->cfg.ping)
		return ping_start(d);
	return d->cfg.identify ? identify_start(d) : stream_start(d);
}

int main(int argc, char **argv)
{
	struct dialer d = {.cfg = {.interval = GN_SEC}};
	struct opt_args args;
	int err;

	gn_limits_init(&d.cfg.limits);
	opt_begin(&tool, &d.cfg, argc, argv, &args);
	dial_check(&d, &args);
	diag_library(d.cfg.log.verbose);
	err = gn_loop_new(&d.loop);
	if (err == 0)
		err = signals_open(d.loop);
	if (err != 0)
		die(exit_code(err), "cannot start: %s", gn_strerror(err));
	dial_start_node(&d);
	signals_on(SIGTERM, dial_on_stop_signal, &d);
	signals_on(SIGINT, dial_on_stop_signal, &d);
	signals_on(SIGHUP, dial_on_stop_signal, &d);
	signals_on(SIGQUIT, dial_on_stop_signal, &d);
	err = start_job(&d);
	if (err != 0)
		dialer_failed(&d, err);
	err = gn_loop_run(d.loop);
	stream_stop();
	ping_stop();
	identify_stop();
	gn_node_free(d.node);
	programs_close();
	signals_close();
	gn_loop_free(d.loop);
	attempts_fini(&d.attempts);
	targets_fini(&d.targets);
	if (d.signal)
		exit_by_signal(d.signal);
	if (err != 0) {
		diag("%s", gn_strerror(err));
		return EXIT_LOCAL;
	}
	return d.code;
}
