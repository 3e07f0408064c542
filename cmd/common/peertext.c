/* SPDX-License-Identifier: MIT */
#include "peertext.h"

#include <string.h>

#include "gn.h"
#include "json.h"

/* The number of bytes that are shown; no character is cut in the middle. */
static size_t shown_len(const char *text, size_t n)
{
	size_t at = 0, len = 0;
	bool is_safe;

	if (n <= PEERTEXT_MAX)
		return n;
	while (at + len <= PEERTEXT_MAX - 3) {
		at += len;
		len = gn_text_next(text + at, n - at, &is_safe);
	}
	return at;
}

const char *peertext(const char *text, char out[PEERTEXT_MAX + 1])
{
	size_t n = text != NULL ? strlen(text) : 0, shown = n > 0 ? shown_len(text, n) : 0;

	shown = gn_text_filter(text != NULL ? text : "", shown, out, PEERTEXT_MAX + 1);
	if (n > PEERTEXT_MAX)
		memcpy(out + shown, "...", 4);
	return out;
}

void peertext_json(struct json *j, const char *key, const char *text)
{
	char out[PEERTEXT_MAX + 1];
	size_t n = text != NULL ? strlen(text) : 0, shown;

	if (n <= PEERTEXT_MAX) {
		json_string(j, key, text);
		return;
	}
	shown = shown_len(text, n);
	memcpy(out, text, shown);
	memcpy(out + shown, "...", 4);
	json_string(j, key, out);
}
