/* SPDX-License-Identifier: MIT */
/* Frames: an unsigned varint length, then that many bytes.  A pure machine that reads them
 * from input in pieces of any size, and holds nothing but the bytes of an unfinished length.
 *
 *     struct gn_frame f;
 *     gn_frame_init(&f, max);
 *     for (each piece of input) {
 *             gn_cursor_init(&in, piece, n);
 *             while ((ev = gn_frame_advance(&f, &in, &view, &n)) > 0) ...
 *             if (ev != GN_EAGAIN) fail(ev);
 *     }
 *     err = gn_frame_finish(&f);
 */
#ifndef GN_BASE_FRAME_H
#define GN_BASE_FRAME_H

#include "base/cursor.h"
#include "gn.h"

enum gn_frame_state { GN_FRAME_IN_HEAD, GN_FRAME_IN_BODY, GN_FRAME_BROKEN };

struct gn_frame {
	enum gn_frame_state state;
	int err;        /* broken: by what */
	uint8_t n_head; /* bytes of the length so far */
	uint8_t head[GN_UVARINT_MAX];
	size_t max;  /* no body is longer */
	size_t size; /* of the frame that is being read */
	size_t left; /* of its body, still to come */
};

enum gn_frame_event {
	GN_FRAME_BEGIN = 1, /* a frame of f->size bytes begins; nothing of the body yet */
	GN_FRAME_BODY = 2,  /* the next bytes of its body: view, n > 0 */
	GN_FRAME_END = 3,   /* it is complete */
};

void gn_frame_init(struct gn_frame *f, size_t max);
/* The next event, taking from `in` just what belongs to it.  GN_EAGAIN: `in` is used up.
 * GN_EFORMAT: the length is no varint; GN_ETOOBIG: it is over max.  Those two stay. */
int gn_frame_advance(struct gn_frame *f, struct gn_cursor *in, const uint8_t **view, size_t *n);
/* The input has ended: 0 between two frames, GN_ETRUNC inside one, or the error it had. */
int gn_frame_finish(const struct gn_frame *f);

#endif
