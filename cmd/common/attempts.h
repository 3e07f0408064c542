/* SPDX-License-Identifier: MIT */
/* attempts: which addresses a dial tried and how each ended, for the table that -v shows. */
#ifndef CMD_COMMON_ATTEMPTS_H
#define CMD_COMMON_ATTEMPTS_H

#include "gn.h"

struct attempt {
	char *addr;
	int err; /* 0: it won */
	gn_time took;
};

struct attempts {
	struct attempt *v;
	size_t n;
};

/* gn_dial_cfg.on_attempt hands its arguments on to this. */
void attempts_add(struct attempts *a, const struct gn_multiaddr *addr, int err, gn_time took);
/* A line on stderr for each: "  ADDR  took 0.003 s: connection refused". */
void attempts_print(const struct attempts *a);
/* Says that the dial to addr failed with err: a line, under -v with the table, or with -j the event "failed".
 * Returns the exit code. */
struct streamlog_cfg;
int attempts_report(const struct attempts *a, const struct streamlog_cfg *cfg, const struct gn_multiaddr *addr,
		    int err);
void attempts_fini(struct attempts *a);

#endif
