/* SPDX-License-Identifier: MIT */
/* limit: the option --limit NAME=VALUE of every tool that opens a node; gn-limits(7) has the names. */
#ifndef CMD_COMMON_LIMIT_H
#define CMD_COMMON_LIMIT_H

#include "opt.h"

/* The setter of an option that points to a struct gn_limits, which gn_limits_init() has initialised: sets
 * one field.  For an unknown name, such as "help", the fault lists all names. */
opt_set opt_limit;

struct gn_limits;
/* For a tool that has one peer, which the user has chosen: unless --limit has set memory_per_peer, the peer may use half
 * of the memory, so that its windows may grow as large as a fast and long path needs. */
void limits_for_one_peer(struct gn_limits *lim);

#define LIMIT_OPT(cfg, field)                                                                                  \
	{                                                                                                      \
		0, "limit", "NAME=VALUE", "a limit of the node, see gn-limits(7); may be repeated", opt_limit, \
			offsetof(cfg, field)                                                                   \
	}

#endif
