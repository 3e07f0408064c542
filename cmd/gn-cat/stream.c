/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol.h"

#define VIEWS 64
#define LINGER (3 * GN_SEC)     /* for last words to go out, and for the peer's end behind its own */
#define ACK_POLL (10 * GN_MSEC) /* how often the socket is asked what is not acknowledged */
#define ACK_LIMIT (10 * GN_SEC) /* without progress there */
#define IDLE_TICKS 4            /* looks a -i */

struct stream {
	struct stream_cfg cfg;
	struct gn_timer *again; /* runs it once more at `deadline` */
	struct gn_timer *idle;
	gn_time deadline; /* GN_NEVER */
	struct cat_rx rx;
	struct cat_tx tx;
	struct verdict v;
	bool input_done; /* nothing more is read, and END was said, or FAIL */
	bool settled;    /* WRITTEN or FAIL was said */
	bool sent_end, drained;
	bool confirmed;            /* the peer's WRITTEN came, or none is needed */
	bool at_eof, dead, at_end; /* at_end: the channel has nothing to be read any more */
	size_t unacked;
	gn_time acked; /* when that was less than before */
	uint64_t idle_seen;
	unsigned idle_ticks;
};

static void deadline_in(struct stream *s, gn_time span)
{
	if (s->deadline != GN_NEVER)
		return;
	s->deadline = gn_loop_now(s->cfg.loop) + span;
	gn_timer_start(s->again, span);
}

static bool is_late(const struct stream *s)
{
	return s->deadline <= gn_loop_now(s->cfg.loop);
}

static void fault(struct stream *s, enum stream_how how, int err)
{
	if (s->v.how)
		return;
	s->v.how = how;
	s->v.err = err;
}

/* Words wait in the source: it is to be asked. */
static void say_word(struct stream *s, enum cat_word word, uint64_t number)
{
	cat_tx_say(&s->tx, word, number);
	gn_channel_wake(s->cfg.ch);
}

static enum cat_fail fail_code(enum stream_how how, int err)
{
	if (how == STREAM_INPUT)
		return CAT_FAIL_INPUT;
	if (err == -ENOSPC || err == -EDQUOT)
		return CAT_FAIL_SPACE;
	return err == -EPIPE ? CAT_FAIL_CLOSED : CAT_FAIL_WRITE;
}

/* Our own input or output is broken: the peer is told, and what it still sends is dropped. */
static void fail_here(struct stream *s, enum stream_how how, int err)
{
	fault(s, how, err);
	if (!s->cfg.raw && !s->settled)
		say_word(s, CAT_FAIL, fail_code(how, err));
	s->settled = s->input_done = true;
	deadline_in(s, LINGER);
}

/* ---- from standard input to the channel ---------------------------------------- */

static void up(struct stream *s)
{
	uint8_t *at;
	ptrdiff_t n;

	if (s->input_done || s->dead || !cat_tx_is_empty(&s->tx))
		return;
	n = s->cfg.feed ? feed_read(s->cfg.feed, &at) : GN_EOF;
	if (n > 0) {
		cat_tx_data(&s->tx, at, (size_t)n);
		gn_channel_wake(s->cfg.ch);
	} else if (n == GN_EOF) {
		s->input_done = true;
		if (!s->cfg.raw)
			say_word(s, CAT_END, s->tx.total);
	} else if (n != GN_EAGAIN) {
		fail_here(s, STREAM_INPUT, (int)n);
	}
}

/* ---- what the peer says --------------------------------------------------------- */

static int close_output(struct stream *s)
{
	return s->cfg.out && !s->cfg.keep_output ? output_end(s->cfg.out) : 0;
}

static void hear_end(struct stream *s)
{
	int err;

	if (s->settled)
		return;
	err = close_output(s);
	if (err) {
		fail_here(s, STREAM_OUTPUT, err);
		return;
	}
	if (s->v.dropped)
		say_word(s, CAT_FAIL, CAT_FAIL_UNWANTED);
	else
		say_word(s, CAT_WRITTEN, s->rx.total);
	s->settled = true;
}

static int hear_written(struct stream *s, uint64_t total)
{
	if (s->v.how)
		return 0;
	if (!s->input_done)
		return GN_EPROTO; /* of an END that was never said */
	if (total != s->tx.total) {
		fault(s, STREAM_SHORT, 0);
		return 0;
	}
	s->confirmed = true;
	/* One that only sends is done now, whatever the peer would still have to say. */
	if (!s->cfg.out && !s->settled) {
		say_word(s, CAT_FAIL, CAT_FAIL_UNWANTED);
		s->settled = true;
	}
	return 0;
}

/* What we send is not wanted.  Where nothing was there to be sent, that is no loss. */
static void hear_fail(struct stream *s, uint64_t code)
{
	uint8_t *at;

	if (code == CAT_FAIL_UNWANTED && !s->tx.total &&
	    (s->input_done || !s->cfg.feed || feed_read(s->cfg.feed, &at) <= 0))
		s->confirmed = true;
	else
		fault(s, STREAM_FAILED, code < 256 ? (int)code : 255);
	s->input_done = true;
}

static int hear(struct stream *s, int word, uint64_t number)
{
	switch (word) {
	case CAT_END:
		hear_end(s);
		return 0;
	case CAT_WRITTEN:
		return hear_written(s, number);
	case CAT_FAIL:
		hear_fail(s, number);
		return 0;
	default:
		return 0;
	}
}

/* ---- from the channel to standard output ---------------------------------------- */

/* The bodies in what has come, up to the next word.  A copy of the machine runs ahead. */
static int gather(const struct stream *s, const struct iovec *v, int n, struct iovec *out, int max)
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
static int consume(struct stream *s, const struct iovec *v, int n, size_t written)
{
	size_t skip = 0, took;
	uint64_t number;
	int r = 0;

	for (int i = 0; i < n && r >= 0; i++) {
		const uint8_t *p = v[i].iov_base;
		size_t left = v[i].iov_len;

		while (left && r >= 0) {
			bool in_body = s->rx.raw || s->rx.left;

			if (in_body && !written)
				goto out;
			r = cat_rx_step(&s->rx, p, in_body && left > written ? written : left, &took, &number);
			if (r == CAT_DATA)
				written -= took;
			else if (r > 0)
				r = hear(s, r, number);
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
static ptrdiff_t put(struct stream *s, const struct iovec *v, int n)
{
	ptrdiff_t k = 0;

	if (!n)
		return 0;
	if (s->cfg.out && !s->v.how) {
		k = output_writev(s->cfg.out, v, n);
		if (k >= 0 || k == GN_EAGAIN)
			return k;
		fail_here(s, STREAM_OUTPUT, (int)k);
		k = 0;
	}
	for (int i = 0; i < n; i++)
		k += (ptrdiff_t)v[i].iov_len;
	s->v.dropped += (uint64_t)k;
	return k;
}

static void down(struct stream *s)
{
	struct iovec v[VIEWS], bodies[2 * VIEWS];
	ptrdiff_t k;
	int n, err;

	while ((n = gn_channel_peek(s->cfg.ch, v, VIEWS)) > 0) {
		k = put(s, bodies, gather(s, v, n, bodies, 2 * VIEWS));
		if (k == GN_EAGAIN)
			return;
		err = consume(s, v, n, (size_t)k);
		if (err) {
			fault(s, STREAM_PEER, err);
			gn_channel_reset(s->cfg.ch);
			s->dead = s->at_end = true;
			return;
		}
	}
	if (n == GN_EAGAIN)
		return;
	if (n == GN_EOF && !s->at_eof && s->cfg.raw && !s->v.how) {
		err = close_output(s);
		if (err)
			fail_here(s, STREAM_OUTPUT, err);
		s->settled = true;
	}
	s->at_eof = s->at_eof || n == GN_EOF;
	s->at_end = true;
}

/* ---- ends ------------------------------------------------------------------------ */

static void send_end(struct stream *s)
{
	if (s->sent_end || s->dead || !s->input_done || !(s->settled || s->cfg.raw))
		return;
	s->sent_end = true;
	if (gn_channel_end(s->cfg.ch))
		s->dead = true;
}

/* Raw: nobody says that it has written all; that its kernel has taken all must do. */
static bool is_acked(struct stream *s)
{
	size_t n = gn_channel_unacked(s->cfg.ch);
	gn_time now = gn_loop_now(s->cfg.loop);

	if (!n)
		return true;
	if (n < s->unacked || !s->acked)
		s->acked = now;
	s->unacked = n;
	if (now - s->acked > ACK_LIMIT) {
		fault(s, STREAM_SHORT, GN_ETIMEOUT);
		return true;
	}
	gn_timer_start(s->again, ACK_POLL);
	return false;
}

/* Has everything been said, by both? */
static bool is_complete(const struct stream *s)
{
	if (s->v.how)
		return false;
	return s->cfg.raw ? s->at_eof && s->sent_end && s->drained : s->settled && s->confirmed;
}

static bool is_over(struct stream *s)
{
	bool all_out = s->sent_end && s->drained;

	if (s->dead) {
		if (!s->at_end)
			return false;
		if (!is_complete(s))
			fault(s, STREAM_PEER, gn_channel_error(s->cfg.ch) ? gn_channel_error(s->cfg.ch) : GN_ERESET);
		return true;
	}
	switch (s->v.how) {
	case STREAM_CLEAN:
		break;
	case STREAM_PEER:
	case STREAM_SHORT:
	case STREAM_IDLE:
		return true;
	case STREAM_FAILED:
		deadline_in(s, LINGER);
		return s->at_eof || is_late(s);
	case STREAM_INPUT:
	case STREAM_OUTPUT:
		return s->cfg.raw || all_out || is_late(s);
	}
	if (s->cfg.raw)
		return is_complete(s) && is_acked(s);
	if (!is_complete(s)) {
		if (s->at_eof)
			fault(s, STREAM_SHORT, 0);
		return s->at_eof;
	}
	/* The peer ends behind its last word, too; one that does not is not waited for. */
	if (all_out)
		deadline_in(s, LINGER);
	return all_out && (s->at_eof || is_late(s));
}

static void detach(struct stream *s)
{
	if (s->cfg.feed)
		feed_on_ready(s->cfg.feed, NULL, NULL);
	if (s->cfg.out)
		output_on_ready(s->cfg.out, NULL, NULL);
	gn_timer_stop(s->again);
	gn_timer_stop(s->idle);
	if (!s->cfg.ch)
		return;
	s->v.in = s->rx.total;
	s->v.out = s->tx.gone;
	/* Words that say why go out before the end; else a cut must look like one. */
	if (s->v.how && !((s->v.how == STREAM_INPUT || s->v.how == STREAM_OUTPUT) && s->drained && !s->cfg.raw))
		gn_channel_reset(s->cfg.ch);
	gn_channel_free(s->cfg.ch);
	s->cfg.ch = NULL;
}

/* Everything it may do now.  on_done may free the stream: nothing is touched behind it. */
static void run(struct stream *s)
{
	if (!s->cfg.ch)
		return;
	up(s);
	down(s);
	send_end(s);
	if (!is_over(s))
		return;
	detach(s);
	s->cfg.on_done(s->cfg.arg, &s->v);
}

static void on_ready(void *arg)
{
	run(arg);
}

static void on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct stream *s = arg;

	(void)ch;
	if (events & (GN_OPENED | GN_CAN_READ) && !s->v.opened) {
		s->v.opened = true;
		if (s->cfg.on_opened)
			s->cfg.on_opened(s->cfg.arg);
	}
	if (events & GN_DRAINED)
		s->drained = true;
	if (events & GN_DEAD)
		s->dead = true;
	run(s);
}

static void on_idle(void *arg)
{
	struct stream *s = arg;
	uint64_t seen = s->rx.total + s->tx.gone;

	if (seen != s->idle_seen)
		s->idle_ticks = 0;
	s->idle_seen = seen;
	if (s->idle_ticks++ < IDLE_TICKS) {
		gn_timer_start(s->idle, s->cfg.idle / IDLE_TICKS);
		return;
	}
	fault(s, STREAM_IDLE, GN_ETIMEOUT);
	detach(s);
	s->cfg.on_done(s->cfg.arg, &s->v);
}

/* ---- life ------------------------------------------------------------------------ */

static int source_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	return cat_tx_peek(&((struct stream *)arg)->tx, v, max, limit);
}

static void source_skip(void *arg, size_t n)
{
	cat_tx_skip(&((struct stream *)arg)->tx, n);
}

int stream_new(const struct stream_cfg *cfg, struct stream **out)
{
	static const struct gn_source source = {source_peek, source_skip};
	struct gn_channel_state st;
	struct stream *s = calloc(1, sizeof *s);
	int err;

	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	s->rx.raw = s->tx.raw = cfg->raw;
	s->deadline = GN_NEVER;
	err = gn_timer_new(cfg->loop, on_ready, s, &s->again);
	if (!err)
		err = gn_timer_new(cfg->loop, on_idle, s, &s->idle);
	if (err) {
		gn_timer_free(s->again);
		free(s);
		return err;
	}
	gn_channel_state(cfg->ch, &st);
	s->v.opened = st.opened;
	if (gn_channel_source(cfg->ch, &source, s))
		s->dead = true;
	gn_channel_on_event(cfg->ch, on_event, s);
	if (cfg->feed)
		feed_on_ready(cfg->feed, on_ready, s);
	if (cfg->out)
		output_on_ready(cfg->out, on_ready, s);
	gn_timer_start(s->again, 0);
	if (cfg->idle)
		gn_timer_start(s->idle, cfg->idle / IDLE_TICKS);
	*out = s;
	return 0;
}

void stream_totals(const struct stream *s, uint64_t *in, uint64_t *out)
{
	*in = s->rx.total;
	*out = s->tx.gone;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	if (!s->v.how)
		s->v.how = STREAM_PEER;
	detach(s);
	gn_timer_free(s->again);
	gn_timer_free(s->idle);
	free(s);
}
