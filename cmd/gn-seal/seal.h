/* SPDX-License-Identifier: MIT */
/* seal: standard input, sealed, onto standard output.  What fails ends the tool with a line
 * and the code of gn-exit(7). */
#ifndef CMD_GN_SEAL_SEAL_H
#define CMD_GN_SEAL_SEAL_H

#include "common/format.h"
#include "gn.h"

/* Each message becomes a frame; behind the last comes the one that ends the sequence, and only
 * if all of the input was good. */
void seal_frames(struct gn_sealer *s, enum format format, size_t max);
/* All of the input becomes one sealed stream.  What was read waits for more, to fill a chunk,
 * but not for long. */
void seal_stream(struct gn_sealer *s);

#endif
