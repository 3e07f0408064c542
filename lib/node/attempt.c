/* SPDX-License-Identifier: MIT */
#include "node/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "node/limits.h"
#include "node/node.h"
#include "node/peerbook.h"

struct gn_attempt {
	struct gn_list link; /* in all->running; on no list while its users are notified */
	struct gn_attempts *all;
	const struct gn_transport_ops *transport;
	struct gn_multiaddr *addr;
	char *name;             /* NULL: none */
	struct gn_peer_id peer; /* len 0: any */
	enum gn_addr_origin origin;
	enum gn_conn_role role;
	bool is_probe;
	bool is_from_listener; /* the link of conn is */
	bool avoids_listener;  /* see attempt_connects_again() */
	gn_time since;
	struct gn_link_dial *dial; /* CONNECTING */
	struct gn_conn *conn;      /* OPENING */
	struct gn_timer timer;     /* limits.attempt */
	struct gn_list users;
	bool is_done; /* its users are being notified */
};

/* ---- places ---- */

static bool attempts_have_place(const struct gn_attempts *all)
{
	return all->n < all->node->cfg.limits.dials;
}

static void attempts_on_task(struct gn_task *task)
{
	struct gn_attempts *all = gn_list_entry(task, struct gn_attempts, task);
	struct gn_attempt_turn *turn;

	while (attempts_have_place(all) &&
	       (turn = gn_list_first(&all->waiting, struct gn_attempt_turn, link)) != NULL) {
		gn_list_del(&turn->link);
		turn->on_turn(turn);
	}
}

void gn_attempts_init(struct gn_attempts *all, struct gn_node *node)
{
	all->node = node;
	all->n = 0;
	gn_list_init(&all->running);
	gn_list_init(&all->waiting);
	gn_task_init(&all->task, attempts_on_task);
}

void gn_attempts_fini(struct gn_attempts *all)
{
	gn_task_cancel(&all->task);
}

void gn_attempt_turn_init(struct gn_attempt_turn *turn, void (*on_turn)(struct gn_attempt_turn *turn))
{
	gn_list_init(&turn->link);
	turn->on_turn = on_turn;
}

void gn_attempt_wait(struct gn_attempts *all, struct gn_attempt_turn *turn)
{
	if (!gn_list_is_empty(&turn->link))
		return;
	gn_list_add_tail(&all->waiting, &turn->link);
	if (attempts_have_place(all))
		gn_task_post(all->node->loop, &all->task);
}

void gn_attempt_wait_end(struct gn_attempt_turn *turn)
{
	gn_list_del(&turn->link);
}

/* ---- the end of an attempt ---- */

static void attempt_free(struct gn_attempt *a)
{
	gn_timer_fini(&a->timer);
	gn_multiaddr_free(a->addr);
	free(a->name);
	free(a);
}

/* The attempt does not run any more, and no dial can join it. */
static void attempt_end(struct gn_attempt *a)
{
	struct gn_attempts *all = a->all;

	a->is_done = true;
	gn_timer_stop(&a->timer);
	gn_list_del(&a->link);
	all->n--;
	if (!gn_list_is_empty(&all->waiting))
		gn_task_post(all->node->loop, &all->task);
}

static void attempt_abort(struct gn_attempt *a)
{
	if (a->dial != NULL)
		a->transport->cancel(a->dial);
	a->dial = NULL;
	if (a->conn != NULL) {
		a->conn->on_open = NULL;
		gn_conn_abort(a->conn, GN_ECLOSED);
	}
	a->conn = NULL;
}

/* Notifies the users, each of which may let others leave, and frees the attempt. */
static void attempt_finish(struct gn_attempt *a, int err, struct gn_conn *c)
{
	struct gn_attempt_user *user;

	attempt_end(a);
	if (err == 0)
		gn_conn_used_by_dial(c, true); /* until a dial takes it for more */
	gn_peerbook_result(a->all->node, err == 0 ? gn_conn_peer(c) : &a->peer, a->addr, err);
	while ((user = gn_list_first(&a->users, struct gn_attempt_user, link)) != NULL) {
		gn_list_del(&user->link);
		user->attempt = NULL;
		user->on_done(user->arg, err, c);
	}
	attempt_free(a);
}

/* ---- the states ---- */

static int attempt_connect(struct gn_attempt *a);

/* Two nodes that dial each other from the ports on which they listen, at the same time, share one connection, and both
 * take themselves for the client.  Their handshakes fail.  Both then dial once more, from other ports. */
static bool attempt_connects_again(struct gn_attempt *a, int err)
{
	/* What the handshake makes of the peer's first message when it expects the second one. */
	bool is_confused = err == GN_ETRUNC || err == GN_EAUTH || err == GN_EPROTO || err == GN_EFORMAT;

	if (!is_confused || !a->is_from_listener || a->avoids_listener)
		return false;
	a->avoids_listener = true;
	return attempt_connect(a) == 0;
}

static void attempt_on_open(void *arg, struct gn_conn *c, int err)
{
	struct gn_attempt *a = arg;

	a->conn = NULL;
	if (attempt_connects_again(a, err))
		return;
	attempt_finish(a, err, err == 0 ? c : NULL);
}

static void attempt_on_link(void *arg, int err, struct gn_link *link)
{
	struct gn_attempt *a = arg;
	struct gn_node *node = a->all->node;
	struct gn_conn_cfg cfg = {
		.node = node,
		.env = &node->conn_env,
		.link = link,
		.role = a->role,
		.is_probe = a->is_probe,
		.expect = a->peer.len > 0 ? &a->peer : NULL,
		.origin = a->origin,
		.began = a->since,
		.on_open = attempt_on_open,
		.arg = a,
	};

	a->dial = NULL;
	if (err == 0 && !gn_node_make_place(node)) {
		link->ops->abort(link);
		err = GN_ELIMIT;
	}
	a->is_from_listener = err == 0 && link->ops->is_from_listener != NULL && link->ops->is_from_listener(link);
	if (err == 0)
		err = gn_conn_new(&cfg, &a->conn);
	if (err != 0)
		attempt_finish(a, err, NULL);
}

static void attempt_on_timer(void *arg)
{
	struct gn_attempt *a = arg;

	if (a->conn != NULL && gn_conn_has_more_time(a->conn)) {
		gn_timer_start(&a->timer, gn_time_max(a->all->node->cfg.limits.attempt / 2, GN_USEC));
		return;
	}
	attempt_abort(a);
	attempt_finish(a, GN_ETIMEOUT, NULL);
}

/* ---- starting ---- */

/* The bytes of the address without a final /p2p/ID. */
static const uint8_t *addr_bytes(const struct gn_multiaddr *addr, size_t *n)
{
	const uint8_t *p = gn_multiaddr_bytes(addr, n);
	struct gn_multiaddr_part part, last = {0};
	struct gn_cursor c;

	gn_multiaddr_walk(addr, &c);
	while (gn_multiaddr_next(&c, &part))
		last = part;
	if (last.code == GN_MA_P2P)
		*n -= last.size;
	return p;
}

bool gn_attempt_is_same_addr(const struct gn_multiaddr *a, const struct gn_multiaddr *b)
{
	size_t n_a, n_b;
	const uint8_t *at_a = addr_bytes(a, &n_a), *at_b = addr_bytes(b, &n_b);

	return n_a == n_b && memcmp(at_a, at_b, n_a) == 0;
}

static bool attempt_is_same(const struct gn_attempt *a, const struct gn_attempt_cfg *cfg)
{
	struct gn_peer_id id;

	if (a->is_probe || cfg->is_probe || a->role != GN_ROLE_BY_DIAL || cfg->role != GN_ROLE_BY_DIAL)
		return false;
	if (cfg->peer == NULL || !gn_peer_id_is_equal(&a->peer, cfg->peer) ||
	    !gn_attempt_is_same_addr(a->addr, cfg->addr))
		return false;
	if (gn_multiaddr_peer(cfg->addr, &id) == 0 && !gn_peer_id_is_equal(&id, cfg->peer))
		return false;
	/* Another name is another Host or SNI. */
	if (a->name == NULL || cfg->name == NULL)
		return a->name == cfg->name;
	return strcmp(a->name, cfg->name) == 0;
}

static struct gn_attempt *attempt_find(const struct gn_attempts *all, const struct gn_attempt_cfg *cfg)
{
	struct gn_list *at;

	gn_list_for_each(at, &all->running) {
		struct gn_attempt *a = gn_list_entry(at, struct gn_attempt, link);

		if (attempt_is_same(a, cfg))
			return a;
	}
	return NULL;
}

static int attempt_new(struct gn_attempts *all, const struct gn_attempt_cfg *cfg, struct gn_attempt **out)
{
	struct gn_attempt *a = calloc(1, sizeof *a);

	if (a == NULL)
		return -ENOMEM;
	a->all = all;
	a->origin = cfg->origin;
	a->role = cfg->role;
	a->is_probe = cfg->is_probe;
	a->since = gn_loop_now(all->node->loop);
	gn_list_init(&a->link);
	gn_list_init(&a->users);
	gn_timer_init(&a->timer, all->node->loop, attempt_on_timer, a);
	if (cfg->peer != NULL)
		a->peer = *cfg->peer;
	if (gn_multiaddr_dup(cfg->addr, &a->addr) != 0 ||
	    (cfg->name != NULL && (a->name = strdup(cfg->name)) == NULL)) {
		attempt_free(a);
		return -ENOMEM;
	}
	*out = a;
	return 0;
}

/* Errors as of dial in transport.h; GN_EPEERID, GN_ELIMIT, GN_ENOTRANS. */
static int attempt_connect(struct gn_attempt *a)
{
	struct gn_node *node = a->all->node;
	struct gn_link_dial_cfg cfg = {.loop = node->loop,
				       .node = node,
				       .addr = a->addr,
				       .name = a->name,
				       .avoids_listener = a->avoids_listener,
				       .on_done = attempt_on_link,
				       .arg = a};
	struct gn_peer_id id;

	if (a->peer.len > 0 && gn_multiaddr_peer(a->addr, &id) == 0 && !gn_peer_id_is_equal(&id, &a->peer))
		return GN_EPEERID;
	if (!gn_node_has_place(node))
		return GN_ELIMIT;
	a->transport = gn_node_transport(node, a->addr);
	if (a->transport == NULL)
		return GN_ENOTRANS;
	return a->transport->dial(gn_components_state(&node->components, a->transport), &cfg, &a->dial);
}

int gn_attempt_start(struct gn_attempts *all, const struct gn_attempt_cfg *cfg, struct gn_attempt_user *user)
{
	struct gn_attempt *a = attempt_find(all, cfg);
	int err;

	if (a == NULL) {
		if (!attempts_have_place(all) || (!cfg->has_turn && !gn_list_is_empty(&all->waiting)))
			return GN_EAGAIN;
		err = attempt_new(all, cfg, &a);
		if (err != 0)
			return err;
		err = attempt_connect(a);
		if (err != 0) {
			attempt_free(a);
			return err;
		}
		gn_list_add_tail(&all->running, &a->link);
		all->n++;
		gn_timer_start(&a->timer, all->node->cfg.limits.attempt);
	}
	user->attempt = a;
	gn_list_add_tail(&a->users, &user->link);
	return 0;
}

void gn_attempt_user_init(struct gn_attempt_user *user, void (*on_done)(void *arg, int err, struct gn_conn *c),
			  void *arg)
{
	gn_list_init(&user->link);
	user->attempt = NULL;
	user->on_done = on_done;
	user->arg = arg;
}

void gn_attempt_leave(struct gn_attempt_user *user)
{
	struct gn_attempt *a = user->attempt;

	if (a == NULL)
		return;
	gn_list_del(&user->link);
	user->attempt = NULL;
	if (a->is_done || !gn_list_is_empty(&a->users))
		return;
	attempt_abort(a);
	attempt_end(a);
	attempt_free(a);
}

bool gn_attempt_has_more_time(const struct gn_attempt_user *user)
{
	return user->attempt != NULL && user->attempt->conn != NULL && gn_conn_has_more_time(user->attempt->conn);
}
