/* SPDX-License-Identifier: MIT */
/* writer: messages onto stdout, gathered into large writes.  What fails ends the tool:
 * EXIT_LOCAL, without a word where the reader has gone.  One per process. */
#ifndef CMD_COMMON_WRITER_H
#define CMD_COMMON_WRITER_H

#include "format.h"

/* To another descriptor than stdout, before anything is written; name is kept, for the line
 * that tells of a failure. */
void writer_to(int fd, const char *name);
/* 0, or GN_EFORMAT when the form cannot express the body; nothing of it is written then. */
int writer_put(enum format format, const void *body, size_t len);
/* Bytes as they are, behind what is held, in one write where the descriptor allows. */
void writer_write(const void *p, size_t n);
void writer_flush(void);
/* Flushes and closes: a write may fail as late as that. */
void writer_close(void);

#endif
