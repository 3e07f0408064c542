/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* There is one sink per process, because log lines belong to the program and not to a node. */
static struct {
	gn_log_cb *cb;
	void *arg;
	enum gn_log_level max;
} sink;

void gn_log_on_line(enum gn_log_level max, gn_log_cb *cb, void *arg)
{
	sink.cb = cb;
	sink.arg = arg;
	sink.max = max;
}

bool gn_log_is_on(enum gn_log_level level)
{
	return sink.cb != NULL && level <= sink.max;
}

__attribute__((format(printf, 3, 0))) static void log_line(enum gn_log_level level, const struct gn_multiaddr *remote,
							   const char *fmt, va_list ap)
{
	char line[GN_LOG_LINE_MAX];

	if (!gn_log_is_on(level))
		return;
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	gn_text_filter(line, strlen(line), line, sizeof(line));
	sink.cb(sink.arg, level, remote, line);
}

void gn_log(enum gn_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(level, NULL, fmt, ap);
	va_end(ap);
}

void gn_log_about(enum gn_log_level level, const struct gn_multiaddr *remote, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(level, remote, fmt, ap);
	va_end(ap);
}
