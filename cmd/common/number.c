/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <inttypes.h>
#include <stdbool.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits; returns how many characters, 0 when there is none or the number is past max. */
static size_t digits(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; is_digit(text[i]); i++) {
		uint64_t d = (uint64_t)(text[i] - '0');

		if (v > (max - d) / 10)
			return 0;
		v = v * 10 + d;
	}
	*out = v;
	return i;
}

static int fault_at(struct fault *f, const char *text, size_t at, const char *what)
{
	if (!*text)
		return say_fault(f, "nothing stands where %s should", what);
	return say_fault(f, "'%.80s' is not %s (wrong at character %zu)", text, what, at + 1);
}

int number_parse(const char *text, uint64_t lo, uint64_t hi, uint64_t *out, struct fault *f)
{
	uint64_t v;
	size_t i = 0;

	while (is_digit(text[i]))
		i++;
	if (!i || text[i])
		return fault_at(f, text, i, "a number");
	if (!digits(text, UINT64_MAX, &v) || v < lo || v > hi)
		return say_fault(f, "'%.80s' is not from %" PRIu64 " to %" PRIu64, text, lo, hi);
	*out = v;
	return 0;
}

int number_parse_time(const char *text, gn_time *out, struct fault *f)
{
	uint64_t sec = 0, part = 0, unit = 100000000;
	size_t i, start;

	i = digits(text, (uint64_t)(INT64_MAX / GN_SEC) - 1, &sec);
	if (!i && is_digit(text[0]))
		return say_fault(f, "'%.80s' is too long a time", text);
	if (text[i] == '.') {
		for (start = ++i; is_digit(text[i]); i++, unit /= 10)
			part += (uint64_t)(text[i] - '0') * unit;
		if (i == start)
			return fault_at(f, text, i, "a time in seconds");
	}
	if (!i || text[i])
		return fault_at(f, text, i, "a time in seconds");
	*out = (gn_time)sec * GN_SEC + (gn_time)part;
	return 0;
}

int number_parse_size(const char *text, size_t *out, struct fault *f)
{
	unsigned shift = 0;
	uint64_t v = 0;
	size_t i;

	i = digits(text, SIZE_MAX, &v);
	if (!i && is_digit(text[0]))
		return say_fault(f, "'%.80s' is too large a size", text);
	if (!i)
		return fault_at(f, text, 0, "a size in bytes");
	if (text[i] == 'K' || text[i] == 'k')
		shift = 10;
	else if (text[i] == 'M')
		shift = 20;
	else if (text[i] == 'G')
		shift = 30;
	if (text[i + (shift != 0)])
		return fault_at(f, text, i + (shift != 0), "a size in bytes (K, M and G may stand behind)");
	if (v > SIZE_MAX >> shift)
		return say_fault(f, "'%.80s' is too large a size", text);
	*out = (size_t)v << shift;
	return 0;
}
