/* SPDX-License-Identifier: MIT */
/*
 * diag: diagnostic messages on stderr, a line each: "gn-x: text".
 * die() and the functions named die_* do not return.
 */
#ifndef CMD_COMMON_DIAG_H
#define CMD_COMMON_DIAG_H

#include <stdbool.h>

/* Why a text was rejected: one line, without the tool's name and newline.  Parsers fill it in and return
 * -1; they do not print or exit, so that tests and fuzzers can run them. */
struct fault {
	char text[400];
};

#ifdef __GNUC__
#define DIAG_FORMAT(f, a) __attribute__((format(printf, f, a)))
#else
#define DIAG_FORMAT(f, a)
#endif

/* Sets the tool's name; to be called first. */
void diag_open(const char *tool);
const char *diag_tool(void);

/* Prints one line through errout.h.  Characters that gn_text_filter() does not consider safe become '?'. */
void diag(const char *fmt, ...) DIAG_FORMAT(1, 2);
/* A line that a peer in this network has caused; their number is limited (netblock.h). */
struct netblock;
void diag_from(const struct netblock *from, const char *fmt, ...) DIAG_FORMAT(2, 3);
/* Prints the text as it is, without the tool's name and without a filter; it may contain line ends.  It
 * must not contain text that a peer chose. */
void diag_raw(const char *fmt, ...) DIAG_FORMAT(1, 2);
/* Fills in a fault; returns -1. */
int fault_set(struct fault *f, const char *fmt, ...) DIAG_FORMAT(2, 3);

_Noreturn void die(int code, const char *fmt, ...) DIAG_FORMAT(2, 3);
/* Ends the tool with EXIT_USAGE; the message refers to --help. */
_Noreturn void die_usage(const char *fmt, ...) DIAG_FORMAT(1, 2);
_Noreturn void die_memory(void);

/* To be called before an event loop runs: from then on no line waits for room on standard error (errout.h).
 * Prints the library's log lines: errors and notices, with verbose 1 also information, with 2 also debug
 * output. */
void diag_library(unsigned verbose);

#endif
