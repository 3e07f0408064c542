/* SPDX-License-Identifier: MIT */
/* peertext: makes text that a peer chose safe to show: filtered by gn_text_filter() and cut to PEERTEXT_MAX
 * bytes. */
#ifndef CMD_COMMON_PEERTEXT_H
#define CMD_COMMON_PEERTEXT_H

#include <stddef.h>

#define PEERTEXT_MAX 1024 /* bytes; the longest protocol name has 1022 */

/* Returns out, which holds "" if text is NULL.  A text that was cut ends in "...". */
const char *peertext(const char *text, char out[PEERTEXT_MAX + 1]);

struct json;
/* The same as a string of an object or array (json.h); characters that are not safe become U+FFFD. */
void peertext_json(struct json *j, const char *key, const char *text);

#endif
