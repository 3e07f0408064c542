/* SPDX-License-Identifier: MIT */
#include "stream_internal.h"

#define VIEWS 64

/* ---- what the peer says --------------------------------------------------------- */

static int stream_close_output(struct stream *s)
{
	return s->cfg.out != NULL && !s->cfg.keep_open ? output_end(s->cfg.out) : 0;
}

static void stream_on_end(struct stream *s)
{
	int err;

	if (s->settled)
		return;
	err = stream_close_output(s);
	if (err != 0) {
		stream_fail_local(s, STREAM_OUTPUT, err);
		return;
	}
	if (s->v.dropped)
		stream_send_chunk(s, CAT_FAIL, CAT_FAIL_UNWANTED);
	else
		stream_send_chunk(s, CAT_WRITTEN, s->rx.total);
	s->settled = true;
}

static int stream_on_written(struct stream *s, uint64_t total)
{
	if (s->v.outcome != STREAM_CLEAN)
		return 0;
	if (s->input != INPUT_ENDED)
		return GN_EPROTO; /* of an END that was never said */
	if (total != s->tx.total) {
		stream_fail(s, STREAM_SHORT, 0);
		return 0;
	}
	s->confirmed = true;
	/* One that only sends is done now, whatever the peer would still have to say. */
	if (s->cfg.out == NULL && !s->settled) {
		stream_send_chunk(s, CAT_FAIL, CAT_FAIL_UNWANTED);
		s->settled = true;
	}
	return 0;
}

/* What we send is not wanted.  Where nothing was there to be sent, and nothing comes later, that is no
 * loss. */
static void stream_on_fail(struct stream *s, uint64_t code)
{
	bool is_loss = code != CAT_FAIL_UNWANTED || s->tx.total > 0;

	if (is_loss)
		stream_fail(s, STREAM_FAILED, code < 256 ? (int)code : 255);
	if (!is_loss && s->input == INPUT_OPEN)
		stream_probe_input(s);
	else if (!is_loss && s->input == INPUT_ENDED)
		s->confirmed = true;
	else if (is_loss)
		s->input = INPUT_ENDED;
}

static int cat_on_chunk(struct stream *s, int chunk, uint64_t number)
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

/* The bodies in what has come, up to the next word.  A copy of the machine runs ahead. */
static int stream_gather_bodies(const struct stream *s, const struct iovec *v, int n, struct iovec *out, int max)
{
	struct cat_rx ahead = s->rx;
	uint64_t number;
	size_t took;
	int r, m = 0;

	for (int i = 0; i < n; i++) {
		uint8_t *p = v[i].iov_base;

		for (size_t left = v[i].iov_len; left && m < max; left -= took) {
			r = cat_rx_step(&ahead, p, left, &took, &number);
			if (r == CAT_DATA)
				out[m++] = (struct iovec){p, took};
			else if (r)
				return m;
			p += took;
		}
	}
	return m;
}

/* Runs the machine over what was dealt with: `written` bytes of bodies, and what stands between them. */
static int stream_consume(struct stream *s, const struct iovec *v, int n, size_t written)
{
	size_t skip = 0, took;
	uint64_t number;
	int r = 0;

	for (int i = 0; i < n && r >= 0; i++) {
		const uint8_t *p = v[i].iov_base;
		size_t left = v[i].iov_len;

		while (left != 0 && r >= 0) {
			bool in_body = s->rx.raw || s->rx.left;

			if (in_body && !written)
				goto out;
			r = cat_rx_step(&s->rx, p, in_body && left > written ? written : left, &took, &number);
			if (r == CAT_DATA)
				written -= took;
			else if (r > 0)
				r = cat_on_chunk(s, r, number);
			p += took;
			left -= took;
			skip += took;
		}
	}
out:
	gn_channel_skip(s->cfg.ch, skip);
	return r < 0 ? r : 0;
}

/* Writes what it can: how many bytes, GN_EAGAIN, or 0 when there are none. */
static ptrdiff_t stream_write(struct stream *s, const struct iovec *v, int n)
{
	ptrdiff_t k = 0;

	if (n == 0)
		return 0;
	if (s->cfg.out != NULL && s->v.outcome == STREAM_CLEAN) {
		k = output_writev(s->cfg.out, v, n);
		if (k >= 0 || k == GN_EAGAIN)
			return k;
		stream_fail_local(s, STREAM_OUTPUT, (int)k);
		k = 0;
	}
	for (int i = 0; i < n; i++)
		k += (ptrdiff_t)v[i].iov_len;
	s->v.dropped += (uint64_t)k;
	return k;
}

void stream_receive(struct stream *s)
{
	struct iovec v[VIEWS], bodies[2 * VIEWS];
	ptrdiff_t k;
	int n, err;

	while ((n = gn_channel_peek(s->cfg.ch, v, VIEWS)) > 0) {
		k = stream_write(s, bodies, stream_gather_bodies(s, v, n, bodies, 2 * VIEWS));
		if (k == GN_EAGAIN)
			return;
		err = stream_consume(s, v, n, (size_t)k);
		if (err != 0) {
			stream_fail(s, STREAM_PEER, err);
			gn_channel_reset(s->cfg.ch);
			s->dead = s->at_end = true;
			return;
		}
	}
	if (n == GN_EAGAIN)
		return;
	if (n == GN_EOF && !s->at_eof && s->cfg.raw && s->v.outcome == STREAM_CLEAN) {
		err = stream_close_output(s);
		if (err != 0)
			stream_fail_local(s, STREAM_OUTPUT, err);
		s->settled = true;
	}
	s->at_eof = s->at_eof || n == GN_EOF;
	s->at_end = true;
}
