/* SPDX-License-Identifier: MIT */
/* Reading tests/vectors: lines of fields with tabs between; '#' begins a comment line. */
#ifndef GN_SUPPORT_VECTORS_H
#define GN_SUPPORT_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define VECTOR_FIELDS_MAX 16

/* Calls cb for every line, the missing fields being ""; fails when there was none.  Returns
 * how many there were. */
unsigned vectors_each(const char *file, void (*cb)(char **field));

/* The bytes of a hex text, in memory of just that size, so that a sanitizer sees a step
 * beyond it; to be freed. */
uint8_t *unhex(const char *text, size_t *n);

/* Asserts that the bytes are what the hex text says. */
void assert_hex(const void *p, size_t n, const char *hex);

#endif
