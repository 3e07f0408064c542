/* SPDX-License-Identifier: MIT */
/* What is pasted along with a word: blanks, line ends, and characters that nobody sees. */
#ifndef CMD_COMMON_BLANKS_H
#define CMD_COMMON_BLANKS_H

#include <stddef.h>

/* Takes blanks from both ends of a text of *len bytes: those of ASCII, and in UTF-8 the no-break space, characters
 * without width, marks of direction and the byte order mark, which web pages and editors put around words. */
void blanks_trim(const char **text, size_t *len);

#endif
