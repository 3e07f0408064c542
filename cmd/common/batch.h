/* SPDX-License-Identifier: MIT */
/* batch: messages in their local format, gathered so that many small ones are written by one system
 * call.  A large one is written without being copied. */
#ifndef CMD_COMMON_BATCH_H
#define CMD_COMMON_BATCH_H

#include "format.h"
#include "output.h"

struct batch {
	uint8_t *bytes;
	size_t at, len, cap; /* bytes[at..len) are not written yet */
};

void batch_fini(struct batch *b);
/* Adds a message, and writes when enough is gathered.  In FORMAT_LINE, a line end at the end of the body is
 * not doubled.  Returns 0; GN_EAGAIN: the message was taken, but no more may be put until batch_flush() has
 * returned 0; GN_EFORMAT: the format cannot express it, and it was not taken; or -errno. */
int batch_put(struct batch *b, struct output *out, enum format format, const void *body, size_t len);
/* Returns 0 when everything is written; GN_EAGAIN (the output's on_ready will be called); or -errno. */
int batch_flush(struct batch *b, struct output *out);

#endif
