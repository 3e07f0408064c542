/* SPDX-License-Identifier: MIT */
/* sync() of a stream: a ping is sent behind the owner's bytes, and its answer acknowledges them. */
#include "mux/yamux.h"

void yamux_sync_clear(struct yamux_stream *s)
{
	s->sync_state = YAMUX_SYNC_NONE;
	gn_list_del(&s->sync_link);
}

/* No answer will come for a stream that has ended in both directions; it has left the table already. */
static void sync_fail(struct yamux_stream *s, int err)
{
	s->state = YAMUX_RESET;
	s->st.err = err;
	gn_mux_stream_notify(&s->st, GN_MUX_STREAM_GONE);
}

void yamux_stream_sync(struct gn_mux_stream *st)
{
	struct yamux_stream *s = yamux_stream_of(st);
	struct yamux *y = yamux_of(st->session);

	if (st->err != 0)
		return;
	if (y->session.err != 0) {
		/* Both directions had ended before the session failed, so the stream has no error yet. */
		sync_fail(s, y->session.err);
		yamux_mark_layer(y); /* the event is delivered also when the connection is gone */
		return;
	}
	if (s->sync_state == YAMUX_SYNC_SENT) {
		s->sync_state = YAMUX_SYNC_EXTENDED;
	} else if (s->sync_state == YAMUX_SYNC_NONE) {
		s->sync_state = YAMUX_SYNC_WANTED;
		gn_list_add_tail(&y->syncs, &s->sync_link);
	}
	yamux_mark_layer(y);
}

/* True when a ping that is sent now follows everything that the owner has written. */
static bool sync_is_behind_all(struct yamux_stream *s)
{
	struct iovec v;

	if (s->state == YAMUX_INIT)
		return false;
	if (gn_pipe_is_closed(&s->st.tx))
		return !yamux_tx_is_open(s);
	return gn_pipe_peek(&s->st.tx, &v, 1, 1) == 0;
}

uint32_t yamux_sync_value(uint32_t number)
{
	return number | YAMUX_SYNC_PING;
}

/* True when the stream waits for a ping that has not been sent. */
static bool sync_needs_ping(const struct yamux_stream *s)
{
	return s->sync_state == YAMUX_SYNC_WANTED || (s->sync_state == YAMUX_SYNC_EXTENDED && !yamux_tx_is_open(s));
}

static uint32_t syncs_in_flight(const struct yamux *y)
{
	return y->syncs_sent - y->syncs_answered;
}

bool yamux_sync_is_due(struct yamux *y)
{
	struct gn_list *at;

	if (syncs_in_flight(y) >= YAMUX_SYNCS_MAX)
		return false;
	gn_list_for_each(at, &y->syncs) {
		struct yamux_stream *s = gn_list_entry(at, struct yamux_stream, sync_link);

		if ((syncs_in_flight(y) == 0 || !yamux_tx_is_open(s)) && sync_needs_ping(s) && sync_is_behind_all(s))
			return true;
	}
	return false;
}

bool yamux_sync_may_follow(const struct yamux *y, const struct yamux_stream *s)
{
	return (s->sync_state == YAMUX_SYNC_WANTED || s->sync_state == YAMUX_SYNC_EXTENDED) &&
	       syncs_in_flight(y) < YAMUX_SYNCS_MAX;
}

void yamux_sync_sent(struct yamux *y)
{
	struct gn_list *at;

	gn_list_for_each(at, &y->syncs) {
		struct yamux_stream *s = gn_list_entry(at, struct yamux_stream, sync_link);

		if (sync_needs_ping(s) && sync_is_behind_all(s)) {
			s->sync_state = YAMUX_SYNC_SENT;
			s->sync_sent = s->st.sent;
			s->sync_ping = y->syncs_sent;
		}
	}
	y->syncs_sent++;
}

/* True when the ping of the stream's sync() was answered.  The peer receives pings in order, so an answer
 * stands for all that were sent before, too. */
static bool sync_is_answered(const struct yamux *y, const struct yamux_stream *s)
{
	return (s->sync_state == YAMUX_SYNC_SENT || s->sync_state == YAMUX_SYNC_EXTENDED) &&
	       y->syncs_answered - s->sync_ping - 1 < YAMUX_SYNCS_MAX;
}

void yamux_sync_ponged(struct yamux *y, uint32_t value)
{
	struct gn_list *at, *next;
	uint32_t ahead = (value - y->syncs_answered) & ~YAMUX_SYNC_PING;

	if ((value & YAMUX_SYNC_PING) == 0 || ahead >= syncs_in_flight(y))
		return;
	y->syncs_answered += ahead + 1;
	gn_list_for_each_safe(at, next, &y->syncs) {
		struct yamux_stream *s = gn_list_entry(at, struct yamux_stream, sync_link);

		if (!sync_is_answered(y, s))
			continue;
		s->st.acked = s->sync_sent;
		if (s->sync_state == YAMUX_SYNC_EXTENDED) {
			s->sync_state = YAMUX_SYNC_WANTED;
			continue;
		}
		yamux_sync_clear(s);
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_ACKED);
	}
	if (!gn_list_is_empty(&y->syncs))
		yamux_mark_layer(y);
}

void yamux_syncs_fail(struct yamux *y, int err)
{
	struct yamux_stream *s;

	while ((s = gn_list_first(&y->syncs, struct yamux_stream, sync_link)) != NULL) {
		yamux_sync_clear(s);
		sync_fail(s, err);
	}
}
