/* SPDX-License-Identifier: MIT */
#include "exit.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "gn.h"

static int code_of_system(int err)
{
	switch (-err) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
		return EXIT_UNREACHED;
	case EEXIST:
	case EACCES:
	case EPERM:
		return EXIT_REFUSED;
	case ETIMEDOUT:
		return EXIT_TIMEOUT;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return EXIT_LIMIT;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return EXIT_RESET;
	default:
		return EXIT_LOCAL;
	}
}

int exit_code(int gn_err)
{
	switch (gn_err) {
	case 0:
		return EXIT_DONE;
	case GN_EUNREACH:
	case GN_ENONAME:
	case GN_ENOTRANS:
	case GN_EZONE:
	case GN_ENOZONE:
	case GN_ENOADDR:
		return EXIT_UNREACHED;
	case GN_EPEERID:
	case GN_EREFUSED:
	case GN_EKEYMODE:
		return EXIT_REFUSED;
	case GN_EKEYTYPE:
		return EXIT_USAGE;
	case GN_ETIMEOUT:
		return EXIT_TIMEOUT;
	case GN_ELIMIT:
	case GN_ECONNS:
	case GN_EPERADDR:
		return EXIT_LIMIT;
	case GN_ENOPROTO:
		return EXIT_NOPROTO;
	case GN_EOF:
	case GN_ERESET:
	case GN_ECLOSED:
	case GN_EGONE:
		return EXIT_RESET;
	case GN_EPROTO:
	case GN_EAUTH:
	case GN_EFORMAT:
	case GN_ETOOBIG:
	case GN_ETRUNC:
	case GN_ENOTFOR:
	case GN_ECONTEXT:
	case GN_EORDER:
		return EXIT_BADDATA;
	default:
		return code_of_system(gn_err);
	}
}

int exit_code_of_dial(int gn_err)
{
	int code = exit_code(gn_err);

	if (gn_err > GN_EAGAIN && (code == EXIT_LOCAL || code == EXIT_REFUSED))
		return EXIT_UNREACHED;
	return code;
}

void exit_by_signal(int sig)
{
	struct sigaction sa = {0};
	sigset_t set;

	sa.sa_handler = SIG_DFL;
	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig); /* for a signal whose default action is to be ignored */
}
