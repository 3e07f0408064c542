/* SPDX-License-Identifier: MIT */
#include "node/shared_iobuf.h"

#include <errno.h>
#include <stdlib.h>

static int shared_iobuf_make(void **value)
{
	struct gn_iobuf *s = malloc(sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	gn_iobuf_init(s);
	*value = s;
	return 0;
}

static void shared_iobuf_free(void *value)
{
	gn_iobuf_fini(value);
	free(value);
}

static const struct gn_slot_ops shared_iobuf_ops = {.make = shared_iobuf_make, .fini = shared_iobuf_free};

int gn_shared_iobuf_acquire(struct gn_loop *loop, struct gn_iobuf **out)
{
	void *value;
	int err = gn_loop_slot_acquire(loop, &shared_iobuf_ops, &value);

	if (err == 0)
		*out = value;
	return err;
}

void gn_shared_iobuf_release(struct gn_loop *loop)
{
	gn_loop_slot_release(loop, &shared_iobuf_ops);
}
