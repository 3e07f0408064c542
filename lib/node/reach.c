/* SPDX-License-Identifier: MIT */
#include "node/reach.h"

#include <errno.h>
#include <stdlib.h>

#include "node/attached.h"
#include "node/node.h"

struct reach_addr {
	struct gn_list link; /* in link->addrs */
	struct gn_multiaddr *addr;
	gn_time expires;
};

struct gn_reach_link {
	struct gn_node *node;
	const struct gn_reach_ops *ops;
	struct gn_reach_cfg cfg;
	void *state;
	struct gn_list addrs; /* that the component has added */
	struct gn_reach_status status;
	struct gn_task task; /* delivers what is pending */
	bool pending_status, pending_change;
};

const char *gn_reach_state_name(enum gn_reach_state state)
{
	static const char *const names[] = {"idle", "trying", "up", "failed"};

	return (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

struct gn_node *gn_reach_node(const struct gn_reach_link *link)
{
	return link->node;
}

/* ---- addresses ---- */

static struct reach_addr *reach_addr_find(const struct gn_reach_link *link, const struct gn_multiaddr *addr)
{
	struct gn_list *at;

	gn_list_for_each(at, &link->addrs)
		if (gn_multiaddr_is_equal(gn_list_entry(at, struct reach_addr, link)->addr, addr))
			return gn_list_entry(at, struct reach_addr, link);
	return NULL;
}

static void reach_addr_free(struct reach_addr *a)
{
	gn_list_del(&a->link);
	gn_multiaddr_free(a->addr);
	free(a);
}

/* Whether another component has added the same address, which has not expired there and therefore stays. */
static bool reach_is_shared(const struct gn_reach_link *link, const struct gn_multiaddr *addr)
{
	struct gn_list *at;

	gn_list_for_each(at, &link->node->reaches) {
		const struct gn_reach_link *other = gn_list_entry(at, struct gn_attached, link)->state;
		const struct reach_addr *same = other != link ? reach_addr_find(other, addr) : NULL;

		if (same != NULL && other->ops->origin == link->ops->origin &&
		    same->expires > gn_loop_now(link->node->loop))
			return true;
	}
	return false;
}

/* Forgets the address; whether the advertised addresses became other ones. */
static bool reach_addr_remove(struct gn_reach_link *link, struct reach_addr *a)
{
	bool changed = false;

	if (!reach_is_shared(link, a->addr))
		(void)gn_own_del(&link->node->own, link->ops->origin, a->addr, &changed);
	reach_addr_free(a);
	return changed;
}

static void reach_forget_expired(struct gn_reach_link *link)
{
	gn_time now = gn_loop_now(link->node->loop);
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &link->addrs)
		if (gn_list_entry(at, struct reach_addr, link)->expires <= now)
			reach_addr_free(gn_list_entry(at, struct reach_addr, link));
}

/* The entry of the address, which is added if there is none; NULL: no memory. */
static struct reach_addr *reach_addr_get(struct gn_reach_link *link, const struct gn_multiaddr *addr)
{
	struct reach_addr *a = reach_addr_find(link, addr);

	if (a != NULL)
		return a;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	if (gn_multiaddr_dup(addr, &a->addr) != 0) {
		free(a);
		return NULL;
	}
	gn_list_init(&a->link);
	gn_list_add_tail(&link->addrs, &a->link);
	return a;
}

int gn_reach_add(struct gn_reach_link *link, const struct gn_multiaddr *addr, gn_time expires)
{
	bool changed = false, was_there;
	struct reach_addr *a;
	int err;

	reach_forget_expired(link);
	was_there = reach_addr_find(link, addr) != NULL;
	a = reach_addr_get(link, addr);
	if (a == NULL)
		return -ENOMEM;
	err = gn_own_add(&link->node->own, link->ops->origin, addr, expires, &changed);
	if (err != 0) {
		if (!was_there)
			reach_addr_free(a);
		return err;
	}
	a->expires = expires;
	gn_node_own_changed(link->node, changed);
	return 0;
}

void gn_reach_del(struct gn_reach_link *link, const struct gn_multiaddr *addr)
{
	struct reach_addr *a = reach_addr_find(link, addr);

	if (a != NULL)
		gn_node_own_changed(link->node, reach_addr_remove(link, a));
}

/* ---- notifications ---- */

static void reach_on_task(struct gn_task *task)
{
	struct gn_reach_link *link = gn_list_entry(task, struct gn_reach_link, task);

	if (link->pending_change) {
		link->pending_change = false;
		link->ops->on_change(link->state);
	}
	if (link->pending_status) { /* last, because it may detach the component */
		struct gn_reach_status status = link->status;

		link->pending_status = false;
		link->cfg.on_status(link->cfg.arg, &status);
	}
}

void gn_reach_report(struct gn_reach_link *link, const struct gn_reach_status *status)
{
	const struct gn_reach_status *was = &link->status;

	if (was->state == status->state && was->err == status->err && was->retry == status->retry)
		return;
	link->status = *status;
	if (link->cfg.on_status == NULL)
		return;
	link->pending_status = true;
	gn_task_post(link->node->loop, &link->task);
}

void gn_reaches_changed(struct gn_node *node)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->reaches) {
		struct gn_reach_link *link = gn_list_entry(at, struct gn_attached, link)->state;

		if (link->ops->on_change == NULL)
			continue;
		link->pending_change = true;
		gn_task_post(node->loop, &link->task);
	}
}

/* ---- life ---- */

/* What gn_reach_attach() passes to reach_start(). */
struct reach_start {
	const struct gn_reach_ops *ops;
	const struct gn_reach_cfg *cfg;
};

static void reach_link_free(struct gn_reach_link *link)
{
	bool changed = false;
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &link->addrs)
		changed |= reach_addr_remove(link, gn_list_entry(at, struct reach_addr, link));
	gn_task_cancel(&link->task);
	if (!link->node->is_being_freed)
		gn_node_own_changed(link->node, changed);
	free(link);
}

static int reach_start(struct gn_node *node, const void *config, void **state)
{
	const struct reach_start *from = config;
	struct gn_reach_link *link = calloc(1, sizeof *link);
	int err;

	if (link == NULL)
		return -ENOMEM;
	link->node = node;
	link->ops = from->ops;
	link->cfg = *from->cfg;
	link->cfg.config = NULL; /* it is borrowed */
	link->status.retry = GN_NEVER;
	gn_list_init(&link->addrs);
	gn_task_init(&link->task, reach_on_task);
	err = link->ops->start(link, from->cfg->config, &link->state);
	if (err != 0) {
		reach_link_free(link);
		return err;
	}
	*state = link;
	return 0;
}

static void reach_stop(void *state)
{
	struct gn_reach_link *link = state;

	link->ops->stop(link->state);
	reach_link_free(link);
}

int gn_reach_attach(struct gn_node *node, const struct gn_reach_ops *ops, const struct gn_reach_cfg *cfg)
{
	const struct gn_attached_ops common = {ops, reach_start, reach_stop};
	const struct reach_start from = {ops, cfg};

	return gn_attached_add(node, &node->reaches, &common, &from);
}

int gn_reach_detach(struct gn_node *node, const struct gn_reach_ops *ops)
{
	return gn_attached_del(&node->reaches, ops);
}

int gn_reach_get(const struct gn_node *node, const struct gn_reach_ops *ops, struct gn_reach_status *out)
{
	const struct gn_attached *a = gn_attached_find(&node->reaches, ops);

	if (a == NULL)
		return -ENOENT;
	*out = ((const struct gn_reach_link *)a->state)->status;
	return 0;
}
