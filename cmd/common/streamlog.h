/* SPDX-License-Identifier: MIT */
/* note: what is said of a stream: that it was opened, how it ended; as lines, or with -j
 * as JSON objects, on stderr.  Failures are always said, the rest with -v or -j.  The number of lines about one
 * network is limited (netblock.h); JSON objects are all printed. */
#ifndef CMD_COMMON_STREAMLOG_H
#define CMD_COMMON_STREAMLOG_H

#include "gn.h"
#include "netblock.h"
#include "relay.h"

struct streamlog_cfg {
	bool json;
	unsigned verbose;
	bool program;         /* input and output belong to a program, not to the tool itself */
	const char *protocol; /* what is shown in the place of the stream's, which holds a secret; NULL: the stream's */
};

struct streamlog {
	const struct streamlog_cfg *cfg;
	struct netblock from;
	char peer[GN_PEER_ID_TEXT_MAX];
	enum gn_path path;
	char *addr, *protocol; /* may be NULL when out of memory */
	bool inbound;
};

/* Keeps who it is about, and says that it was opened. */
void streamlog_open(struct streamlog *n, const struct streamlog_cfg *cfg, const struct gn_channel *ch);
/* Says how it ended.  status: the program's exit code, -1 without one. */
void streamlog_close(const struct streamlog *n, const struct relay_result *result, int status,
		     const struct gn_metrics *m);
void streamlog_fini(struct streamlog *n);

/* The exit code for an end of relay.h. */
int streamlog_exit_code(const struct relay_result *result);

#endif
