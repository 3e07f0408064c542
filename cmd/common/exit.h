/* SPDX-License-Identifier: MIT */
/* exit: the exit codes, the same in every tool; gn-exit(7) is their page. */
#ifndef CMD_COMMON_EXIT_H
#define CMD_COMMON_EXIT_H

enum {
	EXIT_DONE = 0,
	EXIT_LOCAL = 1,     /* local input or output failed */
	EXIT_USAGE = 2,     /* a malformed option, address, key or id */
	EXIT_UNREACHED = 3, /* unreachable, or not found */
	EXIT_REFUSED = 4,   /* identity or access refused, by either end */
	EXIT_TIMEOUT = 5,
	EXIT_LIMIT = 6,       /* a limit was hit */
	EXIT_NOPROTO = 7,     /* the peer lacks the protocol */
	EXIT_RESET = 8,       /* the stream was reset; data may be short */
	EXIT_BADDATA = 9,     /* framing, signature, decryption */
	EXIT_CANNOTRUN = 126, /* the program was found but could not be run */
	EXIT_NOTFOUND = 127,  /* the program was not found */
};

/* The exit code for an error of gn.h (0, -errno or enum gn_error) that came from the
 * network or the library.  An -errno that is not about the network is EXIT_LOCAL. */
int exit_code(int gn_err);
/* The same for a dial that failed: what the system refuses there (no right, no IPv6, a firewall) is no failure of
 * local input or output, nor a refusal by the peer, but EXIT_UNREACHED. */
int exit_code_of_dial(int gn_err);

/* Dies of the signal: default action restored, raised.  A shell then sees 128 + sig. */
_Noreturn void exit_by_signal(int sig);

#endif
