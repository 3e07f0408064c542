/* SPDX-License-Identifier: MIT */
/* framer: cuts the bytes of an input into messages (format.h).  It may outlive a relay, so that the
 * beginning of a message is not lost between two streams. */
#ifndef CMD_COMMON_FRAMER_H
#define CMD_COMMON_FRAMER_H

#include "format.h"
#include "input.h"

#define FRAMER_RAW_MAX ((size_t)1 << 16) /* the longest message made of raw input */

struct framer {
	struct input *in;
	enum format format;
	size_t max;
	uint8_t *part; /* the beginning of a message that does not lie in one piece of the input's ring */
	size_t len, cap;
	size_t seen, seen_next; /* of format_decode() */
	size_t taken;           /* bytes of the input that belong to the message shown */
	bool from_part;         /* the message shown lies in `part` */
};

void framer_init(struct framer *u, struct input *in, enum format format, size_t max);
void framer_fini(struct framer *u);
/* Shows the next message, which is valid until framer_skip().  Returns 0; GN_EAGAIN: input_on_ready will be
 * called; GN_EOF: the input ended between two messages; an error of format_decode(), or -errno of the
 * input. */
int framer_peek(struct framer *u, struct format_message *out);
void framer_skip(struct framer *u);

#endif
