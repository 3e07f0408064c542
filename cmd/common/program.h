/* SPDX-License-Identifier: MIT */
/*
 * program: runs a program on two pipes and reaps it on the loop.  Everything else that is open here is
 * close-on-exec; signals are at their defaults in the program.
 *
 * A program may start others, a pipeline for example, and a signal must reach all of them.  With
 * own_group they are its process group.  Without it the program stays in the caller's group, where it can
 * use the terminal, and they are its descendants, as far as they can be found (descendants.h).
 */
#ifndef CMD_COMMON_PROGRAM_H
#define CMD_COMMON_PROGRAM_H

#include "gn.h"

struct program;

struct program_cfg {
	struct gn_loop *loop;
	char *const *argv; /* looked up in PATH */
	char *const *env;  /* NULL: as ours */
	int fd_in, fd_out; /* the numbers on which it reads and writes: 0 and 1, or 6 and 7 */
	bool own_group;
	/* status: as of waitpid(); once, on the loop, unless freed before. */
	void (*on_exit)(void *arg, struct program *p, int status);
	void *arg;
};

/* signals_open() must have been called.  *to: where we write what it reads, *from: where
 * we read what it writes; the caller's, close-on-exec, for input_new/output_new with own.
 * -ENOENT when there is no such program, another -errno when it cannot be run. */
int program_start(const struct program_cfg *cfg, struct program **out, int *to, int *from);
/* Signals the program and what it has started; may be called after its end.  A stopped one is continued, so
 * that it notices. */
void program_signal(struct program *p, int sig);
/* Has it ended, and with it everything that program_signal() would reach? */
bool program_is_gone(struct program *p);
/* Takes over fd and closes it when the program is gone: for a pipe whose end would be a lie. */
void program_hold(struct program *p, int fd);
/* Forgets it.  A program that still runs is reaped in silence. */
void program_free(struct program *p);

/* Of all programs that were started with own_group, those too that were freed while their group lived on. */
void programs_signal(int sig);
bool programs_are_gone(void);
/* Before the loop is freed. */
void programs_close(void);

/* The exit code a tool takes over: its own, or 128 + signal. */
int program_exit_code(int status);
/* EXIT_NOTFOUND or EXIT_CANNOTRUN for what program_start() returned. */
int program_error_code(int err);

#endif
