/* SPDX-License-Identifier: MIT */
/*
 * cat_ends GN-CAT [FIRST [COUNT [JOBS]]]: runs seeded schedules in which one of two gn-cats, or the relay
 * between them, is killed, stopped, stalled or closed, at a byte count.  After each run it checks that
 *
 *   - the output is a prefix of the input, in each direction;
 *   - if one of them exits 0, each of the two has written all of the input of the other;
 *   - neither hangs, every exit code is one of those expected, and without a fault both exit 0.
 *
 * A failure prints its seed; GN_SEED=N runs only that one.  The last line is "N passed, M failed".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/cat_plan.h"
#include "support/rng.h"

enum { HANG = 60, UNREACHED_MS = 500, STALL_MAX_MS = 15000 };

static struct cat_plan plan;
/* The progress of the fault: its first part, and its second part if it has one. */
enum fault_state { AWAITED, FIRED, FIRED_AGAIN };
static enum fault_state fault_state;
static int64_t fired_at; /* when the first part was fired, in ms */

struct end {
	const char *name;
	pid_t pid;
	int in, out; /* our ends of the pipes to the tool's stdin and from its stdout; -1: closed */
	int in_too;  /* the reading end of the tool's stdin, to query how much it has left unread */
	FILE *err;
	uint64_t size, fed, got;
	bool exited, termed, broken; /* broken: the tool's output differs from the input of the other */
	int status;
};
static struct end ends[ENDS] = {{.name = "listener"}, {.name = "dialer"}};

/* The relay: sock[i] is connected to end i; ways[i] carries what end i sends. */
struct way {
	uint8_t buf[32768];
	size_t at, n;
	uint64_t total;
	bool eof, shut;
};
static struct way ways[ENDS];
static int sock[ENDS] = {-1, -1}, relay_listener;
static struct sockaddr_in target;
static bool stalled, dropping;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void die(const char *what)
{
	fprintf(stderr, "cat_ends: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* The byte at an offset of the input of end i; offsets that are close have different bytes. */
static uint8_t pattern(int i, uint64_t at)
{
	return (uint8_t)((at * 2654435761u + plan.seed * 7 + (uint64_t)i) >> 11 ^ at);
}

/* ---- the two programs ---- */

/* Starts the tool; *ready, unless NULL, is a descriptor from which its output to fd 9 can be read. */
static void spawn(const char *tool, char *const argv[], struct end *e, bool full, int *ready)
{
	int in[2], out[2], ready_pipe[2];

	e->err = tmpfile();
	if (e->err == NULL || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(ready_pipe, O_CLOEXEC))
		die("pipe");
	e->pid = fork();
	if (e->pid < 0)
		die("fork");
	if (e->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (full)
			out[1] = open("/dev/full", O_WRONLY);
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(fileno(e->err), 2);
		if (ready_pipe[1] == 9)
			fcntl(9, F_SETFD, 0);
		else
			dup2(ready_pipe[1], 9);
		execv(tool, argv);
		_exit(127);
	}
	close(out[1]);
	close(ready_pipe[1]);
	e->in = in[1];
	e->in_too = in[0];
	e->out = out[0];
	fcntl(e->in, F_SETFL, O_NONBLOCK);
	fcntl(e->out, F_SETFL, O_NONBLOCK);
	if (ready != NULL)
		*ready = ready_pipe[0];
	else
		close(ready_pipe[0]);
}

/* The listener's address, with the relay's port instead of its own. */
static void read_address(int ready, char *out, size_t room)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;
	char line[512] = "", *rest;
	ssize_t n = read(ready, line, sizeof line - 1);

	rest = n > 0 ? strchr(line, '\n') : NULL;
	if (rest == NULL || strncmp(line, "/ip4/127.0.0.1/tcp/", 19) != 0)
		die("no address from the listener");
	*rest = 0;
	close(ready);
	target = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	target.sin_port = htons((uint16_t)strtoul(line + 19, &rest, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	relay_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(relay_listener, (struct sockaddr *)&sa, sizeof sa) || listen(relay_listener, 4) ||
	    getsockname(relay_listener, (struct sockaddr *)&sa, &len))
		die("relay");
	snprintf(out, room, "/ip4/127.0.0.1/tcp/%u%s", ntohs(sa.sin_port), rest);
}

/* Whether the fault of the schedule is still pending and is triggered by the bytes of end i.  If so, at most
 * plan.count of these bytes may pass before the fault. */
static bool is_awaited(enum trigger trigger, int i)
{
	return plan.fault != NONE && plan.fault != FULL && fault_state == AWAITED && plan.trigger == trigger &&
	       plan.victim == i;
}

static void feed(int i)
{
	struct end *e = &ends[i];
	uint8_t buf[65536];
	size_t n = e->size - e->fed < sizeof buf ? (size_t)(e->size - e->fed) : sizeof buf;
	ssize_t k;

	for (size_t j = 0; j < n; j++)
		buf[j] = pattern(i, e->fed + j);
	k = n > 0 ? write(e->in, buf, n) : 0;
	if (k > 0)
		e->fed += (uint64_t)k;
	if (e->fed == e->size || (k < 0 && errno != EAGAIN)) {
		close(e->in);
		e->in = -1;
	}
}

static void drain(int i)
{
	struct end *e = &ends[i];
	uint8_t buf[65536];
	size_t n = sizeof buf;
	ssize_t k;

	if (is_awaited(AT_OUTPUT, i) && plan.count - e->got < n)
		n = (size_t)(plan.count - e->got);
	k = n > 0 ? read(e->out, buf, n) : -1;
	if (k == 0) {
		close(e->out);
		e->out = -1;
	}
	for (ssize_t j = 0; j < k; j++)
		if (buf[j] != pattern(!i, e->got + (uint64_t)j))
			e->broken = true;
	if (k > 0)
		e->got += (uint64_t)k;
}

/* ---- the relay ---- */

static void relay_close(bool reset)
{
	static const struct linger at_once = {.l_onoff = 1};

	for (int i = 0; i < ENDS; i++) {
		if (sock[i] >= 0 && reset)
			setsockopt(sock[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		if (sock[i] >= 0)
			close(sock[i]);
		sock[i] = -1;
	}
}

static void relay_accept(void)
{
	if (sock[DIALER] >= 0)
		return;
	sock[DIALER] = accept4(relay_listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (sock[DIALER] < 0)
		return;
	sock[LISTENER] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(sock[LISTENER], (struct sockaddr *)&target, sizeof target))
		relay_close(true);
	else
		fcntl(sock[LISTENER], F_SETFL, O_NONBLOCK);
}

static void relay_in(int i)
{
	struct way *w = &ways[i];
	size_t n = sizeof w->buf;
	ssize_t k;

	if (is_awaited(AT_WIRE, i) && plan.count - w->total < n)
		n = (size_t)(plan.count - w->total);
	k = n > 0 ? read(sock[i], w->buf, n) : -1;
	if (n > 0 && k < 0 && errno != EAGAIN) {
		relay_close(true);
		return;
	}
	w->eof = k == 0;
	w->at = 0;
	w->n = k > 0 && !dropping ? (size_t)k : 0;
	w->total += k > 0 ? (uint64_t)k : 0;
}

static void relay_out(int i)
{
	struct way *w = &ways[i];
	ssize_t k = w->n > 0 ? write(sock[!i], w->buf + w->at, w->n) : 0;

	if (k < 0 && errno != EAGAIN) {
		relay_close(true);
		return;
	}
	if (k > 0) {
		w->at += (size_t)k;
		w->n -= (size_t)k;
	}
	if (w->n == 0 && w->eof && !w->shut) {
		w->shut = true;
		shutdown(sock[!i], SHUT_WR);
	}
	if (ways[0].shut && ways[1].shut)
		relay_close(false);
}

/* ---- the fault ---- */

static bool is_due(void)
{
	uint64_t n = plan.trigger == AT_WIRE ? ways[plan.victim].total : ends[plan.victim].got;

	return is_awaited(plan.trigger, plan.victim) && n >= plan.count;
}

static void close_reader(struct end *e)
{
	int left = 0;

	if (e->out < 0)
		return;
	/* Bytes in the pipe count as written, although they are never read. */
	ioctl(e->out, FIONREAD, &left);
	e->got += (uint64_t)left;
	close(e->out);
	e->out = -1;
}

static void signal_to(struct end *e, int sig)
{
	if (!e->exited)
		kill(e->pid, sig);
}

static void fire(void)
{
	struct end *e = &ends[plan.victim];

	fault_state = FIRED;
	fired_at = now_ms();
	switch (plan.fault) {
	case KILL:
		signal_to(e, SIGKILL);
		break;
	case TERM:
		e->termed = true;
		signal_to(e, SIGTERM);
		break;
	case STOP_KILL:
	case STOP_CONT:
		signal_to(e, SIGSTOP);
		break;
	case CUT_RESET:
		relay_close(true);
		break;
	case CUT_END:
		dropping = true;
		for (int i = 0; i < ENDS; i++) {
			if (sock[i] >= 0)
				shutdown(sock[i], SHUT_WR);
			ways[i].shut = sock[i] >= 0;
			ways[i].n = 0;
		}
		break;
	case STALL:
	case STALL_CUT:
	case SILENCE:
		stalled = true;
		break;
	case CLOSE_READER:
		close_reader(e);
		break;
	default:
		break;
	}
}

/* Starts the second part of a fault that has two, such as the kill after a stop. */
static void fire_again(void)
{
	fault_state = FIRED_AGAIN;
	if (plan.fault == STOP_KILL)
		signal_to(&ends[plan.victim], SIGKILL);
	if (plan.fault == STOP_CONT)
		signal_to(&ends[plan.victim], SIGCONT);
	if (plan.fault == STALL_CUT)
		relay_close(true);
	stalled = plan.fault == SILENCE;
}

/* ---- a run ---- */

static void one_turn(void)
{
	struct pollfd p[7];
	int n = 0, at[7], out_paused = -1;

	if (plan.fault == STALL_READER && fault_state == FIRED)
		out_paused = plan.victim;
	for (int i = 0; i < ENDS; i++) {
		if (ends[i].in >= 0)
			at[n] = i, p[n++] = (struct pollfd){.fd = ends[i].in, .events = POLLOUT};
		if (ends[i].out >= 0 && out_paused != i)
			at[n] = 2 + i, p[n++] = (struct pollfd){.fd = ends[i].out, .events = POLLIN};
		if (sock[DIALER] >= 0 && !stalled && ways[i].n == 0 && !ways[i].eof)
			at[n] = 4 + i, p[n++] = (struct pollfd){.fd = sock[i], .events = POLLIN};
	}
	if (sock[DIALER] < 0)
		at[n] = 6, p[n++] = (struct pollfd){.fd = relay_listener, .events = POLLIN};
	poll(p, (nfds_t)n, 10);
	for (int i = 0; i < n; i++) {
		if (p[i].revents == 0)
			continue;
		if (at[i] < 2)
			feed(at[i]);
		else if (at[i] < 4)
			drain(at[i] - 2);
		else if (at[i] < 6 && sock[DIALER] >= 0)
			relay_in(at[i] - 4);
		else if (at[i] == 6)
			relay_accept();
	}
	for (int i = 0; i < ENDS; i++)
		if (sock[DIALER] >= 0 && !stalled && (ways[i].n > 0 || ways[i].eof))
			relay_out(i);
	if (is_due())
		fire();
	if (fault_state == FIRED && now_ms() - fired_at >= plan.span)
		fire_again();
}

static void reap(void)
{
	for (int i = 0; i < ENDS; i++) {
		int status;

		if (ends[i].exited || waitpid(ends[i].pid, &status, WNOHANG) != ends[i].pid)
			continue;
		ends[i].exited = true;
		ends[i].status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

/* Runs until both have ended.  A listener that was never reached gets a SIGTERM. */
static bool run_to_end(void)
{
	int64_t began = now_ms(), unreached_since = 0;

	while (!ends[0].exited || !ends[1].exited || ends[0].out >= 0 || ends[1].out >= 0) {
		one_turn();
		reap();
		if (now_ms() - began > HANG * 1000)
			return false;
		if (stalled && fault_state != AWAITED && now_ms() - fired_at > STALL_MAX_MS) {
			stalled = false;
			relay_close(true);
		}
		if (!ends[DIALER].exited || ends[LISTENER].exited || sock[LISTENER] >= 0 || ends[LISTENER].termed)
			continue;
		if (unreached_since == 0)
			unreached_since = now_ms();
		if (now_ms() - unreached_since > UNREACHED_MS) {
			ends[LISTENER].termed = true;
			signal_to(&ends[LISTENER], SIGTERM);
		}
	}
	return true;
}

/* ---- checks ---- */

static uint64_t taken(const struct end *e)
{
	int left = 0;

	ioctl(e->in_too, FIONREAD, &left);
	return e->fed - (uint64_t)left;
}

static bool is_code_good(const struct end *e)
{
	switch (e->status) {
	case 0:
	case 8:
		return true;
	case 1:
		return plan.fault == CLOSE_READER || plan.fault == FULL;
	case 3:
	case 5:
		return e == &ends[DIALER] && fault_state != AWAITED;
	case 128 + SIGKILL:
		return plan.fault == KILL || plan.fault == STOP_KILL;
	case 128 + SIGTERM:
		/* A listener may end by SIGTERM only if it has served no stream. */
		return e->termed && (e == &ends[DIALER] || (e->got == 0 && taken(e) == 0));
	default:
		return false;
	}
}

static const char *find_violation(void)
{
	bool is_harmless =
		fault_state == AWAITED || plan.fault == STALL || plan.fault == STALL_READER || plan.fault == STOP_CONT;

	for (int i = 0; i < ENDS; i++) {
		const struct end *e = &ends[i], *other = &ends[!i];

		if (e->broken || e->got > other->size)
			return "what came out is not what went in";
		if (!is_code_good(e))
			return "an exit code that is not expected";
		if (e->status == 0 && (other->got != e->size || taken(e) != e->size || e->got != other->size))
			return "exit code 0, but data is missing";
		if (is_harmless && plan.fault != FULL && e->status != 0)
			return "no fault, but the exit code is not 0";
		if (plan.fault == FULL && i == plan.victim && other->size > 0 && (e->status != 1 || other->status != 8))
			return "a full disk has to be exit code 1, and 8 at the peer";
	}
	return NULL;
}

static void report(const char *why)
{
	char line[400];

	printf("seed %llu: %s\n  %s of the %s at byte %llu of its %s%s\n", (unsigned long long)plan.seed, why,
	       cat_plan_fault_name(plan.fault), ends[plan.victim].name, (unsigned long long)plan.count,
	       plan.trigger == AT_WIRE ? "wire" : "output", fault_state != AWAITED ? "" : ", which did not happen");
	for (int i = 0; i < ENDS; i++) {
		struct end *e = &ends[i];

		printf("  %s: exit %d%s, took %llu of %llu, wrote %llu; wire %llu\n", e->name,
		       e->exited ? e->status : -1, e->termed ? " (after SIGTERM)" : "", (unsigned long long)taken(e),
		       (unsigned long long)e->size, (unsigned long long)e->got, (unsigned long long)ways[i].total);
		rewind(e->err);
		while (fgets(line, sizeof line, e->err) != NULL)
			printf("    %s", line);
	}
	fflush(stdout);
}

static int run_seed(const char *tool, uint64_t seed)
{
	static char words[][24] = {"gn-cat", "-l", "--ready-fd", "9", "/ip4/127.0.0.1/tcp/0"};
	char addr[600];
	char *listen_argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};
	char *dial_argv[] = {words[0], addr, NULL};
	const char *why;
	int ready;

	cat_plan_make(&plan, seed);
	for (int i = 0; i < ENDS; i++)
		ends[i].size = plan.size[i];
	signal(SIGPIPE, SIG_IGN);
	spawn(tool, listen_argv, &ends[LISTENER], plan.fault == FULL && plan.victim == LISTENER, &ready);
	read_address(ready, addr, sizeof addr);
	spawn(tool, dial_argv, &ends[DIALER], plan.fault == FULL && plan.victim == DIALER, NULL);
	why = run_to_end() ? find_violation() : "it hangs";
	if (why != NULL || getenv("GN_SEED") != NULL)
		report(why != NULL ? why : "good");
	for (int i = 0; i < ENDS; i++)
		signal_to(&ends[i], SIGKILL);
	return why != NULL ? 1 : 0;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, n = argc > 3 ? strtoull(argv[3], NULL, 0) : 100;
	int jobs = argc > 4 ? atoi(argv[4]) : 8, running = 0, failed = 0, status;
	uint64_t next;

	if (argc < 2) {
		fprintf(stderr, "usage: cat_ends GN-CAT [FIRST [COUNT [JOBS]]]\n");
		return 2;
	}
	rng_seeds(&first, &n);
	for (next = first; next < first + n || running; running--) {
		for (; next < first + n && running < jobs; next++, running++) {
			fflush(stdout);
			switch (fork()) {
			case -1:
				die("fork");
				break;
			case 0:
				exit(run_seed(argv[1], next));
			}
		}
		if (wait(&status) < 0)
			die("wait");
		failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	printf("%llu passed, %d failed\n", (unsigned long long)n - (unsigned long long)failed, failed);
	return failed > 0 || n == 0;
}
