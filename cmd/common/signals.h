/* SPDX-License-Identifier: MIT */
/*
 * signals: what a tool does about signals, whatever its parent had left behind: a mask, ignored
 * signals.  Later they are brought onto the loop through a pipe.  One per process.
 */
#ifndef CMD_COMMON_SIGNALS_H
#define CMD_COMMON_SIGNALS_H

#include <signal.h>

#include "gn.h"

/* Sets the signal mask (nothing is blocked) and the dispositions, which exec hands on from the
 * parent.  SIGPIPE and SIGXFSZ are ignored: the write fails instead, and the tool says so.
 * Every other signal gets its default.  Only SIGHUP, SIGINT, SIGQUIT and the stop signals of a terminal
 * stay ignored if they were: that is what nohup and a shell's "&" mean.  opt_begin() calls it. */
void signals_begin(void);
/* Adds the signals that a program must find at their defaults, for posix_spawnattr_setsigdefault():
 * those that the tool ignores for itself; with own_group also those that signals_begin() may have
 * left ignored, since neither a terminal nor a shell signals a group of its own. */
void signals_default(sigset_t *set, bool own_group);

/* 0 or -errno. */
int signals_open(struct gn_loop *loop);
/* cb runs on the loop, once for any number of the same signal that came meanwhile.
 * A signal that was ignored when the tool began (nohup, a shell's "&") stays ignored. */
void signals_on(int sig, void (*cb)(void *arg, int sig), void *arg);
/* The tool is done and has its exit code: a signal that comes now changes nothing. */
void signals_close(void);

#endif
