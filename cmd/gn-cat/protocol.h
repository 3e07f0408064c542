/* SPDX-License-Identifier: MIT */
/*
 * protocol: /gn/cat/1.0.0, without any I/O: bytes in, words out.
 *
 * Each side sends chunks: a byte that says what it is, and an unsigned varint.
 *
 *	01 n       DATA     n bytes follow, 1 to CAT_CHUNK_MAX
 *	02 total   END      no DATA comes behind; so many bytes were in all of them
 *	03 total   WRITTEN  the other side's END has come, and all of its bytes were written out
 *	04 code    FAIL     they were not and will not be; the code says why (enum cat_fail)
 *
 * A side says END once, and one of WRITTEN and FAIL once; it ends its stream behind the last of these.  FAIL
 * without END before it is followed by the end of the stream, and means that its own bytes are short too.
 * Totals are below 2^63.  Anything else is an error of the peer's: there is no chunk to be skipped.
 */
#ifndef CMD_GN_CAT_PROTOCOL_H
#define CMD_GN_CAT_PROTOCOL_H

#include "gn.h"

#define CAT_PROTOCOL "/gn/cat/1.0.0"
#define CAT_CHUNK_MAX ((uint64_t)1 << 24) /* so that a word never waits behind more than that */
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
	CAT_FAIL_CLOSED = 3,   /* whoever read its output has gone */
	CAT_FAIL_INPUT = 4,    /* reading its own input failed */
	CAT_FAIL_UNWANTED = 5, /* it only sends, and is done with that */
};

/* ---- what comes in ---- */

struct cat_rx {
	uint8_t head[CAT_HEAD_MAX]; /* of a chunk, as far as it has come */
	uint8_t n_head;
	bool raw;                   /* no chunks: every byte is data */
	bool is_ended, has_verdict; /* END has come; WRITTEN or FAIL has */
	uint64_t left;              /* of the body */
	uint64_t total;             /* bytes of bodies */
};

/* Takes *took > 0 of the n > 0 bytes at p, and returns
 *   0            they are of a head: all n, or fewer when a body begins behind them; go on
 *   CAT_DATA     p[0..*took) are bytes of a body, at least one; rx->total counts them
 *   CAT_END, CAT_WRITTEN, CAT_FAIL   *number is what came with it
 *   GN_EPROTO    this is no such protocol; call it no more
 * A copy of the struct may be run ahead. */
int cat_rx_step(struct cat_rx *rx, const uint8_t *p, size_t n, size_t *took, uint64_t *number);

/* ---- what goes out ---- */

struct cat_tx {
	uint8_t head[CAT_HEAD_MAX]; /* of the chunk that is shown */
	uint8_t head_at, n_head;
	bool raw;
	uint8_t *body; /* of it, what has not gone yet */
	size_t left;
	uint8_t control[4 * CAT_HEAD_MAX]; /* they go behind the chunk */
	uint8_t control_at, n_control;
	uint64_t total; /* bytes of bodies, announced */
	uint64_t gone;  /* and taken */
};

/* Nothing is left to be shown: cat_tx_data() may be called. */
bool cat_tx_is_empty(const struct cat_tx *tx);
/* A chunk of n bytes, which stay where they are until they were skipped. */
void cat_tx_data(struct cat_tx *tx, uint8_t *body, size_t n);
/* A word behind it.  There is room for as many as a side may say. */
void cat_tx_control(struct cat_tx *tx, enum cat_chunk chunk, uint64_t number);
/* As of struct gn_source. */
int cat_tx_peek(struct cat_tx *tx, struct iovec *v, int max, size_t limit);
void cat_tx_skip(struct cat_tx *tx, size_t n);

#endif
