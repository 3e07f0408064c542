/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

/* One for the process: what the library says is the program's, not a node's. */
static struct {
	void (*cb)(void *arg, enum gn_log_level level, const char *line);
	void *arg;
	enum gn_log_level max;
} sink;

void gn_log_on_line(enum gn_log_level max, void (*cb)(void *arg, enum gn_log_level level, const char *line), void *arg)
{
	sink.cb = cb;
	sink.arg = arg;
	sink.max = max;
}

bool gn_log_is_on(enum gn_log_level level)
{
	return sink.cb && level <= sink.max;
}

void gn_log(enum gn_log_level level, const char *fmt, ...)
{
	char line[GN_LOG_LINE_MAX];
	va_list ap;

	if (!gn_log_is_on(level))
		return;
	va_start(ap, fmt);
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	va_end(ap);
	for (char *s = line; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
	sink.cb(sink.arg, level, line);
}
