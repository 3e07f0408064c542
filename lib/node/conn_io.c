/* SPDX-License-Identifier: MIT */
/*
 * A turn of a connection: read once, pump the stack, deliver events to the owners of streams, pump what they
 * wrote, write to the link.  A turn repeats this while something moves, at most ROUNDS times; then other
 * connections have their turns.
 */
#include <errno.h>

#include "base/time.h"
#include "node/conn.h"

enum {
	ROUNDS = 4,
	BUDGET = 64, /* calls of advance() in one pump */
	VIEWS = 16,
	RETRY_RTT = 8,     /* ms: from this round trip on, writing is retried between events */
	EARLY = 16 * 1024, /* bytes that are read ahead from a peer that is not authenticated */
};

/* How many bytes may wait to be consumed before more is read. */
static size_t rest_max(const struct gn_conn *c)
{
	return c->state == GN_CONN_SECURING ? EARLY : GN_IOBUF_REST;
}

static bool conn_has_pipes(const struct gn_conn *c)
{
	return c->link != NULL && c->link->pipes != NULL;
}

/* Counts the bytes that the pipe of the link has got.  Returns true when a pipe of the link has changed. */
static bool conn_read_pipes(struct gn_conn *c)
{
	struct gn_link_pipes *pipes = c->link->pipes;
	size_t len = gn_pipe_len(pipes->rx);

	/* A turn for another reason may find bytes that on_ready has not reported yet. */
	if (len > pipes->counted)
		gn_conn_received(c, len - pipes->counted);
	pipes->counted = len;
	if (c->ready == 0)
		return false;
	c->ready = 0;
	gn_stack_mark_bottom(&c->stack);
	return true;
}

/* The pipes of a link before the stack has used them. */
struct conn_pipes_mark {
	size_t rx, tx; /* bytes */
	bool is_closed;
};

static void conn_mark_pipes(const struct gn_conn *c, struct conn_pipes_mark *mark)
{
	if (!conn_has_pipes(c))
		return;
	mark->rx = gn_pipe_len(gn_conn_rx(c));
	mark->tx = gn_pipe_len(gn_conn_tx(c));
	mark->is_closed = gn_pipe_is_closed(gn_conn_tx(c));
}

/* Informs the link when the stack has read or written its pipes since the mark was set. */
static void conn_touch_link(struct gn_conn *c, const struct conn_pipes_mark *mark)
{
	struct conn_pipes_mark now;

	conn_mark_pipes(c, &now);
	c->link->pipes->counted = now.rx;
	if (now.rx != mark->rx || now.tx != mark->tx || now.is_closed != mark->is_closed)
		gn_conn_count_put(c, mark->tx);
}

/* Reads once from the link, when the pipe has room for a whole read.  Returns true when bytes or an end came. */
static bool conn_read(struct gn_conn *c)
{
	size_t room;
	uint8_t *at;
	ptrdiff_t n;

	if (conn_has_pipes(c))
		return conn_read_pipes(c);
	if ((c->ready & GN_READABLE) == 0 || c->link == NULL || gn_pipe_is_closed(&c->own_rx) ||
	    gn_pipe_len(&c->own_rx) > rest_max(c))
		return false;
	at = gn_iobuf_fill(c->env->iobuf, &c->own_rx, &room);
	gn_mux_check_overflows(c->env->iobuf);
	if (at == NULL) {
		gn_pipe_close(&c->own_rx, -ENOMEM);
		gn_stack_mark_bottom(&c->stack);
		return true;
	}
	if (c->state == GN_CONN_SECURING)
		room = EARLY;
	n = c->link->ops->read(c->link, at, room);
	if (n == GN_EAGAIN && c->tx_state == GN_TX_FAILED)
		n = c->tx_err;
	if (n == GN_EAGAIN) {
		c->ready &= (uint8_t)~GN_READABLE;
		return false;
	}
	if (n > 0) {
		/* A read that did not fill the room has emptied the socket; the loop reports when more comes.  After
		 * a write error the loop may report nothing, so reading goes on until it finds the end. */
		if ((size_t)n < room && c->tx_state != GN_TX_FAILED)
			c->ready &= (uint8_t)~GN_READABLE;
		gn_conn_received(c, (size_t)n);
		gn_iobuf_filled(c->env->iobuf, &c->own_rx, (size_t)n);
	} else {
		c->ready &= (uint8_t)~GN_READABLE;
		gn_pipe_close(&c->own_rx, (int)n);
	}
	gn_stack_mark_bottom(&c->stack);
	return true;
}

/* Writes what is in the lowest pipe.  Returns true when bytes were written or writing failed. */
static bool conn_write(struct gn_conn *c)
{
	bool moved = false;
	struct iovec v[VIEWS];
	int views;

	if (conn_has_pipes(c))
		return false;
	while ((c->ready & GN_WRITABLE) != 0 && c->link != NULL &&
	       (views = gn_pipe_peek(&c->own_tx, v, VIEWS, SIZE_MAX)) > 0) {
		ptrdiff_t n = c->link->ops->write(c->link, v, views);

		if (n == GN_EAGAIN) {
			c->ready &= (uint8_t)~GN_WRITABLE;
			break;
		}
		if (n < 0) {
			/* Bytes that were received before the error are still delivered: the next read finds the end. */
			gn_pipe_reset(&c->own_tx, (int)n);
			c->tx_state = GN_TX_FAILED;
			c->tx_err = (int16_t)n;
			c->ready |= GN_READABLE;
			return true;
		}
		gn_pipe_skip(&c->own_tx, (size_t)n);
		c->written += (uint64_t)n;
		moved = true;
	}
	if (moved && gn_pipe_len(&c->own_tx) == 0)
		gn_stack_mark_bottom(&c->stack);
	return moved;
}

static void conn_on_new_stream(void *arg, struct gn_mux_stream *st)
{
	struct gn_conn *c = arg;

	c->had_incoming = true;
	c->env->events->incoming(c->node, c, st);
}

/* Delivers the events that the pump has collected. */
static void conn_deliver(struct gn_conn *c)
{
	gn_conn_check(c);
	if (c->session != NULL)
		gn_mux_session_deliver(c->session, conn_on_new_stream, c);
}

static void conn_update_events(struct gn_conn *c)
{
	gn_time wake = gn_stack_wake(&c->stack);
	bool is_writable = (c->ready & GN_WRITABLE) != 0;
	uint8_t watched = 0;

	c->retry = GN_NEVER;
	if (c->link != NULL && c->link->pipes == NULL) {
		if (!gn_pipe_is_closed(&c->own_rx) && gn_pipe_len(&c->own_rx) <= rest_max(c))
			watched |= GN_READABLE;
		if (!is_writable)
			watched |= GN_WRITABLE;
		if (watched != c->watched) {
			c->watched = watched;
			c->link->ops->watch(c->link, watched);
		}
		if (!is_writable && c->session != NULL && c->session->rtt >= RETRY_RTT * GN_MSEC)
			c->retry = gn_time_add(gn_loop_now(c->env->loop), c->session->rtt / 32);
	}
	wake = gn_time_min(wake, c->retry);
	if (c->link != NULL)
		wake = gn_time_min(wake, gn_conn_backlog_due(c));
	wake = gn_time_min(wake, gn_conn_silence_due(c));
	gn_timer_start_at(&c->timer, gn_time_min(wake, c->deadline));
}

void gn_conn_run(struct gn_task *task)
{
	struct gn_conn *c = gn_list_entry(task, struct gn_conn, task);
	struct gn_loop *loop = c->env->loop;
	struct conn_pipes_mark mark = {0};
	bool moved = true;

	/* The kernel reports a full send buffer as writable only when a third of it is free.  On a path that holds
	 * more than the buffer, waiting for that leaves the path idle, so writing is also retried in between. */
	if (c->retry <= gn_loop_now(loop))
		c->ready |= GN_WRITABLE;
	/* When there is no memory to keep the rest of a read, the I/O buffers reset the pipe and notify nobody. */
	if (gn_pipe_is_closed(gn_conn_rx(c)))
		gn_stack_mark_bottom(&c->stack);
	gn_conn_check_backlog(c);
	c->yields = false;
	for (int i = 0; i < ROUNDS && moved && !c->yields; i++) {
		int left;

		gn_task_cancel(&c->task); /* this round serves what was posted before it */
		moved = conn_read(c);
		conn_mark_pipes(c, &mark);
		if (c->session != NULL)
			c->session->last_received = gn_time_max(c->session->last_received, c->last_alive);
		left = gn_stack_pump(&c->stack, gn_loop_now(loop), BUDGET);
		conn_deliver(c);
		if (gn_stack_pump(&c->stack, gn_loop_now(loop), BUDGET) == GN_EAGAIN || left == GN_EAGAIN)
			moved = true;
		moved |= conn_write(c);
		if (conn_has_pipes(c))
			conn_touch_link(c, &mark);
		if (c->session != NULL && !gn_list_is_empty(&c->session->events))
			moved = true;
	}
	gn_conn_check(c);
	if (c->state == GN_CONN_GONE) {
		if (gn_list_is_empty(&c->streams_open)) {
			gn_conn_free(c);
			return;
		}
		gn_timer_stop(&c->timer);
		if (c->session != NULL && !gn_list_is_empty(&c->session->events))
			gn_conn_post(c);
		return;
	}
	conn_update_events(c);
	if (moved)
		gn_conn_post(c);
	else if (c->state == GN_CONN_SECURING && c->security != NULL && c->security->prepare != NULL)
		c->security->prepare(gn_components_state(c->env->components, c->security));
}

void gn_conn_on_ready(void *arg, unsigned ready)
{
	struct gn_conn *c = arg;

	c->ready |= (uint8_t)(ready & (GN_READABLE | GN_WRITABLE));
	/* Views in the pipe of a link are valid until another connection reads. */
	if (c->link->pipes != NULL)
		gn_task_post_next(c->env->loop, &c->task);
	else
		gn_conn_post(c);
}
