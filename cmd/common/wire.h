/* SPDX-License-Identifier: MIT */
/* wire: the options -F and --wire: the format of messages locally and on the network. */
#ifndef CMD_COMMON_WIRE_H
#define CMD_COMMON_WIRE_H

#include "format.h"
#include "opt.h"

struct wire {
	size_t max_frame;          /* 0: GN_FRAME_MAX */
	enum format format;        /* of standard input; with a program of both its input and its output */
	enum format format_out;    /* of standard output */
	bool frames;               /* frames on the network, not raw bytes */
	bool has_format, has_wire; /* the option was given */
};

opt_set wire_opt_format;      /* varint, line, raw: gn-seal, gn-open */
opt_set wire_opt_format_text; /* varint, line, raw, text: gn-listen, gn-dial */
opt_set wire_opt_wire;
/* Sets the values that were not given.  On the network: frames.  Locally: text on a terminal, else
 * varint.  With a program: raw for both.  Lines for a terminal become text, too, so that a peer cannot send
 * control characters to it.  Raw on the network requires raw locally, since it has no frames.  Returns 0, or
 * -1 and a fault. */
int wire_set_defaults(struct wire *w, bool program, struct fault *f);

#endif
