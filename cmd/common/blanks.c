/* SPDX-License-Identifier: MIT */
#include "blanks.h"

#include <stdbool.h>
#include <string.h>

static const char *const blanks[] = {
	" ",
	"\t",
	"\r",
	"\n",
	"\v",
	"\f",
	"\xc2\xa0",     /* U+00A0 NO-BREAK SPACE */
	"\xe2\x80\x8b", /* U+200B ZERO WIDTH SPACE */
	"\xe2\x80\x8c", /* U+200C ZERO WIDTH NON-JOINER */
	"\xe2\x80\x8d", /* U+200D ZERO WIDTH JOINER */
	"\xe2\x80\x8e", /* U+200E LEFT-TO-RIGHT MARK */
	"\xe2\x80\x8f", /* U+200F RIGHT-TO-LEFT MARK */
	"\xe2\x80\xa8", /* U+2028 LINE SEPARATOR */
	"\xe2\x80\xa9", /* U+2029 PARAGRAPH SEPARATOR */
	"\xe2\x80\xaa", /* U+202A to U+202E, embeddings and overrides of direction */
	"\xe2\x80\xab",
	"\xe2\x80\xac",
	"\xe2\x80\xad",
	"\xe2\x80\xae",
	"\xe2\x80\xaf", /* U+202F NARROW NO-BREAK SPACE */
	"\xe2\x81\xa0", /* U+2060 WORD JOINER */
	"\xe2\x81\xa6", /* U+2066 to U+2069, isolates */
	"\xe2\x81\xa7",
	"\xe2\x81\xa8",
	"\xe2\x81\xa9",
	"\xe3\x80\x80", /* U+3000 IDEOGRAPHIC SPACE */
	"\xef\xbb\xbf", /* U+FEFF, the byte order mark */
};

/* The length of the blank at the beginning or, with is_end, at the end of the text; 0 if there is none. */
static size_t blank_at(const char *text, size_t len, bool is_end)
{
	for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
		size_t n = strlen(blanks[i]);

		if (n <= len && memcmp(is_end ? text + len - n : text, blanks[i], n) == 0)
			return n;
	}
	return 0;
}

void blanks_trim(const char **text, size_t *len)
{
	size_t n;

	while ((n = blank_at(*text, *len, false)) > 0) {
		*text += n;
		*len -= n;
	}
	while ((n = blank_at(*text, *len, true)) > 0)
		*len -= n;
}
