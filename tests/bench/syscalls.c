/* SPDX-License-Identifier: MIT */
/*
 * Runs a program and counts its system calls, with those of the processes that it starts.
 *
 *   syscalls OUT PROGRAM ARGS...
 *
 * When the program has ended, it writes a line to OUT: the number of system calls, and the number of those before the
 * first one that writes to standard output (0: there was none).  Its exit code is the program's.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* struct ptrace_syscall_info of linux/ptrace.h, which cannot be included together with sys/ptrace.h. */
struct call {
	uint8_t op; /* 1: the entry of a system call */
	uint8_t pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	uint64_t nr, args[6];
	uint64_t more[2];
};

enum {
	OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		  PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL,
	SYSCALL_STOP = SIGTRAP | 0x80,
};

static unsigned long total, first;

static void count(pid_t pid)
{
	struct call c = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof c, &c) <= 0 || c.op != 1)
		return;
	if (first == 0 && (c.nr == SYS_write || c.nr == SYS_writev) && c.args[0] == STDOUT_FILENO)
		first = total;
	total++;
}

/* The signal to pass on to a process that has stopped. */
static int stopped(pid_t pid, int status)
{
	int sig = WSTOPSIG(status);

	if (sig == SYSCALL_STOP) {
		count(pid);
		return 0;
	}
	return status >> 16 != 0 || sig == SIGSTOP ? 0 : sig; /* events of ptrace; the first stop of a new process */
}

static int trace(pid_t child)
{
	int status, code = 1;
	pid_t pid;

	if (waitpid(child, &status, 0) != child || ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)OPTIONS) != 0 ||
	    ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0)
		err(126, "ptrace");
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid <= 0)
			continue;
		if (WIFSTOPPED(status))
			(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)stopped(pid, status));
		else if (pid == child)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return code;
}

int main(int argc, char **argv)
{
	pid_t child;
	FILE *out;
	int code;

	if (argc < 3) {
		fputs("usage: syscalls OUT PROGRAM ARGS...\n", stderr);
		return 2;
	}
	child = fork();
	if (child < 0)
		err(126, "fork");
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
			err(126, "ptrace");
		execvp(argv[2], argv + 2);
		err(127, "%s", argv[2]);
	}
	code = trace(child);
	out = fopen(argv[1], "w");
	if (out == NULL)
		err(1, "%s", argv[1]);
	fprintf(out, "%lu %lu\n", total, first);
	if (fclose(out) != 0)
		err(1, "%s", argv[1]);
	return code;
}
