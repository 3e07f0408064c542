/* SPDX-License-Identifier: MIT */
/* identity: which key a tool goes by: -k FILE, else GN_KEY_FILE, else the default key (default_key.h) if it exists,
 * else a fresh one.  Dies with the code of gn-exit(7) when the file cannot be used, and says what to do about it. */
#ifndef CMD_COMMON_IDENTITY_H
#define CMD_COMMON_IDENTITY_H

#include "gn.h"
#include "opt.h"

struct identity_cfg {
	const char *file; /* -k's value, or NULL */
	bool any_mode;    /* others may read the file */
};

/* The rows of a tool's table of options; in its cfg `member` is a struct identity_cfg. */
#define IDENTITY_OPTS(cfg, member, help) \
	{'k', "key", "FILE", help, opt_string, offsetof(cfg, member.file)}, IDENTITY_OPT_MODE(cfg, member)
#define IDENTITY_OPT_MODE(cfg, member)                                                          \
	{                                                                                       \
		0, "insecure-key-mode", NULL, "take a key file that others may read", opt_flag, \
			offsetof(cfg, member.any_mode)                                          \
	}

/* verbose: a line on stderr says so when the key is a fresh one. */
struct gn_key *identity_load(const struct identity_cfg *cfg, bool verbose);
/* The same for what a fresh key is no good for: without a file it dies with EXIT_USAGE and why, the end of a line. */
struct gn_key *identity_need(const struct identity_cfg *cfg, const char *why);
/* The file that identity_load() would read, in memory that the caller frees with free(), or NULL. */
char *identity_file(const struct identity_cfg *cfg);
/* Reads a key file, dying as above. */
struct gn_key *identity_read(const char *file, bool any_mode);
/* How it dies: of an error of gn_key_file_read_cfg(). */
_Noreturn void identity_die(const char *file, int err);

#endif
