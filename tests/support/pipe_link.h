/* SPDX-License-Identifier: MIT */
/* Two links with pipes (struct gn_link_pipes) that are joined without a stream: what one end writes is the pipe that the
 * other end reads. */
#ifndef GN_SUPPORT_PIPE_LINK_H
#define GN_SUPPORT_PIPE_LINK_H

#include "stack/pipe.h"
#include "transport/transport.h"

/* Makes the two ends, with the addresses /memory/1 and /memory/2.  The I/O buffers outlive them.  cap is that of each
 * pipe. */
void pipe_link_new(struct gn_loop *loop, struct gn_iobuf *iobuf, size_t cap, struct gn_link *end[2]);

#endif
