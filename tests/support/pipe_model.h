/* SPDX-License-Identifier: MIT */
/*
 * Pipes that share an iobuf, compared with simple byte queues.  After each random operation the pipe must
 * contain the same bytes as the queue.  tests/unit/pipe.c and tests/fuzz/fuzz_pipe.c use it.
 */
#ifndef GN_SUPPORT_PIPE_MODEL_H
#define GN_SUPPORT_PIPE_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/rng.h"
#include "stack/pipe.h"

enum { PIPE_MODEL_PIPES = 6, PIPE_MODEL_MAX = 1 << 20, PIPE_MODEL_WHOLE = GN_BLOCK_MAX };

struct pipe_queue {
	uint8_t *buf;
	size_t head, len;
	int end;
};

struct pipe_model {
	struct gn_iobuf iobuf;
	struct gn_pipe pipe[PIPE_MODEL_PIPES]; /* 0, 1: also filled by reads; 4, 5: use the send buffer */
	struct pipe_queue q[PIPE_MODEL_PIPES];
	uint8_t *tmp;
	struct rng *rng;
};

void pipe_model_init(struct pipe_model *m, struct rng *rng);

void pipe_model_fini(struct pipe_model *m);

/* Makes one random operation.  Returns false when a pipe differs from its queue. */
bool pipe_model_step(struct pipe_model *m);

#endif
