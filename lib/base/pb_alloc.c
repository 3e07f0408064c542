/* SPDX-License-Identifier: MIT */
#include "base/pb_alloc.h"

#include <errno.h>
#include <stdlib.h>

#include "gn.h"

/* What malloc itself needs for an allocation, in bytes. */
#define OVERHEAD 16

static void *pb_take(void *arg, size_t n)
{
	struct gn_pb_alloc *pb = arg;
	void *p;

	if (pb->left < OVERHEAD || n > pb->left - OVERHEAD) {
		pb->is_over = true;
		return NULL;
	}
	p = malloc(n > 0 ? n : 1);
	if (p == NULL) {
		pb->is_out = true;
		return NULL;
	}
	pb->left -= n + OVERHEAD;
	return p;
}

static void pb_free(void *arg, void *p)
{
	(void)arg;
	free(p);
}

ProtobufCAllocator *gn_pb_alloc_init(struct gn_pb_alloc *pb, size_t budget)
{
	pb->ops.alloc = pb_take;
	pb->ops.free = pb_free;
	pb->ops.allocator_data = pb;
	pb->left = budget;
	pb->is_over = false;
	pb->is_out = false;
	return &pb->ops;
}

int gn_pb_alloc_error(const struct gn_pb_alloc *pb)
{
	if (pb->is_out)
		return -ENOMEM;
	return pb->is_over ? GN_ETOOBIG : GN_EFORMAT;
}
