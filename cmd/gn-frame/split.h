/* SPDX-License-Identifier: MIT */
/* split: writes each frame to a file, or runs a program for each. */
#ifndef CMD_GN_FRAME_SPLIT_H
#define CMD_GN_FRAME_SPLIT_H

#include "common/reader.h"

/* Writes the files PREFIX000000, PREFIX000001, ...; a file that exists ends the tool with
 * EXIT_REFUSED.  Returns the exit code. */
int split_files(struct reader *r, const char *prefix);
/* Runs the program for one frame after the other, with the frame on its stdin and its number, from 0, in
 * the variable GNFRAME.  Stops at the first exit code that is not 0, and returns it. */
int split_program(struct reader *r, char *const *argv);

#endif
