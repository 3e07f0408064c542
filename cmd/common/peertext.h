/* SPDX-License-Identifier: MIT */
/* peertext: text that a peer chose, for showing: through gn_text_filter(), and not longer than PEERTEXT_MAX. */
#ifndef CMD_COMMON_PEERTEXT_H
#define CMD_COMMON_PEERTEXT_H

#include <stddef.h>

#define PEERTEXT_MAX 1024 /* bytes: a protocol's name may have 1022, an agent's has 256 at most where it is sane */

/* Returns out, which holds "" for NULL; text that is longer ends in "...". */
const char *peertext(const char *text, char out[PEERTEXT_MAX + 1]);

struct json;
/* The same as a string of an object or array (json.h): U+FFFD for what is not safe. */
void peertext_json(struct json *j, const char *key, const char *text);

#endif
