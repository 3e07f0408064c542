/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

#include "stream_internal.h"

#define END_LIMIT (3 * GN_SEC) /* for last words to go out, and for the peer's end behind its own */
#define PROBE_NOTICE GN_SEC    /* how long standard input is looked at before that is said */
#define IDLE_TICKS 4           /* looks a -i */

static void stream_set_deadline(struct stream *s, gn_time span)
{
	if (s->deadline != GN_NEVER)
		return;
	s->deadline = gn_loop_now(s->cfg.loop) + span;
	gn_timer_start(s->run_timer, span);
}

static bool stream_is_late(const struct stream *s)
{
	return s->deadline <= gn_loop_now(s->cfg.loop);
}

void stream_fail(struct stream *s, enum stream_outcome outcome, int err)
{
	if (s->v.outcome != STREAM_CLEAN)
		return;
	s->v.outcome = outcome;
	s->v.err = err;
}

void stream_send_chunk(struct stream *s, enum cat_chunk chunk, uint64_t number)
{
	cat_tx_control(&s->tx, chunk, number);
	gn_channel_wake(s->cfg.ch);
}

static enum cat_fail stream_fail_code(enum stream_outcome outcome, int err)
{
	if (outcome == STREAM_INPUT)
		return CAT_FAIL_INPUT;
	if (err == -ENOSPC || err == -EDQUOT)
		return CAT_FAIL_SPACE;
	return err == -EPIPE ? CAT_FAIL_CLOSED : CAT_FAIL_WRITE;
}

void stream_fail_local(struct stream *s, enum stream_outcome outcome, int err)
{
	stream_fail(s, outcome, err);
	if (!s->cfg.raw && !s->settled)
		stream_send_chunk(s, CAT_FAIL, stream_fail_code(outcome, err));
	s->settled = true;
	s->input = INPUT_ENDED;
	stream_set_deadline(s, END_LIMIT);
}

/* ---- from standard input to the channel ---------------------------------------- */

void stream_probe_input(struct stream *s)
{
	uint8_t *at = NULL;
	/* What is not read here the next stream will read. */
	ptrdiff_t n = s->cfg.feed != NULL && !s->cfg.keep_open ? feed_read(s->cfg.feed, &at) : GN_EOF;

	if (n == GN_EAGAIN && !feed_is_terminal(s->cfg.feed)) {
		if (s->input == INPUT_OPEN)
			gn_timer_start(s->unwanted, PROBE_NOTICE);
		s->input = INPUT_UNWANTED;
		return;
	}
	s->input = INPUT_ENDED;
	gn_timer_stop(s->unwanted);
	if (n > 0)
		stream_fail(s, STREAM_FAILED, CAT_FAIL_UNWANTED);
	else if (n == GN_EOF || n == GN_EAGAIN)
		s->confirmed = true;
	else
		stream_fail(s, STREAM_INPUT, (int)n);
}

static void stream_send(struct stream *s)
{
	uint8_t *at = NULL;
	ptrdiff_t n;

	if (s->input == INPUT_UNWANTED)
		stream_probe_input(s);
	if (s->input != INPUT_OPEN || s->dead || !cat_tx_is_empty(&s->tx))
		return;
	n = s->cfg.feed != NULL ? feed_read(s->cfg.feed, &at) : GN_EOF;
	if (n > 0) {
		cat_tx_data(&s->tx, at, (size_t)n);
		gn_channel_wake(s->cfg.ch);
	} else if (n == GN_EOF) {
		s->input = INPUT_ENDED;
		if (!s->cfg.raw)
			stream_send_chunk(s, CAT_END, s->tx.total);
	} else if (n != GN_EAGAIN) {
		stream_fail_local(s, STREAM_INPUT, (int)n);
	}
}

/* ---- ends ------------------------------------------------------------------------ */

static void stream_sync(struct stream *s)
{
	if (gn_channel_sync(s->cfg.ch))
		s->dead = true;
	else
		s->ack = ACK_ASKED;
}

/* Our end goes out behind our last word.  In a raw stream there are no words.  A side that only receives
 * ends when it has written everything: a peer may take our end for just that, and leave. */
static void stream_send_end(struct stream *s)
{
	bool may_end = s->cfg.raw ? s->cfg.feed != NULL || s->settled : s->settled;

	if (s->sent_end || s->dead || s->input == INPUT_OPEN || !may_end)
		return;
	s->sent_end = true;
	if (gn_channel_end(s->cfg.ch))
		s->dead = true;
	else if (s->cfg.raw)
		stream_sync(s);
}

/* A raw peer that has ended may reset the stream when it has done all it wanted.  Whether bytes of ours are
 * lost by that can be told only if they were acknowledged while there was time. */
static void stream_sync_early(struct stream *s)
{
	if (s->cfg.raw && s->at_eof && !s->dead && !s->sent_end && s->ack == ACK_NONE && cat_tx_is_empty(&s->tx) &&
	    gn_channel_pending(s->cfg.ch) > 0)
		stream_sync(s);
}

/* Raw, and the channel is dead: that cuts nothing off if the peer had ended before, and nothing of ours is
 * missing. */
static bool stream_has_raw_loss(struct stream *s)
{
	if (!s->at_eof || !cat_tx_is_empty(&s->tx) || gn_channel_pending(s->cfg.ch) > 0)
		return true;
	if (s->input == INPUT_OPEN)
		stream_probe_input(s);
	return false;
}

/* Has everything been said, by both? */
static bool stream_is_complete(const struct stream *s)
{
	if (s->v.outcome != STREAM_CLEAN)
		return false;
	if (s->cfg.raw)
		return s->at_eof && (s->ack == ACK_DONE || (s->dead && s->input == INPUT_ENDED));
	return s->settled && s->confirmed;
}

/* The channel is dead, and what had come on it was taken. */
static bool stream_is_done_dead(struct stream *s)
{
	int err = gn_channel_error(s->cfg.ch);

	if (s->cfg.raw && s->v.outcome == STREAM_CLEAN && s->ack != ACK_DONE && stream_has_raw_loss(s))
		stream_fail(s, STREAM_PEER, err != 0 ? err : GN_ERESET);
	if (s->cfg.raw && s->input == INPUT_UNWANTED)
		return false;
	if (!stream_is_complete(s))
		stream_fail(s, STREAM_PEER, err != 0 ? err : GN_ERESET);
	return true;
}

static bool stream_is_done(struct stream *s)
{
	bool all_out = s->sent_end && s->drained;

	/* All else is done: what is left to be known is whether standard input has anything. */
	if (s->input == INPUT_UNWANTED && s->settled && s->v.outcome == STREAM_CLEAN)
		return false;
	if (s->dead)
		return s->at_end && stream_is_done_dead(s);
	switch (s->v.outcome) {
	case STREAM_CLEAN:
		break;
	case STREAM_PEER:
	case STREAM_SHORT:
	case STREAM_IDLE:
		return true;
	case STREAM_FAILED:
		stream_set_deadline(s, END_LIMIT);
		return s->at_eof || stream_is_late(s);
	case STREAM_INPUT:
	case STREAM_OUTPUT:
		return s->cfg.raw || all_out || stream_is_late(s);
	}
	if (s->cfg.raw)
		return stream_is_complete(s);
	if (!stream_is_complete(s)) {
		if (s->at_eof)
			stream_fail(s, STREAM_SHORT, 0);
		return s->at_eof;
	}
	/* The peer ends behind its last word, too; one that does not is not waited for. */
	if (all_out)
		stream_set_deadline(s, END_LIMIT);
	return all_out && (s->at_eof || stream_is_late(s));
}

static void stream_detach(struct stream *s)
{
	if (s->cfg.feed != NULL)
		feed_on_ready(s->cfg.feed, NULL, NULL);
	if (s->cfg.out != NULL)
		output_on_ready(s->cfg.out, NULL, NULL);
	gn_timer_stop(s->run_timer);
	gn_timer_stop(s->idle);
	gn_timer_stop(s->unwanted);
	if (s->cfg.ch == NULL)
		return;
	s->v.in = s->rx.total;
	s->v.out = s->tx.gone;
	s->v.raw = s->cfg.raw;
	s->v.peer_ended = s->at_eof;
	s->v.pending = s->cfg.raw ? gn_channel_pending(s->cfg.ch) : 0;
	/* Words that say why go out before the end; else a cut must look like one. */
	if (s->v.outcome != STREAM_CLEAN &&
	    !((s->v.outcome == STREAM_INPUT || s->v.outcome == STREAM_OUTPUT) && s->drained && !s->cfg.raw))
		gn_channel_reset(s->cfg.ch);
	gn_channel_free(s->cfg.ch);
	s->cfg.ch = NULL;
}

/* Everything it may do now.  on_done may free the stream: nothing is touched behind it. */
static void stream_run(struct stream *s)
{
	if (s->cfg.ch == NULL)
		return;
	stream_send(s);
	stream_receive(s);
	stream_send_end(s);
	stream_sync_early(s);
	if (!stream_is_done(s))
		return;
	stream_detach(s);
	s->cfg.on_done(s->cfg.arg, &s->v);
}

static void stream_on_ready(void *arg)
{
	stream_run(arg);
}

static void stream_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct stream *s = arg;

	(void)ch;
	if (events & (GN_OPENED | GN_CAN_READ) && !s->v.opened) {
		s->v.opened = true;
		if (s->cfg.on_opened != NULL)
			s->cfg.on_opened(s->cfg.arg);
	}
	if (events & GN_DRAINED)
		s->drained = true;
	if (events & GN_ACKED)
		s->ack = s->sent_end ? ACK_DONE : ACK_NONE;
	if (events & GN_DEAD)
		s->dead = true;
	stream_run(s);
}

static void stream_on_idle(void *arg)
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
	stream_fail(s, STREAM_IDLE, GN_ETIMEOUT);
	stream_detach(s);
	s->cfg.on_done(s->cfg.arg, &s->v);
}

static void stream_on_probe_notice(void *arg)
{
	struct stream *s = arg;

	s->cfg.on_unwanted(s->cfg.arg);
}

/* ---- life ------------------------------------------------------------------------ */

static int stream_source_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	return cat_tx_peek(&((struct stream *)arg)->tx, v, max, limit);
}

static void stream_source_skip(void *arg, size_t n)
{
	cat_tx_skip(&((struct stream *)arg)->tx, n);
}

int stream_new(const struct stream_cfg *cfg, struct stream **out)
{
	static const struct gn_source source = {stream_source_peek, stream_source_skip};
	struct gn_channel_state st;
	struct stream *s = calloc(1, sizeof *s);
	int err;

	if (s == NULL)
		return -ENOMEM;
	s->cfg = *cfg;
	s->rx.raw = s->tx.raw = cfg->raw;
	s->deadline = GN_NEVER;
	err = gn_timer_new(cfg->loop, stream_on_ready, s, &s->run_timer);
	if (err == 0)
		err = gn_timer_new(cfg->loop, stream_on_idle, s, &s->idle);
	if (err == 0)
		err = gn_timer_new(cfg->loop, stream_on_probe_notice, s, &s->unwanted);
	if (err != 0) {
		gn_timer_free(s->run_timer);
		gn_timer_free(s->idle);
		free(s);
		return err;
	}
	gn_channel_state(cfg->ch, &st);
	s->v.opened = st.opened;
	if (gn_channel_source(cfg->ch, &source, s))
		s->dead = true;
	gn_channel_on_event(cfg->ch, stream_on_event, s);
	if (cfg->feed != NULL)
		feed_on_ready(cfg->feed, stream_on_ready, s);
	if (cfg->out != NULL)
		output_on_ready(cfg->out, stream_on_ready, s);
	gn_timer_start(s->run_timer, 0);
	if (cfg->idle != 0)
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
	if (s == NULL)
		return;
	if (s->v.outcome == STREAM_CLEAN)
		s->v.outcome = STREAM_PEER;
	stream_detach(s);
	gn_timer_free(s->run_timer);
	gn_timer_free(s->idle);
	gn_timer_free(s->unwanted);
	free(s);
}
