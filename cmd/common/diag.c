/* SPDX-License-Identifier: MIT */
#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errout.h"
#include "exit.h"
#include "gn.h"
#include "netblock.h"

static const char *tool = "gn";

void diag_open(const char *name)
{
	tool = name;
}

const char *diag_tool(void)
{
	return tool;
}

DIAG_FORMAT(1, 0) static void diag_put(const char *fmt, va_list ap)
{
	char line[2048];
	size_t at;

	at = (size_t)snprintf(line, 64, "%.60s: ", tool);
	vsnprintf(line + at, sizeof line - at - 1, fmt, ap);
	at = gn_text_filter(line, strlen(line), line, sizeof line - 1);
	line[at] = '\n';
	errout_line(ERROUT_TEXT, line, at + 1);
}

void diag(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_put(fmt, ap);
	va_end(ap);
}

void diag_from(const struct netblock *from, const char *fmt, ...)
{
	va_list ap;

	if (!netblock_may_print(from))
		return;
	va_start(ap, fmt);
	diag_put(fmt, ap);
	va_end(ap);
}

void diag_raw(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	errout_line(ERROUT_TEXT, text, strlen(text));
}

int fault_set(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	return -1;
}

void die(int code, const char *fmt, ...)
{
	va_list ap;

	errout_may_wait(true);
	va_start(ap, fmt);
	diag_put(fmt, ap);
	va_end(ap);
	exit(code);
}

void die_usage(const char *fmt, ...)
{
	struct fault f;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f.text, sizeof f.text, fmt, ap);
	va_end(ap);
	die(EXIT_USAGE, "%s (%s --help shows the options)", f.text, tool);
}

void die_memory(void)
{
	die(EXIT_LIMIT, "out of memory");
}

static void on_line(void *arg, enum gn_log_level level, const struct gn_multiaddr *remote, const char *line)
{
	struct netblock from;

	(void)arg;
	(void)level;
	netblock_of(remote, &from);
	if (remote == NULL)
		diag("%s", line);
	else
		diag_from(&from, "%s", line);
}

void diag_library(unsigned verbose)
{
	errout_may_wait(false);
	gn_log_on_line(verbose > 1 ? GN_LOG_DEBUG : verbose ? GN_LOG_INFO : GN_LOG_NOTICE, on_line, NULL);
}
