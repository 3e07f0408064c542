/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/attached.h"
#include "node/dialer_internal.h"
#include "node/names.h"
#include "node/node.h"
#include "node/peerbook.h"
#include "node/router.h"

enum { LEARNT_NAMES_MAX = 4 }; /* names in learnt addresses that one dial looks up: each may lead to many queries */

/* Names that are being resolved. */
struct dial_lookup {
	struct gn_list link; /* in op->lookups */
	struct gn_dialer *op;
	struct gn_names *names;
	enum gn_addr_origin origin; /* GN_ORIGIN_ADDRESS: the caller gave the addresses */
};

/* ---- targets ---- */

void gn_dial_target_free(struct dial_target *t)
{
	gn_list_del(&t->link);
	gn_multiaddr_free(t->addr);
	free(t->name);
	free(t);
}

/* Whether the dial has the same address already, with whatever name. */
static bool dialer_has_target(const struct gn_dialer *op, const struct gn_multiaddr *addr)
{
	struct gn_list *at;

	gn_list_for_each(at, &op->targets)
		if (gn_attempt_is_same_addr(gn_list_entry(at, struct dial_target, link)->addr, addr))
			return true;
	return false;
}

bool gn_dialer_takes_path(const struct gn_dialer *op, const struct gn_multiaddr *addr)
{
	switch (op->cfg.target.path) {
	case GN_TARGET_DIRECT:
		return !gn_multiaddr_has(addr, GN_MA_P2P_CIRCUIT);
	case GN_TARGET_RELAYED:
		return gn_multiaddr_has(addr, GN_MA_P2P_CIRCUIT);
	default:
		return true;
	}
}

/* Appends an address, which it takes over, unless it has another path.  -ENOMEM: it is freed. */
static int dialer_add_target(struct gn_dialer *op, struct gn_resolved *from, enum gn_addr_origin origin)
{
	struct dial_target *t = NULL;
	int err = 0;

	if (op->n_targets < GN_DIALER_TARGETS_MAX && gn_dialer_takes_path(op, from->addr)) {
		t = calloc(1, sizeof *t);
		err = t != NULL ? 0 : -ENOMEM;
	}
	if (t != NULL) {
		t->op = op;
		t->addr = from->addr;
		t->name = from->name;
		t->origin = origin == GN_ORIGIN_ADDRESS && t->name != NULL ? GN_ORIGIN_DNS : origin;
		gn_attempt_user_init(&t->user, gn_dial_target_on_done, t);
		gn_list_init(&t->link);
		gn_list_add_tail(&op->targets, &t->link);
		op->n_targets++;
	} else {
		gn_multiaddr_free(from->addr);
		free(from->name);
	}
	*from = (struct gn_resolved){NULL, NULL};
	return err;
}

/* Appends addresses so that IPv6 and other ones alternate, IPv6 first, each kind in its own order. */
static int dialer_add_alternating(struct gn_dialer *op, struct gn_resolved *from, size_t n)
{
	bool want6 = true;
	int err = 0;

	for (size_t k = 0; k < n && err == 0; k++) {
		size_t pick = n;

		for (size_t i = 0; i < n && pick == n; i++)
			if (from[i].addr != NULL && gn_multiaddr_has(from[i].addr, GN_MA_IP6) == want6)
				pick = i;
		for (size_t i = 0; i < n && pick == n; i++)
			if (from[i].addr != NULL)
				pick = i;
		want6 = !gn_multiaddr_has(from[pick].addr, GN_MA_IP6);
		err = dialer_add_target(op, &from[pick], GN_ORIGIN_ADDRESS);
	}
	return err;
}

/* Appends addresses that the caller has not given, in their order.  Those that no transport serves are left out. */
static int dialer_add_learnt(struct gn_dialer *op, struct gn_resolved *from, size_t n, enum gn_addr_origin origin)
{
	int err = 0;

	for (size_t i = 0; i < n && err == 0; i++)
		if (gn_node_transport(op->node, from[i].addr) != NULL && !dialer_has_target(op, from[i].addr))
			err = dialer_add_target(op, &from[i], origin);
	return err;
}

/* ---- names ---- */

static void dial_lookup_free(struct dial_lookup *l)
{
	if (l->names != NULL)
		gn_names_cancel(l->names);
	gn_list_del(&l->link);
	free(l);
}

static void dialer_add_book(struct gn_dialer *op);

/* The names of learnt addresses may lead anywhere, as the addresses themselves, and to this host. */
static int dialer_add_resolved(struct gn_dialer *op, struct gn_resolved *resolved, size_t n, enum gn_addr_origin origin)
{
	struct gn_peerbook_host host = {NULL, 0, false};
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (!gn_multiaddr_is_loopback(resolved[i].addr) && gn_peerbook_may_dial(&host, resolved[i].addr)) {
			struct gn_resolved kept = resolved[i];

			resolved[i] = resolved[k];
			resolved[k++] = kept;
		}
	}
	gn_peerbook_host_fini(&host);
	return dialer_add_learnt(op, resolved, k, origin);
}

static void dial_lookup_on_done(void *arg, int err, struct gn_resolved *resolved, size_t n)
{
	struct dial_lookup *l = arg;
	struct gn_dialer *op = l->op;
	const enum gn_addr_origin origin = l->origin;

	l->names = NULL;
	dial_lookup_free(l);
	if (err == 0) {
		err = origin == GN_ORIGIN_ADDRESS ? dialer_add_alternating(op, resolved, n)
						  : dialer_add_resolved(op, resolved, n, origin);
		gn_resolved_free(resolved, n);
	} else if (origin != GN_ORIGIN_ADDRESS && err != -ENOMEM) {
		err = 0; /* of several sources one has failed */
	}
	if (err == -ENOMEM) {
		gn_dialer_finish(op, err, NULL);
		return;
	}
	if (err != 0 && (op->err == 0 || err != GN_ENONAME))
		op->err = err;
	if (origin == GN_ORIGIN_ADDRESS)
		dialer_add_book(op);
	gn_dialer_race(op);
}

static void dial_lookup_on_failed(void *arg, const struct gn_multiaddr *addr, int err)
{
	struct gn_dialer *op = ((struct dial_lookup *)arg)->op;

	op->err = gn_dialer_merge_errors(op->err, err);
	if (op->cfg.target.on_attempt != NULL) /* last, because it may cancel the dial */
		op->cfg.target.on_attempt(op->cfg.attempt_arg, addr, err, 0);
}

static int dialer_lookup(struct gn_dialer *op, const struct gn_multiaddr *const *addrs, size_t n,
			 enum gn_addr_origin origin)
{
	struct gn_names_cfg cfg = {.loop = op->node->loop,
				   .addrs = addrs,
				   .n_addrs = n,
				   .on_done = dial_lookup_on_done,
				   .on_failed = origin == GN_ORIGIN_ADDRESS ? dial_lookup_on_failed : NULL};
	struct dial_lookup *l = calloc(1, sizeof *l);

	if (l == NULL)
		return -ENOMEM;
	l->op = op;
	l->origin = origin;
	gn_list_init(&l->link);
	gn_list_add_tail(&op->lookups, &l->link);
	cfg.arg = l;
	if (gn_names_resolve(&cfg, &l->names) == 0)
		return 0;
	dial_lookup_free(l);
	return -ENOMEM;
}

/* ---- the book ---- */

/* Appends learnt addresses, which are freed, and resolves the names in them.  Without memory some are left out. */
static void dialer_learn(struct gn_dialer *op, struct gn_multiaddr **addrs, size_t n, enum gn_addr_origin origin)
{
	for (size_t i = 0; i < n; i++) {
		if (gn_names_is_in(addrs[i])) {
			const struct gn_multiaddr *named = addrs[i];

			if (op->n_targets < GN_DIALER_TARGETS_MAX && op->n_learnt_names++ < LEARNT_NAMES_MAX)
				(void)dialer_lookup(op, &named, 1, origin);
		} else {
			struct gn_resolved r = {addrs[i], NULL};

			(void)dialer_add_learnt(op, &r, 1, origin);
			addrs[i] = r.addr;
		}
		gn_multiaddr_free(addrs[i]);
	}
}

static void dialer_add_book(struct gn_dialer *op)
{
	struct gn_multiaddr *addrs[GN_BOOK_ADDRS_MAX];

	if (op->peer.len > 0 && !op->is_alone)
		dialer_learn(op, addrs, gn_peerbook_addrs(op->node, &op->peer, addrs), GN_ORIGIN_BOOK);
}

/* ---- routers ---- */

/* A search of one router. */
struct dial_find {
	struct gn_list link; /* in op->finds */
	struct gn_dialer *op;
	const struct gn_router_ops *ops;
	struct gn_router_find *find;
};

static void dial_find_free(struct dial_find *f)
{
	if (f->find != NULL)
		f->ops->cancel(f->find);
	gn_list_del(&f->link);
	free(f);
}

/* New addresses wait for the stagger interval only behind an attempt that runs. */
static void dial_find_on_addrs(void *arg, const struct gn_router_answer *answer)
{
	struct gn_dialer *op = ((struct dial_find *)arg)->op;
	struct gn_multiaddr *addrs[GN_BOOK_ADDRS_MAX];

	dialer_learn(op, addrs, gn_peerbook_routed(op->node, &op->peer, answer, addrs), GN_ORIGIN_ROUTER);
	if (op->n_running == 0 || !gn_timer_is_running(&op->stagger))
		gn_dialer_race_soon(op);
}

static void dialer_find_failed(struct gn_dialer *op, int err)
{
	if (err != 0 && (op->find_err == 0 || op->find_err == GN_ENOADDR))
		op->find_err = err;
}

static void dial_find_on_done(void *arg, int err)
{
	struct dial_find *f = arg;
	struct gn_dialer *op = f->op;

	f->find = NULL;
	dial_find_free(f);
	dialer_find_failed(op, err);
	gn_dialer_race_soon(op);
}

static int dialer_find(struct gn_dialer *op, const struct gn_attached *router)
{
	struct dial_find *f = calloc(1, sizeof *f);
	struct gn_router_find_cfg cfg = {.peer = op->peer,
					 .on_addrs = dial_find_on_addrs,
					 .on_done = dial_find_on_done,
					 .arg = f};
	int err;

	if (f == NULL)
		return -ENOMEM;
	f->op = op;
	f->ops = router->ops;
	gn_list_init(&f->link);
	gn_list_add_tail(&op->finds, &f->link);
	err = f->ops->find(router->state, &cfg, &f->find);
	if (err != 0)
		dial_find_free(f);
	return err;
}

void gn_dialer_addrs_more(struct gn_dialer *op)
{
	struct gn_list *at;

	if (!op->is_by_id)
		return;
	op->is_by_id = false;
	gn_list_for_each(at, &op->node->routers)
		dialer_find_failed(op, dialer_find(op, gn_list_entry(at, struct gn_attached, link)));
}

/* ---- for dialer.c ---- */

/* Whether a target's address is more than /p2p/ID, and may have the path that is asked for: /dnsaddr has any. */
static bool dialer_is_given(const struct gn_dialer *op, const struct gn_multiaddr *addr)
{
	return !gn_multiaddr_is_shape(addr, NULL, 0) &&
	       (gn_dialer_takes_path(op, addr) || gn_multiaddr_has(addr, GN_MA_DNSADDR));
}

int gn_dialer_addrs_start(struct gn_dialer *op)
{
	const struct gn_target *target = &op->cfg.target;
	const struct gn_multiaddr **addrs = calloc(target->n_addrs + 1, sizeof(const struct gn_multiaddr *));
	size_t n = 0;
	int err = 0;

	if (addrs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < target->n_addrs; i++)
		if (dialer_is_given(op, target->addrs[i]))
			addrs[n++] = target->addrs[i];
	op->is_by_id = n == 0 && !op->is_alone;
	if (n > 0) {
		err = dialer_lookup(op, addrs, n, GN_ORIGIN_ADDRESS);
	} else {
		dialer_add_book(op);
		gn_dialer_race_soon(op);
	}
	free(addrs);
	return err;
}

void gn_dialer_addrs_stop(struct gn_dialer *op)
{
	struct dial_lookup *l;
	struct dial_find *f;

	while ((l = gn_list_first(&op->lookups, struct dial_lookup, link)) != NULL)
		dial_lookup_free(l);
	while ((f = gn_list_first(&op->finds, struct dial_find, link)) != NULL)
		dial_find_free(f);
}

bool gn_dialer_addrs_is_pending(const struct gn_dialer *op)
{
	return !gn_list_is_empty(&op->lookups) || !gn_list_is_empty(&op->finds);
}

int gn_dialer_addrs_error(const struct gn_dialer *op)
{
	if (op->err != 0)
		return op->err;
	if (op->n_targets > 0)
		return GN_EUNREACH;
	return op->find_err != 0 ? op->find_err : GN_ENOADDR;
}
