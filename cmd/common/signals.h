/* SPDX-License-Identifier: MIT */
/* signals: brought onto the loop through a pipe.  SIGPIPE is ignored from signals_open()
 * on; program.h gives it back to programs.  One per process. */
#ifndef CMD_COMMON_SIGNALS_H
#define CMD_COMMON_SIGNALS_H

#include "gn.h"

/* 0 or -errno. */
int signals_open(struct gn_loop *loop);
/* cb runs on the loop, once for any number of the same signal that came meanwhile.
 * A signal that was ignored when the tool began (nohup, a shell's "&") stays ignored. */
void signals_on(int sig, void (*cb)(void *arg, int sig), void *arg);
/* The tool is done and has its exit code: a signal that comes now changes nothing. */
void signals_close(void);

#endif
