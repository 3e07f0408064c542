/* SPDX-License-Identifier: MIT */
#include "api/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "node/conn.h"
#include "node/node.h"

enum {
	CHANNEL_TX_CAP = 256 * 1024,
	CHANNEL_FRAME_FREE = 4096, /* a buffer of this size is not charged: the receive window covers it */
};

/* ---- life ---- */

/* Frees the buffer for frames. */
static void channel_frame_drop(struct gn_channel *ch)
{
	gn_buf_fini(&ch->frame);
	gn_scope_give(ch->scope, ch->held);
	ch->held = 0;
}

/* Charges the growth of the buffer to the scope.  GN_ELIMIT: the scope has no room for it, and the buffer is freed. */
static int channel_frame_charge(struct gn_channel *ch)
{
	size_t room = ch->frame.room > CHANNEL_FRAME_FREE ? ch->frame.room : 0;

	if (room <= ch->held)
		return 0;
	if (!gn_scope_take(ch->scope, room - ch->held)) {
		channel_frame_drop(ch);
		return GN_ELIMIT;
	}
	ch->held = room;
	return 0;
}

static void channel_free(struct gn_channel *ch)
{
	ch->node->n_channels--;
	free(ch->protocol);
	free(ch);
}

void gn_channel_lost(struct gn_channel *ch)
{
	channel_frame_drop(ch);
	channel_free(ch);
}

static void channel_on_lost(void *arg, struct gn_stream *stream)
{
	(void)stream;
	gn_channel_lost(arg);
}

static void channel_on_event(void *arg, struct gn_stream *stream, unsigned events)
{
	struct gn_channel *ch = arg;

	(void)stream;
	if (ch->cb == NULL || ch->is_dead)
		return;
	ch->is_dead = events & GN_DEAD; /* the last event */
	ch->cb(ch->arg, ch, events);
}

static struct gn_channel *channel_new(struct gn_node *node, const char *protocol, enum gn_channel_kind kind,
				      size_t max_frame)
{
	struct gn_channel *ch = calloc(1, sizeof *ch);

	if (ch == NULL)
		return NULL;
	ch->protocol = strdup(protocol);
	if (ch->protocol == NULL) {
		free(ch);
		return NULL;
	}
	ch->node = node;
	ch->kind = kind;
	ch->max_frame = max_frame > 0 ? max_frame : GN_FRAME_MAX;
	ch->since = gn_loop_now(node->loop);
	gn_buf_init(&ch->frame, ch->max_frame);
	node->n_channels++;
	return ch;
}

static void channel_attach(struct gn_channel *ch)
{
	ch->stream.on_event = channel_on_event;
	ch->stream.on_lost = channel_on_lost;
	ch->stream.arg = ch;
	ch->stream.protocol = ch->protocol;
	ch->stream.is_channel = true;
	ch->scope = &ch->stream.conn->scope;
	/* A frame is written whole or not at all, so an empty pipe must have room for one. */
	if (ch->kind == GN_FRAMES)
		ch->stream.mux->tx.cap = CHANNEL_TX_CAP + ch->max_frame + GN_UVARINT_MAX;
}

int gn_channel_open(struct gn_conn *conn, const char *protocol, enum gn_channel_kind kind, size_t max_frame,
		    struct gn_channel **out)
{
	struct gn_channel *ch = channel_new(conn->node, protocol, kind, max_frame);
	int err;

	if (ch == NULL)
		return -ENOMEM;
	/* The dialer returns a limited connection only to a caller who has consented. */
	err = gn_stream_open(&ch->stream, conn, ch->protocol, GN_STREAM_LIMITED);
	if (err != 0) {
		channel_free(ch);
		return err;
	}
	channel_attach(ch);
	*out = ch;
	return 0;
}

int gn_channel_accept(struct gn_stream *handed, enum gn_channel_kind kind, size_t max_frame, struct gn_channel **out)
{
	struct gn_channel *ch = channel_new(handed->conn->node, handed->protocol, kind, max_frame);

	if (ch == NULL)
		return -ENOMEM;
	gn_stream_accept(&ch->stream, handed);
	channel_attach(ch);
	*out = ch;
	return 0;
}

void gn_channel_free(struct gn_channel *ch)
{
	const struct gn_stream *stream;

	if (ch == NULL)
		return;
	stream = &ch->stream;
	if (stream->is_ending && stream->err == 0 && (gn_channel_pending(ch) > 0 || !stream->mux->is_ended_out))
		stream->conn->must_flush = true;
	channel_frame_drop(ch);
	gn_stream_close(&ch->stream);
	channel_free(ch);
}

void gn_channel_reset(struct gn_channel *ch)
{
	gn_stream_reset(&ch->stream);
}

int gn_channel_end(struct gn_channel *ch)
{
	return gn_stream_end(&ch->stream);
}

void gn_channel_on_event(struct gn_channel *ch, gn_channel_cb *cb, void *arg)
{
	if (ch->cb == NULL)
		ch->stream.is_drained = false;
	ch->is_dead = false;
	ch->cb = cb;
	ch->arg = arg;
	/* Events that occurred without a callback are delivered again. */
	gn_mux_stream_notify(ch->stream.mux, GN_MUX_STREAM_RX | GN_MUX_STREAM_TX);
	gn_conn_post(ch->stream.conn);
}

int gn_channel_sync(struct gn_channel *ch)
{
	return gn_stream_sync(&ch->stream);
}

uint64_t gn_channel_pending(const struct gn_channel *ch)
{
	return ch->count.bytes_out - gn_stream_acked(&ch->stream);
}

int gn_channel_error(const struct gn_channel *ch)
{
	return ch->stream.err;
}

void *gn_channel_arg(const struct gn_channel *ch)
{
	return ch->arg;
}

/* ---- bytes ---- */

int gn_channel_peek(struct gn_channel *ch, struct iovec *v, int max)
{
	return gn_stream_peek(&ch->stream, v, max);
}

void gn_channel_skip(struct gn_channel *ch, size_t n)
{
	ch->count.bytes_in += n;
	gn_stream_skip(&ch->stream, n);
}

ptrdiff_t gn_channel_read(struct gn_channel *ch, void *buf, size_t n)
{
	ptrdiff_t r = gn_stream_read(&ch->stream, buf, n);

	if (r > 0)
		ch->count.bytes_in += (uint64_t)r;
	return r;
}

ptrdiff_t gn_channel_write(struct gn_channel *ch, const void *buf, size_t n)
{
	ptrdiff_t r = gn_stream_write(&ch->stream, buf, n);

	if (r > 0)
		ch->count.bytes_out += (uint64_t)r;
	return r;
}

/* Passes calls to the program's source, and counts the bytes. */
static int channel_source_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct gn_channel *ch = arg;

	return ch->source->peek(ch->source_arg, v, max, limit);
}

static void channel_source_skip(void *arg, size_t n)
{
	struct gn_channel *ch = arg;

	ch->count.bytes_out += n;
	ch->stream.conn->bytes_out += n;
	ch->source->skip(ch->source_arg, n);
}

int gn_channel_source(struct gn_channel *ch, const struct gn_source *source, void *arg)
{
	static const struct gn_source counted = {channel_source_peek, channel_source_skip};

	if (ch->stream.err != 0)
		return ch->stream.err;
	ch->source = source;
	ch->source_arg = arg;
	gn_stream_source(&ch->stream, source != NULL ? &counted : NULL, ch);
	return 0;
}

void gn_channel_wake(struct gn_channel *ch)
{
	gn_stream_wake(&ch->stream);
}

/* ---- frames ---- */

int gn_channel_send(struct gn_channel *ch, const void *frame, size_t len)
{
	uint8_t head[GN_UVARINT_MAX];
	size_t n = gn_uvarint_encode(len, head);
	struct iovec v[2];
	int err;

	if (ch->kind != GN_FRAMES)
		return -EINVAL;
	if (len > ch->max_frame)
		return GN_ETOOBIG;
	if (ch->stream.err != 0)
		return ch->stream.err;
	/* An empty pipe accepts a frame of any size; a pipe that holds CHANNEL_TX_CAP accepts no more. */
	if (gn_pipe_len(&ch->stream.mux->tx) >= CHANNEL_TX_CAP || gn_pipe_room(&ch->stream.mux->tx) < n + len)
		return gn_pipe_is_closed(&ch->stream.mux->tx) ? GN_ECLOSED : GN_EAGAIN;
	v[0] = (struct iovec){head, n};
	v[1] = (struct iovec){(void *)(uintptr_t)frame, len};
	err = gn_stream_putv(&ch->stream, v, len > 0 ? 2 : 1);
	if (err == GN_ELIMIT)
		gn_stream_kill(&ch->stream, err);
	if (err != 0)
		return err;
	ch->count.bytes_out += n + len;
	ch->count.frames_out++;
	ch->node->frames_out++;
	return 0;
}

static int channel_frame_fail(struct gn_channel *ch, int err)
{
	ch->frame_err = err;
	return err;
}

/* Reads the length of the next frame, which has *prefix bytes, without consuming it. */
static int channel_frame_head(struct gn_channel *ch, size_t *len, size_t *prefix)
{
	struct gn_pipe *rx = &ch->stream.mux->rx;
	uint8_t head[GN_UVARINT_MAX];
	size_t n = gn_pipe_len(rx) < sizeof head ? gn_pipe_len(rx) : sizeof head;
	int err;

	gn_pipe_copy(rx, head, n);
	err = gn_frame_head_decode(head, n, ch->max_frame, len);
	if (err == GN_EAGAIN) {
		err = gn_pipe_end(rx);
		if (err == 0 && !gn_pipe_is_closed(rx))
			return GN_EAGAIN;
		if (n == 0)
			return err;
		return channel_frame_fail(ch, rx->end == GN_EOF ? GN_ETRUNC : rx->end);
	}
	if (err < 0)
		return channel_frame_fail(ch, err);
	*prefix = (size_t)err;
	return 0;
}

/* Moves the received part of a frame that is not contiguous to the buffer, which opens the receive window: a frame may
 * be longer than the window. */
static int channel_frame_gather(struct gn_channel *ch, const void **frame, size_t *len)
{
	while (ch->frame_left > 0) {
		struct iovec v;
		int err;

		if (gn_pipe_peek(&ch->stream.mux->rx, &v, 1, ch->frame_left) == 0) {
			err = gn_pipe_end(&ch->stream.mux->rx);
			return err == 0 ? GN_EAGAIN : channel_frame_fail(ch, err == GN_EOF ? GN_ETRUNC : err);
		}
		err = gn_buf_put(&ch->frame, v.iov_base, v.iov_len);
		if (err == 0 && (err = channel_frame_charge(ch)) != 0)
			gn_stream_kill(&ch->stream, err);
		if (err != 0)
			return channel_frame_fail(ch, err);
		ch->frame_left -= v.iov_len;
		gn_channel_skip(ch, v.iov_len);
	}
	ch->is_in_frame = false;
	*frame = ch->frame.p != NULL ? ch->frame.p : (const uint8_t *)"";
	*len = ch->frame.len;
	return 0;
}

/* Returns the next frame in place when it is contiguous in the pipe, otherwise begins to gather it. */
static int channel_frame_next(struct gn_channel *ch, const void **frame, size_t *len)
{
	struct iovec v;
	size_t n = 0, prefix = 0;
	int err = channel_frame_head(ch, &n, &prefix);

	if (err != 0)
		return err;
	gn_pipe_peek(&ch->stream.mux->rx, &v, 1, prefix + n);
	if (v.iov_len == prefix + n) {
		*frame = (const uint8_t *)v.iov_base + prefix;
		*len = n;
		ch->shown = prefix + n;
		return 0;
	}
	gn_channel_skip(ch, prefix);
	ch->frame.len = 0;
	ch->frame_left = n;
	ch->is_in_frame = true;
	return channel_frame_gather(ch, frame, len);
}

int gn_channel_receive(struct gn_channel *ch, const void **frame, size_t *len)
{
	size_t shown = ch->shown;
	int err;

	if (ch->kind != GN_FRAMES)
		return -EINVAL;
	ch->shown = 0;
	if (shown > 0)
		gn_channel_skip(ch, shown);
	if (ch->frame_err != 0)
		return ch->frame_err;
	if (!ch->stream.is_open)
		return ch->stream.err != 0 ? ch->stream.err : GN_EAGAIN;
	err = ch->is_in_frame ? channel_frame_gather(ch, frame, len) : channel_frame_next(ch, frame, len);
	if (err == 0) {
		ch->count.frames_in++;
		ch->node->frames_in++;
	}
	/* The buffer of a long frame is not kept for shorter ones. */
	if (err == GN_EAGAIN && !ch->is_in_frame && ch->frame.room > 0)
		channel_frame_drop(ch);
	return err;
}

/* ---- state and metrics ---- */

const char *gn_addr_origin_name(enum gn_addr_origin origin)
{
	static const char *const names[] = {"inbound", "address", "dns", "book", "router"};

	return (size_t)origin < sizeof names / sizeof *names ? names[origin] : "unknown";
}

const char *gn_path_name(enum gn_path path)
{
	return path == GN_PATH_RELAYED ? "relay" : "direct";
}

void gn_channel_state(const struct gn_channel *ch, struct gn_channel_state *out)
{
	const struct gn_conn *c = ch->stream.conn;
	struct gn_list *at;

	memset(out, 0, sizeof *out);
	memcpy(out->guid, c->guid, sizeof out->guid);
	out->peer = *gn_conn_peer(c);
	out->remote = c->remote;
	out->local = c->local;
	out->protocol = ch->protocol;
	out->origin = c->origin;
	out->path = c->path;
	gn_conn_path_limits(c, &out->path_limits);
	out->inbound = ch->stream.inbound;
	out->opened = ch->stream.is_open;
	out->queued = gn_pipe_len(&ch->stream.mux->tx);
	gn_list_for_each(at, &c->streams_open)
		out->channels += gn_list_entry(at, struct gn_stream, link)->is_channel;
}

static void channel_conn_times(const struct gn_channel *ch, struct gn_metrics *out)
{
	const struct gn_conn *c = ch->stream.conn;
	gn_time now = gn_loop_now(ch->node->loop);

	if (c->session == NULL)
		return;
	out->rtt = c->session->rtt;
	out->silence = now - c->session->last_received;
}

void gn_channel_metrics(const struct gn_channel *ch, struct gn_metrics *out)
{
	*out = ch->count;
	channel_conn_times(ch, out);
	out->age = gn_loop_now(ch->node->loop) - ch->since;
	out->channels = out->conns = 1;
}

void gn_channel_conn_metrics(const struct gn_channel *ch, struct gn_metrics *out)
{
	const struct gn_conn *c = ch->stream.conn;
	struct gn_channel_state state;
	struct gn_list *at;

	memset(out, 0, sizeof *out);
	gn_channel_state(ch, &state);
	channel_conn_times(ch, out);
	out->bytes_in = c->bytes_in;
	out->bytes_out = c->bytes_out;
	out->age = gn_loop_now(ch->node->loop) - c->since;
	out->channels = state.channels;
	out->conns = 1;
	gn_list_for_each(at, &c->streams_open) {
		const struct gn_stream *stream = gn_list_entry(at, struct gn_stream, link);

		if (stream->on_event != channel_on_event)
			continue;
		out->frames_in += ((const struct gn_channel *)stream->arg)->count.frames_in;
		out->frames_out += ((const struct gn_channel *)stream->arg)->count.frames_out;
	}
}

size_t gn_channel_unacked(const struct gn_channel *ch)
{
	struct gn_link *link = ch->stream.conn->link;

	return link != NULL ? link->ops->unacked(link) : ch->stream.conn->backlog;
}
