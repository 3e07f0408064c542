/* SPDX-License-Identifier: MIT */
/* number: parses numbers, times and sizes, in all tools and options.  Each function returns 0, or -1 and a
 * fault that names the text and shows the accepted forms. */
#ifndef CMD_COMMON_NUMBER_H
#define CMD_COMMON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "gn.h"
#include "diag.h"

/* Decimal digits, from lo to hi. */
int number_parse(const char *text, uint64_t lo, uint64_t hi, uint64_t *out, struct fault *f);
/* A time with optional decimals and an optional unit (ms, s, m, h; default s): "10", "0.25", "500ms",
 * "1.5h".  At most NUMBER_TIME_MAX, so that a time and the loop's clock can be added. */
#define NUMBER_TIME_MAX (INT64_MAX / 4) /* 73 years */
int number_parse_time(const char *text, gn_time *out, struct fault *f);
/* A number of bytes with an optional unit K, M or G (powers of 1024): "64K".  At most PTRDIFF_MAX. */
int number_parse_size(const char *text, size_t *out, struct fault *f);

#endif
