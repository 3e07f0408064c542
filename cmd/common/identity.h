/* SPDX-License-Identifier: MIT */
/* identity: the key of a tool: -k FILE, else GN_KEY_FILE, else the default key (default_key.h) if it
 * exists, else a new one.  A file that cannot be used ends the tool with the code of gn-exit(7) and a line
 * that says what to do. */
#ifndef CMD_COMMON_IDENTITY_H
#define CMD_COMMON_IDENTITY_H

#include "gn.h"
#include "opt.h"

struct identity_cfg {
	const char *file; /* -k's value, or NULL */
	bool any_mode;    /* a file that others may read is accepted */
};

/* Rows for a tool's option table; `member` of its cfg is a struct identity_cfg. */
#define IDENTITY_OPTS(cfg, member, help) \
	{'k', "key", "FILE", help, opt_string, offsetof(cfg, member.file)}, IDENTITY_OPT_MODE(cfg, member)
#define IDENTITY_OPT_MODE(cfg, member)                                                          \
	{                                                                                       \
		0, "insecure-key-mode", NULL, "take a key file that others may read", opt_flag, \
			offsetof(cfg, member.any_mode)                                          \
	}

/* Reads or makes the key; the caller frees it.  verbose: a line on stderr shows the peer id of a new key. */
struct gn_key *identity_load(const struct identity_cfg *cfg, bool verbose);
/* The same where a new key is of no use: without a file the tool ends with EXIT_USAGE; why is part of the
 * message. */
struct gn_key *identity_need(const struct identity_cfg *cfg, const char *why);
/* The file that identity_load() would read, in memory that the caller frees with free(), or NULL. */
char *identity_file(const struct identity_cfg *cfg);
/* Reads a key file; a failure ends the tool as above. */
struct gn_key *identity_read(const char *file, bool any_mode);
/* Ends the tool with the message and exit code for an error of gn_key_file_read_cfg(). */
_Noreturn void identity_die(const char *file, int err);

#endif
