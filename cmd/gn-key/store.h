/* SPDX-License-Identifier: MIT */
/* store: makes key files.  None is overwritten, and none is left half written.  What fails ends the tool with a line and
 * the code of gn-exit(7). */
#ifndef CMD_GN_KEY_STORE_H
#define CMD_GN_KEY_STORE_H

#include "gn.h"

/* A fresh key, in that file. */
struct gn_key *store_new(const char *file);
/* The same in the place of the default key, whose directories are made.  quiet: the place is not told on stderr. */
struct gn_key *store_default(const char *file, bool quiet);
/* The key of a file of any form, in another file of this form. */
struct gn_key *store_convert(const char *from, const char *to, enum gn_key_form form, bool any_mode);

#endif
