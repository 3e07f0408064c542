/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit.h"
#include "signals.h"

#define FD_SAFE 10 /* pipes are kept above the numbers that the program is given */

struct program {
	struct program *next;
	pid_t pid; /* 0: reaped */
	void (*on_exit)(void *arg, struct program *p, int status);
	void *arg;
};

static struct program *running;

static void forget(struct program *p)
{
	for (struct program **at = &running; *at; at = &(*at)->next) {
		if (*at == p) {
			*at = p->next;
			return;
		}
	}
}

/* One at a time from the start, since a callback may start and free others. */
static bool reap_one(void)
{
	struct program *p;
	pid_t pid;
	int status;

	for (p = running; p; p = p->next) {
		pid = waitpid(p->pid, &status, WNOHANG);
		if (pid != p->pid)
			continue;
		forget(p);
		p->pid = 0;
		if (p->on_exit)
			p->on_exit(p->arg, p, status);
		else
			free(p);
		return true;
	}
	return false;
}

static void on_child(void *arg, int sig)
{
	(void)arg;
	(void)sig;
	while (reap_one())
		;
}

/* A pipe whose ends are close-on-exec and stand above FD_SAFE. */
static int make_pipe(int ends[2])
{
	int low[2], err = 0;

	if (pipe(low))
		return -errno;
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FD_SAFE);
		if (ends[i] < 0)
			err = -errno;
		close(low[i]);
	}
	for (int i = 0; i < 2 && err; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return err;
}

static int spawn(const struct program_cfg *cfg, int in, int out, pid_t *pid)
{
	extern char **environ;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t set;
	int err;

	err = posix_spawn_file_actions_init(&files);
	if (err)
		return -err;
	err = posix_spawnattr_init(&attr);
	if (err) {
		posix_spawn_file_actions_destroy(&files);
		return -err;
	}
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	err = posix_spawn_file_actions_adddup2(&files, in, cfg->fd_in);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, out, cfg->fd_out);
	if (!err)
		err = posix_spawnp(pid, cfg->argv[0], &files, &attr, cfg->argv, cfg->env ? cfg->env : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

int program_start(const struct program_cfg *cfg, struct program **out, int *to, int *from)
{
	static bool reaping;
	struct program *p = calloc(1, sizeof *p);
	int down[2], up[2], err;

	if (!p)
		return -ENOMEM;
	if (!reaping)
		signals_on(SIGCHLD, on_child, NULL);
	reaping = true;
	err = make_pipe(down);
	if (err)
		goto no_program;
	err = make_pipe(up);
	if (err)
		goto no_up;
	err = spawn(cfg, down[0], up[1], &p->pid);
	close(down[0]);
	close(up[1]);
	if (err) {
		close(up[0]);
		close(down[1]);
		goto no_program;
	}
	p->on_exit = cfg->on_exit;
	p->arg = cfg->arg;
	p->next = running;
	running = p;
	*out = p;
	*to = down[1];
	*from = up[0];
	return 0;
no_up:
	close(down[0]);
	close(down[1]);
no_program:
	free(p);
	return err;
}

void program_kill(struct program *p, int sig)
{
	if (p->pid > 0)
		kill(p->pid, sig);
}

void program_free(struct program *p)
{
	if (!p)
		return;
	if (p->pid)
		p->on_exit = NULL; /* freed when it is reaped */
	else
		free(p);
}

int program_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int program_error_code(int err)
{
	return err == -ENOENT || err == -ENOTDIR ? EXIT_NOTFOUND : EXIT_CANNOTRUN;
}
