/* SPDX-License-Identifier: MIT */
/* The I/O buffers of a loop, which all its nodes share. */
#ifndef GN_NODE_SHARED_IOBUF_H
#define GN_NODE_SHARED_IOBUF_H

#include "loop/loop.h"
#include "stack/iobuf.h"

/* Gets the buffers of the loop; the first user makes them.  0 or -ENOMEM. */
int gn_shared_iobuf_acquire(struct gn_loop *loop, struct gn_iobuf **out);
/* Gives them back, when no pipe of the user is left; the last user frees them.  Once for each acquire. */
void gn_shared_iobuf_release(struct gn_loop *loop);

#endif
