/* SPDX-License-Identifier: MIT */
/* An allocator for protobuf-c with a budget.  Its unpack allocates what a message counts up
 * (an empty element costs a peer two bytes and us a whole struct), so what a peer sent is
 * unpacked with this, or not at all:
 *
 *     struct gn_pb_alloc pb;
 *     struct gn__pb__thing *m;
 *     m = gn__pb__thing__unpack(gn_pb_alloc_init(&pb, GN_PB_BUDGET(n)), n, p);
 *     ...
 *     gn__pb__thing__free_unpacked(m, &pb.ops);
 *
 * Past the budget unpack fails as it does for malformed input: gn_pb_alloc_error() tells
 * which of the two it was.  Its own tables come out of the budget too: up to 64 bytes a
 * field, while it works. */
#ifndef GN_BASE_PB_ALLOC_H
#define GN_BASE_PB_ALLOC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* For a message of n bytes: enough for one of fields of ten bytes or more, as honest ones are;
 * not for one of nothing but empty fields, which would take up to 64 * n. */
#define GN_PB_BUDGET(n) (16 * (size_t)(n) + 4096)

struct gn_pb_alloc {
	ProtobufCAllocator ops;
	size_t left;          /* bytes that may still be taken; what is freed does not come back */
	bool is_over, is_out; /* the budget, or the memory, was not enough */
};

/* Returns what unpack wants.  The struct stays where it is until the message is freed. */
ProtobufCAllocator *gn_pb_alloc_init(struct gn_pb_alloc *pb, size_t budget);
/* Why unpack returned NULL: GN_ETOOBIG, -ENOMEM or GN_EFORMAT. */
int gn_pb_alloc_error(const struct gn_pb_alloc *pb);

#endif
