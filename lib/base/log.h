/* SPDX-License-Identifier: MIT */
#ifndef GN_BASE_LOG_H
#define GN_BASE_LOG_H

#include "gn.h"

#define GN_LOG_LINE_MAX 1024 /* bytes of a line with its NUL; longer ones are cut */

/* One line, without a newline.  Control characters (a peer's words may stand in it) come
 * out as '?'.  Costs a comparison when the level is not asked for; the arguments are still
 * worked out, so where those are dear ask gn_log_is_on() first. */
__attribute__((format(printf, 2, 3))) void gn_log(enum gn_log_level level, const char *fmt, ...);
bool gn_log_is_on(enum gn_log_level level);

#endif
