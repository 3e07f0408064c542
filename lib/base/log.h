/* SPDX-License-Identifier: MIT */
#ifndef GN_BASE_LOG_H
#define GN_BASE_LOG_H

#include "gn.h"

#define GN_LOG_LINE_MAX 1024 /* bytes of a line with its NUL; longer ones are cut */

/* One line, without a newline.  It goes through gn_text_filter(), because a peer's words may stand in it.  Costs a comparison when the level is not asked for; the arguments are still
 * worked out, so where those are dear ask gn_log_is_on() first. */
__attribute__((format(printf, 2, 3))) void gn_log(enum gn_log_level level, const char *fmt, ...);
/* The same for a line about the peer at `remote`. */
__attribute__((format(printf, 3, 4))) void gn_log_about(enum gn_log_level level, const struct gn_multiaddr *remote,
							const char *fmt, ...);
bool gn_log_is_on(enum gn_log_level level);

#endif
