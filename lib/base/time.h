/* SPDX-License-Identifier: MIT */
/* Saturating arithmetic on gn_time.  GN_NEVER plus or minus anything is GN_NEVER. */
#ifndef GN_BASE_TIME_H
#define GN_BASE_TIME_H

#include "gn.h"

static inline gn_time gn_time_add(gn_time a, gn_time b)
{
	if (a == GN_NEVER || b == GN_NEVER)
		return GN_NEVER;
	if (b > 0 && a > INT64_MAX - b)
		return GN_NEVER;
	if (b < 0 && a < INT64_MIN - b)
		return INT64_MIN;
	return a + b;
}

/* a - b: the duration between two instants, or an instant earlier by a duration. */
static inline gn_time gn_time_sub(gn_time a, gn_time b)
{
	if (a == GN_NEVER)
		return GN_NEVER;
	if (b < 0 && a > INT64_MAX + b)
		return GN_NEVER;
	if (b > 0 && a < INT64_MIN + b)
		return INT64_MIN;
	return a - b;
}

static inline gn_time gn_time_min(gn_time a, gn_time b)
{
	return a < b ? a : b;
}

static inline gn_time gn_time_max(gn_time a, gn_time b)
{
	return a > b ? a : b;
}

#endif
