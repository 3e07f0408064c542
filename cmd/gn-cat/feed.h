/* SPDX-License-Identifier: MIT */
/*
 * feed: reads standard input into one buffer, a chunk at a time.
 *
 * A full chunk with its head fills four yamux frames in full Noise records, so that one read results in one
 * write.
 */
#ifndef CMD_GN_CAT_FEED_H
#define CMD_GN_CAT_FEED_H

#include "gn.h"

#define FEED_SIZE ((size_t)4 * 65507 - 4) /* four yamux bodies in full Noise records, less the head of a chunk */

struct feed;

/* Takes ownership of fd (common/fdio.h) on success.  0 or -errno. */
int feed_new(struct gn_loop *loop, int fd, struct feed **out);
void feed_free(struct feed *f); /* NULL is allowed */
/* cb is called on the loop when there is something to read after feed_read() has returned GN_EAGAIN.  NULL:
 * the descriptor is not watched. */
void feed_on_ready(struct feed *f, void (*cb)(void *arg), void *arg);
/* Reads up to FEED_SIZE bytes; *at points to them, and they are valid until the next call.  Returns their
 * number (> 0), GN_EAGAIN, GN_EOF or -errno; the last two are returned by all later calls, too. */
ptrdiff_t feed_read(struct feed *f, uint8_t **at);
long long feed_size(const struct feed *f); /* bytes of a regular file at the start; -1 for others */
bool feed_is_terminal(const struct feed *f);

#endif
