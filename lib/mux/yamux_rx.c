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

static void yamux_protocol_error(struct yamux *y)
{
	yamux_fail(y, GN_EPROTO, true, GN_GO_AWAY_PROTOCOL);
}

/* Queues a reset for a stream that is not accepted. */
static void yamux_rx_refuse(struct yamux *y, uint32_t id)
{
	if (y->refused == NULL)
		y->refused = malloc(YAMUX_REFUSED_MAX * sizeof *y->refused);
	if (y->refused == NULL || y->n_refused == YAMUX_REFUSED_MAX) {
		yamux_fail(y, GN_ELIMIT, true, GN_GO_AWAY_INTERNAL);
		return;
	}
	y->refused[y->n_refused++] = id;
	yamux_mark_layer(y);
}

/* Handles a SYN.  Returns the stream, or NULL when it was refused or the session has failed. */
static struct yamux_stream *accept_stream(struct yamux *y, const struct head *h)
{
	struct yamux_stream *s = NULL;
	int err;

	/* The peer's ids are odd when it is the client, else even. */
	if ((h->id & 1) == (y->cfg.client ? 1 : 0) || yamux_stream_find(y, h->id) != NULL) {
		yamux_protocol_error(y);
		return NULL;
	}
	if (h->flags & YAMUX_RST)
		return NULL;
	err = y->pending_go_away || y->is_closing ? GN_ECLOSED : y->cfg.admit != NULL ? y->cfg.admit(y->cfg.arg) : 0;
	if (err == GN_ECLOSED)
		return NULL; /* the session ends soon; the peer would take a reset for a refusal */
	if (err != 0 || yamux_stream_new(y, h->id, true, &s) != 0) {
		yamux_rx_refuse(y, h->id);
		return NULL;
	}
	yamux_stream_queue_control(s); /* for the ACK */
	gn_mux_stream_notify(&s->st, GN_MUX_STREAM_NEW);
	return s;
}

/* Handles the flags that take effect behind the body: FIN and RST. */
static void flags_after(struct yamux_stream *s, uint16_t flags)
{
	if (yamux_has_failed(s)) /* while the body was received */
		return;
	if (flags & YAMUX_RST) {
		yamux_stream_fail(s, GN_ERESET, true);
		return;
	}
	if (flags & YAMUX_FIN && yamux_rx_is_open(s)) {
		yamux_stream_fin_received(s);
		yamux_stream_free_if_finished(s);
	}
}

static void data_begins(struct yamux *y, struct yamux_stream *s, const struct head *h)
{
	if (s != NULL && !yamux_has_failed(s)) {
		/* The peer may not send more than it was granted, nor behind its FIN. */
		if (h->length > s->granted - s->received || (!yamux_rx_is_open(s) && h->length > 0)) {
			yamux_protocol_error(y);
			return;
		}
		s->received += h->length;
	}
	y->body_left = h->length;
	y->body_flags = h->flags;
	y->body_stream = s != NULL && !yamux_has_failed(s) ? s : NULL;
	if (h->length == 0 && y->body_stream != NULL)
		flags_after(s, h->flags);
}

/* Window Update: the peer grants h->length bytes more.  The tour in yamux.h has the rest of the way. */
static void window_update(struct yamux *y, struct yamux_stream *s, const struct head *h)
{
	if (s == NULL || yamux_has_failed(s))
		return;
	if (!(h->flags & YAMUX_RST)) { /* go-libp2p puts an error code into the length of a reset */
		if (h->length > UINT32_MAX - s->tx_window) {
			yamux_protocol_error(y);
			return;
		}
		s->tx_window += h->length;
		if (h->length > 0)
			yamux_stream_queue_data(s);
	}
	flags_after(s, h->flags);
}

static void stream_frame(struct yamux *y, const struct head *h)
{
	struct yamux_stream *s;

	y->has_stream_frame = true;
	if (h->id == 0) {
		yamux_protocol_error(y);
		return;
	}
	if (h->flags & YAMUX_SYN) {
		s = accept_stream(y, h);
		if (y->session.err != 0)
			return;
	} else {
		s = yamux_stream_find(y, h->id);
		if (s != NULL && s->state == YAMUX_INIT)
			s = NULL; /* the peer does not know this stream */
	}
	if (s != NULL && h->flags & YAMUX_ACK)
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
		yamux_mark_layer(y);
	}
}

static void go_away(struct yamux *y, const struct head *h)
{
	y->session.is_remote_go_away = true;
	if (h->length != GN_GO_AWAY_NORMAL)
		yamux_fail(y, gn_go_away_error(h->length), false, 0);
}

static void frame(struct yamux *y, const uint8_t *p, gn_time now)
{
	struct head h = {p[0], p[1], gn_get_u16(p + 2), gn_get_u32(p + 4), gn_get_u32(p + 8)};

	if (h.version != 0) {
		yamux_protocol_error(y);
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
		yamux_protocol_error(y);
	}
}

/* Moves the next bytes of a body to their stream, or drops them when nobody will read them.  A stream that cannot keep
 * them fails, and the session goes on. */
static void body(struct yamux *y)
{
	struct gn_pipe *rx = y->layer->rx;
	struct yamux_stream *s = y->body_stream;
	size_t len = gn_pipe_len(rx), n = len < y->body_left ? len : y->body_left;

	y->has_stream_frame = true;
	if (s != NULL && yamux_stream_has_overflowed(s))
		yamux_stream_overflow(s);
	if (s == NULL || s->is_released || yamux_has_failed(s))
		gn_pipe_skip(rx, n);
	else if (gn_pipe_move(&s->st.rx, rx, n) == 0)
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_RX);
	else
		yamux_stream_overflow(s);
	gn_pipe_skip(rx, n - (len - gn_pipe_len(rx))); /* the rest, if only a part was moved */
	y->body_left -= (uint32_t)n;
	if (s != NULL && s->is_released && yamux_stream_credit(s) > 0)
		yamux_stream_queue_control(s);
	if (y->body_left == 0 && s != NULL) {
		y->body_stream = NULL;
		flags_after(s, y->body_flags);
	}
}

/* Handles the end of the pipe below. */
static int ended(struct yamux *y, int end)
{
	if (y->session.err != 0)
		return GN_EAGAIN;
	/* An end inside a record (GN_ETRUNC) is a lost connection, too. */
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

		if (y->session.err != 0) { /* drop everything, so that the peer is not blocked */
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
			body(y);
		} else {
			gn_pipe_copy(rx, head, sizeof head);
			gn_pipe_skip(rx, sizeof head);
			frame(y, head, now);
		}
		moved = 0;
	}
	return moved;
}
