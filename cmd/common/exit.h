/* SPDX-License-Identifier: MIT */
/* exit: the exit codes, which are the same in every tool and documented in gn-exit(7). */
#ifndef CMD_COMMON_EXIT_H
#define CMD_COMMON_EXIT_H

enum {
	EXIT_DONE = 0,
	EXIT_LOCAL = 1,     /* local input or output failed */
	EXIT_USAGE = 2,     /* a malformed option, address, key or id */
	EXIT_UNREACHED = 3, /* unreachable, or not found */
	EXIT_REFUSED = 4,   /* identity or access refused, by this host or by the peer */
	EXIT_TIMEOUT = 5,
	EXIT_LIMIT = 6,       /* a limit was hit */
	EXIT_NOPROTO = 7,     /* the peer lacks the protocol */
	EXIT_RESET = 8,       /* the stream was reset; data may be short */
	EXIT_BADDATA = 9,     /* framing, signature, decryption */
	EXIT_CANNOTRUN = 126, /* the program was found but could not be run */
	EXIT_NOTFOUND = 127,  /* the program was not found */
};

/* The exit code for an error of the network or the library (0, -errno or enum gn_error).  An -errno that is
 * not about the network becomes EXIT_LOCAL. */
int exit_code(int gn_err);
/* The same for a failed dial.  An error of the local system (no permission, no IPv6, a firewall) means here
 * that the peer was not reached: EXIT_UNREACHED, not EXIT_LOCAL or EXIT_REFUSED. */
int exit_code_of_dial(int gn_err);

/* Ends the process by the signal: restores its default action and raises it.  A shell then reports 128 +
 * sig. */
_Noreturn void exit_by_signal(int sig);

#endif
