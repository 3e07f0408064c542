/* SPDX-License-Identifier: MIT */
/* store: makes key files.  An existing file is never overwritten, and no incomplete file is left.  A
 * failure ends the tool with a line and the code of gn-exit(7). */
#ifndef CMD_GN_KEY_STORE_H
#define CMD_GN_KEY_STORE_H

#include "gn.h"

/* Writes a new key to the file.  The caller frees the key, here and below. */
struct gn_key *store_new(const char *file);
/* The same for the default key's file, whose directories are made.  quiet: the file's name is not printed
 * on stderr. */
struct gn_key *store_default(const char *file, bool quiet);
/* Reads a key file in any form and writes the key to another file in the given form. */
struct gn_key *store_convert(const char *from, const char *to, enum gn_key_form form, bool any_mode);

#endif
