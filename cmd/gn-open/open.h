/* SPDX-License-Identifier: MIT */
/* open: opens sealed messages from standard input, and writes them with the writer.  A failure ends the
 * tool with a line and the code of gn-exit(7). */
#ifndef CMD_GN_OPEN_OPEN_H
#define CMD_GN_OPEN_OPEN_H

#include "common/format.h"
#include "gn.h"

struct open_cfg {
	enum format format; /* of the output */
	size_t max;         /* the longest message */
	bool any_order;     /* the messages need not be one complete sequence */
	int info_fd;        /* -1: no information is written */
	bool json;
};

/* Opens frames that hold a sealed message each.  A message is written when all of it is valid and it is the
 * next one of its sequence. */
void open_frames(struct gn_unsealer *u, const struct open_cfg *cfg);
/* Opens one sealed stream, which is written chunk by chunk. */
void open_stream(struct gn_unsealer *u, const struct open_cfg *cfg);

/* Writes a line with sender, time, type and id to cfg->info_fd. */
void info_put(const struct open_cfg *cfg, const struct gn_sealed_info *info);
/* Closes it, unless it is a standard descriptor, since a write may fail as late as that. */
void info_close(const struct open_cfg *cfg);

#endif
