/* SPDX-License-Identifier: MIT */
#include "node/conn.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "node/manager.h"

enum {
	LINGER = 2,       /* s that a closing connection waits for the peer's end, or for progress */
	ROOM_LINGER = 10, /* s that one may take that was closed to make room */
};

/* The connection that carries the link of this one is closing, or gone. */
static void conn_on_carrier(void *arg, int err)
{
	if (err == 0)
		gn_conn_close(arg);
	else
		gn_conn_abort(arg, err);
}

static void conn_on_timer(void *arg)
{
	gn_conn_post(arg);
}

static void conn_on_work(void *arg)
{
	gn_conn_post(arg);
}

void gn_conn_post(struct gn_conn *c)
{
	gn_task_post(c->env->loop, &c->task);
}

/* Frees the addresses and the struct itself. */
static void conn_discard(struct gn_conn *c)
{
	if (c == NULL)
		return;
	gn_multiaddr_free(c->remote);
	gn_multiaddr_free(c->local);
	free(c);
}

int gn_conn_new(const struct gn_conn_cfg *cfg, struct gn_conn **out)
{
	struct gn_conn_env *env = cfg->env;
	struct gn_conn *c = calloc(1, sizeof *c);
	const struct gn_limits *lim = env->limits;
	const struct gn_link_pipes *pipes = cfg->link->pipes;
	struct gn_stack_cfg stack = {.iobuf = env->iobuf,
				     .on_step = gn_upgrade_on_step,
				     .on_work = conn_on_work,
				     .arg = c};
	size_t queued;
	int err;

	if (c == NULL) {
		cfg->link->ops->abort(cfg->link);
		return -ENOMEM;
	}
	c->remote = cfg->link->remote;
	c->local = cfg->link->local;
	cfg->link->remote = cfg->link->local = NULL;
	gn_list_init(&c->link_network);
	gn_list_init(&c->link_peer);
	gn_list_init(&c->streams_open);
	gn_list_init(&c->link_node);
	c->node = cfg->node;
	c->env = env;
	c->network = gn_networks_get(env->networks, c->remote);
	if (c->network != NULL && cfg->expect != NULL)
		c->peer = gn_peers_get(env->peers, cfg->expect);
	if (c->network == NULL || (cfg->expect != NULL && c->peer == NULL)) {
		gn_networks_put(env->networks, c->network);
		conn_discard(c);
		cfg->link->ops->abort(cfg->link);
		return -ENOMEM;
	}
	gn_scope_init(&c->scope, &c->network->scope, SIZE_MAX);
	c->inbound = cfg->inbound;
	c->is_client = cfg->role == GN_ROLE_BY_DIAL ? !cfg->inbound : cfg->role == GN_ROLE_CLIENT;
	c->is_probe = cfg->is_probe;
	if (cfg->link->path != NULL) {
		c->path = cfg->link->path->path;
		c->path_bytes = cfg->link->path->limits.bytes;
		c->path_seconds = cfg->link->path->limits.seconds;
	}
	c->origin = cfg->origin;
	c->on_open = cfg->on_open;
	c->arg = cfg->arg;
	c->link = cfg->link;
	c->link->on_ready = gn_conn_on_ready;
	c->link->arg = c;
	if (pipes != NULL)
		c->link->pipes->on_carrier = conn_on_carrier;
	gn_random(c->guid, sizeof c->guid);
	c->since = c->last_alive = gn_loop_now(env->loop);
	c->began = cfg->began != 0 ? cfg->began : c->since;
	c->deadline = c->inbound ? gn_time_add(c->began, lim->accept) : GN_NEVER;
	c->check_at = GN_NEVER;
	gn_task_init(&c->task, gn_conn_run);
	gn_timer_init(&c->timer, env->loop, conn_on_timer, c);
	gn_pipe_init(&c->own_rx, env->iobuf, GN_IOBUF_RX + GN_IOBUF_REST);
	gn_pipe_init(&c->own_tx, env->iobuf, GN_IOBUF_TX);
	c->own_tx.sends = true;
	c->own_rx.scope = c->own_tx.scope = &c->scope;
	c->own_rx.is_forced = c->own_tx.is_forced = true;
	stack.rx = pipes != NULL ? pipes->rx : &c->own_rx;
	stack.tx = pipes != NULL ? pipes->tx : &c->own_tx;
	gn_stack_init(&c->stack, &stack);
	c->ready = pipes != NULL ? GN_READABLE | GN_WRITABLE : GN_WRITABLE;
	c->retry = GN_NEVER;
	queued = gn_pipe_len(stack.tx);
	env->events->added(c->node, c);
	err = gn_upgrade_start(c);
	if (err != 0) {
		gn_conn_free(c);
		return err;
	}
	if (pipes != NULL)
		gn_conn_count_put(c, queued);
	gn_conn_post(c);
	*out = c;
	return 0;
}

const struct gn_peer_id *gn_conn_peer(const struct gn_conn *c)
{
	static const struct gn_peer_id none;

	return c->peer != NULL ? &c->peer->id : &none;
}

int gn_conn_set_peer(struct gn_conn *c, const struct gn_peer_id *id)
{
	struct gn_peer *peer = gn_peers_get(c->env->peers, id);

	if (peer == NULL)
		return -ENOMEM;
	gn_peers_put(c->env->peers, c->peer);
	c->peer = peer;
	gn_scope_join(&c->scope, &peer->scope);
	gn_list_add_tail(&peer->conns, &c->link_peer);
	peer->n_conns++;
	return 0;
}

/* Reports that the connection is open, or that it has failed; once. */
static void conn_report(struct gn_conn *c, int err)
{
	void (*cb)(void *, struct gn_conn *, int);

	if (c->report != GN_REPORT_PENDING)
		return;
	c->report = err == 0 ? GN_REPORT_OPENED : GN_REPORT_FAILED;
	if (err == 0) {
		c->env->events->opened(c->node, c);
		err = c->state == GN_CONN_GONE ? c->err : 0; /* the callback may have aborted it */
	}
	cb = c->on_open; /* NULL if the callback has cancelled the dial */
	c->on_open = NULL;
	if (cb != NULL)
		cb(c->arg, c, err);
}

/* Drops the link.  The stack moves to pipes that have ended, because the pipes of the link are freed with it. */
static void conn_drop_link(struct gn_conn *c, bool in_order)
{
	struct gn_link *link = c->link;

	c->link = NULL;
	c->state = GN_CONN_GONE;
	if (link == NULL)
		return;
	c->backlog = link->ops->unacked(link);
	if (link->pipes != NULL) {
		int err = c->err != 0 ? c->err : GN_ECLOSED;

		gn_pipe_close(&c->own_rx, err);
		gn_pipe_close(&c->own_tx, err);
		gn_stack_set_bottom(&c->stack, &c->own_rx, &c->own_tx);
	}
	if (in_order)
		link->ops->close(link);
	else
		link->ops->abort(link);
}

/* Ends the connection: its streams fail with err, the link is dropped. */
static void conn_fail(struct gn_conn *c, int err, bool in_order)
{
	if (c->state == GN_CONN_GONE)
		return;
	if (c->err == 0)
		c->err = err;
	if (c->session != NULL)
		c->session->ops->kill(c->session, err);
	conn_drop_link(c, in_order);
	c->env->events->gone(c->node, c);
	conn_report(c, c->err);
	gn_conn_post(c);
}

void gn_conn_count_put(struct gn_conn *c, size_t before)
{
	size_t now = gn_pipe_len(gn_conn_tx(c));

	if (now > before)
		c->written += now - before;
	c->link->ops->touch(c->link);
}

void gn_conn_abort(struct gn_conn *c, int err)
{
	conn_fail(c, err, false);
}

static void conn_begin_closing(struct gn_conn *c)
{
	c->state = GN_CONN_CLOSING;
	c->last_alive = c->began = gn_loop_now(c->env->loop);
	c->deadline = gn_time_add(c->last_alive, LINGER * GN_SEC);
	c->delivered = gn_conn_taken(c);
}

void gn_conn_close(struct gn_conn *c)
{
	if (c->state >= GN_CONN_CLOSING)
		return;
	if (c->state != GN_CONN_OPEN) {
		gn_conn_abort(c, GN_ECLOSED);
		return;
	}
	c->env->events->closing(c->node, c);
	if (c->state != GN_CONN_OPEN) /* the callback has closed it */
		return;
	/* Go Away 0 ends the session at the peer, and unread bytes of streams that have not ended are lost there.
	 * Therefore it is sent only when no stream is left. */
	if (c->session->streams == 0)
		c->session->ops->go_away(c->session, GN_GO_AWAY_NORMAL);
	conn_begin_closing(c);
	gn_conn_post(c);
}

bool gn_conn_is_usable(const struct gn_conn *c)
{
	return c->state == GN_CONN_OPEN && c->session != NULL && c->session->err == 0 &&
	       !c->session->is_remote_go_away && c->refusal == 0;
}

/* How long the connection may be without a stream; 0: for ever. */
static gn_time conn_idle_limit(const struct gn_conn *c)
{
	gn_time limit = c->env->limits->idle;

	return c->is_transient && (limit == 0 || limit > GN_TRANSIENT_IDLE * GN_SEC) ? GN_TRANSIENT_IDLE * GN_SEC
										     : limit;
}

static void conn_check_open(struct gn_conn *c)
{
	const struct gn_limits *lim = c->env->limits;
	gn_time now = gn_loop_now(c->env->loop), idle = conn_idle_limit(c);

	if (c->report == GN_REPORT_PENDING && c->refusal == 0) {
		c->deadline = c->inbound ? gn_time_add(now, lim->first_stream) : GN_NEVER;
		conn_report(c, 0);
	} else if (c->report == GN_REPORT_OPENED) {
		gn_conn_check_silence(c);
	}
	if (c->state != GN_CONN_OPEN) /* it was aborted or closed in a callback */
		return;
	if (c->session->err != 0) {
		conn_begin_closing(c);
		if (c->err == 0)
			c->err = c->session->err;
		return;
	}
	if (c->had_incoming && c->deadline != GN_NEVER && idle == 0)
		c->deadline = GN_NEVER;
	/* Streams that this node opens, such as identify's, do not count as the peer's first stream. */
	if (idle > 0 && (c->session->streams > 0 || c->had_streams) && (c->had_incoming || !c->inbound))
		c->deadline = gn_time_add(now, idle);
	c->had_streams = c->session->streams > 0;
	if (c->env->closes_unused && c->session->streams == 0)
		gn_conn_close(c);
}

/* Whether a closing connection gets more time.  What is queued is sent however slow the path is, as long as the
 * peer's host acknowledges some of it within each LINGER.  If streams were released in good order, a silent peer
 * has as much time as on an open connection. */
static bool conn_close_has_more_time(struct gn_conn *c)
{
	gn_time now = gn_loop_now(c->env->loop), silence = gn_conn_silence(c);
	uint64_t before = c->delivered;

	/* No counter has it any more, so its peer may not decide how long it stays. */
	if (c->count == GN_COUNT_NONE && now - c->began >= ROOM_LINGER * GN_SEC)
		return false;
	c->delivered = gn_conn_taken(c);
	if (c->delivered > before)
		c->last_alive = now;
	if (c->delivered > before)
		return true;
	if (!c->must_flush || c->session->err != 0 || silence == GN_NEVER || now - c->last_alive >= silence)
		return false;
	return gn_pipe_len(gn_conn_tx(c)) > 0 || c->delivered < c->written || c->session->ops->has_unsent(c->session);
}

void gn_conn_check(struct gn_conn *c)
{
	const struct gn_limits *lim = c->env->limits;
	gn_time now = gn_loop_now(c->env->loop);
	int err = c->stack.err;

	if (c->state == GN_CONN_GONE)
		return;
	/* Before a session exists, an end of file on the link ends the connection. */
	if (err == 0 && c->session == NULL && (err = gn_pipe_end(gn_conn_rx(c))) == GN_EOF)
		err = GN_EGONE;
	/* An end of file inside a unit of a layer is a lost link, not malformed data. */
	if (err == GN_ETRUNC && gn_pipe_is_closed(gn_conn_rx(c)))
		err = GN_EGONE;
	if (err != 0) {
		conn_fail(c, err, false);
		return;
	}
	if (c->state == GN_CONN_OPEN)
		conn_check_open(c);
	if (c->state == GN_CONN_CLOSING) {
		if (c->session->streams == 0 && c->session->err == 0)
			c->session->ops->go_away(c->session, GN_GO_AWAY_NORMAL);
		/* Everything was sent.  The link is half-closed, and kept until the peer's end has come: closing a
		 * socket that holds unread bytes sends a reset, which could destroy bytes that are on their way. */
		if (gn_pipe_end(gn_conn_tx(c)) != 0 && c->tx_state == GN_TX_OPEN) {
			c->tx_state = GN_TX_SHUT;
			c->link->ops->end(c->link);
		}
		if (c->tx_state != GN_TX_OPEN && gn_pipe_is_closed(gn_conn_rx(c))) {
			conn_fail(c, c->err != 0 ? c->err : GN_ECLOSED, true);
			return;
		}
	}
	if (c->deadline > now)
		return;
	if (c->state == GN_CONN_OPEN && !c->had_incoming && c->inbound && c->env->events->is_used(c))
		c->deadline = gn_time_add(now, gn_time_max(lim->first_stream, GN_USEC));
	else if (c->state == GN_CONN_OPEN)
		gn_conn_close(c);
	else if (c->state != GN_CONN_CLOSING && gn_conn_has_more_time(c))
		c->deadline = gn_time_add(now, gn_time_max(lim->accept / 2, GN_USEC));
	else if (c->state != GN_CONN_CLOSING)
		conn_fail(c, GN_ETIMEOUT, false);
	else if (conn_close_has_more_time(c))
		c->deadline = gn_time_add(now, LINGER * GN_SEC);
	else
		conn_fail(c, GN_ECLOSED, false);
}

void gn_conn_free(struct gn_conn *c)
{
	conn_drop_link(c, false);
	c->env->events->freed(c->node, c);
	gn_timer_fini(&c->timer);
	gn_stack_fini(&c->stack);
	gn_pipe_fini(&c->own_rx);
	gn_pipe_fini(&c->own_tx);
	gn_task_cancel(&c->task);
	gn_scope_leave(&c->scope);
	gn_networks_put(c->env->networks, c->network);
	if (!gn_list_is_empty(&c->link_peer)) {
		gn_list_del(&c->link_peer);
		c->peer->n_conns--;
	}
	gn_peers_put(c->env->peers, c->peer);
	conn_discard(c);
}
