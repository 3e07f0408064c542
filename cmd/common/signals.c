/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define SIGNALS_MAX 8

/* Global, since the signal handler uses it. */
static struct {
	int pipe[2];
	struct gn_watch *watch;
	volatile sig_atomic_t caught[SIGNALS_MAX];
	struct {
		int sig;
		void (*cb)(void *arg, int sig);
		void *arg;
	} on[SIGNALS_MAX];
	int n;
} state = {.pipe = {-1, -1}};

static void handler(int sig)
{
	int saved = errno;

	for (int i = 0; i < state.n; i++)
		if (state.on[i].sig == sig)
			state.caught[i] = 1;
	if (write(state.pipe[1], "", 1) < 0) {
		/* The pipe is full, so the loop wakes anyway. */
	}
	errno = saved;
}

static void signals_on_ready(void *arg, unsigned ready)
{
	char buf[64];

	(void)arg;
	(void)ready;
	while (read(state.pipe[0], buf, sizeof buf) > 0)
		;
	for (int i = 0; i < state.n; i++) {
		if (!state.caught[i])
			continue;
		state.caught[i] = 0;
		state.on[i].cb(state.on[i].arg, state.on[i].sig);
	}
}

/* These stay ignored if the parent process has ignored them. */
static const int kept[] = {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
static const int ignored[] = {SIGPIPE, SIGXFSZ};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool is_in(const int *sigs, size_t n, int sig)
{
	for (size_t i = 0; i < n; i++)
		if (sigs[i] == sig)
			return true;
	return false;
}

void signals_begin(void)
{
	struct sigaction sa = {0};
	sigset_t none;

	sigemptyset(&sa.sa_mask);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP || is_in(kept, COUNT(kept), sig))
			continue;
		sa.sa_handler = is_in(ignored, COUNT(ignored), sig) ? SIG_IGN : SIG_DFL;
		sigaction(sig, &sa, NULL); /* fails for the few numbers that libc reserves */
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* pending signals are delivered now */
}

void signals_default(sigset_t *set, bool own_group)
{
	for (size_t i = 0; i < COUNT(ignored); i++)
		sigaddset(set, ignored[i]);
	for (size_t i = 0; i < COUNT(kept) && own_group; i++)
		sigaddset(set, kept[i]);
}

int signals_open(struct gn_loop *loop)
{
	int err;

	if (pipe(state.pipe))
		return -errno;
	for (int i = 0; i < 2; i++) {
		fcntl(state.pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(state.pipe[i], F_SETFL, O_NONBLOCK);
	}
	err = gn_watch_new(loop, state.pipe[0], signals_on_ready, NULL, &state.watch);
	if (err != 0) {
		signals_close();
		return err;
	}
	gn_watch_start(state.watch, GN_READABLE);
	return 0;
}

void signals_on(int sig, void (*cb)(void *arg, int sig), void *arg)
{
	struct sigaction sa = {0}, old;

	if (state.n == SIGNALS_MAX)
		return;
	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		return;
	state.on[state.n].sig = sig;
	state.on[state.n].cb = cb;
	state.on[state.n].arg = arg;
	state.n++;
	sa.sa_handler = handler;
	sa.sa_flags = SA_RESTART | SA_NOCLDSTOP;
	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

void signals_close(void)
{
	struct sigaction sa = {0};

	sa.sa_handler = SIG_IGN;
	sigemptyset(&sa.sa_mask);
	for (int i = 0; i < state.n; i++)
		sigaction(state.on[i].sig, &sa, NULL);
	state.n = 0;
	gn_watch_free(state.watch);
	state.watch = NULL;
	for (int i = 0; i < 2; i++) {
		if (state.pipe[i] >= 0)
			close(state.pipe[i]);
		state.pipe[i] = -1;
	}
}
