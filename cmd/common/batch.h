/* SPDX-License-Identifier: MIT */
/* batch: messages in their local form, gathered so that many small ones go out in one
 * write.  A large one is written from where it is. */
#ifndef CMD_COMMON_BATCH_H
#define CMD_COMMON_BATCH_H

#include "format.h"
#include "output.h"

struct batch {
	uint8_t *bytes;
	size_t at, len, cap; /* len - at bytes wait */
};

void batch_fini(struct batch *b);
/* Takes a message in any case.  As FORMAT_LINE, a line end at its end stands for the line's own.  0; GN_EAGAIN: taken, but put no more until batch_flush()
 * has returned 0; GN_EFORMAT: the form cannot express it, it was not taken; or -errno. */
int batch_put(struct batch *b, struct output *out, enum format format, const void *body, size_t len);
/* 0: all is written; GN_EAGAIN (the output's on_ready will be called); or -errno. */
int batch_flush(struct batch *b, struct output *out);

#endif
