/* SPDX-License-Identifier: MIT */
/*
 * diag: what a tool tells people, on stderr, a line each: "gn-x: text".
 * Functions named die_* do not return.
 */
#ifndef CMD_COMMON_DIAG_H
#define CMD_COMMON_DIAG_H

#include <stdbool.h>

/* Why some text could not be taken: one line, without the tool's name and newline.
 * Parsers fill it in and return -1, so that a fuzzer can run them too. */
struct fault {
	char text[400];
};

#ifdef __GNUC__
#define DIAG_FORMAT(f, a) __attribute__((format(printf, f, a)))
#else
#define DIAG_FORMAT(f, a)
#endif

/* The tool's name, to be set before anything else. */
void diag_open(const char *tool);
const char *diag_tool(void);

/* One line, through errout.h and gn_text_filter(): what is not safe to show in it becomes '?'. */
void diag(const char *fmt, ...) DIAG_FORMAT(1, 2);
/* A line that a peer in this network has caused; their number is limited (netblock.h). */
struct netblock;
void diag_from(const struct netblock *from, const char *fmt, ...) DIAG_FORMAT(2, 3);
/* Text of our own as it is, without the tool's name and with any line ends in it. */
void diag_raw(const char *fmt, ...) DIAG_FORMAT(1, 2);
/* Fills in a fault; returns -1. */
int fault_set(struct fault *f, const char *fmt, ...) DIAG_FORMAT(2, 3);

_Noreturn void die(int code, const char *fmt, ...) DIAG_FORMAT(2, 3);
/* EXIT_USAGE, and points to --help. */
_Noreturn void die_usage(const char *fmt, ...) DIAG_FORMAT(1, 2);
_Noreturn void die_memory(void);

/* To be called before an event loop runs: from then on no line waits for room on standard error (errout.h).
 * Prints the lines of the library: errors and notices, with verbose 1 what happens, with 2 all. */
void diag_library(unsigned verbose);

#endif
