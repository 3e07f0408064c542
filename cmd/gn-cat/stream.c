/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

#include "stream_internal.h"

#define END_LIMIT (3 * GN_SEC) /* for control chunks to be sent, and for the peer to end its side */
#define PROBE_NOTICE GN_SEC    /* how long standard input is probed before on_unwanted is called */
#define IDLE_TICKS 4           /* checks during the time of -i */

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
	if (!s->cfg.raw && !stream_is_settled(s))
		stream_send_chunk(s, CAT_FAIL, stream_fail_code(outcome, err));
	stream_settle(s);
	s->sending = SENDING_ENDED;
	stream_set_deadline(s, END_LIMIT);
}

/* ---- from standard input to the channel ---------------------------------------- */

/* Reads a chunk; *at points to its bytes, which are valid until the next call.  Results as of input_fill().
 */
static ptrdiff_t stream_read_input(struct stream *s, uint8_t **at)
{
	struct input *in = s->cfg.in;
	struct iovec v;
	ptrdiff_t n;

	input_skip(in, input_held(in));
	n = input_fill(in);
	if (n > 0 && input_peek(in, &v, 1, SIZE_MAX) == 1)
		*at = v.iov_base;
	return n;
}

void stream_probe_input(struct stream *s)
{
	uint8_t *at = NULL;
	/* With keep_open, bytes that are not read here are read for the next stream. */
	ptrdiff_t n = s->cfg.in != NULL && !s->cfg.keep_open ? stream_read_input(s, &at) : GN_EOF;

	if (n == GN_EAGAIN && !s->cfg.is_terminal) {
		if (s->sending == SENDING_OPEN)
			gn_timer_start(s->probe_notice, PROBE_NOTICE);
		s->sending = SENDING_PROBING;
		return;
	}
	s->sending = SENDING_ENDED;
	gn_timer_stop(s->probe_notice);
	if (n > 0)
		stream_fail(s, STREAM_FAILED, CAT_FAIL_UNWANTED);
	else if (n == GN_EOF || n == GN_EAGAIN)
		s->sending = SENDING_CONFIRMED;
	else
		stream_fail(s, STREAM_INPUT, (int)n);
}

static void stream_send(struct stream *s)
{
	uint8_t *at = NULL;
	ptrdiff_t n;

	if (s->sending == SENDING_PROBING)
		stream_probe_input(s);
	if (s->sending != SENDING_OPEN || s->channel != CHANNEL_LIVE || !cat_tx_is_empty(&s->tx))
		return;
	n = s->cfg.in != NULL ? stream_read_input(s, &at) : GN_EOF;
	if (n > 0) {
		cat_tx_data(&s->tx, at, (size_t)n);
		gn_channel_wake(s->cfg.ch);
	} else if (n == GN_EOF) {
		s->sending = SENDING_ENDED;
		if (!s->cfg.raw)
			stream_send_chunk(s, CAT_END, s->tx.total);
	} else if (n != GN_EAGAIN) {
		stream_fail_local(s, STREAM_INPUT, (int)n);
	}
}

/* ---- the end --------------------------------------------------------------------- */

static void stream_set_dead(struct stream *s)
{
	if (s->channel == CHANNEL_LIVE)
		s->channel = CHANNEL_DEAD;
}

static void stream_sync(struct stream *s)
{
	if (gn_channel_sync(s->cfg.ch) != 0)
		stream_set_dead(s);
	else
		s->sync_pending = true;
}

/* Ends our side after the last control chunk; in a raw stream, after the last byte.  A side that only
 * receives ends when it has written everything, since a raw peer may take this end for an acknowledgement
 * and leave. */
static void stream_send_end(struct stream *s)
{
	bool may_end = s->cfg.raw ? s->cfg.in != NULL || stream_is_settled(s) : stream_is_settled(s);

	if (s->end != END_PENDING || s->channel != CHANNEL_LIVE || s->sending == SENDING_OPEN || !may_end)
		return;
	s->end = END_SENT;
	if (gn_channel_end(s->cfg.ch) != 0)
		stream_set_dead(s);
	else if (s->cfg.raw)
		stream_sync(s);
}

/* A raw peer that has ended its side may reset the stream at any time.  An acknowledgement is requested
 * before that, to know whether the reset loses sent bytes. */
static void stream_sync_early(struct stream *s)
{
	if (s->cfg.raw && stream_is_at_eof(s) && s->channel == CHANNEL_LIVE && s->end == END_PENDING &&
	    !s->sync_pending && cat_tx_is_empty(&s->tx) && gn_channel_pending(s->cfg.ch) > 0)
		stream_sync(s);
}

/* Whether the failure of a raw channel has lost data.  It has not if the peer had ended its side before,
 * and everything that was sent is acknowledged. */
static bool stream_has_raw_loss(struct stream *s)
{
	if (!stream_is_at_eof(s) || !cat_tx_is_empty(&s->tx) || gn_channel_pending(s->cfg.ch) > 0)
		return true;
	if (s->sending == SENDING_OPEN)
		stream_probe_input(s);
	return false;
}

/* Whether both directions are complete and confirmed. */
static bool stream_is_complete(const struct stream *s)
{
	bool is_sent = s->end == END_ACKED || (s->channel != CHANNEL_LIVE && s->sending >= SENDING_ENDED);

	if (s->v.outcome != STREAM_CLEAN)
		return false;
	if (s->cfg.raw)
		return stream_is_at_eof(s) && is_sent;
	return stream_is_settled(s) && s->sending == SENDING_CONFIRMED;
}

/* stream_is_done() for a channel that is dead and has nothing more to read. */
static bool stream_is_done_dead(struct stream *s)
{
	int err = gn_channel_error(s->cfg.ch);

	if (s->cfg.raw && s->v.outcome == STREAM_CLEAN && s->end != END_ACKED && stream_has_raw_loss(s))
		stream_fail(s, STREAM_PEER, err != 0 ? err : GN_ERESET);
	if (s->cfg.raw && s->sending == SENDING_PROBING)
		return false;
	if (!stream_is_complete(s))
		stream_fail(s, STREAM_PEER, err != 0 ? err : GN_ERESET);
	return true;
}

/* Whether the stream has ended; s->v.outcome says how. */
static bool stream_is_done(struct stream *s)
{
	bool all_out = s->end >= END_DRAINED;

	/* Everything else is complete; the result depends on whether standard input has data. */
	if (s->sending == SENDING_PROBING && stream_is_settled(s) && s->v.outcome == STREAM_CLEAN)
		return false;
	if (s->channel != CHANNEL_LIVE)
		return (s->channel == CHANNEL_EMPTY || stream_is_at_eof(s)) && stream_is_done_dead(s);
	switch (s->v.outcome) {
	case STREAM_CLEAN:
		break;
	case STREAM_PEER:
	case STREAM_SHORT:
	case STREAM_IDLE:
		return true;
	case STREAM_FAILED:
		stream_set_deadline(s, END_LIMIT);
		return stream_is_at_eof(s) || stream_is_late(s);
	case STREAM_INPUT:
	case STREAM_OUTPUT:
		return s->cfg.raw || all_out || stream_is_late(s);
	}
	if (s->cfg.raw)
		return stream_is_complete(s);
	if (!stream_is_complete(s)) {
		if (stream_is_at_eof(s))
			stream_fail(s, STREAM_SHORT, 0);
		return stream_is_at_eof(s);
	}
	/* The peer ends its side after its last chunk; the wait for that is limited. */
	if (all_out)
		stream_set_deadline(s, END_LIMIT);
	return all_out && (stream_is_at_eof(s) || stream_is_late(s));
}

static void stream_detach(struct stream *s)
{
	if (s->cfg.in != NULL) {
		input_on_ready(s->cfg.in, NULL, NULL);
		input_pause(s->cfg.in);
	}
	if (s->cfg.out != NULL)
		output_on_ready(s->cfg.out, NULL, NULL);
	gn_timer_stop(s->run_timer);
	gn_timer_stop(s->idle);
	gn_timer_stop(s->probe_notice);
	if (s->cfg.ch == NULL)
		return;
	s->v.in = s->rx.total;
	s->v.out = s->tx.gone;
	s->v.raw = s->cfg.raw;
	s->v.peer_ended = stream_is_at_eof(s);
	s->v.pending = s->cfg.raw ? gn_channel_pending(s->cfg.ch) : 0;
	/* The peer must see a cut as a reset, unless a FAIL chunk has notified it of a local failure. */
	if (s->v.outcome != STREAM_CLEAN &&
	    !((s->v.outcome == STREAM_INPUT || s->v.outcome == STREAM_OUTPUT) && s->end == END_DRAINED && !s->cfg.raw))
		gn_channel_reset(s->cfg.ch);
	gn_channel_free(s->cfg.ch);
	s->cfg.ch = NULL;
}

/* Does everything that is possible now.  on_done may free the stream, so nothing follows it. */
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
	if (events & GN_DRAINED && s->end == END_SENT)
		s->end = END_DRAINED;
	if (events & GN_ACKED) {
		s->sync_pending = false;
		if (s->end != END_PENDING)
			s->end = END_ACKED;
	}
	if (events & GN_DEAD)
		stream_set_dead(s);
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
		err = gn_timer_new(cfg->loop, stream_on_probe_notice, s, &s->probe_notice);
	if (err != 0) {
		gn_timer_free(s->run_timer);
		gn_timer_free(s->idle);
		free(s);
		return err;
	}
	gn_channel_state(cfg->ch, &st);
	s->v.opened = st.opened;
	if (gn_channel_source(cfg->ch, &source, s) != 0)
		stream_set_dead(s);
	gn_channel_on_event(cfg->ch, stream_on_event, s);
	if (cfg->in != NULL)
		input_on_ready(cfg->in, stream_on_ready, s);
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
	gn_timer_free(s->probe_notice);
	free(s);
}
