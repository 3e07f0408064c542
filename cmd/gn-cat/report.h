/* SPDX-License-Identifier: MIT */
/* report: what is said of a stream, and the exit code for how it ended. */
#ifndef CMD_GN_CAT_REPORT_H
#define CMD_GN_CAT_REPORT_H

#include "common/streamlog.h"
#include "gn.h"
#include "stream.h"

/* Of gn-exit(7). */
int report_code(const struct stream_result *v);
/* Why, as one line without a name; "" for a clean end and for what is not worth a word (nobody reads stdout).
 * token: characters of the token, 0 without one. */
void report_explain(const struct stream_result *v, size_t token, char *text, size_t room);
/* A failure is always said, a clean end with -v or -j. */
void report_close(const struct streamlog *n, const struct stream_result *v, size_t token);

#endif
