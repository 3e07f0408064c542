/* SPDX-License-Identifier: MIT */
/* memory_file: a file in memory without a name, which ends with its last descriptor. */
#ifndef CMD_COMMON_MEMORY_FILE_H
#define CMD_COMMON_MEMORY_FILE_H

#include <stddef.h>

/* Returns a close-on-exec descriptor from which these bytes and then an end of file are read; or -errno. */
int memory_file_new(const void *bytes, size_t n);

#endif
