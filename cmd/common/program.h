/* SPDX-License-Identifier: MIT */
/*
 * program: runs a program with two pipes and reaps it on the loop.  All other descriptors of this process
 * are close-on-exec; signals have their default actions in the program.
 *
 * A program may start other processes, for example a pipeline, and a signal must reach all of them.  With
 * own_group these are the members of its process group.  Without it the program stays in the caller's
 * group, where it may use the terminal, and they are its descendants, as far as they can be found
 * (descendants.h).
 */
#ifndef CMD_COMMON_PROGRAM_H
#define CMD_COMMON_PROGRAM_H

#include "gn.h"

struct program;

struct program_cfg {
	struct gn_loop *loop;
	char *const *argv; /* argv[0] is searched for in PATH */
	char *const *env;  /* NULL: the environment of this process */
	int fd_in, fd_out; /* the descriptors from which it reads and to which it writes: 0 and 1, or 6 and 7 */
	bool own_group;
	/* Called once, on the loop, when the program was reaped, unless it is freed before.  status: of
	 * waitpid().  It may free the program. */
	void (*on_exit)(void *arg, struct program *p, int status);
	void *arg;
};

/* Starts the program; signals_open() must have been called.  *to: the pipe that the program reads, *from:
 * the pipe that it writes; both are close-on-exec and owned by the caller, who passes them to output_new()
 * and input_new() with own.  Returns 0, -ENOENT when there is no such program, another -errno when it cannot
 * be run. */
int program_start(const struct program_cfg *cfg, struct program **out, int *to, int *from);
/* Signals the program and the processes that it has started, also after the program itself has
 * ended.  Stopped processes are continued, so that they receive the signal. */
void program_signal(struct program *p, int sig);
/* Whether the program, and every process that program_signal() would reach, has ended. */
bool program_is_gone(struct program *p);
/* Takes ownership of fd and closes it when the program is gone.  Used for a pipe whose closing would look
 * like an end of file that the peer has not sent. */
void program_hold(struct program *p, int fd);
/* Releases the program; NULL is allowed.  If it still runs it is reaped later, and on_exit is not called. */
void program_free(struct program *p);

/* These apply to all programs that were started with own_group, including freed ones whose group still
 * exists. */
void programs_signal(int sig);
bool programs_are_gone(void);
/* Releases all programs; to be called before the loop is freed. */
void programs_close(void);

/* The exit code of a tool for a program's status: the program's own, or 128 + signal. */
int program_exit_code(int status);
/* EXIT_NOTFOUND or EXIT_CANNOTRUN for an error of program_start(). */
int program_error_code(int err);

#endif
