/* SPDX-License-Identifier: MIT */
/* An assertion for fixtures that fuzzers also use.  Fuzzers are linked without cmocka; tests use its
 * assertions. */
#ifndef GN_SUPPORT_REQUIRE_H
#define GN_SUPPORT_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/* Aborts with the place and the text of a condition that does not hold. */
#define REQUIRE(condition)                                                                      \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

#endif
