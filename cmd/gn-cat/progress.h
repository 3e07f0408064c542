/* SPDX-License-Identifier: MIT */
/*
 * progress: a line on stderr that shows bytes, rate and time left, and is redrawn four times a second.
 *
 * The line never wraps: parts are left out until it fits the present width of the terminal.  It also takes
 * no more than PROGRESS_SHARE of the width (but PROGRESS_SHORT is always allowed), since a terminal that is
 * made narrower wraps the line that is already shown.
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
/* The final line: "4.00G 812M/s 0:05 direct".  path: how the peer was reached. */
void progress_format_end(const struct progress_state *s, gn_time took, const char *path, size_t most,
			 char text[PROGRESS_LINE]);

/* Samples of a byte count, for the rate over the last seconds. */
#define PROGRESS_SAMPLES 12
struct progress_rate {
	uint64_t bytes[PROGRESS_SAMPLES];
	gn_time at[PROGRESS_SAMPLES];
	unsigned n;
};
/* Adds a sample, and returns the rate in bytes per second since the oldest one kept; -1 if there is only
 * one. */
double progress_rate_add(struct progress_rate *r, gn_time now, uint64_t bytes);

struct progress;

/* total(arg) returns the bytes moved so far.  Nothing is drawn before progress_start().  0 or -errno. */
int progress_new(struct gn_loop *loop, uint64_t (*total)(void *arg), void *arg, struct progress **out);
/* size: bytes in all, -1 if unknown.  p may be NULL, here and below. */
void progress_start(struct progress *p, long long size);
/* Removes the line. */
void progress_stop(struct progress *p);
/* Replaces the line by the final one: bytes, rate, time and path. */
void progress_end(struct progress *p, const char *path);
void progress_free(struct progress *p);

#endif
