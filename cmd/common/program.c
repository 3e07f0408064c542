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

#include "descendants.h"
#include "exit.h"
#include "signals.h"

#define FD_SAFE 10          /* pipes get this number or a higher one, above the descriptors of the program */
#define GROUP_POLL (GN_SEC) /* interval of checks whether the groups of ended programs are empty */

/* RUNS -- reaped --> ENDED -- no process of its group, or of its known descendants, is left --> GONE */
enum program_state { PROGRAM_RUNS, PROGRAM_ENDED, PROGRAM_GONE };

struct program {
	struct program *next;
	enum program_state state;
	pid_t pid; /* with own_group also the id of the group */
	bool own_group;
	bool is_released; /* program_free() was called: the memory is freed when the program is gone */
	int held;         /* a descriptor that is closed when the program is gone, or -1 */
	struct descendants tree;
	void (*on_exit)(void *arg, struct program *p, int status);
	void *arg;
};

static struct {
	struct program *list;
	struct gn_timer *timer; /* runs while a group has outlived its program */
} all;

static void program_drop(struct program *p)
{
	for (struct program **at = &all.list; *at != NULL; at = &(*at)->next) {
		if (*at == p) {
			*at = p->next;
			break;
		}
	}
	if (p->held >= 0)
		close(p->held);
	descendants_fini(&p->tree);
	free(p);
}

/* The kernel may reuse the id of an empty process group, so a group that was seen empty is never signalled
 * again. */
bool program_is_gone(struct program *p)
{
	if (p->state == PROGRAM_ENDED && p->own_group && kill(-p->pid, 0) && errno == ESRCH)
		p->state = PROGRAM_GONE;
	if (p->state == PROGRAM_ENDED && !p->own_group) {
		if (p->tree.n > 0)
			descendants_update(&p->tree, 0);
		if (p->tree.n == 0)
			p->state = PROGRAM_GONE;
	}
	if (p->state == PROGRAM_GONE && p->held >= 0) {
		close(p->held);
		p->held = -1;
	}
	return p->state == PROGRAM_GONE;
}

static void programs_check(void)
{
	bool is_left = false;
	struct program *next;

	for (struct program *p = all.list; p != NULL; p = next) {
		next = p->next;
		if (program_is_gone(p) && p->is_released)
			program_drop(p);
		else if (p->state == PROGRAM_ENDED)
			is_left = true;
	}
	if (is_left)
		gn_timer_start(all.timer, GROUP_POLL);
}

static void programs_on_timer(void *arg)
{
	(void)arg;
	programs_check();
}

static struct program *program_find(pid_t pid)
{
	struct program *p = all.list;

	while (p != NULL && (p->pid != pid || p->state != PROGRAM_RUNS))
		p = p->next;
	return p;
}

/* Reaps all children, also unknown ones: if the tool is the first process of a container, orphans become
 * its children.  The list is searched again for each, since a callback may start and free programs. */
static void on_child(void *arg, int sig)
{
	struct program *p;
	int status;
	pid_t pid;

	(void)arg;
	(void)sig;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		p = program_find(pid);
		if (p == NULL)
			continue;
		p->state = PROGRAM_ENDED;
		if (p->on_exit != NULL)
			p->on_exit(p->arg, p, status);
	}
	programs_check();
}

static int programs_open(struct gn_loop *loop)
{
	int err = all.timer == NULL ? gn_timer_new(loop, programs_on_timer, NULL, &all.timer) : 0;
	static bool is_reaping;

	if (err == 0 && !is_reaping)
		signals_on(SIGCHLD, on_child, NULL);
	is_reaping = err == 0;
	return err;
}

/* Makes a pipe whose ends are close-on-exec and not below FD_SAFE.  0 or -errno. */
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
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t set;
	int err;

	err = posix_spawn_file_actions_init(&files);
	if (err != 0)
		return -err;
	err = posix_spawnattr_init(&attr);
	if (err != 0) {
		posix_spawn_file_actions_destroy(&files);
		return -err;
	}
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	signals_default(&set, cfg->own_group);
	posix_spawnattr_setsigdefault(&attr, &set);
	if (cfg->own_group)
		flags |= POSIX_SPAWN_SETPGROUP; /* the attribute's group is 0: a new group with the child's pid */
	posix_spawnattr_setflags(&attr, flags);
	err = posix_spawn_file_actions_adddup2(&files, in, cfg->fd_in);
	if (err == 0)
		err = posix_spawn_file_actions_adddup2(&files, out, cfg->fd_out);
	if (err == 0)
		err = posix_spawnp(pid, cfg->argv[0], &files, &attr, cfg->argv, cfg->env != NULL ? cfg->env : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

static int start_on_pipes(const struct program_cfg *cfg, pid_t *pid, int *to, int *from)
{
	int to_child[2] = {-1, -1}, from_child[2] = {-1, -1}, err;

	err = make_pipe(to_child);
	if (err != 0)
		return err;
	err = make_pipe(from_child);
	if (err != 0) {
		close(to_child[0]);
		close(to_child[1]);
		return err;
	}
	err = spawn(cfg, to_child[0], from_child[1], pid);
	close(to_child[0]);
	close(from_child[1]);
	if (err != 0) {
		close(from_child[0]);
		close(to_child[1]);
		return err;
	}
	*to = to_child[1];
	*from = from_child[0];
	return 0;
}

int program_start(const struct program_cfg *cfg, struct program **out, int *to, int *from)
{
	struct program *p = calloc(1, sizeof *p);
	int err;

	if (p == NULL)
		return -ENOMEM;
	err = programs_open(cfg->loop);
	if (err == 0)
		err = start_on_pipes(cfg, &p->pid, to, from);
	if (err != 0) {
		free(p);
		return err;
	}
	p->own_group = cfg->own_group;
	p->held = -1;
	p->on_exit = cfg->on_exit;
	p->arg = cfg->arg;
	p->next = all.list;
	all.list = p;
	*out = p;
	return 0;
}

static void signal_once(const struct program *p, int sig)
{
	if (p->own_group)
		kill(-p->pid, sig);
	else if (p->tree.n > 0)
		descendants_signal(&p->tree, sig);
	else if (p->state == PROGRAM_RUNS)
		kill(p->pid, sig); /* without /proc no descendants are known */
}

void program_signal(struct program *p, int sig)
{
	if (program_is_gone(p))
		return;
	if (!p->own_group)
		descendants_update(&p->tree, p->state == PROGRAM_RUNS ? p->pid : 0);
	signal_once(p, sig);
	if (sig != SIGKILL)
		signal_once(p, SIGCONT);
}

void program_hold(struct program *p, int fd)
{
	if (p->held >= 0)
		close(p->held);
	p->held = fd;
}

void program_free(struct program *p)
{
	if (p == NULL)
		return;
	p->on_exit = NULL;
	p->is_released = true;
	if (p->state != PROGRAM_RUNS)
		programs_check();
}

void programs_signal(int sig)
{
	for (struct program *p = all.list; p != NULL; p = p->next)
		if (p->own_group)
			program_signal(p, sig);
}

bool programs_are_gone(void)
{
	for (struct program *p = all.list; p != NULL; p = p->next)
		if (p->own_group && !program_is_gone(p))
			return false;
	return true;
}

void programs_close(void)
{
	gn_timer_free(all.timer);
	all.timer = NULL;
	while (all.list != NULL)
		program_drop(all.list);
}

int program_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int program_error_code(int err)
{
	return err == -ENOENT || err == -ENOTDIR ? EXIT_NOTFOUND : EXIT_CANNOTRUN;
}
