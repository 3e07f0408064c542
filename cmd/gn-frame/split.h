/* SPDX-License-Identifier: MIT */
/* split: a file a frame, or a program a frame. */
#ifndef CMD_GN_FRAME_SPLIT_H
#define CMD_GN_FRAME_SPLIT_H

#include "common/reader.h"

/* PREFIX000000, PREFIX000001, ...; EXIT_REFUSED rather than overwrite. */
int split_files(struct reader *r, const char *prefix);
/* The program with each frame on its stdin and GNFRAME, its number from 0, in the
 * environment; one after the other.  Ends with the first code that is not 0. */
int split_program(struct reader *r, char *const *argv);

#endif
