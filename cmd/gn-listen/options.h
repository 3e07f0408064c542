/* SPDX-License-Identifier: MIT */
/* options: the options of gn-listen. */
#ifndef CMD_GN_LISTEN_OPTIONS_H
#define CMD_GN_LISTEN_OPTIONS_H

#include "common/identity.h"
#include "common/streamlog.h"
#include "common/opt.h"
#include "common/wire.h"
#include "gn.h"

struct cfg {
	struct identity_cfg key;
	struct opt_list addrs, announce, allow;
	unsigned conc;
	struct wire wire;
	int ready_fd;
	bool recv_only;
	gn_time drain, idle;
	struct gn_limits limits;
	struct streamlog_cfg log;
};

extern const struct opt_tool listen_tool;

#endif
