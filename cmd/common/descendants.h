/* SPDX-License-Identifier: MIT */
/*
 * descendants: the set of living processes that descend from a child of this process.  It is read from
 * /proc, which only Linux has.  A process whose parent has ended stays in the set, provided that it was
 * found before that.
 */
#ifndef CMD_COMMON_DESCENDANTS_H
#define CMD_COMMON_DESCENDANTS_H

#include <stddef.h>
#include <sys/types.h>

struct descendant {
	pid_t pid;
	unsigned long long start; /* its start time, which distinguishes it from a later process with the same pid */
};

struct descendants {
	struct descendant *v; /* in the order in which they were found: parents before children */
	size_t n;
};

/* Removes processes that have ended, and adds root (0: none) and new descendants.  Without /proc, or
 * without memory, the set may be incomplete. */
void descendants_update(struct descendants *d, pid_t root);
/* Signals each process, the youngest first: the reader of a pipeline must get the signal before its writer
 * ends and lets it see an end of file. */
void descendants_signal(const struct descendants *d, int sig);
void descendants_fini(struct descendants *d);

#endif
