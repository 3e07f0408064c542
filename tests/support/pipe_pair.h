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

/* A read of n bytes, each what its place since `from` says. */
uint8_t *pipe_pair_fill(struct pipe_pair *f, struct gn_pipe *p, size_t n, uint8_t from);

void pipe_assert_run(struct gn_pipe *p, size_t n, uint8_t from);

#endif
