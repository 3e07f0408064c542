/* SPDX-License-Identifier: MIT */
/* blanks: white space and invisible characters that are pasted along with a text. */
#ifndef CMD_COMMON_BLANKS_H
#define CMD_COMMON_BLANKS_H

#include <stddef.h>

/* Removes blanks from both ends of a text of *len bytes: ASCII white space, and in UTF-8 no-break spaces,
 * zero-width characters, direction marks and the byte order mark, which web pages and editors add. */
void blanks_trim(const char **text, size_t *len);

#endif
