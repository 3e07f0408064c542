/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits.  Returns the number of characters, 0 when there are none or the number exceeds max. */
static size_t number_digits(const char *text, uint64_t max, uint64_t *out)
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
		return fault_set(f, "'' is not %s", what);
	return fault_set(f, "'%.80s' is not %s (wrong at character %zu)", text, what, at + 1);
}

int number_parse(const char *text, uint64_t lo, uint64_t hi, uint64_t *out, struct fault *f)
{
	uint64_t v;
	size_t i = 0;

	while (is_digit(text[i]))
		i++;
	if (!i || text[i])
		return fault_at(f, text, i, "a number");
	if (number_digits(text, UINT64_MAX, &v) == 0 || v < lo || v > hi)
		return fault_set(f, "'%.80s' is not from %" PRIu64 " to %" PRIu64, text, lo, hi);
	*out = v;
	return 0;
}

static int time_fault(struct fault *f, const char *text)
{
	return fault_set(f, "'%.80s' is not a time; write 500ms, 2s, 1.5m or 1h (a bare number is seconds)", text);
}

/* The length of a unit of time; 0 when the text is not a unit. */
static gn_time unit_of(const char *text)
{
	static const struct {
		const char *name;
		gn_time span;
	} units[] = {{"", GN_SEC}, {"ms", GN_MSEC}, {"s", GN_SEC}, {"m", 60 * GN_SEC}, {"h", 3600 * GN_SEC}};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(text, units[i].name) == 0)
			return units[i].span;
	return 0;
}

int number_parse_time(const char *text, gn_time *out, struct fault *f)
{
	uint64_t whole = 0, part = 0, digit = GN_SEC / 10; /* part: the decimals, in units of 1e-9 */
	size_t i, start;
	gn_time unit;

	for (i = 0; is_digit(text[i]); i++)
		;
	start = i;
	if (text[i] == '.') {
		for (i++; is_digit(text[i]); i++, digit /= 10)
			part += (uint64_t)(text[i] - '0') * digit;
		if (i == start + 1)
			return time_fault(f, text);
	}
	unit = unit_of(text + i);
	if (i == 0 || unit == 0)
		return time_fault(f, text);
	if (start > 0 && (number_digits(text, UINT64_MAX, &whole) == 0 || whole >= (uint64_t)(NUMBER_TIME_MAX / unit)))
		return fault_set(f, "'%.80s' is longer than 73 years", text);
	/* part is less than 1e9, and unit / GN_SEC at most 3600 */
	*out = (gn_time)whole * unit +
	       (gn_time)(unit >= GN_SEC ? part * (uint64_t)(unit / GN_SEC) : part / (uint64_t)(GN_SEC / unit));
	return 0;
}

static int size_fault(struct fault *f, const char *text)
{
	return fault_set(f, "'%.80s' is not a size; write 512, 64K, 1M or 2G (a bare number is bytes)", text);
}

static int shift_of(const char *text)
{
	static const char units[] = "KMG";
	const char *at = *text == 'k' ? units : strchr(units, *text);

	if (*text == '\0')
		return 0;
	return at == NULL || text[1] != '\0' ? -1 : 10 * (int)(at - units + 1);
}

int number_parse_size(const char *text, size_t *out, struct fault *f)
{
	uint64_t v = 0;
	size_t i = 0;
	int shift;

	while (is_digit(text[i]))
		i++;
	shift = shift_of(text + i);
	if (i == 0 || shift < 0)
		return size_fault(f, text);
	if (number_digits(text, UINT64_MAX, &v) == 0 || v > (uint64_t)PTRDIFF_MAX >> shift)
		return fault_set(f, "'%.80s' is too large a size", text);
	*out = (size_t)v << shift;
	return 0;
}
