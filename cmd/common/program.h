/* SPDX-License-Identifier: MIT */
/* program: runs a program on two pipes and reaps it on the loop.  Everything else that is
 * open here is close-on-exec; signals are at their defaults in the program. */
#ifndef CMD_COMMON_PROGRAM_H
#define CMD_COMMON_PROGRAM_H

#include "gn.h"

struct program;

struct program_cfg {
	char *const *argv; /* looked up in PATH */
	char *const *env;  /* NULL: as ours */
	int fd_in, fd_out; /* the numbers on which it reads and writes: 0 and 1, or 6 and 7 */
	/* status: as of waitpid(); once, on the loop, unless freed before. */
	void (*on_exit)(void *arg, struct program *p, int status);
	void *arg;
};

/* signals_open() must have been called.  *to: where we write what it reads, *from: where
 * we read what it writes; the caller's, close-on-exec, for input_new/output_new with own.
 * -ENOENT when there is no such program, another -errno when it cannot be run. */
int program_start(const struct program_cfg *cfg, struct program **out, int *to, int *from);
void program_kill(struct program *p, int sig); /* fine after its end */
/* Forgets it.  A program that still runs is reaped in silence. */
void program_free(struct program *p);

/* The exit code a tool takes over: its own, or 128 + signal. */
int program_exit_code(int status);
/* EXIT_NOTFOUND or EXIT_CANNOTRUN for what program_start() returned. */
int program_error_code(int err);

#endif
