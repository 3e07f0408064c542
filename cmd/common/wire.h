/* SPDX-License-Identifier: MIT */
/* wire: how messages look locally (-F) and on the network (--wire). */
#ifndef CMD_COMMON_WIRE_H
#define CMD_COMMON_WIRE_H

#include "format.h"
#include "opt.h"

struct wire {
	size_t max_frame;       /* 0: GN_FRAME_MAX */
	enum format format;     /* of what is read locally; with a program also of what is written */
	enum format format_out; /* of what is written to standard output */
	bool frames;
	bool has_format, has_wire;
};

opt_set wire_opt_format;      /* varint, line, raw: gn-seal, gn-open */
opt_set wire_opt_format_text; /* text, too: gn-listen, gn-dial */
opt_set wire_opt_wire;
/* Fills in what was not said: on the network frames; locally text where standard input resp. output is a terminal, else
 * varint; with a program all raw.  Lines that are written to a terminal are text, too, so that what a peer sends cannot
 * drive it.  Raw on the network goes with raw locally only: there are no frames in it.  0, or -1 and a fault. */
int wire_set_defaults(struct wire *w, bool program, struct fault *f);

#endif
