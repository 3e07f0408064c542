/* SPDX-License-Identifier: MIT */
/*
 * errout: writes lines to standard error without blocking.  A reader that has stopped reading (a full pipe,
 * a terminal after Ctrl-S) must not stop the event loop, so a line that the descriptor does not take is
 * dropped and counted, and the next line that gets through is preceded by one that says how many were lost.
 *
 * A line of up to PIPE_BUF bytes is written to a pipe whole or not at all.  Where the kernel takes only the
 * beginning of a line (terminals, sockets, longer lines), the rest is kept and is written first the next
 * time.
 *
 * Everything that a tool prints on standard error goes through this module: diag.h, json_send(),
 * progress.h.
 */
#ifndef CMD_COMMON_ERROUT_H
#define CMD_COMMON_ERROUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdio.h"

/* The kind of a line; the line about lost lines is of the same kind as the latest line. */
enum errout_kind { ERROUT_TEXT, ERROUT_JSON };

#define ERROUT_WAIT 1000 /* milliseconds: the longest wait for room, where waiting is allowed at all */
#define ERROUT_PROGRESS_MAX 200
#define ERROUT_REST 8192 /* bytes kept of a line whose beginning has been written */

/* Whether errout_put() may wait for room.  ERROUT_GAVE_UP follows a wait that timed out, and is final: a
 * reader that has stopped reading delays a tool once only. */
enum errout_wait { ERROUT_WAITS, ERROUT_NEVER_WAITS, ERROUT_GAVE_UP };

struct errout {
	struct fdio io;
	bool is_open;
	enum errout_wait wait;
	enum errout_kind kind; /* of the latest line */
	uint64_t lost;         /* lines dropped since the last one that was written */
	size_t rest_len;
	char rest[ERROUT_REST];
};

/* Prepares to write to fd, which stays open and keeps its flags.  0 or -errno; after an error every line
 * counts as lost. */
int errout_init(struct errout *e, int fd);
void errout_fini(struct errout *e);
/* Writes a line, which includes its line end.  Returns whether it was written, wholly or with a rest that
 * is kept. */
bool errout_put(struct errout *e, enum errout_kind kind, const char *line, size_t len);
/* Writes text that is redrawn soon anyway (progress): when there is no room it is dropped and not counted. */
bool errout_draw(struct errout *e, const char *text, size_t len);
void errout_set_wait(struct errout *e, bool may_wait);
/* Writes what is kept and reports how many lines were lost, waiting ERROUT_WAIT at most; to be called
 * before the process ends. */
void errout_finish(struct errout *e);

/* errout_put() for the process's standard error, which is prepared at the first use; errout_finish() runs
 * at exit(). */
bool errout_line(enum errout_kind kind, const char *line, size_t len);
/* Replaces the progress line by another text without a line end; len 0 removes it.  errout_line() removes
 * it before it writes. */
bool errout_progress(const char *text, size_t len);
/* Whether errout_line() may wait: true until a tool starts its event loop, and again in die(). */
void errout_may_wait(bool may);

#endif
