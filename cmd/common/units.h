/* SPDX-License-Identifier: MIT */
/* units: cuts what an input brings into messages (form.h), one after the other.  It may
 * outlive a relay, so that half a message is not lost between two streams. */
#ifndef CMD_COMMON_UNITS_H
#define CMD_COMMON_UNITS_H

#include "form.h"
#include "input.h"

#define UNITS_RAW_MAX ((size_t)1 << 16) /* the longest message made of raw input */

struct units {
	struct input *in;
	enum form form;
	size_t max;
	uint8_t *part; /* the beginning of a message that the input shows in several pieces */
	size_t len, cap;
	size_t seen, seen_next;
	size_t taken; /* of the message shown: bytes to skip in the input, */
	bool whole;   /* and whether it uses up the part */
};

void units_init(struct units *u, struct input *in, enum form form, size_t max);
void units_fini(struct units *u);
/* Shows the next message; it stays until units_skip().  GN_EAGAIN: input_on_ready will be
 * called.  GN_EOF: the input ended between two messages.  Else an error of form_decode()
 * or -errno of the input. */
int units_peek(struct units *u, struct form_unit *out);
void units_skip(struct units *u);

#endif
