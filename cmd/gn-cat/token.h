/* SPDX-License-Identifier: MIT */
/* token: the secret word of a listener, 128 random bits in base32; made for one run, or kept in a file over restarts. */
#ifndef CMD_GN_CAT_TOKEN_H
#define CMD_GN_CAT_TOKEN_H

#include "common/address.h"

#define TOKEN_MIN 16 /* characters in a file: a shorter one could be guessed */

void token_new(char out[ADDRESS_TOKEN_MAX + 1]);
/* Parses what a token file holds: one line, with any blanks around it.  0, or -1 and a fault. */
int token_parse(const char *text, char out[ADDRESS_TOKEN_MAX + 1], struct fault *f);
/* Reads the token from a file, or makes a file of mode 0600 with a new one if there is none.  any_mode: also from a file
 * that others may read.  What fails ends the tool, with the codes that a key file has. */
void token_of_file(const char *path, bool any_mode, char out[ADDRESS_TOKEN_MAX + 1]);

#endif
