/* SPDX-License-Identifier: MIT */
/*
 * progress: a line on stderr, redrawn a few times a second: how much, how fast, how long still.
 *
 * It never wraps: the terminal's width is asked at each time, and parts are left out until it fits.  It also stays
 * shorter than PROGRESS_SHARE of the width (though not shorter than PROGRESS_SHORT): a terminal that is made
 * narrower wraps what stands there already.
 */
#ifndef CMD_GN_CAT_PROGRESS_H
#define CMD_GN_CAT_PROGRESS_H

#include "gn.h"

#define PROGRESS_LINE 100
#define PROGRESS_SHORT 30
#define PROGRESS_SHARE(columns) ((columns)*3 / 8)

struct progress_state {
	uint64_t total; /* bytes moved */
	double rate;    /* bytes a second; < 0: unknown */
	long long size; /* bytes in all; -1: unknown */
};

/* "1.25G/4.00G 31% 812M/s 0:03 left", or less of it: at most `most` characters. */
void progress_format(const struct progress_state *s, size_t most, char text[PROGRESS_LINE]);
/* What is said in the end: "4.00G 812M/s 0:05 direct".  path: how the peer was reached. */
void progress_format_end(const struct progress_state *s, gn_time took, const char *path, size_t most,
			 char text[PROGRESS_LINE]);

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
/* Takes the line away.  NULL is fine, here and below. */
void progress_stop(struct progress *p);
/* The same, and says in its place how much it was, how fast, and over which path. */
void progress_end(struct progress *p, const char *path);
void progress_free(struct progress *p);

#endif
