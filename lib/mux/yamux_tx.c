/* SPDX-License-Identifier: MIT */
/*
 * Frames are built when the layer below pulls.  peek() makes a plan of the next frames: first frames of
 * the session, then frames without a body, then data, where the streams take turns.  It shows their
 * headers, followed by views of the streams' bytes; none of it counts as sent.  skip() is called for what was
 * sent; it updates the state frame by frame.
 */
#include <string.h>

#include "base/bytes.h"
#include "mux/yamux.h"

enum yamux_frame_kind {
	FRAME_PONG,
	FRAME_PING,
	FRAME_SYNC,
	FRAME_REFUSE,
	FRAME_CONTROL,
	FRAME_DATA,
	FRAME_AWAY,
	FRAME_PADDING
};

/* One peek: where its frames and views go, and what room is left. */
struct show {
	struct yamux *y;
	struct iovec *v;
	int n, max;
	size_t left;     /* bytes of the limit */
	bool wants_sync; /* the end of a stream is shown whose owner waits for an acknowledgement */
};

/* The rest of the body of a frame whose stream has failed. */
static const uint8_t zeros[4096];

static struct yamux_frame *plan_add(struct show *w, uint8_t kind, struct yamux_stream *s, enum yamux_type type,
				    uint16_t flags, uint32_t id, uint32_t length)
{
	struct yamux *y = w->y;
	struct yamux_frame *f;

	if (y->n_plan == YAMUX_PLAN || w->left < YAMUX_HEAD || w->n == w->max)
		return NULL;
	f = &y->plan[y->n_plan++];
	f->kind = kind;
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

static bool is_planned(const struct yamux *y, uint8_t kind)
{
	for (unsigned i = 0; i < y->n_plan; i++)
		if (y->plan[i].kind == kind)
			return true;
	return false;
}

static void show_sync(struct show *w)
{
	plan_add(w, FRAME_SYNC, NULL, YAMUX_PING, YAMUX_SYN, 0, yamux_sync_value(w->y->syncs_sent));
}

static void show_session(struct show *w)
{
	struct yamux *y = w->y;

	for (unsigned i = 0; i < y->n_pings; i++)
		if (plan_add(w, FRAME_PONG, NULL, YAMUX_PING, YAMUX_ACK, 0, y->pings[i]) == NULL)
			return;
	if (y->pending_ping)
		plan_add(w, FRAME_PING, NULL, YAMUX_PING, YAMUX_SYN, 0, y->ping_value);
	if (yamux_sync_is_due(y))
		show_sync(w);
	for (unsigned i = 0; i < y->n_refused; i++)
		if (plan_add(w, FRAME_REFUSE, NULL, YAMUX_WINDOW, YAMUX_RST, y->refused[i], 0) == NULL)
			return;
}

/* True when FIN is to be sent.  FIN is sent in a frame of its own behind the last byte, never in the same
 * frame, since go-yamux handles a frame's flags before its body. */
static bool is_fin_due(struct yamux_stream *s)
{
	return yamux_tx_is_open(s) && gn_pipe_end(&s->st.tx) == GN_EOF;
}

static uint16_t control_flags(struct yamux_stream *s)
{
	uint16_t flags = 0;

	if (s->state >= YAMUX_CLOSED)
		return s->state == YAMUX_RESETTING ? YAMUX_RST : 0;
	if (s->state == YAMUX_INIT)
		flags |= YAMUX_SYN;
	if (s->is_unacked && s->st.inbound)
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

	gn_list_for_each_safe(at, next, &y->control_queue) {
		struct yamux_stream *s = gn_list_entry(at, struct yamux_stream, control_link);
		uint16_t flags = control_flags(s);
		uint32_t credit = flags & YAMUX_RST ? 0 : yamux_stream_credit(s);

		if (flags & YAMUX_SYN && unacked >= YAMUX_UNACKED_MAX)
			continue;
		if (flags == 0 && credit == 0) {
			gn_list_del(at);
			continue;
		}
		if (plan_add(w, FRAME_CONTROL, s, YAMUX_WINDOW, flags, s->st.id, credit) == NULL)
			return;
		if (flags & YAMUX_SYN)
			unacked++;
		if (flags & YAMUX_FIN && yamux_sync_may_follow(y, s))
			w->wants_sync = true;
	}
}

/* True when the stream's SYN was sent, or is in this plan. */
static bool is_announced(const struct yamux *y, const struct yamux_stream *s)
{
	bool announced = s->state != YAMUX_INIT;

	for (unsigned i = 0; i < y->n_plan && !announced; i++)
		announced = y->plan[i].kind == FRAME_CONTROL && y->plan[i].stream == s;
	return announced;
}

/* The n > 0 views show as many bytes of a stream that keeps its blocks as the frame may have, so that the last block may
 * be cut.  Returns how many views to send: without the last one, if there are others.  A single block is cut by the peer's
 * window; but where only the frames in front of it leave too little room, it waits for the next plan (0). */
static int whole_blocks(const struct show *w, int n, bool is_cut_by_room)
{
	if (n > 1)
		return n - 1;
	return is_cut_by_room && w->n > 0 ? 0 : n;
}

static void show_data(struct show *w)
{
	struct yamux *y = w->y;
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &y->data_queue) {
		struct yamux_stream *s = gn_list_entry(at, struct yamux_stream, link);
		struct yamux_frame *f;
		size_t limit = s->tx_window < YAMUX_BODY_MAX ? (size_t)s->tx_window : YAMUX_BODY_MAX, len = 0;
		bool is_short = false;
		int n;

		if (w->max - w->n < 2 || w->left <= YAMUX_HEAD || y->n_plan == YAMUX_PLAN)
			return;
		if (!is_announced(y, s))
			continue;
		if (limit > w->left - YAMUX_HEAD) {
			limit = w->left - YAMUX_HEAD;
			is_short = true;
		}
		n = gn_pipe_peek(&s->st.tx, w->v + w->n + 1, w->max - w->n - 1, limit);
		for (int i = 0; i < n; i++)
			len += w->v[w->n + 1 + i].iov_len;
		if (s->st.keeps_blocks && len == limit) {
			int keep = whole_blocks(w, n, is_short);

			if (keep < n)
				len -= w->v[w->n + n].iov_len;
			n = keep;
			if (n == 0)
				continue;
		}
		if (len == 0) {
			gn_list_del(at);
			if (is_fin_due(s) && gn_list_is_empty(&s->control_link))
				gn_list_add_tail(&y->control_queue, &s->control_link);
			continue;
		}
		f = plan_add(w, FRAME_DATA, s, YAMUX_DATA, 0, s->st.id, (uint32_t)len);
		if (f == NULL)
			return;
		f->body = (uint16_t)len;
		w->n += n;
		w->left -= len;
	}
}

/* Shows the rest of a frame of which a part was sent. */
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
	if (f->kind == FRAME_PADDING) {
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
	/* Nothing may be shown behind this frame before it is complete. */
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
	if (y->is_go_away_sent) /* nothing follows Go Away */
		return 0;
	show_session(&w);
	if (!y->is_closing) {
		show_control(&w);
		show_data(&w);
		/* The ping is sent together with the FIN, so that the peer receives both before it can
		 * leave. */
		if (w.wants_sync && !is_planned(y, FRAME_SYNC))
			show_sync(&w);
	}
	if (y->pending_go_away)
		plan_add(&w, FRAME_AWAY, NULL, YAMUX_GO_AWAY, 0, 0, y->go_away_code);
	return w.n;
}

/* ---- taken ---- */

/* A frame without a body was sent: its flags are no longer pending, its credit is granted. */
static void control_sent(const struct yamux_frame *f)
{
	struct yamux_stream *s = f->stream;
	uint16_t flags = gn_get_u16(f->head + 2);

	s->granted += gn_get_u32(f->head + 8);
	if (flags & YAMUX_SYN)
		yamux_stream_syn_sent(s);
	if (flags & YAMUX_ACK)
		s->is_unacked = false;
	if (flags & YAMUX_FIN)
		yamux_stream_fin_sent(s);
	if (flags & YAMUX_RST)
		yamux_stream_rst_sent(s);
	if (control_flags(s) == 0 && yamux_stream_credit(s) == 0)
		gn_list_del(&s->control_link);
	yamux_stream_free_if_finished(s);
}

static void frame_sent(struct yamux *y, const struct yamux_frame *f)
{
	switch ((enum yamux_frame_kind)f->kind) {
	case FRAME_PONG: /* 0 if the session has failed since a part of it was sent */
		if (y->n_pings > 0)
			memmove(y->pings, y->pings + 1, --y->n_pings * sizeof y->pings[0]);
		break;
	case FRAME_PING:
		y->pending_ping = false;
		y->is_ping_in_flight = true;
		break;
	case FRAME_SYNC:
		yamux_sync_sent(y);
		break;
	case FRAME_REFUSE:
		if (y->n_refused > 0)
			memmove(y->refused, y->refused + 1, --y->n_refused * sizeof y->refused[0]);
		break;
	case FRAME_CONTROL:
		control_sent(f);
		break;
	case FRAME_AWAY:
		y->pending_go_away = false;
		y->is_go_away_sent = true;
		break;
	case FRAME_DATA:
	case FRAME_PADDING:
		break;
	}
}

/* n more bytes of a data frame's body were sent.  With the last one the stream's turn ends. */
static void body_taken(struct yamux *y, struct yamux_stream *s, size_t n, bool whole)
{
	gn_pipe_skip(&s->st.tx, n);
	s->tx_window -= n;
	s->st.sent += n;
	if (!s->is_released)
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_TX);
	if (!whole)
		return;
	gn_list_del(&s->link);
	if (is_fin_due(s))
		yamux_stream_queue_control(s);
	else if (s->tx_window > 0)
		gn_list_add_tail(&y->data_queue, &s->link);
}

static void yamux_tx_source_skip(void *arg, size_t n)
{
	struct yamux *y = arg;
	unsigned done = 0;

	while (n > 0 && done < y->n_plan) {
		struct yamux_frame *f = &y->plan[done];
		size_t whole = YAMUX_HEAD + f->body, took = whole - y->taken < n ? whole - y->taken : n;
		size_t head = y->taken < YAMUX_HEAD ? YAMUX_HEAD - y->taken : 0;

		y->taken += (uint32_t)took;
		n -= took;
		if (f->kind == FRAME_DATA && took > head)
			body_taken(y, f->stream, took - head, y->taken == whole);
		if (y->taken < whole)
			break;
		y->taken = 0;
		done++;
		frame_sent(y, f);
	}
	/* Drop frames that were peeked but not consumed, except one that is already partly sent. */
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
		if (y->plan[i].kind == FRAME_DATA || y->plan[i].kind == FRAME_CONTROL)
			y->plan[i].kind = FRAME_PADDING;
	}
}

const struct gn_source yamux_source = {
	.peek = yamux_tx_source_peek,
	.skip = yamux_tx_source_skip,
};
