/* SPDX-License-Identifier: MIT */
/*
 * gn_splice.h: the part of gn.h that joins two channels, or a channel and a pair of descriptors.  Programs
 * include gn.h, which includes this file; its conventions hold here, too.
 *
 * What comes in at one side goes out at the other, and so do ends and resets.  Bytes are not copied between
 * channels.  The receive windows of joined channels do not grow, so a circuit to a slow receiver holds no more
 * than 256 KiB each way.
 */
#ifndef GN_SPLICE_H
#define GN_SPLICE_H

#include "gn.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gn_splice;

struct gn_splice_cfg {
	uint64_t max_bytes; /* each way; what would exceed it ends the splice with GN_ELIMIT; 0: no limit */
	uint64_t rate;      /* bytes a second, each way; 0: no limit */
	gn_time limit;      /* for the whole; then the splice ends with GN_ETIMEOUT; 0: no limit */
	/* Exactly once, from the loop.  0: both directions have ended, and each receiver has acknowledged the end;
	 * else why the splice ended early, and both sides were reset.  Bytes are those that left this host: from a
	 * to b, and from b to a.  May be NULL. */
	void (*on_done)(void *arg, int err, uint64_t a_to_b, uint64_t b_to_a);
	void *arg;
};
/* Takes over both channels, of which nothing was read and which have no source, unless it fails: -EINVAL (the same
 * channel twice), -ENOMEM, or the error that one of them has failed with.  They may be of different nodes of one
 * loop, or of one connection.  When a node is freed its splices end without on_done. */
int gn_splice_start(struct gn_channel *a, struct gn_channel *b, const struct gn_splice_cfg *cfg,
		    struct gn_splice **out);
/* The same with a channel, which is a, and descriptors, which are b: pipes or sockets that are O_NONBLOCK (else
 * -EINVAL), of which one is read and one is written; both may be the same socket.  They are closed at the end.
 * SIGPIPE is to be ignored. */
int gn_splice_fds(struct gn_channel *ch, int in, int out, const struct gn_splice_cfg *cfg, struct gn_splice **result);
/* Resets what is joined and frees the splice; on_done is not called.  Not after on_done. */
void gn_splice_cancel(struct gn_splice *splice);
/* Bytes so far, as on_done gets them. */
void gn_splice_count(const struct gn_splice *splice, uint64_t *a_to_b, uint64_t *b_to_a);

#ifdef __cplusplus
}
#endif

#endif
