/* SPDX-License-Identifier: MIT */
/* listening: what every tool that listens does: the addresses to listen on, the lines
 * that show them, --ready-fd. */
#ifndef CMD_COMMON_LISTENING_H
#define CMD_COMMON_LISTENING_H

#include "gn.h"
#include "opt.h"

struct listening {
	struct address *wanted; /* parsed; n of them; none: every interface, a free port */
	size_t n;
	char **shown; /* full addresses to hand out (with #TOKEN), the likeliest first */
	size_t n_shown;
};

/* From the texts of -a or operands (address_take()); 0, or -1 and a fault. */
int listening_init(struct listening *l, const char *const *texts, size_t n, struct fault *f);
void listening_fini(struct listening *l);
/* Listens on all of them and fills in `shown`.  token: NULL or what comes behind '#'.  Without wanted addresses it is
 * every interface, and one free port for IPv4 and IPv6, of which one is enough.  What cannot be listened on ends the
 * tool with EXIT_LOCAL, an address with another peer's id with EXIT_USAGE.  0, or -errno when something else fails. */
int listening_start(struct listening *l, struct gn_node *node, const char *token);
/* Prints "listening on ADDR" for each on stderr, but not for more than a few unless `all`; or with json
 * {"event":"listening","addrs":[...]}, with all of them. */
void listening_show(const struct listening *l, bool json, bool all);
/* --ready-fd: all addresses, a line each, in one write; then fd is closed.  fd < 0: nothing.
 * 0 or -errno. */
int listening_ready(const struct listening *l, int fd);

#endif
