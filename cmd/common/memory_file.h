/* SPDX-License-Identifier: MIT */
/* A file that is in memory only, and is gone with its last descriptor. */
#ifndef CMD_COMMON_MEMORY_FILE_H
#define CMD_COMMON_MEMORY_FILE_H

#include <stddef.h>

/* A descriptor, close-on-exec, that reads these bytes from the first on and then their end; or -errno. */
int memory_file_new(const void *bytes, size_t n);

#endif
