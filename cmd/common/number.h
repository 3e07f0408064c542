/* SPDX-License-Identifier: MIT */
/* number: numbers, times and sizes as people write them.  Each returns 0, or -1 and
 * a fault that names the text and the place in it. */
#ifndef CMD_COMMON_NUMBER_H
#define CMD_COMMON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "gn.h"
#include "say.h"

/* Decimal digits, lo to hi. */
int number_parse(const char *text, uint64_t lo, uint64_t hi, uint64_t *out, struct fault *f);
/* Seconds, with decimals if wanted: "10", "0.25". */
int number_parse_time(const char *text, gn_time *out, struct fault *f);
/* Bytes, with K, M or G (powers of 1024) behind if wanted: "64K". */
int number_parse_size(const char *text, size_t *out, struct fault *f);

#endif
