/* SPDX-License-Identifier: MIT */
#include "node/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "node/conn.h"
#include "node/negotiating.h"
#include "node/node.h"
#include "stack/select.h"

static void pump(struct gn_stream *s);

static void stream_notify(struct gn_stream *s, unsigned events)
{
	if (events != 0 && s->on_event != NULL)
		s->on_event(s->arg, s, events);
}

/* What it died of; the first says it. */
static void stream_failed(struct gn_stream *s, int err)
{
	if (s->err == 0)
		s->err = err;
	gn_timer_stop(&s->timer);
}

/* The session knows the time only while it is advanced. */
static void touch(struct gn_stream *s)
{
	s->mux->session->now = gn_loop_now(s->conn->node->loop);
	s->mux->session->ops->touch(s->mux);
}

/* Resets an inbound stream that is nobody's, and frees it. */
static void discard(struct gn_stream *s)
{
	gn_stream_reset(s);
	gn_stream_close(s);
	free(s);
}

/* ---- the selection ---- */

enum {
	SLOW_BYTES = 1024,  /* that came within the limit: the path is busy */
	SLOW_MOST = 3,      /* times the limit for a proposal on such a path, */
	ANSWER_MOST = 6,    /* and for our answer to go out */
	LOOKS = 10,         /* a limit, at one that is exceeded */
	BESIDE = 128 << 10, /* bytes that may go out with a proposal: its record, and others' frames before it */
};

/* The limit has run out.  On a slow path the far end's proposal may wait behind other streams' bytes,
 * and our own behind what is queued.  When nothing came at all since we asked, the far end may
 * be stopped for a while: then the session's limit of silence decides, and this one counts again as
 * soon as it speaks. */
static bool stream_has_more_time(const struct gn_stream *s)
{
	const struct gn_conn *c = s->conn;
	const struct gn_limits *lim = &c->node->cfg.limits;
	gn_time took = gn_loop_now(c->node->loop) - s->since;

	if (s->is_open)
		return took / ANSWER_MOST < lim->negotiate;
	if (c->received - s->received >= SLOW_BYTES && took / SLOW_MOST < lim->negotiate)
		return true;
	if (s->inbound || c->link == NULL || gn_conn_silence(c) == GN_NEVER)
		return false;
	return c->last_alive <= s->since || gn_conn_taken(c) < (s->asked < c->written ? s->asked : c->written);
}

static void on_timeout(void *arg)
{
	struct gn_stream *s = arg;
	gn_time limit = s->conn->node->cfg.limits.negotiate, due = gn_time_add(s->since, limit);
	bool is_due = due <= gn_loop_now(s->conn->node->loop);

	if (!is_due && (s->is_open || !gn_negotiating_is_crowded(s))) {
		gn_timer_start_at(&s->timer, due);
		return;
	}
	if (is_due && stream_has_more_time(s)) {
		gn_timer_start(&s->timer, gn_time_max(limit / LOOKS, GN_USEC));
		return;
	}
	if (s->on_event == NULL) { /* inbound, and nobody's yet */
		discard(s);
		return;
	}
	stream_failed(s, GN_ETIMEOUT);
	s->mux->session->ops->reset(s->mux);
	stream_notify(s, GN_DEAD);
}

/* A reset before the answer is how some peers say that they do not have the protocol; that of
 * the whole connection says nothing. */
static int refusal(const struct gn_stream *s, int err)
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
		s->mux->defers_reset = false;
		if (!s->inbound)
			gn_timer_stop(&s->timer);
		if (s->is_ending)
			gn_pipe_close(&s->mux->tx, GN_EOF);
		if (s->asks_later) {
			s->asks_later = false;
			s->mux->session->ops->sync(s->mux);
		}
		if (s->inbound) {
			s->protocol = s->conn->node->registry.entries[gn_select_chosen(l)].id;
			gn_negotiating_del(s);
			/* If there is no memory for it, hand_over() sees to that. */
			(void)s->mux->session->ops->establish(s->mux);
		}
	} else if (what < 0) {
		stream_failed(s, refusal(s, what));
	}
}

/* As gn_registry_find(), and remembers what is not there. */
static int find_protocol(void *arg, const char *id, size_t len)
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

static const char *show_protocol(void *arg, size_t i)
{
	return gn_registry_show(&((struct gn_stream *)arg)->conn->node->registry, i);
}

/* After the pump, from inside of which nothing calls the program. */
static void report_unknown(struct gn_stream *s)
{
	const struct gn_node_cfg *cfg = &s->conn->node->cfg;
	char *protocol = s->unknown;

	if (protocol == NULL)
		return;
	s->unknown = NULL;
	cfg->on_unknown_protocol(cfg->arg, &s->conn->peer, s->conn->remote, protocol);
	free(protocol);
}

static void stream_on_work(void *arg)
{
	(void)arg; /* the stream's mux_events, or a call of the owner's, pumps it */
}

/* The answer may come in one piece with a reset, by a program that failed at once: that is
 * a reset, and no refusal. */
static int select_start(struct gn_stream *s)
{
	struct gn_node *node = s->conn->node;
	struct gn_stack_cfg cfg = {&node->iobuf, &s->mux->rx, &s->mux->tx, stream_on_step, stream_on_work, s};
	struct gn_select_cfg sel = {
		.initiator = !s->inbound,
		.ids = &s->protocol,
		.n = 1,
		.find = find_protocol,
		.show = show_protocol,
		.arg = s,
	};

	gn_timer_init(&s->timer, node->loop, on_timeout, s);
	gn_timer_start(&s->timer, s->inbound ? gn_negotiating_grace(s) : node->cfg.limits.negotiate);
	s->since = gn_loop_now(node->loop);
	s->received = s->conn->received;
	s->asked = s->conn->written + gn_pipe_len(&s->conn->tx) + BESIDE;
	s->mux->defers_reset = !s->inbound;
	gn_stack_init(&s->stack, &cfg);
	return gn_stack_push(&s->stack, &gn_select_ops, &sel, true, NULL);
}

/* An inbound stream has its protocol, and the answer is out: it goes to who serves that. */
static void hand_over(struct gn_stream *s)
{
	const struct gn_registry *r = &s->conn->node->registry;
	size_t i = 0;

	s->preface = s->mux->sent;
	gn_timer_stop(&s->timer);
	/* By its place in memory: the protocol may have been deleted while the answer went out. */
	while (i < r->n && r->entries[i].id != s->protocol)
		i++;
	if (i == r->n || !s->mux->is_established) {
		discard(s);
		return;
	}
	r->entries[i].on_open(r->entries[i].arg, s);
	free(s);
}

/* ---- mux_events ---- */

static unsigned events_of(struct gn_stream *s, unsigned mux_events)
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
		stream_failed(s, s->is_open ? s->mux->err : refusal(s, s->mux->err));
	if (s->err != 0)
		events |= GN_DEAD;
	return events;
}

/* Runs the selection on what has come. */
static void pump(struct gn_stream *s)
{
	gn_stack_mark_bottom(&s->stack);
	gn_stack_pump(&s->stack, gn_loop_now(s->conn->node->loop), 256);
}

/* Runs the selection, as long as there is one. */
static void pump_selection(struct gn_stream *s)
{
	struct gn_mux_stream *mux = s->mux;

	if (s->is_open || s->err != 0)
		return;
	pump(s);
	if (s->err != 0 && mux->err == 0)
		mux->session->ops->reset(mux);
	else
		touch(s);
}

/* An inbound stream that is nobody's yet. */
static void negotiate(struct gn_stream *s)
{
	struct gn_mux_stream *mux = s->mux;

	pump_selection(s);
	report_unknown(s);
	/* There is no memory for its window: what comes until it can be told is of no use. */
	if (s->is_open && !mux->is_established)
		gn_pipe_skip(&mux->rx, gn_pipe_len(&mux->rx));
	if (s->err != 0 || mux->err != 0) {
		gn_stream_close(s);
		free(s);
	} else if (!s->is_open && gn_pipe_len(&mux->rx) > GN_NEGOTIATING_BYTES) {
		discard(s);
	} else if (s->is_open && gn_pipe_len(&mux->tx) == 0) {
		/* Once the answer is out: a reset by its new owner, which drops what is queued, would
		 * read as a refusal otherwise. */
		hand_over(s);
	}
}

static void on_mux_events(void *arg, struct gn_mux_stream *mux, unsigned mux_events)
{
	struct gn_stream *s = arg;
	bool was_open = s->is_open;

	/* That answer is to an earlier question, which does not cover the end. */
	if (s->asks_later)
		mux_events &= ~(unsigned)GN_MUX_STREAM_ACKED;
	(void)mux;
	if (s->inbound && s->on_event == NULL) {
		negotiate(s);
		return;
	}
	pump_selection(s);
	if (s->is_open && !was_open)
		mux_events |= GN_MUX_STREAM_RX;
	stream_notify(s, events_of(s, mux_events) | (s->is_open && !was_open ? GN_OPENED : 0u));
}

static void stream_attach(struct gn_stream *s)
{
	s->mux->on_events = on_mux_events;
	s->mux->arg = s;
	s->stack.cfg.arg = s;
	s->timer.arg = s;
	gn_list_init(&s->link);
	gn_list_add_tail(&s->conn->streams_open, &s->link);
}

/* ---- opening ---- */

int gn_stream_open(struct gn_stream *s, struct gn_conn *conn, const char *protocol)
{
	int err;

	memset(s, 0, sizeof *s);
	if (conn->session == NULL)
		return GN_EGONE;
	err = conn->session->ops->open(conn->session, &s->mux);
	if (err != 0)
		return err;
	gn_list_init(&s->link_negotiating);
	s->conn = conn;
	s->protocol = protocol;
	err = select_start(s);
	if (err != 0) {
		gn_stack_fini(&s->stack);
		gn_timer_fini(&s->timer);
		conn->session->ops->release(s->mux);
		s->conn = NULL; /* closing it is nothing */
		return err;
	}
	s->preface = gn_pipe_len(&s->mux->tx);
	stream_attach(s);
	touch(s);
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
	conn->streams_in++;
	gn_list_init(&s->link_negotiating);
	err = select_start(s);
	stream_attach(s);
	if (err != 0) {
		gn_stream_close(s);
		free(s);
		return;
	}
	gn_negotiating_add(s);
	/* Where all of it came in one go, the protocol is agreed on right away, and the stream counts
	 * no longer: so any number may be opened at once. */
	negotiate(s);
	oldest = gn_negotiating_surplus(conn->network);
	if (oldest != NULL)
		discard(oldest);
}

void gn_stream_accept(struct gn_stream *s, struct gn_stream *handed)
{
	*s = *handed;
	gn_list_del(&handed->link);
	gn_list_init(&s->link_negotiating);
	/* The timer is stopped and the stack empty: both may move. */
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
	if (s->inbound)
		conn->streams_in--;
	if (s->is_ending)
		gn_pipe_close(&s->mux->tx, GN_EOF);
	/* A source goes with its owner: if it still had something to show, the end would be a lie. */
	if (s->mux->tx.source != NULL && gn_pipe_is_closed(&s->mux->tx) && gn_pipe_end(&s->mux->tx) == 0)
		conn->session->ops->reset(s->mux);
	gn_pipe_source(&s->mux->tx, NULL, NULL);
	conn->session->now = gn_loop_now(conn->node->loop);
	conn->session->ops->release(s->mux);
	s->conn = NULL;
	gn_node_released(conn->node);
	gn_conn_left(conn);
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
		return s->err != 0 ? s->err : GN_EAGAIN;
	n = gn_pipe_peek(&s->mux->rx, v, max, SIZE_MAX);
	if (n > 0)
		return n;
	n = gn_pipe_end(&s->mux->rx);
	return n != 0 ? n : GN_EAGAIN;
}

void gn_stream_skip(struct gn_stream *s, size_t n)
{
	gn_pipe_skip(&s->mux->rx, n);
	s->conn->bytes_in += n;
	touch(s);
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

/* Why nothing may be written any more; 0 while it may. */
static int write_end(const struct gn_stream *s)
{
	if (s->err != 0)
		return s->err;
	return s->is_ending || gn_pipe_is_closed(&s->mux->tx) ? GN_ECLOSED : 0;
}

ptrdiff_t gn_stream_write(struct gn_stream *s, const void *buf, size_t n)
{
	ptrdiff_t r = write_end(s);

	if (r == 0)
		r = gn_pipe_write(&s->mux->tx, buf, n);

	if (r > 0)
		s->conn->bytes_out += (uint64_t)r;
	if (r > 0)
		touch(s);
	return r;
}

int gn_stream_put(struct gn_stream *s, const void *buf, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)buf, n};

	return gn_stream_putv(s, &v, 1);
}

int gn_stream_putv(struct gn_stream *s, const struct iovec *v, int n)
{
	int err = write_end(s);

	if (err == 0)
		err = gn_pipe_putv(&s->mux->tx, v, n);
	if (err == 0) {
		for (int i = 0; i < n; i++)
			s->conn->bytes_out += v[i].iov_len;
		touch(s);
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
	touch(s);
}

int gn_stream_end(struct gn_stream *s)
{
	if (s->err != 0)
		return s->err;
	/* js-libp2p aborts a stream whose end it has before it has handed it over: so data may go
	 * ahead of the answer to a lazy selection, but our end follows it. */
	s->is_ending = true;
	if (s->is_open || s->inbound)
		gn_pipe_close(&s->mux->tx, GN_EOF);
	touch(s);
	return 0;
}

int gn_stream_sync(struct gn_stream *s)
{
	if (s->err != 0)
		return s->err;
	/* The end waits for the peer's answer to our proposal, and the question must be behind it. */
	if (s->is_ending && !gn_pipe_is_closed(&s->mux->tx))
		s->asks_later = true;
	else
		s->mux->session->ops->sync(s->mux);
	return 0;
}

uint64_t gn_stream_acked(const struct gn_stream *s)
{
	return s->mux->acked > s->preface ? s->mux->acked - s->preface : 0;
}
