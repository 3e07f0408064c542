/* SPDX-License-Identifier: MIT */
#include "support/pipe_pair.h"

#include "support/cmocka.h"

int pipe_pair_setup(void **state)
{
	struct pipe_pair *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_iobuf_init(&f->s);
	gn_pipe_init(&f->p, &f->s, 1 << 20);
	gn_pipe_init(&f->q, &f->s, 1 << 20);
	*state = f;
	return 0;
}

int pipe_pair_teardown(void **state)
{
	struct pipe_pair *f = *state;

	gn_pipe_fini(&f->p);
	gn_pipe_fini(&f->q);
	gn_iobuf_fini(&f->s);
	free(f);
	return 0;
}

uint8_t *pipe_pair_fill(struct pipe_pair *f, struct gn_pipe *p, size_t n, uint8_t from)
{
	size_t room;
	uint8_t *at = gn_iobuf_fill(&f->s, p, &room);

	assert_non_null(at);
	assert_int_equal((uintptr_t)at % 64, 0);
	assert_true(n <= room);
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(from + i);
	gn_iobuf_filled(&f->s, p, n);
	return at;
}

void pipe_assert_run(struct gn_pipe *p, size_t n, uint8_t from)
{
	uint8_t *got = malloc(n > 0 ? n : 1);

	assert_non_null(got);
	assert_int_equal(gn_pipe_len(p), n);
	gn_pipe_copy(p, got, n);
	for (size_t i = 0; i < n; i++)
		if (got[i] != (uint8_t)(from + i))
			fail_msg("byte %zu is %d, not %d", i, got[i], (uint8_t)(from + i));
	free(got);
}
