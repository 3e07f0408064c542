/* SPDX-License-Identifier: MIT */
/* An allocator for protobuf-c with a budget.  protobuf-c allocates a whole struct for an element that took
 * the peer two bytes to send; a message from a peer is therefore always unpacked with this allocator:
 *
 *     struct gn_pb_alloc pb;
 *     struct gn__pb__thing *m;
 *     m = gn__pb__thing__unpack(gn_pb_alloc_init(&pb, GN_PB_BUDGET(n)), n, p);
 *     ...
 *     gn__pb__thing__free_unpacked(m, &pb.ops);
 *
 * When the budget is exceeded, unpack fails as it does for malformed input; gn_pb_alloc_error() returns
 * which of the two it was.  protobuf-c's own tables, up to 64 bytes for each field while it unpacks, count
 * as well. */
#ifndef GN_BASE_PB_ALLOC_H
#define GN_BASE_PB_ALLOC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* The budget for a message of n bytes.  It suffices when fields have ten bytes or more, as in real
 * messages, but not for a message of empty fields only, which would need up to 64 * n. */
#define GN_PB_BUDGET(n) (16 * (size_t)(n) + 4096)

struct gn_pb_alloc {
	ProtobufCAllocator ops;
	size_t left;  /* bytes that may still be allocated; freeing does not increase it */
	bool is_over; /* an allocation exceeded the budget */
	bool is_out;  /* malloc failed */
};

/* Returns the allocator to pass to unpack.  *pb must not move until the message is freed. */
ProtobufCAllocator *gn_pb_alloc_init(struct gn_pb_alloc *pb, size_t budget);
/* Why unpack returned NULL: GN_ETOOBIG (over the budget), -ENOMEM or GN_EFORMAT. */
int gn_pb_alloc_error(const struct gn_pb_alloc *pb);

#endif
