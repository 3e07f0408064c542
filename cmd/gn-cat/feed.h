/* SPDX-License-Identifier: MIT */
/*
 * feed: standard input, read a chunk at a time into one buffer.
 *
 * With its head a whole chunk is four full records of the network's, so that one read makes one write.
 */
#ifndef CMD_GN_CAT_FEED_H
#define CMD_GN_CAT_FEED_H

#include "gn.h"

#define FEED_SIZE ((size_t)4 * 65507 - 4) /* four bodies of yamux in full records of Noise, less a chunk's head */

struct feed;

/* Takes fd over (common/fdio.h). */
int feed_new(struct gn_loop *loop, int fd, struct feed **out);
void feed_free(struct feed *f); /* NULL is fine */
/* cb: after GN_EAGAIN there is something to read.  NULL: it is not watched. */
void feed_on_ready(struct feed *f, void (*cb)(void *arg), void *arg);
/* Reads up to FEED_SIZE bytes to *at, where they stay until the next call.  How many (> 0); GN_EAGAIN; GN_EOF, from
 * then on always; or -errno. */
ptrdiff_t feed_read(struct feed *f, uint8_t **at);
long long feed_size(const struct feed *f); /* of a regular file, as it was opened; or -1 */
bool feed_is_terminal(const struct feed *f);

#endif
