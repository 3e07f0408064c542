/* SPDX-License-Identifier: MIT */
#include "node/dialer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "node/limits.h"
#include "node/names.h"
#include "node/node.h"

enum { STAGGER = 250 /* ms */, ATTEMPTS_AT_ONCE = 8 };

/* An attempt to connect to one address. */
struct attempt {
	struct gn_dialer *op;
	const struct gn_transport_ops *transport;
	struct gn_multiaddr *addr;
	char *name;                /* that was resolved to addr; NULL: none */
	struct gn_link_dial *dial; /* while the transport connects */
	struct gn_conn *conn;      /* until it is open */
	struct attempt *joined;    /* the same attempt of another dial, whose result this one waits for */
	int joined_err;            /* its result, when the timer fires; 0: it was cancelled */
	gn_time since;
	struct gn_timer timer; /* limits.attempt */
	bool is_started, is_done;
};

struct gn_dialer {
	struct gn_list link;      /* in node->dials */
	struct gn_peer *entry;    /* of the peer that it is to connect to, or has connected to; NULL: none is known */
	struct gn_list link_peer; /* in entry->dials */
	struct gn_node *node;
	struct gn_dialer_cfg cfg;
	struct gn_peer_id peer; /* len 0: any peer */
	bool has_names;
	bool is_alone; /* the dial shares nothing with others: a probe, or a dial with a role */
	struct gn_names *names;
	struct attempt *attempts;
	size_t n, n_running;
	struct gn_timer limit, stagger;
	struct gn_task task; /* calls on_done */
	int err;
	struct gn_conn *conn;
	bool is_calling, is_cancelled; /* inside on_attempt; cancelled there */
	bool is_finished;              /* the task that calls on_done was posted */
};

static void dialer_race(struct gn_dialer *op);

/* ---- the end of a dial ---- */

/* The attempt has ended with err, or was cancelled (0): attempts that have joined it go on from their timers, so that
 * nothing is called back from here. */
static void attempt_release_joined(const struct attempt *a, int err)
{
	struct gn_list *at;

	if (a->op->entry == NULL)
		return;
	gn_list_for_each(at, &a->op->entry->dials) {
		struct gn_dialer *op = gn_list_entry(at, struct gn_dialer, link_peer);

		for (size_t i = 0; i < op->n; i++) {
			if (op->attempts[i].joined != a)
				continue;
			op->attempts[i].joined = NULL;
			op->attempts[i].joined_err = err;
			gn_timer_start(&op->attempts[i].timer, 0);
		}
	}
}

/* Cancels an attempt that runs. */
static void attempt_drop(struct attempt *a)
{
	if (a->dial != NULL || a->conn != NULL)
		attempt_release_joined(a, 0);
	a->joined = NULL;
	if (a->dial != NULL)
		a->transport->cancel(a->dial);
	a->dial = NULL;
	if (a->conn != NULL) {
		a->conn->on_open = NULL;
		gn_conn_abort(a->conn, GN_ECLOSED);
	}
	a->conn = NULL;
	a->is_done = true;
	gn_timer_stop(&a->timer);
}

static void dialer_drop_attempts(struct gn_dialer *op)
{
	if (op->names != NULL)
		gn_names_cancel(op->names);
	op->names = NULL;
	for (size_t i = 0; i < op->n; i++)
		attempt_drop(&op->attempts[i]);
	gn_timer_stop(&op->limit);
	gn_timer_stop(&op->stagger);
}

static void dialer_op_free(struct gn_dialer *op)
{
	dialer_drop_attempts(op);
	for (size_t i = 0; i < op->n; i++) {
		gn_timer_fini(&op->attempts[i].timer);
		gn_multiaddr_free(op->attempts[i].addr);
		free(op->attempts[i].name);
	}
	free(op->attempts);
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
	cfg.on_done(cfg.arg, err, err == 0 ? conn : NULL);
}

static void dialer_finish(struct gn_dialer *op, int err, struct gn_conn *conn)
{
	dialer_drop_attempts(op);
	op->is_finished = true;
	op->err = err;
	op->conn = conn;
	if (conn != NULL && op->entry == NULL) { /* so that gn_dialers_gone() finds it */
		op->entry = conn->peer;
		op->entry->refs++;
		gn_list_add_tail(&op->entry->dials, &op->link_peer);
	}
	gn_task_post(op->node->loop, &op->task);
}

/* Of two errors the one that is more specific for the user. */
static int dialer_merge_errors(int a, int b)
{
	static const int rank[] = {GN_EPEERID, GN_EREFUSED, GN_EAUTH, GN_EPROTO, GN_ENOPROTO};

	for (size_t i = 0; i < sizeof rank / sizeof rank[0]; i++)
		if (a == rank[i] || b == rank[i])
			return rank[i];
	return a == 0 || a == b ? b : GN_EUNREACH;
}

/* ---- attempts ---- */

/* An attempt has ended.  on_attempt may cancel the dial, which is not freed then: the caller has to check
 * is_cancelled and free it. */
static void attempt_done(struct attempt *a, int err)
{
	struct gn_dialer *op = a->op;
	const struct gn_dialer_cfg *cfg = &op->cfg;

	if (a->joined == NULL)
		attempt_release_joined(a, err);
	a->joined = NULL;
	a->is_done = true;
	gn_timer_stop(&a->timer);
	op->n_running--;
	if (err != 0)
		op->err = dialer_merge_errors(op->err, err);
	if (cfg->on_attempt == NULL)
		return;
	op->is_calling = true;
	cfg->on_attempt(cfg->attempt_arg, a->addr, err, gn_loop_now(op->node->loop) - a->since);
	op->is_calling = false;
}

/* Whether the dial may end with the connection, which is limited or not. */
static bool dialer_takes(const struct gn_dialer *op, const struct gn_conn *c)
{
	return op->cfg.takes_limited || !gn_conn_is_limited(c);
}

void gn_dialers_offer(struct gn_conn *c)
{
	struct gn_list *at;

	if (c->is_probe)
		return;
	gn_list_for_each(at, &c->peer->dials) {
		struct gn_dialer *op = gn_list_entry(at, struct gn_dialer, link_peer);

		if (!op->is_finished && !op->is_cancelled && !op->is_alone && dialer_takes(op, c))
			dialer_finish(op, 0, c);
	}
}

static void dialer_on_open(void *arg, struct gn_conn *c, int err)
{
	struct attempt *a = arg;
	bool is_open = err == 0;

	a->conn = NULL;
	if (is_open && !dialer_takes(a->op, c))
		err = -EPERM;
	attempt_done(a, err);
	if (err == 0 && !a->op->is_cancelled)
		dialer_finish(a->op, 0, c);
	else
		dialer_race(a->op);
	if (is_open)
		gn_dialers_offer(c);
}

static void dialer_on_link(void *arg, int err, struct gn_link *link)
{
	struct attempt *a = arg;
	struct gn_dialer *op = a->op;
	struct gn_conn_cfg cfg = {
		.node = op->node,
		.env = &op->node->conn_env,
		.link = link,
		.role = op->cfg.role,
		.is_probe = op->cfg.is_probe,
		.expect = op->peer.len > 0 ? &op->peer : NULL,
		.origin = op->has_names ? GN_ORIGIN_DNS : GN_ORIGIN_ADDRESS,
		.began = a->since,
		.on_open = dialer_on_open,
		.arg = a,
	};

	a->dial = NULL;
	if (err == 0 && gn_node_is_full(op->node)) {
		link->ops->abort(link);
		err = GN_ELIMIT;
	}
	if (err == 0)
		err = gn_conn_new(&cfg, &a->conn);
	if (err != 0) {
		attempt_done(a, err);
		dialer_race(op);
	}
}

static void attempt_start(struct attempt *a);

/* The limit of the attempt is over, or the attempt that it has joined has ended. */
static void attempt_on_timer(void *arg)
{
	struct attempt *a = arg;
	int joined_err = a->joined_err;

	a->joined_err = 0;
	if (a->dial == NULL && a->conn == NULL && joined_err == 0) { /* the other one was cancelled: this one dials */
		a->op->n_running--;
		attempt_start(a);
		if (a->is_done)
			dialer_race(a->op);
		return;
	}
	if (joined_err != 0) {
		attempt_done(a, joined_err);
		dialer_race(a->op);
		return;
	}
	if (a->conn != NULL && gn_conn_has_more_time(a->conn)) {
		gn_timer_start(&a->timer, gn_time_max(a->op->node->cfg.limits.attempt / 2, GN_USEC));
		return;
	}
	attempt_drop(a);
	attempt_done(a, GN_ETIMEOUT);
	dialer_race(a->op);
}

/* The attempt of another dial to the same peer and address that runs; NULL. */
static struct attempt *attempt_find_other(const struct attempt *a)
{
	struct gn_list *at;

	if (a->op->entry == NULL || a->op->is_alone)
		return NULL;
	gn_list_for_each(at, &a->op->entry->dials) {
		struct gn_dialer *op = gn_list_entry(at, struct gn_dialer, link_peer);

		if (op == a->op || op->is_alone)
			continue;
		for (size_t i = 0; i < op->n; i++)
			if ((op->attempts[i].dial != NULL || op->attempts[i].conn != NULL) &&
			    gn_multiaddr_is_equal(op->attempts[i].addr, a->addr))
				return &op->attempts[i];
	}
	return NULL;
}

static void attempt_start(struct attempt *a)
{
	struct gn_link_dial_cfg cfg = {.loop = a->op->node->loop,
				       .node = a->op->node,
				       .addr = a->addr,
				       .name = a->name,
				       .on_done = dialer_on_link,
				       .arg = a};
	struct gn_peer_id peer;
	int err;

	a->is_started = true;
	a->since = gn_loop_now(a->op->node->loop);
	a->op->n_running++;
	a->joined = attempt_find_other(a);
	if (a->joined != NULL)
		return;
	a->transport = gn_node_transport(a->op->node, a->addr);
	if (gn_multiaddr_peer(a->addr, &peer) == 0 && a->op->peer.len > 0 && !gn_peer_id_is_equal(&peer, &a->op->peer))
		err = GN_EPEERID;
	else if (gn_node_is_full(a->op->node))
		err = GN_ELIMIT;
	else
		err = a->transport == NULL
			      ? GN_ENOTRANS
			      : a->transport->dial(gn_components_state(&a->op->node->components, a->transport), &cfg,
						   &a->dial);
	if (err != 0)
		attempt_done(a, err);
	else
		gn_timer_start(&a->timer, a->op->node->cfg.limits.attempt);
}

/* Starts the attempt of the next address, after one has failed or the stagger interval is over. */
static void dialer_race(struct gn_dialer *op)
{
	size_t i = 0;

	while (!op->is_cancelled && !op->node->is_closing) {
		for (i = 0; i < op->n && op->attempts[i].is_started; i++)
			;
		if (i == op->n || op->n_running >= ATTEMPTS_AT_ONCE)
			break;
		attempt_start(&op->attempts[i]);
		if (!op->attempts[i].is_done) {
			gn_timer_start(&op->stagger, STAGGER * GN_MSEC);
			return;
		}
	}
	if (op->is_cancelled)
		dialer_op_free(op);
	else if (op->node->is_closing)
		dialer_finish(op, GN_ECLOSED, NULL);
	else if (op->n_running == 0 && i == op->n)
		dialer_finish(op, op->err != 0 ? op->err : GN_EUNREACH, NULL);
}

static void dialer_on_stagger(void *arg)
{
	dialer_race(arg);
}

/* limits.dial is extended for a handshake that makes progress on a slow path and has a limit of its own.  A limit
 * that the caller has set is not extended. */
static bool dialer_has_more_time(const struct gn_dialer *op)
{
	for (size_t i = 0; i < op->n && op->cfg.limit == 0; i++) {
		const struct attempt *a = &op->attempts[i];

		if (a->conn != NULL && gn_conn_has_more_time(a->conn))
			return true;
	}
	return false;
}

static void dialer_on_limit(void *arg)
{
	struct gn_dialer *op = arg;

	if (dialer_has_more_time(op)) {
		gn_timer_start(&op->limit, op->node->cfg.limits.attempt / 2);
		return;
	}
	for (size_t i = 0; i < op->n && !op->is_cancelled; i++) {
		struct attempt *a = &op->attempts[i];

		if (!a->is_started || a->is_done)
			continue;
		attempt_drop(a); /* without a result: dials that have joined it may have more time */
		attempt_done(a, GN_ETIMEOUT);
	}
	if (op->is_cancelled)
		dialer_op_free(op);
	else
		dialer_finish(op, GN_ETIMEOUT, NULL);
}

/* Orders the addresses so that IPv6 and other ones alternate, IPv6 first, each kind in its own order. */
static void dialer_interleave(struct gn_resolved *from, size_t n, struct attempt *to)
{
	bool want6 = true;

	for (size_t k = 0; k < n; k++) {
		size_t pick = n;

		for (size_t i = 0; i < n && pick == n; i++)
			if (from[i].addr != NULL && gn_multiaddr_has(from[i].addr, GN_MA_IP6) == want6)
				pick = i;
		for (size_t i = 0; i < n && pick == n; i++)
			if (from[i].addr != NULL)
				pick = i;
		want6 = !gn_multiaddr_has(from[pick].addr, GN_MA_IP6);
		to[k].addr = from[pick].addr;
		to[k].name = from[pick].name;
		from[pick].addr = NULL;
	}
}

static void dialer_on_names(void *arg, int err, struct gn_resolved *resolved, size_t n)
{
	struct gn_dialer *op = arg;

	op->names = NULL;
	if (err == 0) {
		op->attempts = calloc(n, sizeof *op->attempts);
		if (op->attempts == NULL) {
			gn_resolved_free(resolved, n);
			err = -ENOMEM;
		}
	}
	if (err != 0) {
		dialer_finish(op, op->err != 0 && err == GN_ENONAME ? op->err : err, NULL);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		op->attempts[i].op = op;
		gn_timer_init(&op->attempts[i].timer, op->node->loop, attempt_on_timer, &op->attempts[i]);
	}
	dialer_interleave(resolved, n, op->attempts);
	op->n = n;
	free(resolved); /* the attempts have taken what it held */
	dialer_race(op);
}

static void dialer_on_name_failed(void *arg, const struct gn_multiaddr *addr, int err)
{
	struct gn_dialer *op = arg;

	op->err = dialer_merge_errors(op->err, err);
	if (op->cfg.on_attempt != NULL) /* last, because it may cancel the dial */
		op->cfg.on_attempt(op->cfg.attempt_arg, addr, err, 0);
}

/* ---- the operation ---- */

/* The peer that the addresses name; len 0 if none does.  GN_EPEERID if they name different ones. */
static int dialer_peer(const struct gn_dialer_cfg *cfg, struct gn_peer_id *out)
{
	struct gn_peer_id id;

	memset(out, 0, sizeof *out);
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
	if (op->peer.len == 0 || op->is_alone)
		return NULL;
	return gn_node_find_conn(op->node, &op->peer, op->cfg.takes_limited ? GN_FIND_LIMITED : 0);
}

int gn_dialer_start(struct gn_node *node, const struct gn_dialer_cfg *cfg, struct gn_dialer **out)
{
	struct gn_dialer *op;
	struct gn_names_cfg names = {.loop = node->loop,
				     .addrs = cfg->addrs,
				     .n_addrs = cfg->n_addrs,
				     .on_done = dialer_on_names,
				     .on_failed = dialer_on_name_failed};
	struct gn_conn *open;
	int err = 0;

	if (cfg->n_addrs == 0)
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
	gn_list_init(&op->link);
	gn_list_init(&op->link_peer);
	names.arg = op;
	op->is_alone = cfg->is_probe || cfg->role != GN_ROLE_BY_DIAL;
	for (size_t i = 0; i < cfg->n_addrs; i++) {
		op->has_names |= gn_names_is_in(cfg->addrs[i]);
		op->cfg.takes_limited |= gn_multiaddr_has(cfg->addrs[i], GN_MA_P2P_CIRCUIT);
	}
	err = dialer_peer(cfg, &op->peer);
	if (err == 0 && op->peer.len > 0) {
		op->entry = gn_peers_get(&node->peers, &op->peer);
		if (op->entry != NULL)
			gn_list_add_tail(&op->entry->dials, &op->link_peer);
		else
			err = -ENOMEM;
	}
	open = err == 0 ? dialer_find_open(op) : NULL;
	if (err == 0 && open == NULL)
		err = gn_names_resolve(&names, &op->names);
	if (err != 0) {
		dialer_op_free(op);
		return err;
	}
	gn_list_add_tail(&node->dials, &op->link);
	if (open != NULL)
		dialer_finish(op, 0, open);
	else
		gn_timer_start(&op->limit, cfg->limit > 0 ? cfg->limit : node->cfg.limits.dial);
	*out = op;
	return 0;
}

void gn_dialer_cancel(struct gn_dialer *op)
{
	if (op->is_calling) {
		op->is_cancelled = true;
		dialer_drop_attempts(op);
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
		dialer_finish(gn_list_entry(at, struct gn_dialer, link), GN_ECLOSED, NULL);
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
