/* SPDX-License-Identifier: MIT */
/*
 * descendants: the processes that a child of ours has started, and those that they have started, for as
 * long as they live; out of /proc, so on Linux only.  A process stays in the set when its
 * parent ends, provided that it was found before.
 */
#ifndef CMD_COMMON_DESCENDANTS_H
#define CMD_COMMON_DESCENDANTS_H

#include <stddef.h>
#include <sys/types.h>

struct descendant {
	pid_t pid;
	unsigned long long start; /* its start time: tells it from a later process of the same number */
};

struct descendants {
	struct descendant *v; /* in the order in which they were found: parents first */
	size_t n;
};

/* Drops those that have ended, adds root (0: none) and what has come since.  Without /proc, or memory, the set
 * may be short. */
void descendants_update(struct descendants *d, pid_t root);
/* Signals each, the youngest first: in a pipeline whoever reads must have the signal before whoever writes
 * ends. */
void descendants_signal(const struct descendants *d, int sig);
void descendants_fini(struct descendants *d);

#endif
