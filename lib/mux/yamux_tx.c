/* SPDX-License-Identifier: MIT */
/*
 * Frames go out when the layer below asks.  peek() makes a plan: which frames come next,
 * by precedence -- session frames, frames without a body, then data, the streams taking
 * turns -- and shows their headers with views of the streams' bytes behind.  Nothing has
 * happened then; skip() makes it so, frame by frame.
 */
#include <string.h>

#include "base/bytes.h"
#include "mux/yamux.h"

enum yamux_what { WHAT_PONG, WHAT_PING, WHAT_SYNC, WHAT_REFUSE, WHAT_CONTROL, WHAT_DATA, WHAT_AWAY, WHAT_FILL };

/* Where the frames and views of one peek go. */
struct show {
	struct yamux *y;
	struct iovec *v;
	int n, max;
	size_t left; /* of the limit */
	bool asks;   /* the end of a stream is shown whose owner wants to know when it has arrived */
};

/* Bytes for the rest of a frame whose stream has died. */
static const uint8_t zeros[4096];

static struct yamux_frame *plan_add(struct show *w, uint8_t what, struct yamux_stream *s, enum yamux_type type,
				    uint16_t flags, uint32_t id, uint32_t length)
{
	struct yamux *y = w->y;
	struct yamux_frame *f;

	if (y->n_plan == YAMUX_PLAN || w->left < YAMUX_HEAD || w->n == w->max)
		return NULL;
	f = &y->plan[y->n_plan++];
	f->what = what;
	f->stream = s;
	f->body = 0;
	f->head[0] = 0;
	f->head[1] = (uint8_t)type;
	gn_put_u16(f->head + 2, flags);
	gn_put_u32(f->head + 4, id);
	gn_put_u32(f->head + 8, length);
	w->v[w->n].iov_base = f->head;
	w->v[w->n++].iov_len = YAMUX_HEAD;
	w->left -= YAMUX_HEAD;
	return f;
}

static bool is_planned(const struct yamux *y, uint8_t what)
{
	for (unsigned i = 0; i < y->n_plan; i++)
		if (y->plan[i].what == what)
			return true;
	return false;
}

static void show_sync(struct show *w)
{
	plan_add(w, WHAT_SYNC, NULL, YAMUX_PING, YAMUX_SYN, 0, yamux_sync_value(w->y->syncs_sent));
}

static void show_session(struct show *w)
{
	struct yamux *y = w->y;
	unsigned begun = y->n_plan; /* 1 when a frame is half sent; it may be one of these */

	for (unsigned i = begun > 0 && y->plan[0].what == WHAT_PONG; i < y->n_pings; i++)
		if (plan_add(w, WHAT_PONG, NULL, YAMUX_PING, YAMUX_ACK, 0, y->pings[i]) == NULL)
			return;
	if (y->pending_ping && !is_planned(y, WHAT_PING))
		plan_add(w, WHAT_PING, NULL, YAMUX_PING, YAMUX_SYN, 0, y->ping_value);
	if (!is_planned(y, WHAT_SYNC) && yamux_sync_is_due(y))
		show_sync(w);
	for (unsigned i = begun > 0 && y->plan[0].what == WHAT_REFUSE; i < y->n_refused; i++)
		if (plan_add(w, WHAT_REFUSE, NULL, YAMUX_WINDOW, YAMUX_RST, y->refused[i], 0) == NULL)
			return;
}

/* The end of our side, once its bytes are gone: goes behind them, never with them, since
 * go looks at a frame's flags before its body. */
static bool is_fin_due(struct yamux_stream *s)
{
	return !s->st.is_ended_out && s->st.err == 0 && gn_pipe_end(&s->st.tx) == GN_EOF;
}

static uint16_t control_flags(struct yamux_stream *s)
{
	uint16_t flags = 0;

	if (s->pending_rst)
		return YAMUX_RST;
	if (s->pending_syn)
		flags |= YAMUX_SYN;
	if (s->pending_ack)
		flags |= YAMUX_ACK;
	if (is_fin_due(s))
		flags |= YAMUX_FIN;
	return flags;
}

static void show_control(struct show *w)
{
	struct yamux *y = w->y;
	unsigned unacked = y->unacked;
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &y->control) {
		struct yamux_stream *s = gn_list_entry(at, struct yamux_stream, control);
		uint16_t flags = control_flags(s);
		uint32_t credit = flags & YAMUX_RST ? 0 : yamux_stream_credit(s);

		if (y->taken > 0 && y->plan[0].stream == s)
			continue;
		if (flags & YAMUX_SYN && unacked >= YAMUX_UNACKED_MAX)
			continue;
		if (flags == 0 && credit == 0) {
			gn_list_del(at);
			continue;
		}
		if (plan_add(w, WHAT_CONTROL, s, YAMUX_WINDOW, flags, s->st.id, credit) == NULL)
			return;
		if (flags & YAMUX_SYN)
			unacked++;
		if (flags & YAMUX_FIN && yamux_sync_may_follow(y, s))
			w->asks = true;
	}
}

/* Has the far end heard, or will it hear in this plan, that the stream is open? */
static bool is_announced(const struct yamux *y, const struct yamux_stream *s)
{
	bool announced = !s->pending_syn;

	for (unsigned i = 0; i < y->n_plan && !announced; i++)
		announced = y->plan[i].what == WHAT_CONTROL && y->plan[i].stream == s;
	return announced;
}

static void show_data(struct show *w)
{
	struct yamux *y = w->y;
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &y->ready) {
		struct yamux_stream *s = gn_list_entry(at, struct yamux_stream, ready);
		struct yamux_frame *f;
		size_t limit = s->tx_window < YAMUX_BODY_MAX ? (size_t)s->tx_window : YAMUX_BODY_MAX, len = 0;
		int n;

		if (w->max - w->n < 2 || w->left <= YAMUX_HEAD || y->n_plan == YAMUX_PLAN)
			return;
		if ((y->taken > 0 && y->plan[0].stream == s) || !is_announced(y, s))
			continue;
		if (limit > w->left - YAMUX_HEAD)
			limit = w->left - YAMUX_HEAD;
		n = gn_pipe_peek(&s->st.tx, w->v + w->n + 1, w->max - w->n - 1, limit);
		for (int i = 0; i < n; i++)
			len += w->v[w->n + 1 + i].iov_len;
		if (len == 0) {
			gn_list_del(at);
			if (is_fin_due(s) && gn_list_is_empty(&s->control))
				gn_list_add_tail(&y->control, &s->control);
			continue;
		}
		f = plan_add(w, WHAT_DATA, s, YAMUX_DATA, 0, s->st.id, (uint32_t)len);
		if (f == NULL)
			return;
		f->body = (uint32_t)len;
		w->n += n;
		w->left -= len;
	}
}

/* What is left of a frame that was cut by the limit of an earlier peek. */
static void show_rest(struct show *w)
{
	struct yamux *y = w->y;
	struct yamux_frame *f = &y->plan[0];
	size_t body = f->body;

	if (y->taken < YAMUX_HEAD) {
		size_t n = YAMUX_HEAD - y->taken < w->left ? YAMUX_HEAD - y->taken : w->left;

		w->v[w->n].iov_base = f->head + y->taken;
		w->v[w->n++].iov_len = n;
		w->left -= n;
	} else {
		body -= y->taken - YAMUX_HEAD;
	}
	if (body > w->left)
		body = w->left;
	if (f->what == WHAT_FILL) {
		for (; body > 0 && w->n < w->max; w->n++) {
			size_t n = body < sizeof zeros ? body : sizeof zeros;

			w->v[w->n].iov_base = (void *)(uintptr_t)zeros;
			w->v[w->n].iov_len = n;
			w->left -= n;
			body -= n;
		}
	} else if (body > 0 && w->n < w->max) {
		int n = gn_pipe_peek(&f->stream->st.tx, w->v + w->n, w->max - w->n, body);

		for (; n > 0; n--)
			w->left -= w->v[w->n++].iov_len;
	}
	/* Nothing may come behind it before it is shown to its end. */
	w->max = w->n;
}

static int yamux_tx_source_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct yamux *y = arg;
	struct show w = {.y = y, .v = v, .max = max, .left = limit};

	if (y->taken > 0) {
		y->n_plan = 1;
		show_rest(&w);
		return w.n;
	}
	y->n_plan = 0;
	if (y->is_away_sent) /* nothing follows it */
		return 0;
	show_session(&w);
	if (!y->is_dying) {
		show_control(&w);
		show_data(&w);
		/* With the end, not behind it: the far end sees both before it can leave. */
		if (w.asks && !is_planned(y, WHAT_SYNC))
			show_sync(&w);
	}
	if (y->pending_away)
		plan_add(&w, WHAT_AWAY, NULL, YAMUX_GO_AWAY, 0, 0, y->away_code);
	return w.n;
}

/* ---- taken ---- */

/* A frame without a body went out whole: what it said is no longer owed. */
static void control_sent(struct yamux *y, const struct yamux_frame *f)
{
	struct yamux_stream *s = f->stream;
	uint16_t flags = gn_get_u16(f->head + 2);

	s->granted += gn_get_u32(f->head + 8);
	if (flags & YAMUX_SYN) {
		s->pending_syn = false;
		s->is_unacked = true;
		y->unacked++;
	}
	if (flags & YAMUX_ACK)
		s->pending_ack = false;
	if (flags & YAMUX_RST)
		s->pending_rst = false;
	if (flags & YAMUX_FIN) {
		s->st.is_ended_out = true;
		if (!s->is_orphan)
			gn_mux_stream_notify(&s->st, GN_MUX_STREAM_TX);
	}
	if (control_flags(s) == 0 && yamux_stream_credit(s) == 0)
		gn_list_del(&s->control);
	if (flags & YAMUX_SYN && s->st.err == 0)
		yamux_stream_ready(s);
	yamux_stream_sent(s);
}

static void frame_sent(struct yamux *y, const struct yamux_frame *f)
{
	switch ((enum yamux_what)f->what) {
	case WHAT_PONG: /* the session may have failed since it began */
		if (y->n_pings > 0)
			memmove(y->pings, y->pings + 1, --y->n_pings * sizeof y->pings[0]);
		break;
	case WHAT_PING:
		y->pending_ping = false;
		y->is_pinging = true;
		break;
	case WHAT_SYNC:
		yamux_sync_sent(y);
		break;
	case WHAT_REFUSE:
		if (y->n_refused > 0)
			memmove(y->refused, y->refused + 1, --y->n_refused * sizeof y->refused[0]);
		break;
	case WHAT_CONTROL:
		control_sent(y, f);
		break;
	case WHAT_AWAY:
		y->pending_away = false;
		y->is_away_sent = true;
		break;
	case WHAT_DATA:
	case WHAT_FILL:
		break;
	}
}

/* n more bytes of a data frame's body are gone; all of them: the stream's turn is over. */
static void body_taken(struct yamux *y, struct yamux_stream *s, size_t n, bool whole)
{
	gn_pipe_skip(&s->st.tx, n);
	s->tx_window -= n;
	s->st.sent += n;
	if (!s->is_orphan)
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_TX);
	if (!whole)
		return;
	gn_list_del(&s->ready);
	if (is_fin_due(s))
		yamux_stream_queue_control(s);
	else if (s->tx_window > 0)
		gn_list_add_tail(&y->ready, &s->ready);
}

static void yamux_tx_source_skip(void *arg, size_t n)
{
	struct yamux *y = arg;
	unsigned done = 0;

	while (n > 0 && done < y->n_plan) {
		struct yamux_frame *f = &y->plan[done];
		size_t whole = YAMUX_HEAD + f->body, took = whole - y->taken < n ? whole - y->taken : n;
		size_t head = y->taken < YAMUX_HEAD ? YAMUX_HEAD - y->taken : 0;

		y->taken += took;
		n -= took;
		if (f->what == WHAT_DATA && took > head)
			body_taken(y, f->stream, took - head, y->taken == whole);
		if (y->taken < whole)
			break;
		y->taken = 0;
		done++;
		frame_sent(y, f);
	}
	/* The rest of the plan was only a thought, but for a frame that is begun. */
	if (y->taken > 0 && done > 0)
		y->plan[0] = y->plan[done];
	y->n_plan = y->taken > 0;
}

void yamux_plan_forget(struct yamux *y, const struct yamux_stream *s)
{
	for (unsigned i = 0; i < y->n_plan; i++) {
		if (y->plan[i].stream != s)
			continue;
		y->plan[i].stream = NULL;
		if (y->plan[i].what == WHAT_DATA || y->plan[i].what == WHAT_CONTROL)
			y->plan[i].what = WHAT_FILL;
	}
}

const struct gn_source yamux_source = {
	.peek = yamux_tx_source_peek,
	.skip = yamux_tx_source_skip,
};
