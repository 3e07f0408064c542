/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "mux/yamux.h"

struct head {
	uint8_t version, type;
	uint16_t flags;
	uint32_t id, length;
};

static void broken(struct yamux *y)
{
	yamux_fail(y, GN_EPROTO, true, GN_GO_AWAY_PROTOCOL);
}

/* A reset is owed to a stream that we do not take. */
static void yamux_rx_refuse(struct yamux *y, uint32_t id)
{
	if (y->refused == NULL)
		y->refused = malloc(YAMUX_REFUSED_MAX * sizeof *y->refused);
	if (y->refused == NULL || y->n_refused == YAMUX_REFUSED_MAX) {
		yamux_fail(y, GN_ELIMIT, true, GN_GO_AWAY_INTERNAL);
		return;
	}
	y->refused[y->n_refused++] = id;
	yamux_mark(y);
}

/* SYN: the stream, or NULL when it is refused or the session has failed. */
static struct yamux_stream *accept_stream(struct yamux *y, const struct head *h)
{
	struct yamux_stream *s = NULL;
	int err;

	/* Theirs are odd when they are the client; an id in use is not free. */
	if ((h->id & 1) == (y->cfg.client ? 1 : 0) || yamux_stream_find(y, h->id) != NULL) {
		broken(y);
		return NULL;
	}
	if (h->flags & YAMUX_RST)
		return NULL;
	err = y->pending_away || y->is_dying ? GN_ECLOSED : y->cfg.admit != NULL ? y->cfg.admit(y->cfg.arg) : 0;
	if (err == GN_ECLOSED)
		return NULL; /* the end of the session is the answer: a reset would read as a refusal */
	if (err != 0 || yamux_stream_new(y, h->id, true, &s) != 0) {
		yamux_rx_refuse(y, h->id);
		return NULL;
	}
	s->pending_ack = true;
	yamux_stream_queue_control(s);
	gn_mux_stream_notify(&s->st, GN_MUX_STREAM_NEW);
	return s;
}

/* Flags that count after the body: FIN, RST. */
static void flags_after(struct yamux_stream *s, uint16_t flags)
{
	if (s->st.err != 0) /* it died while the body came */
		return;
	if (flags & YAMUX_RST) {
		yamux_stream_die(s, GN_ERESET, true);
		return;
	}
	if (flags & YAMUX_FIN && !s->st.is_ended_in) {
		s->st.is_ended_in = true;
		gn_pipe_close(&s->st.rx, GN_EOF);
		if (!s->is_orphan)
			gn_mux_stream_notify(&s->st, GN_MUX_STREAM_RX);
		yamux_stream_sent(s); /* perhaps both ends are seen now */
	}
}

static void data_begins(struct yamux *y, struct yamux_stream *s, const struct head *h)
{
	if (s != NULL && s->st.err == 0) {
		/* More than was granted, or behind its end. */
		if (h->length > s->granted - s->received || (s->st.is_ended_in && h->length > 0)) {
			broken(y);
			return;
		}
		s->received += h->length;
	}
	y->body_left = h->length;
	y->body_flags = h->flags;
	y->body_stream = s != NULL && s->st.err == 0 ? s : NULL;
	if (h->length == 0 && y->body_stream != NULL)
		flags_after(s, h->flags);
}

static void window_update(struct yamux *y, struct yamux_stream *s, const struct head *h)
{
	if (s == NULL || s->st.err != 0)
		return;
	if (!(h->flags & YAMUX_RST)) { /* go puts an error code into a reset's length */
		if (h->length > UINT32_MAX - s->tx_window) {
			broken(y);
			return;
		}
		s->tx_window += h->length;
		if (h->length > 0 && !s->st.is_ended_out)
			yamux_stream_ready(s);
	}
	flags_after(s, h->flags);
}

static void stream_frame(struct yamux *y, const struct head *h)
{
	struct yamux_stream *s;

	if (h->id == 0) {
		broken(y);
		return;
	}
	if (h->flags & YAMUX_SYN) {
		s = accept_stream(y, h);
		if (y->session.err != 0)
			return;
	} else {
		s = yamux_stream_find(y, h->id);
	}
	if (s != NULL && h->flags & YAMUX_ACK && !s->st.inbound)
		yamux_stream_acked(s);
	if (h->type == YAMUX_DATA)
		data_begins(y, s, h);
	else
		window_update(y, s, h);
}

static void ping(struct yamux *y, const struct head *h, gn_time now)
{
	if (h->flags & YAMUX_ACK) {
		yamux_ponged(y, h->length, now);
	} else if (h->flags & YAMUX_SYN) {
		if (y->n_pings == YAMUX_PINGS_MAX) {
			yamux_fail(y, GN_ELIMIT, true, GN_GO_AWAY_INTERNAL);
			return;
		}
		y->pings[y->n_pings++] = h->length;
		yamux_mark(y);
	}
}

static void go_away(struct yamux *y, const struct head *h)
{
	y->session.is_away = true;
	if (h->length != GN_GO_AWAY_NORMAL)
		yamux_fail(y, gn_go_away_error(h->length), false, 0);
}

static void frame(struct yamux *y, const uint8_t *p, gn_time now)
{
	struct head h = {p[0], p[1], gn_get_u16(p + 2), gn_get_u32(p + 4), gn_get_u32(p + 8)};

	if (h.version != 0) {
		broken(y);
		return;
	}
	switch (h.type) {
	case YAMUX_DATA:
	case YAMUX_WINDOW:
		stream_frame(y, &h);
		break;
	case YAMUX_PING:
		ping(y, &h, now);
		break;
	case YAMUX_GO_AWAY:
		go_away(y, &h);
		break;
	default:
		broken(y);
	}
}

/* The next bytes of a body go to their stream, or nowhere. */
static int body(struct yamux *y)
{
	struct gn_pipe *rx = y->layer->rx;
	struct yamux_stream *s = y->body_stream;
	size_t n = gn_pipe_len(rx) < y->body_left ? gn_pipe_len(rx) : y->body_left;

	if (s == NULL || s->is_orphan || s->st.err != 0) {
		gn_pipe_skip(rx, n);
	} else {
		int err = gn_pipe_move(&s->st.rx, rx, n);

		if (err != 0)
			return err;
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_RX);
	}
	y->body_left -= (uint32_t)n;
	if (s != NULL && s->is_orphan && yamux_stream_credit(s) > 0)
		yamux_stream_queue_control(s);
	if (y->body_left == 0 && s != NULL) {
		y->body_stream = NULL;
		flags_after(s, y->body_flags);
	}
	return 0;
}

/* The connection below has ended. */
static int ended(struct yamux *y, int end)
{
	if (y->session.err != 0)
		return GN_EAGAIN;
	/* An end inside a record is a cut like any other. */
	yamux_fail(y, end == GN_EOF || end == GN_ETRUNC ? GN_EGONE : end, false, 0);
	return 0;
}

int yamux_receive(struct yamux *y, gn_time now)
{
	struct gn_pipe *rx = y->layer->rx;
	int moved = GN_EAGAIN;

	for (int i = 0; i < YAMUX_FRAMES; i++) {
		uint8_t head[YAMUX_HEAD];
		int err = 0;

		if (y->session.err != 0) { /* nothing counts any more, but the far end must not be blocked */
			if (gn_pipe_len(rx) > 0)
				moved = 0;
			gn_pipe_skip(rx, gn_pipe_len(rx));
			return moved;
		}
		if (gn_pipe_len(rx) < (y->body_left > 0 ? 1 : YAMUX_HEAD)) {
			if (!gn_pipe_is_closed(rx))
				return moved;
			err = gn_pipe_len(rx) > 0 ? GN_ETRUNC : gn_pipe_end(rx);
			return ended(y, err);
		}
		if (y->body_left > 0) {
			err = body(y);
			if (err != 0)
				return err;
		} else {
			gn_pipe_copy(rx, head, sizeof head);
			gn_pipe_skip(rx, sizeof head);
			frame(y, head, now);
		}
		moved = 0;
	}
	return moved;
}
