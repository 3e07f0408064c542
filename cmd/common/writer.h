/* SPDX-License-Identifier: MIT */
/* writer: writes messages to stdout, gathered into large writes.  A failure ends the tool with EXIT_LOCAL,
 * and with a line unless it is EPIPE.  The state is global to the process. */
#ifndef CMD_COMMON_WRITER_H
#define CMD_COMMON_WRITER_H

#include "format.h"

/* Writes to another descriptor than stdout; to be called before anything is written.  name must stay valid;
 * it is shown in the line about a failure. */
void writer_to(int fd, const char *name);
/* Returns 0, or GN_EFORMAT when the format cannot express the body, of which nothing is written then. */
int writer_put(enum format format, const void *body, size_t len);
/* Writes bytes as they are, together with the buffered ones, by one call where the descriptor allows it. */
void writer_write(const void *p, size_t n);
void writer_flush(void);
/* Flushes and closes the descriptor, since a write may fail as late as that. */
void writer_close(void);

#endif
