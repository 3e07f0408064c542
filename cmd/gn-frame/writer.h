/* SPDX-License-Identifier: MIT */
/* writer: messages onto stdout, gathered into large writes.  What fails ends the tool:
 * EXIT_LOCAL, without a word where the reader has gone. */
#ifndef CMD_GN_FRAME_WRITER_H
#define CMD_GN_FRAME_WRITER_H

#include "common/form.h"

/* 0, or GN_EFORMAT when the form cannot express the body; nothing of it is written then. */
int writer_put(enum form form, const void *body, size_t len);
void writer_flush(void);

#endif
