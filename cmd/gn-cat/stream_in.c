/* SPDX-License-Identifier: MIT */
#include "stream_internal.h"

#define VIEWS 64
#define BODIES (2 * VIEWS)

/* ---- control chunks of the peer -------------------------------------------------- */

static int stream_close_output(struct stream *s)
{
	return s->cfg.out != NULL && !s->cfg.keep_open ? output_end(s->cfg.out) : 0;
}

static void stream_on_end(struct stream *s)
{
	int err;

	if (stream_is_settled(s))
		return;
	err = stream_close_output(s);
	if (err != 0) {
		stream_fail_local(s, STREAM_OUTPUT, err);
		return;
	}
	if (s->v.dropped > 0)
		stream_send_chunk(s, CAT_FAIL, CAT_FAIL_UNWANTED);
	else
		stream_send_chunk(s, CAT_WRITTEN, s->rx.total);
	stream_settle(s);
}

static int stream_on_written(struct stream *s, uint64_t total)
{
	if (s->v.outcome != STREAM_CLEAN)
		return 0;
	if (s->sending < SENDING_ENDED)
		return GN_EPROTO; /* no END was sent */
	if (total != s->tx.total) {
		stream_fail(s, STREAM_SHORT, 0);
		return 0;
	}
	s->sending = SENDING_CONFIRMED;
	/* A side that only sends has finished now, whatever the peer still sends. */
	if (s->cfg.out == NULL && !stream_is_settled(s)) {
		stream_send_chunk(s, CAT_FAIL, CAT_FAIL_UNWANTED);
		stream_settle(s);
	}
	return 0;
}

/* The peer does not accept our data.  That is no loss if none was sent, and none follows. */
static void stream_on_fail(struct stream *s, uint64_t code)
{
	if (code != CAT_FAIL_UNWANTED || s->tx.total > 0) {
		stream_fail(s, STREAM_FAILED, code < 256 ? (int)code : 255);
		s->sending = SENDING_ENDED;
	} else if (s->sending == SENDING_OPEN) {
		stream_probe_input(s);
	} else if (s->sending == SENDING_ENDED) {
		s->sending = SENDING_CONFIRMED;
	}
}

static int stream_on_chunk(struct stream *s, int chunk, uint64_t number)
{
	switch (chunk) {
	case CAT_END:
		stream_on_end(s);
		return 0;
	case CAT_WRITTEN:
		return stream_on_written(s, number);
	case CAT_FAIL:
		stream_on_fail(s, number);
		return 0;
	default:
		return 0;
	}
}

/* ---- from the channel to standard output ---------------------------------------- */

/* Received bytes, decoded up to a control chunk or an error, but not written yet. */
struct stream_parsed {
	struct cat_rx rx; /* the decoder after them */
	size_t len;       /* the number of bytes */
	int n;            /* bodies, or parts of bodies */
	struct iovec body[BODIES];
	size_t end[BODIES];    /* the offset of the end of each */
	uint64_t left[BODIES]; /* rx.left after each */
	int chunk;             /* the control chunk at the end; 0: none; or GN_EPROTO */
	uint64_t number;
};

static void stream_parse(const struct stream *s, const struct iovec *v, int n, struct stream_parsed *out)
{
	size_t took;
	int r;

	out->rx = s->rx;
	out->len = 0;
	out->n = out->chunk = 0;
	for (int i = 0; i < n; i++) {
		uint8_t *p = v[i].iov_base;

		for (size_t left = v[i].iov_len; left > 0 && out->n < BODIES; left -= took) {
			r = cat_rx_step(&out->rx, p, left, &took, &out->number);
			out->len += took;
			if (r == CAT_DATA) {
				out->body[out->n] = (struct iovec){p, took};
				out->end[out->n] = out->len;
				out->left[out->n++] = out->rx.left;
			} else if (r != 0) {
				out->chunk = r;
				return;
			}
			p += took;
		}
	}
}

/* Writes bodies, or drops them if there is no output or the stream has failed.  Returns the number of
 * bytes, or GN_EAGAIN. */
static ptrdiff_t stream_write(struct stream *s, const struct stream_parsed *in)
{
	ptrdiff_t k = 0;

	if (in->n == 0)
		return 0;
	if (s->cfg.out != NULL && s->v.outcome == STREAM_CLEAN) {
		k = output_writev(s->cfg.out, in->body, in->n);
		if (k >= 0 || k == GN_EAGAIN)
			return k;
		stream_fail_local(s, STREAM_OUTPUT, (int)k);
		k = 0;
	}
	for (int i = 0; i < in->n; i++)
		k += (ptrdiff_t)in->body[i].iov_len;
	s->v.dropped += (uint64_t)k;
	return k;
}

/* Consumes the first `written` bytes of bodies with the heads in front of them.  If these are all bodies,
 * everything that was parsed is consumed, and the control chunk is handled.  Returns 0 or GN_EPROTO. */
static int stream_consume(struct stream *s, const struct stream_parsed *in, size_t written)
{
	size_t rest;
	int i = 0;

	s->rx.total += written;
	while (i < in->n && written >= in->body[i].iov_len)
		written -= in->body[i++].iov_len;
	if (i == in->n) {
		s->rx = in->rx;
		gn_channel_skip(s->cfg.ch, in->len);
		return in->chunk > 0 ? stream_on_chunk(s, in->chunk, in->number) : in->chunk;
	}
	if (written == 0 && i == 0)
		return 0;
	if (written == 0)
		i--; /* the last one that was written is the last one consumed */
	rest = written > 0 ? in->body[i].iov_len - written : 0;
	s->rx.n_head = 0;
	s->rx.left = s->rx.raw ? 0 : in->left[i] + rest;
	gn_channel_skip(s->cfg.ch, in->end[i] - rest);
	return 0;
}

/* The end of what the peer sends. */
static void stream_on_eof(struct stream *s)
{
	int err;

	if (stream_is_at_eof(s))
		return;
	if (s->cfg.raw && s->v.outcome == STREAM_CLEAN) {
		err = stream_close_output(s);
		if (err != 0)
			stream_fail_local(s, STREAM_OUTPUT, err);
		stream_settle(s);
	}
	s->receiving = stream_is_settled(s) ? RECEIVING_ENDED : RECEIVING_CUT;
}

void stream_receive(struct stream *s)
{
	struct stream_parsed parsed;
	struct iovec v[VIEWS];
	ptrdiff_t k;
	int n, err;

	while ((n = gn_channel_peek(s->cfg.ch, v, VIEWS)) > 0) {
		stream_parse(s, v, n, &parsed);
		k = stream_write(s, &parsed);
		if (k == GN_EAGAIN)
			return;
		err = stream_consume(s, &parsed, (size_t)k);
		if (err != 0) {
			stream_fail(s, STREAM_PEER, err);
			gn_channel_reset(s->cfg.ch);
			s->channel = CHANNEL_EMPTY;
			return;
		}
	}
	if (n == GN_EOF)
		stream_on_eof(s);
	else if (n != GN_EAGAIN && s->channel == CHANNEL_DEAD)
		s->channel = CHANNEL_EMPTY;
}
