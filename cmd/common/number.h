/* SPDX-License-Identifier: MIT */
/* number: numbers, times and sizes as people write them, in every tool and option.  Each returns 0, or -1 and a fault
 * that names the text and shows what is understood. */
#ifndef CMD_COMMON_NUMBER_H
#define CMD_COMMON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "gn.h"
#include "diag.h"

/* Decimal digits, lo to hi. */
int number_parse(const char *text, uint64_t lo, uint64_t hi, uint64_t *out, struct fault *f);
/* A time with decimals if wanted and one of ms, s, m, h behind it; without a unit it is seconds: "10", "0.25", "500ms",
 * "1.5h".  At most NUMBER_TIME_MAX, so that a time and the loop's clock can be added. */
#define NUMBER_TIME_MAX (INT64_MAX / 4) /* 73 years */
int number_parse_time(const char *text, gn_time *out, struct fault *f);
/* Bytes, with K, M or G (powers of 1024) behind if wanted: "64K".  At most PTRDIFF_MAX. */
int number_parse_size(const char *text, size_t *out, struct fault *f);

#endif
