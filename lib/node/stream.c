/* SPDX-License-Identifier: MIT */
#include "node/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "node/conn.h"
#include "node/limits.h"
#include "node/negotiating.h"
#include "node/node.h"
#include "stack/select.h"

static void stream_pump(struct gn_stream *s);

static void stream_notify(struct gn_stream *s, unsigned events)
{
	if (events != 0 && s->on_event != NULL)
		s->on_event(s->arg, s, events);
}

/* Records the first error that the stream fails with. */
static void stream_failed(struct gn_stream *s, int err)
{
	if (s->err == 0)
		s->err = err;
	gn_timer_stop(&s->timer);
}

/* Tells the session that the pipes were read or written.  Outside of a pump the session has no current time. */
static void stream_touch(struct gn_stream *s)
{
	s->mux->session->now = gn_loop_now(s->conn->node->loop);
	s->mux->session->ops->touch(s->mux);
}

/* Resets and frees an inbound stream that no protocol has taken over. */
static void stream_discard(struct gn_stream *s)
{
	gn_stream_reset(s);
	gn_stream_close(s);
	free(s);
}

/* ---- the negotiation ---- */

enum {
	STREAM_SLOW_BYTES = 1024, /* received within the limit: the path is busy */
	STREAM_SLOW_TIMES = 3,    /* times the limit, for a proposal on a busy path */
	STREAM_ANSWER_TIMES = 6,  /* times the limit, for our answer to be sent */
	STREAM_CHECKS = 10,       /* checks in the time of one limit, once it is exceeded */
	STREAM_QUEUE_MARGIN =
		128 << 10, /* bytes that may be sent together with a proposal: its record, and earlier frames */
};

/* The limit has expired; returns whether the stream gets more time.  On a slow path the peer's proposal may be
 * queued behind the bytes of other streams, and our own behind what this host has queued.  When no byte at all
 * was received since our proposal, the peer's process may be suspended: then only the connection's limit of
 * silence applies, until the peer sends bytes again. */
static bool stream_has_more_time(const struct gn_stream *s)
{
	const struct gn_conn *c = s->conn;
	const struct gn_limits *lim = &c->node->cfg.limits;
	gn_time took = gn_loop_now(c->node->loop) - s->since;

	if (s->is_open)
		return took / STREAM_ANSWER_TIMES < lim->negotiate;
	if (c->received - s->received >= STREAM_SLOW_BYTES && took / STREAM_SLOW_TIMES < lim->negotiate)
		return true;
	if (s->inbound || c->link == NULL || gn_conn_silence(c) == GN_NEVER)
		return false;
	return c->last_alive <= s->since ||
	       gn_conn_taken(c) < (s->proposal_end < c->written ? s->proposal_end : c->written);
}

static void stream_on_timeout(void *arg)
{
	struct gn_stream *s = arg;
	gn_time limit = s->conn->node->cfg.limits.negotiate, due = gn_time_add(s->since, limit);
	bool is_due = due <= gn_loop_now(s->conn->node->loop);

	if (!is_due && (s->is_open || !gn_negotiating_is_crowded(s))) {
		gn_timer_start_at(&s->timer, due);
		return;
	}
	if (is_due && stream_has_more_time(s)) {
		gn_timer_start(&s->timer, gn_time_max(limit / STREAM_CHECKS, GN_USEC));
		return;
	}
	if (s->on_event == NULL) { /* inbound, and not taken over by a protocol */
		stream_discard(s);
		return;
	}
	stream_failed(s, GN_ETIMEOUT);
	s->mux->session->ops->reset(s->mux);
	stream_notify(s, GN_DEAD);
}

/* Some peers refuse a protocol by a reset before the answer.  An error of the whole connection is no refusal. */
static int stream_refusal(const struct gn_stream *s, int err)
{
	if (s->inbound || s->mux->session->err != 0)
		return err;
	return err == GN_ERESET || err == GN_ETRUNC || err == GN_EOF ? GN_ENOPROTO : err;
}

static void stream_on_step(void *arg, struct gn_stack *stack, struct gn_layer *l, int what)
{
	struct gn_stream *s = arg;

	(void)stack;
	if (what == GN_DONE) {
		s->is_open = true;
		gn_conn_stream_opened(s->conn);
		s->mux->defers_reset = false;
		if (!s->inbound)
			gn_timer_stop(&s->timer);
		if (s->is_ending)
			gn_pipe_close(&s->mux->tx, GN_EOF);
		if (s->pending_sync) {
			s->pending_sync = false;
			s->mux->session->ops->sync(s->mux);
		}
		if (s->inbound) {
			const struct gn_registry *r = &s->conn->node->registry;

			s->protocol = r->entries[gn_select_chosen(l)].id;
			s->generation = r->entries[gn_select_chosen(l)].generation;
			gn_negotiating_del(s);
			/* If there is no memory for it, stream_hand_over() sees to that. */
			(void)s->mux->session->ops->establish(s->mux);
		}
	} else if (what < 0) {
		stream_failed(s, stream_refusal(s, what));
	}
}

/* As gn_registry_find(); records a proposal that is not served. */
static int stream_find_protocol(void *arg, const char *id, size_t len)
{
	struct gn_stream *s = arg;
	struct gn_node *node = s->conn->node;
	int err = gn_registry_find(&node->registry, id, len);

	if (err < 0 && node->cfg.on_unknown_protocol != NULL) {
		free(s->unknown);
		s->unknown = strdup(id);
	}
	return err;
}

static const char *stream_show_protocol(void *arg, size_t i)
{
	return gn_registry_show(&((struct gn_stream *)arg)->conn->node->registry, i);
}

/* Called after the pump, because the program may not be called from inside it. */
static void stream_report_unknown(struct gn_stream *s)
{
	const struct gn_node_cfg *cfg = &s->conn->node->cfg;
	char *protocol = s->unknown;

	if (protocol == NULL)
		return;
	s->unknown = NULL;
	cfg->on_unknown_protocol(cfg->arg, gn_conn_peer(s->conn), s->conn->remote, protocol);
	free(protocol);
}

static void stream_on_work(void *arg)
{
	(void)arg; /* an event of the multiplexer's stream pumps it */
}

/* When the peer's program fails at once, its answer and a reset may arrive together.  The reset is deferred so that
 * the answer is read first; otherwise it would count as a refusal. */
static int stream_select_start(struct gn_stream *s)
{
	struct gn_node *node = s->conn->node;
	struct gn_stack_cfg cfg = {.iobuf = node->iobuf,
				   .rx = &s->mux->rx,
				   .tx = &s->mux->tx,
				   .on_step = stream_on_step,
				   .on_work = stream_on_work,
				   .arg = s};
	struct gn_select_cfg sel = {
		.initiator = !s->inbound,
		.ids = &s->protocol,
		.n = 1,
		.find = stream_find_protocol,
		.show = stream_show_protocol,
		.arg = s,
	};

	gn_timer_init(&s->timer, node->loop, stream_on_timeout, s);
	gn_timer_start(&s->timer, s->inbound ? gn_negotiating_grace(s) : node->cfg.limits.negotiate);
	s->since = gn_loop_now(node->loop);
	s->received = s->conn->received;
	s->proposal_end = gn_conn_queued_end(s->conn) + STREAM_QUEUE_MARGIN;
	s->mux->defers_reset = !s->inbound;
	gn_stack_init(&s->stack, &cfg);
	return gn_stack_push(&s->stack, &gn_select_ops, &sel, true, NULL);
}

/* Passes an inbound stream to the handler of its protocol, after the answer was sent. */
static void stream_hand_over(struct gn_stream *s)
{
	const struct gn_registry *r = &s->conn->node->registry;
	size_t i = 0;

	s->preface = s->mux->sent;
	gn_timer_stop(&s->timer);
	/* The protocol may have been deleted while the answer was sent, and another one may be in its place. */
	while (i < r->n && (r->entries[i].id == NULL || r->entries[i].generation != s->generation))
		i++;
	if (i == r->n || !s->mux->is_established) {
		stream_discard(s);
		return;
	}
	r->entries[i].on_open(r->entries[i].arg, s);
	free(s);
}

/* ---- events ---- */

static unsigned stream_events(struct gn_stream *s, unsigned mux_events)
{
	unsigned events = 0;

	if (mux_events & GN_MUX_STREAM_RX && s->is_open)
		events |= GN_CAN_READ;
	if (mux_events & GN_MUX_STREAM_TX)
		events |= GN_CAN_WRITE;
	if (mux_events & GN_MUX_STREAM_ACKED)
		events |= GN_ACKED;
	if (s->mux->is_ended_out && !s->is_drained) {
		s->is_drained = true;
		events |= GN_DRAINED;
	}
	if (s->mux->err != 0)
		stream_failed(s, s->is_open ? s->mux->err : stream_refusal(s, s->mux->err));
	if (s->err != 0)
		events |= GN_DEAD;
	return events;
}

/* Runs the negotiation on the bytes that were received. */
static void stream_pump(struct gn_stream *s)
{
	gn_stack_mark_bottom(&s->stack);
	gn_stack_pump(&s->stack, gn_loop_now(s->conn->node->loop), 256);
}

/* Runs the negotiation, if it is not finished. */
static void stream_pump_selection(struct gn_stream *s)
{
	struct gn_mux_stream *mux = s->mux;

	if (s->is_open || s->err != 0)
		return;
	stream_pump(s);
	if (s->err != 0 && mux->err == 0)
		mux->session->ops->reset(mux);
	else
		stream_touch(s);
}

/* Runs the negotiation of an inbound stream that no protocol has taken over; may free the stream. */
static void stream_negotiate(struct gn_stream *s)
{
	struct gn_mux_stream *mux = s->mux;

	stream_pump_selection(s);
	stream_report_unknown(s);
	/* The peer has used up its memory: bytes that arrive until it can be reset are discarded. */
	if (s->is_open && !mux->is_established)
		gn_pipe_skip(&mux->rx, gn_pipe_len(&mux->rx));
	if (s->err != 0 || mux->err != 0) {
		gn_stream_close(s);
		free(s);
	} else if (!s->is_open && gn_pipe_len(&mux->rx) > GN_NEGOTIATING_BYTES) {
		stream_discard(s);
	} else if (s->is_open && gn_pipe_len(&mux->tx) == 0) {
		/* A reset by the new owner drops queued bytes.  Were the answer among them, the peer would take
		 * the reset for a refusal. */
		stream_hand_over(s);
	}
}

static void stream_on_mux_events(void *arg, struct gn_mux_stream *mux, unsigned mux_events)
{
	struct gn_stream *s = arg;
	bool was_open = s->is_open;

	/* This acknowledgement belongs to an earlier request, which does not cover the end of the stream. */
	if (s->pending_sync)
		mux_events &= ~(unsigned)GN_MUX_STREAM_ACKED;
	(void)mux;
	if (s->inbound && s->on_event == NULL) {
		stream_negotiate(s);
		return;
	}
	stream_pump_selection(s);
	if (s->is_open && !was_open)
		mux_events |= GN_MUX_STREAM_RX;
	stream_notify(s, stream_events(s, mux_events) | (s->is_open && !was_open ? GN_OPENED : 0u));
}

static void stream_attach(struct gn_stream *s)
{
	s->mux->on_events = stream_on_mux_events;
	s->mux->arg = s;
	s->stack.cfg.arg = s;
	s->timer.arg = s;
	gn_list_init(&s->link);
	gn_list_add_tail(&s->conn->streams_open, &s->link);
}

/* ---- opening ---- */

int gn_stream_open(struct gn_stream *s, struct gn_conn *conn, const char *protocol, unsigned flags)
{
	int err;

	memset(s, 0, sizeof *s);
	if (conn->session == NULL)
		return GN_EGONE;
	if (gn_conn_is_limited(conn) && (flags & GN_STREAM_LIMITED) == 0)
		return -EPERM;
	err = conn->session->ops->open(conn->session, &s->mux);
	if (err != 0)
		return err;
	gn_list_init(&s->link_negotiating);
	s->conn = conn;
	s->protocol = protocol;
	err = stream_select_start(s);
	if (err != 0) {
		gn_stack_fini(&s->stack);
		gn_timer_fini(&s->timer);
		conn->session->ops->release(s->mux);
		s->conn = NULL; /* so that gn_stream_close() has no effect */
		return err;
	}
	s->preface = gn_pipe_len(&s->mux->tx);
	stream_attach(s);
	stream_touch(s);
	return 0;
}

void gn_stream_incoming(struct gn_conn *conn, struct gn_mux_stream *mux)
{
	struct gn_stream *s = calloc(1, sizeof *s), *oldest;
	int err;

	if (s == NULL || mux->err != 0) {
		conn->session->ops->release(mux);
		free(s);
		return;
	}
	s->conn = conn;
	s->mux = mux;
	s->inbound = true;
	gn_list_init(&s->link_negotiating);
	err = stream_select_start(s);
	stream_attach(s);
	if (err != 0) {
		gn_stream_close(s);
		free(s);
		return;
	}
	gn_negotiating_add(s);
	/* When the whole proposal has arrived already, the protocol is negotiated now, and the stream is no longer
	 * counted.  So a peer may open any number of streams at once. */
	stream_negotiate(s);
	oldest = gn_negotiating_surplus(conn->network);
	if (oldest != NULL)
		stream_discard(oldest);
}

void gn_stream_accept(struct gn_stream *s, struct gn_stream *handed)
{
	*s = *handed;
	gn_list_del(&handed->link);
	gn_list_init(&s->link_negotiating);
	/* The timer is stopped and the stack is empty, so both may be moved. */
	stream_attach(s);
	gn_mux_stream_notify(s->mux, GN_MUX_STREAM_RX | GN_MUX_STREAM_TX);
}

void gn_stream_close(struct gn_stream *s)
{
	struct gn_conn *conn = s->conn;

	if (conn == NULL)
		return;
	gn_timer_fini(&s->timer);
	gn_stack_fini(&s->stack);
	gn_list_del(&s->link);
	gn_negotiating_del(s);
	free(s->unknown);
	s->unknown = NULL;
	if (s->is_open)
		gn_conn_stream_closed(conn);
	if (s->is_ending)
		gn_pipe_close(&s->mux->tx, GN_EOF);
	/* The source is removed with its owner.  If it still has bytes, an end of the stream would hide that they are
	 * missing, so the stream is reset. */
	if (s->mux->tx.source != NULL && gn_pipe_is_closed(&s->mux->tx) && gn_pipe_end(&s->mux->tx) == 0)
		conn->session->ops->reset(s->mux);
	gn_pipe_source(&s->mux->tx, NULL, NULL);
	conn->session->now = gn_loop_now(conn->node->loop);
	conn->session->ops->release(s->mux);
	s->conn = NULL;
	gn_node_released(conn->node);
	gn_conn_post(conn);
}

void gn_streams_free(struct gn_conn *conn)
{
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &conn->streams_open) {
		struct gn_stream *s = gn_list_entry(at, struct gn_stream, link);
		bool has_no_owner = s->inbound && s->on_event == NULL;

		gn_stream_close(s);
		if (has_no_owner)
			free(s);
		else if (s->on_lost != NULL)
			s->on_lost(s->arg, s);
	}
}

void gn_stream_reset(struct gn_stream *s)
{
	s->mux->session->ops->reset(s->mux);
	stream_failed(s, GN_ECLOSED);
}

void gn_stream_kill(struct gn_stream *s, int err)
{
	stream_failed(s, err);
	s->mux->session->ops->reset(s->mux);
	gn_mux_stream_notify(s->mux, GN_MUX_STREAM_GONE);
	gn_conn_post(s->conn);
}

/* ---- reading and writing ---- */

int gn_stream_peek(struct gn_stream *s, struct iovec *v, int max)
{
	int n;

	if (!s->is_open)
		return s->err < 0 ? s->err : GN_EAGAIN;
	n = gn_pipe_peek(&s->mux->rx, v, max, SIZE_MAX);
	if (n > 0)
		return n;
	n = gn_pipe_end(&s->mux->rx);
	return n < 0 ? n : GN_EAGAIN;
}

void gn_stream_skip(struct gn_stream *s, size_t n)
{
	gn_pipe_skip(&s->mux->rx, n);
	s->conn->bytes_in += n;
	stream_touch(s);
}

ptrdiff_t gn_stream_read(struct gn_stream *s, void *buf, size_t n)
{
	struct iovec v[16];
	int views = gn_stream_peek(s, v, 16);
	size_t done = 0;

	for (int i = 0; i < views && done < n; i++) {
		size_t len = v[i].iov_len < n - done ? v[i].iov_len : n - done;

		memcpy((uint8_t *)buf + done, v[i].iov_base, len);
		done += len;
	}
	if (views > 0)
		gn_stream_skip(s, done);
	return views > 0 ? (ptrdiff_t)done : views;
}

/* The error that writing returns; 0 while it is allowed. */
static int stream_write_error(const struct gn_stream *s)
{
	if (s->err != 0)
		return s->err;
	return s->is_ending || gn_pipe_is_closed(&s->mux->tx) ? GN_ECLOSED : 0;
}

ptrdiff_t gn_stream_write(struct gn_stream *s, const void *buf, size_t n)
{
	ptrdiff_t r = stream_write_error(s);

	if (r == 0)
		r = gn_pipe_write(&s->mux->tx, buf, n);

	if (r > 0)
		s->conn->bytes_out += (uint64_t)r;
	if (r > 0)
		stream_touch(s);
	return r;
}

int gn_stream_put(struct gn_stream *s, const void *buf, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)buf, n};

	return gn_stream_putv(s, &v, 1);
}

int gn_stream_putv(struct gn_stream *s, const struct iovec *v, int n)
{
	int err = stream_write_error(s);

	if (err == 0)
		err = gn_pipe_putv(&s->mux->tx, v, n);
	if (err == 0) {
		for (int i = 0; i < n; i++)
			s->conn->bytes_out += v[i].iov_len;
		stream_touch(s);
	}
	return err;
}

void gn_stream_source(struct gn_stream *s, const struct gn_source *source, void *arg)
{
	gn_pipe_source(&s->mux->tx, source, arg);
	gn_stream_wake(s);
}

void gn_stream_wake(struct gn_stream *s)
{
	stream_touch(s);
}

int gn_stream_end(struct gn_stream *s)
{
	if (s->err != 0)
		return s->err;
	/* js-libp2p aborts a stream that ends before it was passed to its handler.  So data may precede the answer
	 * to a lazy proposal, but the end is sent after the answer. */
	s->is_ending = true;
	if (s->is_open || s->inbound)
		gn_pipe_close(&s->mux->tx, GN_EOF);
	stream_touch(s);
	return 0;
}

int gn_stream_sync(struct gn_stream *s)
{
	if (s->err != 0)
		return s->err;
	/* The end waits for the peer's answer to our proposal, and the ping has to be sent after the end. */
	if (s->is_ending && !gn_pipe_is_closed(&s->mux->tx))
		s->pending_sync = true;
	else
		s->mux->session->ops->sync(s->mux);
	return 0;
}

uint64_t gn_stream_acked(const struct gn_stream *s)
{
	return s->mux->acked > s->preface ? s->mux->acked - s->preface : 0;
}
