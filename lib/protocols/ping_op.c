/* SPDX-License-Identifier: MIT */
/*
 * gn_ping_start(): connects, then sends one ping after the other on one stream.  A peer may end the
 * stream at any time (go does so after 30 s); if it had answered a ping on it, a new stream is opened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/dialer.h"
#include "node/node.h"
#include "protocols/ping.h"

struct gn_ping {
	struct gn_list link; /* in service->ops */
	struct gn_ping_service *service;
	struct gn_ping_cfg cfg;
	struct gn_dialer *dialer; /* while it connects */
	struct gn_conn *conn;     /* NULL before and after */
	struct gn_stream stream;
	struct gn_timer timer; /* the limit for the answer, or the time of the next ping */
	struct gn_task task;   /* calls on_done */
	int err;
	bool has_stream;
	bool is_pending;  /* a ping was sent, and its answer has not arrived */
	bool is_answered; /* the current stream has brought an answer */
	unsigned seq;
	gn_time sent;
	uint8_t out[GN_PING_LEN], in[GN_PING_LEN];
	size_t len; /* received bytes in in */
};

static void ping_op_close_stream(struct gn_ping *op)
{
	if (op->has_stream)
		gn_stream_close(&op->stream);
	op->has_stream = false;
}

static void ping_op_free(struct gn_ping *op)
{
	if (op->dialer != NULL)
		gn_dialer_cancel(op->dialer);
	ping_op_close_stream(op);
	gn_timer_fini(&op->timer);
	gn_task_cancel(&op->task);
	gn_list_del(&op->link);
	free(op);
}

static void ping_op_notify(struct gn_task *task)
{
	struct gn_ping *op = gn_list_entry(task, struct gn_ping, task);
	struct gn_ping_cfg cfg = op->cfg;
	int err = op->err;

	ping_op_free(op);
	cfg.on_done(cfg.arg, err);
}

void gn_ping_ops_stop(struct gn_ping_service *service)
{
	struct gn_ping *op;

	while ((op = gn_list_first(&service->ops, struct gn_ping, link)) != NULL) {
		if (service->node->is_being_freed)
			ping_op_free(op);
		else
			ping_op_notify(&op->task);
	}
}

static void ping_op_finish(struct gn_ping *op, int err)
{
	if (err == 0)
		gn_stream_end(&op->stream);
	else if (op->has_stream)
		gn_stream_reset(&op->stream);
	ping_op_close_stream(op);
	gn_timer_stop(&op->timer);
	op->conn = NULL;
	op->err = err;
	gn_task_post(op->service->node->loop, &op->task);
}

void gn_ping_ops_gone(struct gn_ping_service *service, const struct gn_conn *c)
{
	struct gn_list *at;

	gn_list_for_each(at, &service->ops) {
		struct gn_ping *op = gn_list_entry(at, struct gn_ping, link);

		if (op->conn == c)
			ping_op_finish(op, c->err != 0 ? c->err : GN_EGONE);
	}
}

/* ---- sending ---- */

static void ping_op_on_event(void *arg, struct gn_stream *stream, unsigned events);

static int ping_op_stream_open(struct gn_ping *op)
{
	int err = GN_EGONE;

	if (gn_conn_is_usable(op->conn))
		err = gn_stream_open(&op->stream, op->conn, GN_PING_ID, GN_STREAM_LIMITED);
	if (err != 0)
		return err;
	op->has_stream = true;
	op->is_answered = false;
	op->len = 0;
	op->stream.on_event = ping_op_on_event;
	op->stream.arg = op;
	return 0;
}

static void ping_op_send(struct gn_ping *op)
{
	int err = op->has_stream ? 0 : ping_op_stream_open(op);

	gn_random(op->out, sizeof op->out);
	if (err == 0)
		err = gn_stream_put(&op->stream, op->out, sizeof op->out);
	if (err != 0) {
		ping_op_finish(op, err);
		return;
	}
	op->is_pending = true;
	op->sent = gn_loop_now(op->service->node->loop);
	gn_timer_start(&op->timer, op->cfg.limit > 0 ? op->cfg.limit : GN_PING_LIMIT * GN_SEC);
}

static void ping_op_on_timer(void *arg)
{
	struct gn_ping *op = arg;

	if (op->is_pending)
		ping_op_finish(op, GN_ETIMEOUT);
	else
		ping_op_send(op);
}

/* ---- the answer ---- */

static void ping_op_answered(struct gn_ping *op)
{
	gn_time now = gn_loop_now(op->service->node->loop), next;
	gn_time interval = op->cfg.interval > 0 ? op->cfg.interval : GN_PING_INTERVAL * GN_SEC;
	unsigned seq = op->seq++;

	op->is_pending = false;
	op->is_answered = true;
	op->len = 0;
	next = op->sent + interval - now;
	gn_timer_start(&op->timer, next > 0 ? next : 0);
	if (op->cfg.count > 0 && op->seq >= op->cfg.count)
		ping_op_finish(op, 0);
	if (op->cfg.on_rtt != NULL) /* last, because the callback may cancel op */
		op->cfg.on_rtt(op->cfg.arg, seq, now - op->sent);
}

/* The stream has ended, but the connection may still be open. */
static void ping_op_on_stream_end(struct gn_ping *op, int err)
{
	bool was_answered = op->is_answered;

	gn_stream_reset(&op->stream);
	ping_op_close_stream(op);
	if (err == GN_EPROTO || (op->is_pending && !was_answered))
		ping_op_finish(op, err == GN_EOF ? GN_ERESET : err);
	else if (op->is_pending)
		ping_op_send(op);
}

static void ping_op_on_event(void *arg, struct gn_stream *stream, unsigned events)
{
	struct gn_ping *op = arg;
	ptrdiff_t n = 0;

	while (op->len < GN_PING_LEN && (n = gn_stream_read(stream, op->in + op->len, GN_PING_LEN - op->len)) > 0) {
		op->len += (size_t)n;
		if (!op->is_pending) { /* there was no ping */
			ping_op_on_stream_end(op, GN_EPROTO);
			return;
		}
	}
	if (op->len == GN_PING_LEN) {
		if (memcmp(op->in, op->out, GN_PING_LEN) != 0)
			ping_op_on_stream_end(op, GN_EPROTO);
		else
			ping_op_answered(op);
		return;
	}
	if (n == GN_EAGAIN && !(events & GN_DEAD))
		return;
	ping_op_on_stream_end(op, n == GN_EAGAIN ? stream->err : (int)n);
}

/* ---- the operation ---- */

static void ping_op_on_conn(void *arg, int err, struct gn_conn *conn)
{
	struct gn_ping *op = arg;

	op->dialer = NULL;
	op->conn = conn;
	if (err != 0)
		ping_op_finish(op, err);
	else
		ping_op_send(op);
}

/* The node is being freed; gn_ping_ops_stop() frees op. */
static void ping_op_on_lost(void *arg)
{
	((struct gn_ping *)arg)->dialer = NULL;
}

int gn_ping_start(struct gn_node *node, const struct gn_ping_cfg *cfg, struct gn_ping **out)
{
	struct gn_dialer_cfg dialer = {
		.target = cfg->target,
		.takes_limited = true,
		.attempt_arg = cfg->arg,
		.on_done = ping_op_on_conn,
		.on_lost = ping_op_on_lost,
	};
	struct gn_ping_service *sv = gn_node_service(node, &gn_service_ping);
	struct gn_ping *op;
	int err;

	if (sv == NULL || cfg->on_done == NULL)
		return -EINVAL;
	op = calloc(1, sizeof *op);
	if (op == NULL)
		return -ENOMEM;
	op->service = sv;
	op->cfg = *cfg;
	op->err = GN_ECLOSED; /* should the service be stopped before there is a result */
	gn_list_init(&op->link);
	gn_timer_init(&op->timer, node->loop, ping_op_on_timer, op);
	gn_task_init(&op->task, ping_op_notify);
	dialer.arg = op;
	err = gn_dialer_start(node, &dialer, &op->dialer);
	if (err != 0) {
		ping_op_free(op);
		return err;
	}
	gn_list_add_tail(&sv->ops, &op->link);
	*out = op;
	return 0;
}

void gn_ping_cancel(struct gn_ping *op)
{
	ping_op_free(op);
}
