/* SPDX-License-Identifier: MIT */
/* report: the text and the exit code for the result of a stream. */
#ifndef CMD_GN_CAT_REPORT_H
#define CMD_GN_CAT_REPORT_H

#include "common/streamlog.h"
#include "gn.h"
#include "stream.h"

/* The exit code of gn-exit(7). */
int report_code(const struct stream_result *v);
/* The reason as one line, without the tool's name; "" for a clean end and for EPIPE on stdout.  token: the
 * length of the token, 0 without one. */
void report_explain(const struct stream_result *v, size_t token, char *text, size_t room);
/* Prints the result: a failure always, a clean end with -v or -j. */
void report_close(const struct streamlog *n, const struct stream_result *v, size_t token);

#endif
