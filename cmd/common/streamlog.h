/* SPDX-License-Identifier: MIT */
/* streamlog: prints on stderr that a stream was opened and how it ended, as lines or, with -j, as JSON
 * objects.  Failures are always printed, the rest with -v or -j.  The number of lines about one network is
 * limited (netblock.h), that of JSON objects is not. */
#ifndef CMD_COMMON_STREAMLOG_H
#define CMD_COMMON_STREAMLOG_H

#include "diag.h"
#include "gn.h"
#include "netblock.h"
#include "relay.h"

struct json;

struct streamlog_cfg {
	bool json;
	unsigned verbose;
	bool program;         /* the stream is served by a program, not by standard input and output */
	const char *protocol; /* shown instead of the stream's protocol, which contains a secret; NULL: that is shown */
};

struct streamlog {
	const struct streamlog_cfg *cfg;
	struct netblock from;
	char peer[GN_PEER_ID_TEXT_MAX];
	enum gn_path path;
	char *addr, *protocol; /* may be NULL when out of memory */
	bool inbound;
};

/* Stores what is known of the stream, and prints that it was opened. */
void streamlog_open(struct streamlog *n, const struct streamlog_cfg *cfg, const struct gn_channel *ch);
/* Prints how it ended.  status: the program's exit code, -1 without a program. */
void streamlog_close(const struct streamlog *n, const struct relay_result *result, int status,
		     const struct gn_metrics *m);
void streamlog_fini(struct streamlog *n);

/* For tools that have results of another kind: begins the JSON object of the end of the stream, to which the caller
 * adds its own members; and prints a line about the stream, "PEER at ADDR: text". */
void streamlog_json_close(const struct streamlog *n, int code, struct json *j);
void streamlog_line(const struct streamlog *n, const char *fmt, ...) DIAG_FORMAT(2, 3);

/* The exit code for a result of relay.h. */
int streamlog_exit_code(const struct relay_result *result);

#endif
