/* SPDX-License-Identifier: MIT */
/* progress: a line on stderr, redrawn a few times a second: how much, how fast, how long still. */
#ifndef CMD_GN_CAT_PROGRESS_H
#define CMD_GN_CAT_PROGRESS_H

#include "gn.h"

#define PROGRESS_LINE 100

/* "  1.25 GiB   812 MiB/s   0:03 left"; size: bytes in all, or -1; rate: bytes a second, or < 0 when unknown. */
void progress_format(uint64_t total, double rate, long long size, char text[PROGRESS_LINE]);

/* The rate over the last seconds: of bytes counted at instants. */
#define PROGRESS_SAMPLES 12
struct progress_rate {
	uint64_t bytes[PROGRESS_SAMPLES];
	gn_time at[PROGRESS_SAMPLES];
	unsigned n;
};
/* Adds one, and returns the rate since the oldest that is kept; -1 with one only. */
double progress_rate_add(struct progress_rate *r, gn_time now, uint64_t bytes);

struct progress;

/* total(arg): bytes moved so far.  Nothing is drawn before progress_start(). */
int progress_new(struct gn_loop *loop, uint64_t (*total)(void *arg), void *arg, struct progress **out);
void progress_start(struct progress *p, long long size);
/* Draws the last state, ends the line.  NULL is fine, here and below. */
void progress_stop(struct progress *p);
/* Takes the line away, so that another can be said; it comes back by itself. */
void progress_hide(struct progress *p);
void progress_free(struct progress *p);

#endif
