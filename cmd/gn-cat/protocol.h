/* SPDX-License-Identifier: MIT */
/*
 * protocol: encoder and decoder of /gn/cat/1.0.0, without I/O.
 *
 * Each side sends chunks: a byte for the type, and an unsigned varint.
 *
 *	01 n       DATA     n bytes follow, 1 to CAT_CHUNK_MAX
 *	02 total   END      no DATA follows; total: the sum of the bytes of all DATA chunks
 *	03 total   WRITTEN  the other side's END was received, and all of its bytes were written out
 *	04 code    FAIL     they were not and will not be written; code: the reason (enum cat_fail)
 *
 * A side sends END once, and either WRITTEN or FAIL once; it ends its stream after the last of these.  FAIL
 * without an END before it is followed by the end of the stream, and means that this side's own data is
 * short, too.  Totals are below 2^63.  Anything else is a protocol error; unknown chunks cannot be skipped.
 */
#ifndef CMD_GN_CAT_PROTOCOL_H
#define CMD_GN_CAT_PROTOCOL_H

#include "gn.h"

#define CAT_PROTOCOL "/gn/cat/1.0.0"
#define CAT_CHUNK_MAX ((uint64_t)1 << 24) /* limits the time that a control chunk waits behind DATA */
#define CAT_HEAD_MAX (1 + GN_UVARINT_MAX)

enum cat_chunk {
	CAT_DATA = 1,
	CAT_END = 2,
	CAT_WRITTEN = 3,
	CAT_FAIL = 4,
};

enum cat_fail {
	CAT_FAIL_WRITE = 1,    /* a write failed */
	CAT_FAIL_SPACE = 2,    /* no space is left */
	CAT_FAIL_CLOSED = 3,   /* its output has no reader any more */
	CAT_FAIL_INPUT = 4,    /* reading its own input failed */
	CAT_FAIL_UNWANTED = 5, /* it only sends, and has finished that */
};

/* ---- receiving ---- */

struct cat_rx {
	uint8_t head[CAT_HEAD_MAX]; /* the beginning of an incomplete head of a chunk */
	uint8_t n_head;
	bool raw;         /* there are no chunks: every byte is data */
	bool is_ended;    /* END was received */
	bool has_verdict; /* WRITTEN or FAIL was received */
	uint64_t left;    /* bytes of the body that are still to be received */
	uint64_t total;   /* bytes of bodies received */
};

/* Takes *took > 0 of the n > 0 bytes at p, and returns
 *   0            they belong to a head: all n, or fewer when a body follows
 *   CAT_DATA     p[0..*took) are bytes of a body, at least one; rx->total counts them
 *   CAT_END, CAT_WRITTEN, CAT_FAIL   such a chunk was received; *number is its value
 *   GN_EPROTO    the peer broke the protocol; the function must not be called again
 * The struct may be copied, to decode bytes in advance. */
int cat_rx_step(struct cat_rx *rx, const uint8_t *p, size_t n, size_t *took, uint64_t *number);

/* ---- sending ---- */

struct cat_tx {
	uint8_t head[CAT_HEAD_MAX]; /* of the DATA chunk that is being sent */
	uint8_t head_at, n_head;
	bool raw;
	uint8_t *body; /* the part of its body that is not sent yet */
	size_t left;
	uint8_t control[4 * CAT_HEAD_MAX]; /* END, WRITTEN and FAIL, which follow the DATA chunk */
	uint8_t control_at, n_control;
	uint64_t total; /* bytes of all bodies */
	uint64_t gone;  /* bytes of bodies that were sent */
};

/* Whether everything was sent, so that cat_tx_data() may be called. */
bool cat_tx_is_empty(const struct cat_tx *tx);
/* Adds a DATA chunk.  Its n bytes must stay in place until they are skipped. */
void cat_tx_data(struct cat_tx *tx, uint8_t *body, size_t n);
/* Adds a control chunk after it.  There is room for all that a side may send. */
void cat_tx_control(struct cat_tx *tx, enum cat_chunk chunk, uint64_t number);
/* For struct gn_source. */
int cat_tx_peek(struct cat_tx *tx, struct iovec *v, int max, size_t limit);
void cat_tx_skip(struct cat_tx *tx, size_t n);

#endif
