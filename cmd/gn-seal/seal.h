/* SPDX-License-Identifier: MIT */
/* seal: seals standard input and writes the result to standard output.  A failure ends the tool with a line
 * and the code of gn-exit(7). */
#ifndef CMD_GN_SEAL_SEAL_H
#define CMD_GN_SEAL_SEAL_H

#include "common/format.h"
#include "gn.h"

/* Seals each message into a frame.  If all of the input was valid, a frame that ends the sequence follows. */
void seal_frames(struct gn_sealer *s, enum format format, size_t max);
/* Seals the whole input into one stream.  Data waits for more, to fill a chunk, for 20 ms at most. */
void seal_stream(struct gn_sealer *s);

#endif
