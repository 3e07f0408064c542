/* SPDX-License-Identifier: MIT */
#include "node/stream_link.h"

#include <errno.h>
#include <stdlib.h>

#include "node/conn.h"
#include "node/node.h"

enum { LEVEL_ADDS = 64 }; /* bytes that a nested connection adds to a record, at most: headers and tags */

struct stream_link {
	struct gn_link link; /* first */
	struct gn_link_pipes pipes;
	struct gn_stream stream; /* conn is NULL once the node was freed */
	struct gn_task task;     /* reports that the carrier is closing */
	/* What the host at the other end of the carrier has acknowledged, in bytes of the stream.  It has at least
	 * probe_sent bytes of the stream once it has acknowledged the first probe_end bytes of the carrier. */
	uint64_t acked, probe_sent, probe_end;
};

static struct stream_link *stream_link_of(struct gn_link *link)
{
	return (struct stream_link *)(void *)link;
}

/* ---- what the carrier's peer has acknowledged ---- */

/* The bytes that the carrier's session has taken from the stream since the last probe are acknowledged at the latest when
 * everything is that is queued in the carrier now. */
static void stream_link_probe(struct stream_link *l)
{
	const struct gn_conn *carrier = l->stream.conn;
	uint64_t sent = l->stream.mux->sent;

	if (carrier->link == NULL)
		return;
	if (l->acked < l->probe_sent && gn_conn_taken(carrier) >= l->probe_end)
		l->acked = l->probe_sent;
	if (l->acked == l->probe_sent && sent > l->probe_sent) {
		l->probe_sent = sent;
		l->probe_end = gn_conn_queued_end(carrier);
	}
}

static size_t stream_link_unacked(struct gn_link *link)
{
	struct stream_link *l = stream_link_of(link);
	uint64_t put;

	if (l->stream.conn == NULL)
		return 0;
	stream_link_probe(l);
	put = l->stream.mux->sent + gn_pipe_len(&l->stream.mux->tx);
	return put > l->acked ? (size_t)(put - l->acked) : 0;
}

/* ---- the end ---- */

static void stream_link_free(struct stream_link *l)
{
	gn_task_cancel(&l->task);
	gn_stream_close(&l->stream);
	gn_multiaddr_free(l->link.remote);
	gn_multiaddr_free(l->link.local);
	free(l);
}

static int stream_link_end(struct gn_link *link)
{
	struct stream_link *l = stream_link_of(link);

	return l->stream.conn != NULL ? gn_stream_end(&l->stream) : GN_ECLOSED;
}

/* The session sends what is queued and the end, and discards what the peer sends until its end. */
static void stream_link_close(struct gn_link *link)
{
	struct stream_link *l = stream_link_of(link);
	struct gn_stream *s = &l->stream;

	if (s->conn != NULL && s->err == 0 && gn_stream_end(s) == 0 && !s->mux->is_ended_out)
		s->conn->must_flush = true;
	stream_link_free(l);
}

static void stream_link_abort(struct gn_link *link)
{
	struct stream_link *l = stream_link_of(link);

	if (l->stream.conn != NULL)
		gn_stream_reset(&l->stream);
	stream_link_free(l);
}

static void stream_link_touch(struct gn_link *link)
{
	struct stream_link *l = stream_link_of(link);

	if (l->stream.conn != NULL)
		gn_stream_wake(&l->stream);
}

static const struct gn_link_ops stream_link_ops = {
	.end = stream_link_end,
	.close = stream_link_close,
	.abort = stream_link_abort,
	.unacked = stream_link_unacked,
	.touch = stream_link_touch,
};

/* ---- events ---- */

static void stream_link_on_event(void *arg, struct gn_stream *s, unsigned events)
{
	struct stream_link *l = arg;
	unsigned ready = 0;

	stream_link_probe(l);
	if (events & (GN_CAN_READ | GN_DEAD))
		ready |= GN_READABLE;
	if (events & (GN_CAN_WRITE | GN_DRAINED | GN_DEAD))
		ready |= GN_WRITABLE;
	if (ready & GN_READABLE)
		s->conn->yields = true;
	if (ready != 0 && l->link.on_ready != NULL)
		l->link.on_ready(l->link.arg, ready);
}

static void stream_link_on_closing(struct gn_task *task)
{
	struct stream_link *l = gn_list_entry(task, struct stream_link, task);

	if (l->pipes.on_carrier != NULL)
		l->pipes.on_carrier(l->link.arg, 0);
}

static void stream_link_on_conn(void *arg, struct gn_stream *s, int err)
{
	struct stream_link *l = arg;

	if (err == 0) {
		s->conn->must_flush = true; /* the nested connection has messages to send before it ends */
		gn_task_post(s->conn->env->loop, &l->task);
	} else if (l->pipes.on_carrier != NULL) {
		l->pipes.on_carrier(l->link.arg, err);
	}
}

/* The node of the stream is being freed, and has freed its own nested connections before.  Another owner of the link may
 * still abort it. */
static void stream_link_on_lost(void *arg, struct gn_stream *s)
{
	struct stream_link *l = arg;

	(void)s;
	gn_task_cancel(&l->task);
	l->pipes.rx = l->pipes.tx = NULL;
}

/* ---- for the node ---- */

void gn_stream_links_notify(struct gn_conn *conn, int err)
{
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &conn->streams_open) {
		struct gn_stream *s = gn_list_entry(at, struct gn_stream, link);
		void (*on_conn)(void *, struct gn_stream *, int) = s->on_conn;

		if (on_conn == NULL)
			continue;
		if (err == 0) {
			on_conn(s->arg, s, 0);
			continue;
		}
		s->on_conn = NULL;
		on_conn(s->arg, s, err);
		next = gn_list_next(&conn->streams_open); /* any stream may have been closed: start again */
	}
}

bool gn_stream_links_are_all(const struct gn_conn *conn)
{
	struct gn_list *at;

	gn_list_for_each(at, &conn->streams_open)
		if (gn_list_entry(at, struct gn_stream, link)->on_conn == NULL)
			return false;
	return true;
}

/* ---- making a link ---- */

struct gn_conn *gn_stream_link_carrier(const struct gn_link *link)
{
	return link->ops == &stream_link_ops ? ((const struct stream_link *)(const void *)link)->stream.conn : NULL;
}

/* The number of links between the connection and a transport's own, with one more over a stream of it. */
static int stream_link_depth(const struct gn_conn *c)
{
	int depth = 1;

	while (c != NULL && c->link != NULL && (c = gn_stream_link_carrier(c->link)) != NULL)
		depth++;
	return depth;
}

/* The longest record that is one frame of the carrier's session and in one record of its security.  In a nested carrier's
 * records there is less room, because they contain its own frames and records. */
static size_t stream_link_record_max(const struct gn_stream *s)
{
	size_t max = s->mux->session->frame_max, added = (size_t)(stream_link_depth(s->conn) - 1) * LEVEL_ADDS;

	return max > added ? max - added : max;
}

int gn_stream_link_new(struct gn_stream *stream, const struct gn_multiaddr *remote, const struct gn_multiaddr *local,
		       struct gn_link **out)
{
	struct stream_link *l;
	struct gn_mux_stream *mux = stream->mux;

	if (stream->err != 0)
		return stream->err;
	if (!stream->is_open)
		return -EINVAL;
	if (gn_pipe_is_closed(&mux->tx))
		return GN_ECLOSED;
	if (stream_link_depth(stream->conn) > GN_STREAM_LINK_DEPTH)
		return GN_ELIMIT;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	if (gn_multiaddr_dup(remote, &l->link.remote) != 0 || gn_multiaddr_dup(local, &l->link.local) != 0) {
		gn_multiaddr_free(l->link.remote);
		free(l);
		return -ENOMEM;
	}
	l->link.ops = &stream_link_ops;
	l->link.pipes = &l->pipes;
	l->pipes.rx = &mux->rx;
	l->pipes.tx = &mux->tx;
	l->pipes.record_max = stream_link_record_max(stream);
	gn_task_init(&l->task, stream_link_on_closing);
	gn_stream_accept(&l->stream, stream);
	stream->conn = NULL;
	l->stream.on_event = stream_link_on_event;
	l->stream.on_lost = stream_link_on_lost;
	l->stream.on_conn = stream_link_on_conn;
	l->stream.arg = l;
	mux->defers_reset = true; /* a reset comes behind the bytes, as that of every link */
	mux->keeps_blocks = true;
	l->acked = l->probe_sent = mux->sent + gn_pipe_len(&mux->tx);
	*out = &l->link;
	return 0;
}
