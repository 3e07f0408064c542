/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "gn.h"

static const char *tool = "gn";

void say_open(const char *name)
{
	tool = name;
}

const char *say_tool(void)
{
	return tool;
}

/* Text of a peer's or a user's making must not drive the terminal. */
static void tame(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

SAY_FORMAT(1, 0) static void put(const char *fmt, va_list ap)
{
	char line[2048];
	size_t at;

	at = (size_t)snprintf(line, 64, "%.60s: ", tool);
	vsnprintf(line + at, sizeof line - at - 1, fmt, ap);
	tame(line);
	at = strlen(line);
	line[at] = '\n';
	if (write(STDERR_FILENO, line, at + 1) < 0)
		return; /* there is nobody left to tell */
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
}

int say_fault(struct fault *f, const char *fmt, ...)
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

	va_start(ap, fmt);
	put(fmt, ap);
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

static void on_line(void *arg, enum gn_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	say("%s", line);
}

void say_library(unsigned verbose)
{
	gn_log_on_line(verbose > 1 ? GN_LOG_DEBUG : verbose ? GN_LOG_INFO : GN_LOG_NOTICE, on_line, NULL);
}
