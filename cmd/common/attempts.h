/* SPDX-License-Identifier: MIT */
/* attempts: the addresses that a dial tried and their results, for the table that -v prints. */
#ifndef CMD_COMMON_ATTEMPTS_H
#define CMD_COMMON_ATTEMPTS_H

#include "gn.h"

struct streamlog_cfg;
struct targets;

struct attempt {
	char *addr;
	int err; /* 0: this one connected */
	gn_time took;
};

struct attempts {
	struct attempt *v;
	size_t n;
};

/* To be called from gn_target.on_attempt with its arguments. */
void attempts_add(struct attempts *a, const struct gn_multiaddr *addr, int err, gn_time took);
/* Prints a line on stderr for each: "  tried ADDR  0.003 s  Connection refused". */
void attempts_print(const struct attempts *a);
/* Reports that the dial to the targets failed with err: prints a line, with -v also the table, or with -j the
 * event "failed".  Returns the exit code. */
int attempts_report(const struct attempts *a, const struct streamlog_cfg *cfg, const struct targets *targets, int err);
void attempts_fini(struct attempts *a);

#endif
