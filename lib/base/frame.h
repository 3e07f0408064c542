/* SPDX-License-Identifier: MIT */
/* Frames: an unsigned varint length, then that many bytes.  The reader accepts its input in pieces of any
 * size and stores nothing but the bytes of an incomplete length.
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
	int err;        /* why the state is GN_FRAME_BROKEN */
	uint8_t n_head; /* bytes of the incomplete length in head */
	uint8_t head[GN_UVARINT_MAX];
	size_t max;  /* of a body, in bytes */
	size_t size; /* of the current frame's body */
	size_t left; /* bytes of the current body that were not read yet */
};

enum gn_frame_event {
	GN_FRAME_BEGIN = 1, /* the length of a frame was read: f->size bytes follow */
	GN_FRAME_BODY = 2,  /* *view are the next *n bytes of the body, *n > 0 */
	GN_FRAME_END = 3,   /* the body is complete */
};

/* Decodes the length with which a frame begins, from the first n bytes of the frame.  Returns the number of
 * bytes that the length takes and sets *size to the length of the body; or GN_EAGAIN: the length is not
 * complete in n bytes; GN_EFORMAT: it is not a valid varint; GN_ETOOBIG: it exceeds max. */
int gn_frame_head_decode(const uint8_t *p, size_t n, size_t max, size_t *size);

void gn_frame_init(struct gn_frame *f, size_t max);
/* Returns the next event and consumes from `in` only the bytes that belong to it.  GN_EAGAIN: `in` is
 * empty. GN_EFORMAT: the length is not a valid varint; GN_ETOOBIG: it exceeds max.  After one of these two
 * errors every call returns it again. */
int gn_frame_advance(struct gn_frame *f, struct gn_cursor *in, const uint8_t **view, size_t *n);
/* For the end of the input: 0 between two frames, GN_ETRUNC inside one, or the error of
 * gn_frame_advance(). */
int gn_frame_finish(const struct gn_frame *f);

#endif
