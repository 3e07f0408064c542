/* SPDX-License-Identifier: MIT */
#ifndef GN_BASE_LOG_H
#define GN_BASE_LOG_H

#include "gn.h"

#define GN_LOG_LINE_MAX 1024 /* bytes of a line with its NUL; longer ones are cut */

/* Writes one line, without a newline.  The line passes gn_text_filter(), because it may contain text that
 * a peer chose. When the level is off, the call costs one comparison, but its arguments are evaluated all
 * the same: where they are expensive, the caller asks gn_log_is_on() first. */
__attribute__((format(printf, 2, 3))) void gn_log(enum gn_log_level level, const char *fmt, ...);
/* As gn_log(), for a line about the peer at `remote`. */
__attribute__((format(printf, 3, 4))) void gn_log_about(enum gn_log_level level, const struct gn_multiaddr *remote,
							const char *fmt, ...);
bool gn_log_is_on(enum gn_log_level level);

#endif
