/* SPDX-License-Identifier: MIT */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/diag.h"

static volatile sig_atomic_t caught; /* the signal that interrupted the prompt; 0: none */

static void passphrase_on_signal(int sig)
{
	caught = sig;
}

/* Signals are caught so that the terminal's mode is restored before the tool ends. */
static void catch_signals(void)
{
	static const int sigs[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	struct sigaction sa = {0};

	sa.sa_handler = passphrase_on_signal; /* without SA_RESTART: it ends the read */
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		sigaction(sigs[i], &sa, NULL);
}

/* Reads a line, without its end.  Returns its length, GN_ETOOBIG, GN_ETRUNC at an end of file, or -errno. */
static int passphrase_read_line(int fd, char buf[GN_PASSPHRASE_MAX])
{
	size_t n = 0;
	ssize_t got;
	char c;

	for (;;) {
		got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR && !caught)
			continue;
		if (got <= 0 || c == '\n' || caught)
			break;
		if (n == GN_PASSPHRASE_MAX)
			return GN_ETOOBIG;
		buf[n++] = c;
	}
	if (got < 0 && !caught)
		return -errno;
	return got ? (int)n : GN_ETRUNC;
}

int passphrase_ask(void *arg, char buf[GN_PASSPHRASE_MAX])
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), n;
	struct termios was, quiet;

	if (fd < 0 || tcgetattr(fd, &was))
		die(EXIT_LOCAL, "key %s: it is encrypted, and there is no terminal to ask for its passphrase at",
		    (const char *)arg);
	catch_signals();
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(fd, TCSAFLUSH, &quiet);
	dprintf(fd, "Passphrase of %s: ", (const char *)arg);
	n = passphrase_read_line(fd, buf);
	tcsetattr(fd, TCSAFLUSH, &was);
	dprintf(fd, "\n");
	close(fd);
	if (caught) {
		memset(buf, 0, GN_PASSPHRASE_MAX);
		exit_by_signal(caught);
	}
	return n;
}
