/* SPDX-License-Identifier: MIT */
/* units: cuts what an input brings into messages (format.h), one after the other.  It may
 * outlive a relay, so that half a message is not lost between two streams. */
#ifndef CMD_COMMON_FRAMER_H
#define CMD_COMMON_FRAMER_H

#include "format.h"
#include "input.h"

#define FRAMER_RAW_MAX ((size_t)1 << 16) /* the longest message made of raw input */

struct framer {
	struct input *in;
	enum format format;
	size_t max;
	uint8_t *part; /* the beginning of a message that the input shows in several pieces */
	size_t len, cap;
	size_t seen, seen_next;
	size_t taken; /* of the message shown: bytes to skip in the input, */
	bool whole;   /* and whether it uses up the part */
};

void framer_init(struct framer *u, struct input *in, enum format format, size_t max);
void framer_fini(struct framer *u);
/* Shows the next message; it stays until framer_skip().  GN_EAGAIN: input_on_ready will be
 * called.  GN_EOF: the input ended between two messages.  Else an error of format_decode()
 * or -errno of the input. */
int framer_peek(struct framer *u, struct format_message *out);
void framer_skip(struct framer *u);

#endif
