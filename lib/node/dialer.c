/* SPDX-License-Identifier: MIT */
#include "node/dialer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/dialer_internal.h"
#include "node/node.h"

enum { STAGGER = 250 /* ms */, ATTEMPTS_AT_ONCE = 8 };

/* ---- the end of a dial ---- */

/* Ends all work of the dial; its targets stay. */
static void dialer_stop(struct gn_dialer *op)
{
	struct gn_list *at;

	gn_dialer_addrs_stop(op);
	gn_list_for_each(at, &op->targets)
		gn_attempt_leave(&gn_list_entry(at, struct dial_target, link)->user);
	gn_attempt_wait_end(&op->turn);
	gn_timer_stop(&op->limit);
	gn_timer_stop(&op->stagger);
}

static void dialer_op_free(struct gn_dialer *op)
{
	struct dial_target *t;

	dialer_stop(op);
	while ((t = gn_list_first(&op->targets, struct dial_target, link)) != NULL)
		gn_dial_target_free(t);
	gn_timer_fini(&op->limit);
	gn_timer_fini(&op->stagger);
	gn_task_cancel(&op->task);
	gn_list_del(&op->link);
	gn_list_del(&op->link_peer);
	gn_peers_put(&op->node->peers, op->entry);
	free(op);
}

static void dialer_notify(struct gn_task *task)
{
	struct gn_dialer *op = gn_list_entry(task, struct gn_dialer, task);
	struct gn_dialer_cfg cfg = op->cfg;
	struct gn_conn *conn = op->conn;
	int err = op->err;

	if (err == 0 && op->node->is_closing)
		err = GN_ECLOSED;
	if (err == 0 && !gn_conn_is_usable(conn))
		err = conn->err != 0 ? conn->err : GN_EGONE;
	dialer_op_free(op);
	if (err == 0)
		gn_conn_used_by_dial(conn, cfg.is_transient || cfg.is_probe);
	cfg.on_done(cfg.arg, err, err == 0 ? conn : NULL);
}

void gn_dialer_finish(struct gn_dialer *op, int err, struct gn_conn *conn)
{
	dialer_stop(op);
	if (conn != NULL && conn->state == GN_CONN_GONE) { /* a callback has aborted it */
		err = conn->err != 0 ? conn->err : GN_EGONE;
		conn = NULL;
	}
	op->state = DIALER_FINISHED;
	op->err = err;
	op->conn = conn;
	if (conn != NULL && op->entry == NULL) { /* so that gn_dialers_gone() finds it */
		op->entry = conn->peer;
		op->entry->refs++;
		gn_list_add_tail(&op->entry->dials, &op->link_peer);
	}
	gn_task_post(op->node->loop, &op->task);
}

int gn_dialer_merge_errors(int a, int b)
{
	static const int rank[] = {GN_EPEERID, GN_EREFUSED, GN_EAUTH, GN_EPROTO, GN_ENOPROTO};

	for (size_t i = 0; i < sizeof rank / sizeof rank[0]; i++)
		if (a == rank[i] || b == rank[i])
			return rank[i];
	return a == 0 || a == b ? b : GN_EUNREACH;
}

/* ---- targets ---- */

/* The attempt with the target has ended.  on_attempt may cancel the dial, which is not freed then: the caller has to
 * check for DIALER_CANCELLED and free it. */
static void dial_target_done(struct dial_target *t, int err)
{
	struct gn_dialer *op = t->op;
	const struct gn_dialer_cfg *cfg = &op->cfg;

	if (t->state == TARGET_RUNNING)
		op->n_running--;
	t->state = TARGET_DONE;
	if (err != 0)
		op->err = gn_dialer_merge_errors(op->err, err);
	if (cfg->target.on_attempt == NULL)
		return;
	op->is_calling = true;
	cfg->target.on_attempt(cfg->attempt_arg, t->addr, err, gn_loop_now(op->node->loop) - t->since);
	op->is_calling = false;
}

/* Whether the dial may end with the connection: by its path, and whether it is limited. */
static bool dialer_takes(const struct gn_dialer *op, const struct gn_conn *c)
{
	if (op->cfg.target.path != GN_TARGET_ANY &&
	    (op->cfg.target.path == GN_TARGET_DIRECT) != (c->path == GN_PATH_DIRECT))
		return false;
	return op->cfg.takes_limited || !gn_conn_is_limited(c);
}

void gn_dialers_offer(struct gn_conn *c)
{
	struct gn_list *at;

	if (c->is_probe || c->state == GN_CONN_GONE)
		return;
	gn_list_for_each(at, &c->peer->dials) {
		struct gn_dialer *op = gn_list_entry(at, struct gn_dialer, link_peer);

		if (op->state == DIALER_RACING && !op->is_alone && dialer_takes(op, c))
			gn_dialer_finish(op, 0, c);
	}
}

void gn_dial_target_on_done(void *arg, int err, struct gn_conn *c)
{
	struct dial_target *t = arg;
	struct gn_dialer *op = t->op;

	if (err == 0 && !dialer_takes(op, c))
		err = -EPERM;
	dial_target_done(t, err);
	if (err == 0 && op->state == DIALER_RACING)
		gn_dialer_finish(op, 0, c);
	else
		gn_dialer_race(op);
	if (c != NULL)
		gn_dialers_offer(c);
}

/* Errors as gn_attempt_start(). */
static int dial_target_start(struct dial_target *t, bool has_turn)
{
	struct gn_dialer *op = t->op;
	const struct gn_attempt_cfg cfg = {
		.addr = t->addr,
		.name = t->name,
		.peer = op->peer.len > 0 ? &op->peer : NULL,
		.origin = t->origin,
		.has_turn = has_turn,
		.role = op->cfg.role,
		.is_probe = op->cfg.is_probe,
	};
	int err = gn_attempt_start(&op->node->attempts, &cfg, &t->user);

	if (err == GN_EAGAIN)
		return err;
	t->since = gn_loop_now(op->node->loop);
	if (err == 0) {
		t->state = TARGET_RUNNING;
		op->n_running++;
	}
	return err;
}

/* ---- the race ---- */

/* The first target whose turn has not come; NULL. */
static struct dial_target *dialer_next_target(const struct gn_dialer *op)
{
	struct gn_list *at;

	gn_list_for_each(at, &op->targets)
		if (gn_list_entry(at, struct dial_target, link)->state == TARGET_NEW)
			return gn_list_entry(at, struct dial_target, link);
	return NULL;
}

void gn_dialer_race(struct gn_dialer *op)
{
	struct dial_target *t = NULL;
	bool has_turn = op->has_turn;

	op->has_turn = false;
	while (op->state == DIALER_RACING && !op->node->is_closing && !op->is_late &&
	       op->n_running < ATTEMPTS_AT_ONCE && (t = dialer_next_target(op)) != NULL) {
		int err = dial_target_start(t, has_turn);

		if (err == GN_EAGAIN) {
			gn_attempt_wait(&op->node->attempts, &op->turn);
			return;
		}
		if (err == 0) {
			gn_timer_start(&op->stagger, STAGGER * GN_MSEC);
			return;
		}
		dial_target_done(t, err);
	}
	if (op->state == DIALER_RACING && (op->n_running == 0 || !gn_timer_is_running(&op->stagger)) &&
	    dialer_next_target(op) == NULL)
		gn_dialer_addrs_more(op);
	if (op->state == DIALER_CANCELLED)
		dialer_op_free(op);
	else if (op->state == DIALER_RACING && op->node->is_closing)
		gn_dialer_finish(op, GN_ECLOSED, NULL);
	else if (op->state == DIALER_RACING && op->n_running == 0 && t == NULL && !gn_dialer_addrs_is_pending(op))
		gn_dialer_finish(op, gn_dialer_addrs_error(op), NULL);
}

void gn_dialer_race_soon(struct gn_dialer *op)
{
	gn_timer_start(&op->stagger, 0);
}

static void dialer_on_stagger(void *arg)
{
	gn_dialer_race(arg);
}

static void dialer_on_turn(struct gn_attempt_turn *turn)
{
	struct gn_dialer *op = gn_list_entry(turn, struct gn_dialer, turn);

	op->has_turn = true;
	gn_dialer_race(op);
}

/* limits.dial is extended for a handshake that makes progress on a slow path and has a limit of its own.  A limit
 * that the caller has set is not extended. */
static bool dialer_has_more_time(const struct gn_dialer *op)
{
	struct gn_list *at;

	if (op->cfg.target.limit != 0)
		return false;
	gn_list_for_each(at, &op->targets)
		if (gn_attempt_has_more_time(&gn_list_entry(at, struct dial_target, link)->user))
			return true;
	return false;
}

static void dialer_on_limit(void *arg)
{
	struct gn_dialer *op = arg;
	struct gn_list *at;

	if (dialer_has_more_time(op)) {
		op->is_late = true;
		gn_timer_start(&op->limit, op->node->cfg.limits.attempt / 2);
		return;
	}
	gn_list_for_each(at, &op->targets) {
		struct dial_target *t = gn_list_entry(at, struct dial_target, link);

		if (t->state != TARGET_RUNNING || op->state != DIALER_RACING)
			continue;
		gn_attempt_leave(&t->user); /* other dials that use the attempt may have more time */
		dial_target_done(t, GN_ETIMEOUT);
	}
	if (op->state == DIALER_CANCELLED)
		dialer_op_free(op);
	else if (op->state == DIALER_RACING)
		gn_dialer_finish(op, GN_ETIMEOUT, NULL);
}

/* ---- the operation ---- */

/* The peer that the caller or the addresses name; len 0: none.  GN_EPEERID if they name different ones. */
static int dialer_peer(const struct gn_target *cfg, struct gn_peer_id *out)
{
	struct gn_peer_id id;

	memset(out, 0, sizeof *out);
	if (cfg->peer != NULL)
		*out = *cfg->peer;
	for (size_t i = 0; i < cfg->n_addrs; i++) {
		if (gn_multiaddr_peer(cfg->addrs[i], &id) != 0)
			continue;
		if (out->len > 0 && !gn_peer_id_is_equal(out, &id))
			return GN_EPEERID;
		*out = id;
	}
	return 0;
}

/* An open connection that the dial may use; NULL. */
static struct gn_conn *dialer_find_open(const struct gn_dialer *op)
{
	struct gn_conn *best = NULL;
	struct gn_list *at;

	if (op->entry == NULL || op->is_alone)
		return NULL;
	gn_list_for_each(at, &op->entry->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_peer);

		if (gn_conn_is_usable(c) && !c->is_probe && !c->is_suspect && dialer_takes(op, c) &&
		    (best == NULL || gn_conn_is_better(c, best)))
			best = c;
	}
	return best;
}

int gn_dialer_start(struct gn_node *node, const struct gn_dialer_cfg *cfg, struct gn_dialer **out)
{
	struct gn_dialer *op;
	struct gn_conn *open;
	int err = 0;

	if (cfg->target.n_addrs == 0 && cfg->target.peer == NULL)
		return -EINVAL;
	if (node->is_closing)
		return GN_ECLOSED;
	op = calloc(1, sizeof *op);
	if (op == NULL)
		return -ENOMEM;
	op->node = node;
	op->cfg = *cfg;
	gn_timer_init(&op->limit, node->loop, dialer_on_limit, op);
	gn_timer_init(&op->stagger, node->loop, dialer_on_stagger, op);
	gn_task_init(&op->task, dialer_notify);
	gn_attempt_turn_init(&op->turn, dialer_on_turn);
	gn_list_init(&op->targets);
	gn_list_init(&op->link);
	gn_list_init(&op->link_peer);
	op->is_alone = cfg->is_probe || cfg->role != GN_ROLE_BY_DIAL;
	op->cfg.takes_limited |= cfg->target.path == GN_TARGET_RELAYED;
	for (size_t i = 0; i < cfg->target.n_addrs; i++)
		op->cfg.takes_limited |= gn_multiaddr_has(cfg->target.addrs[i], GN_MA_P2P_CIRCUIT);
	gn_list_init(&op->lookups);
	gn_list_init(&op->finds);
	err = dialer_peer(&cfg->target, &op->peer);
	if (err == 0 && op->peer.len > 0) {
		op->entry = gn_peers_get(&node->peers, &op->peer);
		if (op->entry != NULL)
			gn_list_add_tail(&op->entry->dials, &op->link_peer);
		else
			err = -ENOMEM;
	}
	open = err == 0 ? dialer_find_open(op) : NULL;
	if (err == 0 && open == NULL)
		err = gn_dialer_addrs_start(op);
	if (err != 0) {
		dialer_op_free(op);
		return err;
	}
	gn_list_add_tail(&node->dials, &op->link);
	if (open != NULL)
		gn_dialer_finish(op, 0, open);
	else
		gn_timer_start(&op->limit, cfg->target.limit > 0 ? cfg->target.limit : node->cfg.limits.dial);
	op->cfg.target.addrs = NULL; /* they were borrowed, and so was the id */
	op->cfg.target.peer = NULL;
	*out = op;
	return 0;
}

void gn_dialer_cancel(struct gn_dialer *op)
{
	if (op->is_calling) {
		op->state = DIALER_CANCELLED;
		dialer_stop(op);
	} else {
		dialer_op_free(op);
	}
}

void gn_dialers_gone(const struct gn_conn *c)
{
	struct gn_list *at;

	gn_list_for_each(at, &c->peer->dials) {
		struct gn_dialer *op = gn_list_entry(at, struct gn_dialer, link_peer);

		if (op->conn != c)
			continue;
		op->conn = NULL;
		op->err = c->err != 0 ? c->err : GN_EGONE;
	}
}

void gn_dialers_close(struct gn_node *node)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->dials)
		if (gn_list_entry(at, struct gn_dialer, link)->state != DIALER_CANCELLED)
			gn_dialer_finish(gn_list_entry(at, struct gn_dialer, link), GN_ECLOSED, NULL);
}

void gn_dialers_free(struct gn_node *node)
{
	struct gn_dialer *op;

	while ((op = gn_list_first(&node->dials, struct gn_dialer, link)) != NULL) {
		struct gn_dialer_cfg cfg = op->cfg;

		dialer_op_free(op);
		if (cfg.on_lost != NULL)
			cfg.on_lost(cfg.arg);
	}
}
