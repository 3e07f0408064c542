/* SPDX-License-Identifier: MIT */
/* Reads the files in tests/vectors.  A line consists of fields separated by tabs; '#' begins a comment
 * line. */
#ifndef GN_SUPPORT_VECTORS_H
#define GN_SUPPORT_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define VECTOR_FIELDS_MAX 16

/* Calls cb for every line that is not a comment; missing fields are "".  Returns the number of lines, and
 * fails the test when there is none. */
unsigned vectors_each(const char *file, void (*cb)(char **field));

/* Decodes a hexadecimal text into memory of exactly that size, so that a sanitizer detects an access
 * beyond it.  The caller frees it. */
uint8_t *unhex(const char *text, size_t *n);

/* Asserts that the bytes equal those of the hexadecimal text. */
void assert_hex(const void *p, size_t n, const char *hex);

#endif
