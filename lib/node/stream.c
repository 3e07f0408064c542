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

static void pump(struct gn_stream *ps);

static void stream_notify(struct gn_stream *ps, unsigned events)
{
	if (events != 0 && ps->on_event != NULL)
		ps->on_event(ps->arg, ps, events);
}

/* What it died of; the first says it. */
static void stream_failed(struct gn_stream *ps, int err)
{
	if (ps->err == 0)
		ps->err = err;
	gn_timer_stop(&ps->timer);
}

/* The session knows the time only while it is advanced. */
static void touch(struct gn_stream *ps)
{
	ps->st->session->now = gn_loop_now(ps->conn->node->loop);
	ps->st->session->ops->touch(ps->st);
}

/* Resets an inbound stream that is nobody's, and frees it. */
static void discard(struct gn_stream *ps)
{
	gn_stream_reset(ps);
	gn_stream_close(ps);
	free(ps);
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
static bool stream_has_more_time(const struct gn_stream *ps)
{
	const struct gn_conn *c = ps->conn;
	const struct gn_limits *lim = &c->node->cfg.limits;
	gn_time took = gn_loop_now(c->node->loop) - ps->since;

	if (ps->is_open)
		return took / ANSWER_MOST < lim->negotiate;
	if (c->received - ps->received >= SLOW_BYTES && took / SLOW_MOST < lim->negotiate)
		return true;
	if (ps->inbound || c->link == NULL || gn_conn_silence(c) == GN_NEVER)
		return false;
	return c->last_alive <= ps->since || gn_conn_taken(c) < (ps->asked < c->written ? ps->asked : c->written);
}

static void on_timeout(void *arg)
{
	struct gn_stream *ps = arg;
	gn_time limit = ps->conn->node->cfg.limits.negotiate, due = gn_time_add(ps->since, limit);
	bool is_due = due <= gn_loop_now(ps->conn->node->loop);

	if (!is_due && (ps->is_open || !gn_negotiating_is_crowded(ps))) {
		gn_timer_start_at(&ps->timer, due);
		return;
	}
	if (is_due && stream_has_more_time(ps)) {
		gn_timer_start(&ps->timer, gn_time_max(limit / LOOKS, GN_USEC));
		return;
	}
	if (ps->on_event == NULL) { /* inbound, and nobody's yet */
		discard(ps);
		return;
	}
	stream_failed(ps, GN_ETIMEOUT);
	ps->st->session->ops->reset(ps->st);
	stream_notify(ps, GN_DEAD);
}

/* A reset before the answer is how some peers say that they do not have the protocol; that of
 * the whole connection says nothing. */
static int refusal(const struct gn_stream *ps, int err)
{
	if (ps->inbound || ps->st->session->err != 0)
		return err;
	return err == GN_ERESET || err == GN_ETRUNC || err == GN_EOF ? GN_ENOPROTO : err;
}

static void stream_on_step(void *arg, struct gn_stack *stack, struct gn_layer *l, int what)
{
	struct gn_stream *ps = arg;

	(void)stack;
	if (what == GN_DONE) {
		ps->is_open = true;
		ps->st->defers_reset = false;
		if (!ps->inbound)
			gn_timer_stop(&ps->timer);
		if (ps->is_ending)
			gn_pipe_close(&ps->st->tx, GN_EOF);
		if (ps->asks_later) {
			ps->asks_later = false;
			ps->st->session->ops->sync(ps->st);
		}
		if (ps->inbound) {
			ps->protocol = ps->conn->node->registry.entries[gn_select_chosen(l)].id;
			gn_negotiating_del(ps);
			/* If there is no memory for it, hand_over() sees to that. */
			(void)ps->st->session->ops->establish(ps->st);
		}
	} else if (what < 0) {
		stream_failed(ps, refusal(ps, what));
	}
}

/* As gn_registry_find(), and remembers what is not there. */
static int find_protocol(void *arg, const char *id, size_t len)
{
	struct gn_stream *ps = arg;
	struct gn_node *node = ps->conn->node;
	int err = gn_registry_find(&node->registry, id, len);

	if (err < 0 && node->cfg.on_unknown_protocol != NULL) {
		free(ps->unknown);
		ps->unknown = strdup(id);
	}
	return err;
}

static const char *show_protocol(void *arg, size_t i)
{
	return gn_registry_show(&((struct gn_stream *)arg)->conn->node->registry, i);
}

/* After the pump, from inside of which nothing calls the program. */
static void report_unknown(struct gn_stream *ps)
{
	const struct gn_node_cfg *cfg = &ps->conn->node->cfg;
	char *protocol = ps->unknown;

	if (protocol == NULL)
		return;
	ps->unknown = NULL;
	cfg->on_unknown_protocol(cfg->arg, &ps->conn->peer, ps->conn->remote, protocol);
	free(protocol);
}

static void stream_on_work(void *arg)
{
	(void)arg; /* the stream's mux_events, or a call of the owner's, pumps it */
}

/* The answer may come in one piece with a reset, by a program that failed at once: that is
 * a reset, and no refusal. */
static int select_start(struct gn_stream *ps)
{
	struct gn_node *node = ps->conn->node;
	struct gn_stack_cfg cfg = {&node->iobuf, &ps->st->rx, &ps->st->tx, stream_on_step, stream_on_work, ps};
	struct gn_select_cfg sel = {
		.initiator = !ps->inbound,
		.ids = &ps->protocol,
		.n = 1,
		.find = find_protocol,
		.show = show_protocol,
		.arg = ps,
	};

	gn_timer_init(&ps->timer, node->loop, on_timeout, ps);
	gn_timer_start(&ps->timer, ps->inbound ? gn_negotiating_grace(ps) : node->cfg.limits.negotiate);
	ps->since = gn_loop_now(node->loop);
	ps->received = ps->conn->received;
	ps->asked = ps->conn->written + gn_pipe_len(&ps->conn->tx) + BESIDE;
	ps->st->defers_reset = !ps->inbound;
	gn_stack_init(&ps->stack, &cfg);
	return gn_stack_push(&ps->stack, &gn_select_ops, &sel, true, NULL);
}

/* An inbound stream has its protocol, and the answer is out: it goes to who serves that. */
static void hand_over(struct gn_stream *ps)
{
	const struct gn_registry *r = &ps->conn->node->registry;
	size_t i = 0;

	ps->preface = ps->st->sent;
	gn_timer_stop(&ps->timer);
	/* By its place in memory: the protocol may have been deleted while the answer went out. */
	while (i < r->n && r->entries[i].id != ps->protocol)
		i++;
	if (i == r->n || !ps->st->is_established) {
		discard(ps);
		return;
	}
	r->entries[i].on_open(r->entries[i].arg, ps);
	free(ps);
}

/* ---- mux_events ---- */

static unsigned events_of(struct gn_stream *ps, unsigned mux_events)
{
	unsigned events = 0;

	if (mux_events & GN_MUX_STREAM_RX && ps->is_open)
		events |= GN_CAN_READ;
	if (mux_events & GN_MUX_STREAM_TX)
		events |= GN_CAN_WRITE;
	if (mux_events & GN_MUX_STREAM_ACKED)
		events |= GN_ACKED;
	if (ps->st->is_ended_out && !ps->is_drained) {
		ps->is_drained = true;
		events |= GN_DRAINED;
	}
	if (ps->st->err != 0)
		stream_failed(ps, ps->is_open ? ps->st->err : refusal(ps, ps->st->err));
	if (ps->err != 0)
		events |= GN_DEAD;
	return events;
}

/* Runs the selection on what has come. */
static void pump(struct gn_stream *ps)
{
	gn_stack_mark_bottom(&ps->stack);
	gn_stack_pump(&ps->stack, gn_loop_now(ps->conn->node->loop), 256);
}

/* Runs the selection, as long as there is one. */
static void pump_selection(struct gn_stream *ps)
{
	struct gn_mux_stream *st = ps->st;

	if (ps->is_open || ps->err != 0)
		return;
	pump(ps);
	if (ps->err != 0 && st->err == 0)
		st->session->ops->reset(st);
	else
		touch(ps);
}

/* An inbound stream that is nobody's yet. */
static void negotiate(struct gn_stream *ps)
{
	struct gn_mux_stream *st = ps->st;

	pump_selection(ps);
	report_unknown(ps);
	/* There is no memory for its window: what comes until it can be told is of no use. */
	if (ps->is_open && !st->is_established)
		gn_pipe_skip(&st->rx, gn_pipe_len(&st->rx));
	if (ps->err != 0 || st->err != 0) {
		gn_stream_close(ps);
		free(ps);
	} else if (!ps->is_open && gn_pipe_len(&st->rx) > GN_NEGOTIATING_BYTES) {
		discard(ps);
	} else if (ps->is_open && gn_pipe_len(&st->tx) == 0) {
		/* Once the answer is out: a reset by its new owner, which drops what is queued, would
		 * read as a refusal otherwise. */
		hand_over(ps);
	}
}

static void on_mux_events(void *arg, struct gn_mux_stream *st, unsigned mux_events)
{
	struct gn_stream *ps = arg;
	bool was_open = ps->is_open;

	/* That answer is to an earlier question, which does not cover the end. */
	if (ps->asks_later)
		mux_events &= ~(unsigned)GN_MUX_STREAM_ACKED;
	(void)st;
	if (ps->inbound && ps->on_event == NULL) {
		negotiate(ps);
		return;
	}
	pump_selection(ps);
	if (ps->is_open && !was_open)
		mux_events |= GN_MUX_STREAM_RX;
	stream_notify(ps, events_of(ps, mux_events) | (ps->is_open && !was_open ? GN_OPENED : 0u));
}

static void stream_attach(struct gn_stream *ps)
{
	ps->st->on_events = on_mux_events;
	ps->st->arg = ps;
	ps->stack.cfg.arg = ps;
	ps->timer.arg = ps;
	gn_list_init(&ps->link);
	gn_list_add_tail(&ps->conn->streams_open, &ps->link);
}

/* ---- opening ---- */

int gn_stream_open(struct gn_stream *ps, struct gn_conn *conn, const char *protocol)
{
	int err;

	memset(ps, 0, sizeof *ps);
	if (conn->session == NULL)
		return GN_EGONE;
	err = conn->session->ops->open(conn->session, &ps->st);
	if (err != 0)
		return err;
	gn_list_init(&ps->link_negotiating);
	ps->conn = conn;
	ps->protocol = protocol;
	err = select_start(ps);
	if (err != 0) {
		gn_stack_fini(&ps->stack);
		gn_timer_fini(&ps->timer);
		conn->session->ops->release(ps->st);
		ps->conn = NULL; /* closing it is nothing */
		return err;
	}
	ps->preface = gn_pipe_len(&ps->st->tx);
	stream_attach(ps);
	touch(ps);
	return 0;
}

void gn_stream_incoming(struct gn_conn *conn, struct gn_mux_stream *st)
{
	struct gn_stream *ps = calloc(1, sizeof *ps), *oldest;
	int err;

	if (ps == NULL || st->err != 0) {
		conn->session->ops->release(st);
		free(ps);
		return;
	}
	ps->conn = conn;
	ps->st = st;
	ps->inbound = true;
	conn->streams_in++;
	gn_list_init(&ps->link_negotiating);
	err = select_start(ps);
	stream_attach(ps);
	if (err != 0) {
		gn_stream_close(ps);
		free(ps);
		return;
	}
	gn_negotiating_add(ps);
	/* Where all of it came in one go, the protocol is agreed on right away, and the stream counts
	 * no longer: so any number may be opened at once. */
	negotiate(ps);
	oldest = gn_negotiating_surplus(conn->network);
	if (oldest != NULL)
		discard(oldest);
}

void gn_stream_accept(struct gn_stream *ps, struct gn_stream *handed)
{
	*ps = *handed;
	gn_list_del(&handed->link);
	gn_list_init(&ps->link_negotiating);
	/* The timer is stopped and the stack empty: both may move. */
	stream_attach(ps);
	gn_mux_stream_notify(ps->st, GN_MUX_STREAM_RX | GN_MUX_STREAM_TX);
}

void gn_stream_close(struct gn_stream *ps)
{
	struct gn_conn *conn = ps->conn;

	if (conn == NULL)
		return;
	gn_timer_fini(&ps->timer);
	gn_stack_fini(&ps->stack);
	gn_list_del(&ps->link);
	gn_negotiating_del(ps);
	free(ps->unknown);
	ps->unknown = NULL;
	if (ps->inbound)
		conn->streams_in--;
	if (ps->is_ending)
		gn_pipe_close(&ps->st->tx, GN_EOF);
	/* A source goes with its owner: if it still had something to show, the end would be a lie. */
	if (ps->st->tx.source != NULL && gn_pipe_is_closed(&ps->st->tx) && gn_pipe_end(&ps->st->tx) == 0)
		conn->session->ops->reset(ps->st);
	gn_pipe_source(&ps->st->tx, NULL, NULL);
	conn->session->now = gn_loop_now(conn->node->loop);
	conn->session->ops->release(ps->st);
	ps->conn = NULL;
	gn_node_released(conn->node);
	gn_conn_post(conn);
}

void gn_stream_reset(struct gn_stream *ps)
{
	ps->st->session->ops->reset(ps->st);
	stream_failed(ps, GN_ECLOSED);
}

void gn_stream_kill(struct gn_stream *ps, int err)
{
	stream_failed(ps, err);
	ps->st->session->ops->reset(ps->st);
	gn_mux_stream_notify(ps->st, GN_MUX_STREAM_GONE);
	gn_conn_post(ps->conn);
}

/* ---- reading and writing ---- */

int gn_stream_peek(struct gn_stream *ps, struct iovec *v, int max)
{
	int n;

	if (!ps->is_open)
		return ps->err != 0 ? ps->err : GN_EAGAIN;
	n = gn_pipe_peek(&ps->st->rx, v, max, SIZE_MAX);
	if (n > 0)
		return n;
	n = gn_pipe_end(&ps->st->rx);
	return n != 0 ? n : GN_EAGAIN;
}

void gn_stream_skip(struct gn_stream *ps, size_t n)
{
	gn_pipe_skip(&ps->st->rx, n);
	ps->conn->bytes_in += n;
	touch(ps);
}

ptrdiff_t gn_stream_read(struct gn_stream *ps, void *buf, size_t n)
{
	struct iovec v[16];
	int views = gn_stream_peek(ps, v, 16);
	size_t done = 0;

	for (int i = 0; i < views && done < n; i++) {
		size_t len = v[i].iov_len < n - done ? v[i].iov_len : n - done;

		memcpy((uint8_t *)buf + done, v[i].iov_base, len);
		done += len;
	}
	if (views > 0)
		gn_stream_skip(ps, done);
	return views > 0 ? (ptrdiff_t)done : views;
}

/* Why nothing may be written any more; 0 while it may. */
static int write_end(const struct gn_stream *ps)
{
	if (ps->err != 0)
		return ps->err;
	return ps->is_ending || gn_pipe_is_closed(&ps->st->tx) ? GN_ECLOSED : 0;
}

ptrdiff_t gn_stream_write(struct gn_stream *ps, const void *buf, size_t n)
{
	ptrdiff_t r = write_end(ps);

	if (r == 0)
		r = gn_pipe_write(&ps->st->tx, buf, n);

	if (r > 0)
		ps->conn->bytes_out += (uint64_t)r;
	if (r > 0)
		touch(ps);
	return r;
}

int gn_stream_put(struct gn_stream *ps, const void *buf, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)buf, n};

	return gn_stream_putv(ps, &v, 1);
}

int gn_stream_putv(struct gn_stream *ps, const struct iovec *v, int n)
{
	int err = write_end(ps);

	if (err == 0)
		err = gn_pipe_putv(&ps->st->tx, v, n);
	if (err == 0) {
		for (int i = 0; i < n; i++)
			ps->conn->bytes_out += v[i].iov_len;
		touch(ps);
	}
	return err;
}

void gn_stream_source(struct gn_stream *ps, const struct gn_source *source, void *arg)
{
	gn_pipe_source(&ps->st->tx, source, arg);
	gn_stream_wake(ps);
}

void gn_stream_wake(struct gn_stream *ps)
{
	touch(ps);
}

int gn_stream_end(struct gn_stream *ps)
{
	if (ps->err != 0)
		return ps->err;
	/* js-libp2p aborts a stream whose end it has before it has handed it over: so data may go
	 * ahead of the answer to a lazy selection, but our end follows it. */
	ps->is_ending = true;
	if (ps->is_open || ps->inbound)
		gn_pipe_close(&ps->st->tx, GN_EOF);
	touch(ps);
	return 0;
}

int gn_stream_sync(struct gn_stream *ps)
{
	if (ps->err != 0)
		return ps->err;
	/* The end waits for the peer's answer to our proposal, and the question must be behind it. */
	if (ps->is_ending && !gn_pipe_is_closed(&ps->st->tx))
		ps->asks_later = true;
	else
		ps->st->session->ops->sync(ps->st);
	return 0;
}

uint64_t gn_stream_acked(const struct gn_stream *ps)
{
	return ps->st->acked > ps->preface ? ps->st->acked - ps->preface : 0;
}
