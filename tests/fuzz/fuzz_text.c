/* SPDX-License-Identifier: MIT */
/*
 * The filter for text that a peer chose.  For any input its output is well-formed UTF-8 without control
 * characters for a terminal, filtering the output again changes nothing, harmless text is not changed, and
 * the output as JSON is one string with all its quotes escaped.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "common/json.h"
#include "common/peertext.h"

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

/* A second implementation of the table in the header, to compare the filter with. */
static bool is_forbidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029;
}

/* Whether all of it is well-formed and safe. */
static bool is_clean(const char *text, size_t n)
{
	size_t len;
	uint32_t c;

	for (size_t i = 0; i < n; i += len) {
		len = gn_utf8_decode((const uint8_t *)text + i, n - i, &c);
		if (len == 0 || is_forbidden(c))
			return false;
	}
	return true;
}

static void check_filter(const char *text, size_t n, size_t room)
{
	char *out = malloc(room), *again = malloc(room);
	size_t len, len2;

	check(out != NULL && again != NULL);
	len = gn_text_filter(text, n, out, room);
	check(len < room && len <= n && out[len] == '\0' && memchr(out, '\0', len) == NULL);
	check(is_clean(out, len));
	len2 = gn_text_filter(out, len, again, room);
	check(len2 == len && memcmp(out, again, len) == 0);
	if (is_clean(text, n) && n < room)
		check(len == n && memcmp(out, text, n) == 0);
	free(out);
	free(again);
}

/* Checks the text as a JSON string.  It must end with a NUL, because json_string() requires one. */
static void check_json(const char *text)
{
	struct json j;

	json_open(&j);
	peertext_json(&j, "t", text);
	check(j.err != 0 || is_clean(j.text, j.len));
	/* In {"t":"..." each quote inside the string must be escaped, and the last one must not be. */
	for (size_t i = 6; j.err == 0 && i < j.len; i++) {
		if (j.text[i] == '\\')
			i++;
		else
			check(j.text[i] != '"' || i == j.len - 1);
	}
	check(j.err != 0 || j.text[j.len - 1] == '"');
	free(j.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char shown[PEERTEXT_MAX + 1], *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	check_filter(text, size - 1, size + 1);
	check_filter(text, size - 1, 1 + data[0] % 16);
	check_json(text);
	peertext(text, shown);
	check(is_clean(shown, strlen(shown)) && strlen(shown) <= PEERTEXT_MAX);
	free(text);
	return 0;
}
