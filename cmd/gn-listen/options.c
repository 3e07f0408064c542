/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "common/limit.h"
#include "common/listening.h"

static const struct opt opts[] = {
	IDENTITY_OPTS(struct cfg, key, "the identity (GN_KEY_FILE, the default key, else one for this run)"),
	{'a', "addr", "ADDR", "listen on this address; may be repeated (every interface, a free port)", opt_list,
	 offsetof(struct cfg, addrs)},
	ANNOUNCE_OPT(struct cfg, announce),
	{'c', "conc", "N", "run at most N programs at once (40); one peer gets at most three quarters", opt_number,
	 offsetof(struct cfg, conc)},
	{0, "idle", "TIME", "end a stream on which no byte has moved for this time (never)", opt_time,
	 offsetof(struct cfg, idle)},
	{0, "allow", "ID", "let this peer in and no other; may be repeated", opt_list, offsetof(struct cfg, allow)},
	{'F', "form", "FORMAT", "local format: varint, line, text or raw (varint; terminal: text; program: raw)",
	 wire_opt_format_text, offsetof(struct cfg, wire)},
	{0, "wire", "WIRE", "network format: frames or raw (frames; program: raw)", wire_opt_wire,
	 offsetof(struct cfg, wire)},
	{0, "max-frame", "SIZE", "the longest frame, in bytes (1M)", opt_size, offsetof(struct cfg, wire.max_frame)},
	{0, "recv-only", NULL, "do not read standard input; end our side of a stream after the peer's", opt_flag,
	 offsetof(struct cfg, recv_only)},
	{0, "ready-fd", "FD", "write the addresses to it when reachable, then close it", opt_fd,
	 offsetof(struct cfg, ready_fd)},
	{0, "drain", "TIME", "time for open streams to finish after SIGTERM or SIGINT (5s)", opt_time,
	 offsetof(struct cfg, drain)},
	LIMIT_OPT(struct cfg, limits),
	{'j', "json", NULL, "events on stderr as JSON objects", opt_flag, offsetof(struct cfg, log.json)},
	{'v', "verbose", NULL, "print more; twice: debug output", opt_count, offsetof(struct cfg, log.verbose)},
};

const struct opt_tool listen_tool = {
	.name = "gn-listen",
	.usage = "[-jv] [-k FILE] [-a ADDR]... [--announce ADDR]... [-c N] [--idle TIME] [--allow ID]... [-F FORMAT] "
		 "[--wire WIRE] "
		 "[--recv-only] PROTO... [-- PROG ARGS...]",
	.about = "Serves streams of PROTO: one at a time on standard input and output, or each by a program.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "gn-listen(1) has examples, gn-address(7) the addresses.",
	.program = true,
};
