/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

#include "stream_own.h"

#define LINGER (3 * GN_SEC)     /* for last words to go out, and for the peer's end behind its own */
#define ACK_POLL (10 * GN_MSEC) /* how often the socket is asked what is not acknowledged */
#define ACK_LIMIT (60 * GN_SEC) /* without progress there; a peer may be stopped as long as its connection lives */
#define IDLE_TICKS 4            /* looks a -i */

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

void stream_fault(struct stream *s, enum stream_how how, int err)
{
	if (s->v.how)
		return;
	s->v.how = how;
	s->v.err = err;
}

void stream_say(struct stream *s, enum cat_word word, uint64_t number)
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

void stream_fail_here(struct stream *s, enum stream_how how, int err)
{
	stream_fault(s, how, err);
	if (!s->cfg.raw && !s->settled)
		stream_say(s, CAT_FAIL, fail_code(how, err));
	s->settled = s->input_done = true;
	deadline_in(s, LINGER);
}

/* ---- from standard input to the channel ---------------------------------------- */

static void up(struct stream *s)
{
	uint8_t *at = NULL;
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
			stream_say(s, CAT_END, s->tx.total);
	} else if (n != GN_EAGAIN) {
		stream_fail_here(s, STREAM_INPUT, (int)n);
	}
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
		stream_fault(s, STREAM_SHORT, GN_ETIMEOUT);
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
			stream_fault(s, STREAM_PEER,
				     gn_channel_error(s->cfg.ch) ? gn_channel_error(s->cfg.ch) : GN_ERESET);
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
			stream_fault(s, STREAM_SHORT, 0);
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
	stream_down(s);
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
	stream_fault(s, STREAM_IDLE, GN_ETIMEOUT);
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
