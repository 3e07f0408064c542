/* SPDX-License-Identifier: MIT */
/* open: sealed messages on standard input, opened, into the writer.  What fails ends the tool
 * with a line and the code of gn-exit(7). */
#ifndef CMD_GN_OPEN_OPEN_H
#define CMD_GN_OPEN_OPEN_H

#include "common/format.h"
#include "gn.h"

struct open_cfg {
	enum format format; /* of what is put out */
	size_t max;         /* the longest message */
	bool any_order;     /* the messages need not be one whole sequence */
	int info_fd;        /* -1: nobody wants to know */
	bool json;
};

/* Frames, a sealed message each.  A message is put out when all of it is good and it is the
 * one that is due. */
void open_frames(struct gn_unsealer *u, const struct open_cfg *cfg);
/* One sealed stream, put out chunk by chunk. */
void open_stream(struct gn_unsealer *u, const struct open_cfg *cfg);

/* A line on cfg->info_fd: sender, time, type and id. */
void info_put(const struct open_cfg *cfg, const struct gn_sealed_info *info);
/* Closes it, unless it is a standard descriptor: a write may fail as late as that. */
void info_close(const struct open_cfg *cfg);

#endif
