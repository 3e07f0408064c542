/* SPDX-License-Identifier: MIT */
/* Two pipes on one iobuf. */
#ifndef GN_SUPPORT_PIPE_PAIR_H
#define GN_SUPPORT_PIPE_PAIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/pipe.h"

struct pipe_pair {
	struct gn_iobuf s;
	struct gn_pipe p, q;
};

int pipe_pair_setup(void **state);

int pipe_pair_teardown(void **state);

/* Adds n bytes to a pipe by a read into the I/O buffer; byte i is from + i.  Returns the place of the
 * bytes. */
uint8_t *pipe_pair_fill(struct pipe_pair *f, struct gn_pipe *p, size_t n, uint8_t from);

/* Asserts that a pipe contains exactly n bytes, and that byte i is from + i. */
void pipe_assert_run(struct gn_pipe *p, size_t n, uint8_t from);

#endif
