/* SPDX-License-Identifier: MIT */
/* listening: what all tools that listen have in common: the addresses, the lines that show them, and
 * --ready-fd. */
#ifndef CMD_COMMON_LISTENING_H
#define CMD_COMMON_LISTENING_H

#include "gn.h"
#include "opt.h"

#define ANNOUNCE_OPT(cfg, field)                                                                         \
	{                                                                                                \
		0, "announce", "ADDR", "announce this address to peers, too; may be repeated", opt_list, \
			offsetof(cfg, field)                                                             \
	}

struct listening {
	struct address *wanted; /* the n addresses that the user gave; none: every interface, a free port */
	size_t n;
	struct address *announced; /* the n_announced values of --announce */
	size_t n_announced;
	char **shown; /* full addresses to hand out (with #TOKEN); the one most likely to be reachable comes first */
	size_t n_shown;
};

/* Parses the values of -a, or operands, with address_take().  0, or -1 and a fault. */
int listening_init(struct listening *l, const char *const *texts, size_t n, struct fault *f);
/* Parses the values of --announce, after listening_init().  0, or -1 and a fault. */
int listening_announce(struct listening *l, const struct opt_list *texts, struct fault *f);
void listening_fini(struct listening *l);
/* Announces and listens on all of them and fills in `shown`.  token: NULL, or the text after '#'.  Without wanted
 * addresses it listens on every interface, on one free port for IPv4 and IPv6; one of the two is
 * enough.  An address that cannot be listened on ends the tool with EXIT_LOCAL, one with another peer's id
 * with EXIT_USAGE.  0, or -errno when something else fails. */
int listening_start(struct listening *l, struct gn_node *node, const char *token);
/* Prints "listening on ADDR" for each address on stderr, at most 8 unless `all`; or with json
 * {"event":"listening","addrs":[...]} with all of them. */
void listening_show(const struct listening *l, bool json, bool all);
/* --ready-fd: writes all addresses, a line each, and closes fd unless it is a standard descriptor.  fd < 0:
 * does nothing. 0 or -errno. */
int listening_ready(const struct listening *l, int fd);

#endif
