/* SPDX-License-Identifier: MIT */
/* identity: which key a tool goes by: -k FILE, else GN_KEY_FILE, else a fresh one, and
 * then one line on stderr says so.  Dies with the code of gn-exit(7) when the file
 * cannot be used, naming the command that mends its mode where that is the trouble. */
#ifndef CMD_COMMON_IDENTITY_H
#define CMD_COMMON_IDENTITY_H

#include "gn.h"

/* file: -k's value or NULL.  quiet: an ephemeral identity is not worth a line. */
struct gn_key *identity_load(const char *file, bool quiet);
/* The same for what an ephemeral identity is no good for: without a key it dies with EXIT_USAGE
 * and why, the end of a line. */
struct gn_key *identity_need(const char *file, const char *why);
/* gn_key_file_read(), dying as above. */
struct gn_key *identity_read(const char *file);
/* How it dies: of an error of gn_key_file_read(). */
_Noreturn void identity_die(const char *file, int err);

#endif
