/* SPDX-License-Identifier: MIT */
/* Compares pipes with a model of byte queues.  The fuzzer chooses the operations. */
#include "support/pipe_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rng r;
	struct pipe_model m;

	rng_input(&r, data, n);
	pipe_model_init(&m, &r);
	for (int i = 0; i < 400 && !rng_is_done(&r); i++)
		if (!pipe_model_step(&m))
			abort();
	pipe_model_fini(&m);
	return 0;
}
