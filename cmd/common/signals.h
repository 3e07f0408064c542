/* SPDX-License-Identifier: MIT */
/*
 * signals: sets the signal mask and dispositions, which a process inherits, to known values, and delivers
 * signals on the loop through a pipe.  The state is global to the process.
 */
#ifndef CMD_COMMON_SIGNALS_H
#define CMD_COMMON_SIGNALS_H

#include <signal.h>

#include "gn.h"

/* Unblocks all signals and sets their dispositions, whatever the parent process has left.  SIGPIPE and
 * SIGXFSZ are ignored, so that the write fails instead and the tool can report it.  All other signals get
 * their default actions, except that SIGHUP, SIGINT, SIGQUIT and the terminal's stop signals stay ignored
 * if they were (nohup, a shell's "&"). opt_begin() calls it. */
void signals_begin(void);
/* Adds to the set, for posix_spawnattr_setsigdefault(), the signals that must have their default actions in
 * a child: those that this process ignores; with own_group also those that signals_begin() may have left
 * ignored, since neither a terminal nor a shell signals a separate group. */
void signals_default(sigset_t *set, bool own_group);

/* Prepares delivery on the loop.  0 or -errno. */
int signals_open(struct gn_loop *loop);
/* cb is called on the loop, once for any number of pending instances of the signal.  A signal that is
 * ignored (nohup, a shell's "&") stays ignored. */
void signals_on(int sig, void (*cb)(void *arg, int sig), void *arg);
/* Ignores the signals from now on; to be called when the exit code is known. */
void signals_close(void);

#endif
