/* SPDX-License-Identifier: MIT */
/* token: a listener's secret, 128 random bits in base32; made for one run, or kept in a file across
 * restarts. */
#ifndef CMD_GN_CAT_TOKEN_H
#define CMD_GN_CAT_TOKEN_H

#include "common/address.h"

#define TOKEN_MIN 16 /* characters in a file: a shorter one could be guessed */

void token_new(char out[ADDRESS_TOKEN_MAX + 1]);
/* Parses the contents of a token file: one line, with optional blanks around it.  0, or -1 and a fault. */
int token_parse(const char *text, char out[ADDRESS_TOKEN_MAX + 1], struct fault *f);
/* Reads the token from a file, or creates the file with mode 0600 and a new token.  any_mode: a file that
 * others may read is accepted.  A failure ends the tool, with the same exit codes as for a key file. */
void token_of_file(const char *path, bool any_mode, char out[ADDRESS_TOKEN_MAX + 1]);

#endif
