/* SPDX-License-Identifier: MIT */
/* wire: how messages look locally (-F) and on the network (--wire). */
#ifndef CMD_COMMON_WIRE_H
#define CMD_COMMON_WIRE_H

#include "form.h"
#include "opt.h"

struct wire {
	size_t max_frame; /* 0: GN_FRAME_MAX */
	enum form form;
	bool frames;
	bool said_form, said_wire;
};

opt_set wire_opt_form, wire_opt_wire;
/* What was not said: locally varint, on the network frames; with a program both raw.  Raw on
 * the network goes with raw locally only: there are no frames in it.  0, or -1 and a fault. */
int wire_settle(struct wire *w, bool program, struct fault *f);

#endif
