/* SPDX-License-Identifier: MIT */
#include "node/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr.h"
#include "node/conn.h"
#include "node/node.h"

struct event_item {
	struct gn_list link; /* in pending */
	struct gn_event event;
	struct gn_multiaddr *addr;
};

struct events {
	struct gn_node *node;
	struct gn_list pending;
	struct gn_task task;         /* delivers what is pending */
	bool is_addrs_dirty;         /* the own addresses are to be compared with addrs */
	struct gn_multiaddr **addrs; /* those that were reported */
	size_t n_addrs;
};

const char *gn_event_name(enum gn_event_type type)
{
	static const char *const names[] = {"connected", "gone",        "path",          "addr-new",
					    "addr-lost", "listener-up", "listener-down", "reach"};

	return (size_t)type < sizeof names / sizeof *names ? names[type] : "unknown";
}

const char *gn_reach_name(enum gn_reach reach)
{
	static const char *const names[] = {"unknown", "public", "private"};

	return (size_t)reach < sizeof names / sizeof *names ? names[reach] : "unknown";
}

/* ---- the queue ---- */

static void event_item_free(struct event_item *item)
{
	gn_list_del(&item->link);
	gn_multiaddr_free(item->addr);
	free(item);
}

static void event_push(struct events *ev, const struct gn_event *event)
{
	struct event_item *item = calloc(1, sizeof *item);

	if (item == NULL)
		return;
	item->event = *event;
	gn_list_init(&item->link);
	if (gn_multiaddr_dup(event->addr, &item->addr) != 0) {
		event_item_free(item);
		return;
	}
	item->event.addr = item->addr;
	gn_list_add_tail(&ev->pending, &item->link);
	gn_task_post(ev->node->loop, &ev->task);
}

static void event_push_addr(struct events *ev, enum gn_event_type type, const struct gn_multiaddr *addr)
{
	struct gn_event event = {.type = type, .addr = addr};

	event_push(ev, &event);
}

static bool event_has_addr(struct gn_multiaddr *const *addrs, size_t n, const struct gn_multiaddr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (gn_multiaddr_is_equal(addrs[i], addr))
			return true;
	return false;
}

/* Reports the differences between the own addresses and those that were reported.  Both lists are short. */
static void event_compare_addrs(struct events *ev)
{
	struct gn_multiaddr **addrs;
	size_t n;

	if (!ev->is_addrs_dirty || gn_node_addrs(ev->node, &addrs, &n) != 0)
		return;
	ev->is_addrs_dirty = false;
	for (size_t i = 0; i < ev->n_addrs; i++)
		if (!event_has_addr(addrs, n, ev->addrs[i]))
			event_push_addr(ev, GN_EVENT_ADDR_LOST, ev->addrs[i]);
	for (size_t i = 0; i < n; i++)
		if (!event_has_addr(ev->addrs, ev->n_addrs, addrs[i]))
			event_push_addr(ev, GN_EVENT_ADDR_NEW, addrs[i]);
	gn_multiaddrs_free(ev->addrs, ev->n_addrs);
	ev->addrs = addrs;
	ev->n_addrs = n;
}

static void events_on_task(struct gn_task *task)
{
	struct events *ev = gn_list_entry(task, struct events, task);
	const struct gn_node_cfg *cfg = &ev->node->cfg;
	struct event_item *item;

	event_compare_addrs(ev);
	while ((item = gn_list_first(&ev->pending, struct event_item, link)) != NULL) {
		cfg->on_event(cfg->arg, &item->event);
		event_item_free(item);
	}
}

static void events_on_change(void *state)
{
	struct events *ev = state;

	ev->is_addrs_dirty = true;
	gn_task_post(ev->node->loop, &ev->task);
}

void gn_event_listener(struct gn_node *node, const struct gn_multiaddr *bound, int err)
{
	struct events *ev = gn_node_service(node, &gn_service_events);
	struct gn_event event = {.type = err == 0 ? GN_EVENT_LISTENER_UP : GN_EVENT_LISTENER_DOWN,
				 .err = err,
				 .addr = bound};

	if (ev == NULL || node->is_being_freed)
		return;
	event_push(ev, &event);
	events_on_change(ev);
}

int gn_node_set_reach(struct gn_node *node, const struct gn_multiaddr *addr, enum gn_reach reach)
{
	struct events *ev = gn_node_service(node, &gn_service_events);
	struct gn_event event = {.type = GN_EVENT_REACH, .reach = reach};
	struct gn_multiaddr *whole;
	bool changed;
	int err = gn_own_set_reach(&node->own, addr, reach, &changed);

	if (err != 0 || !changed || ev == NULL || gn_multiaddr_with_peer(addr, &node->id, &whole) != 0)
		return err;
	/* If the address is new, that is reported before. */
	event_compare_addrs(ev);
	event.addr = whole;
	event_push(ev, &event);
	gn_multiaddr_free(whole);
	return 0;
}

enum gn_reach gn_addr_reach(const struct gn_node *node, const struct gn_multiaddr *addr)
{
	struct gn_multiaddr *bare;
	enum gn_reach reach = GN_REACH_UNKNOWN;

	if (gn_multiaddr_without_peer(addr, &bare) != 0)
		return reach;
	reach = gn_own_reach(&node->own, bare);
	gn_multiaddr_free(bare);
	return reach;
}

/* ---- peers ---- */

static void event_push_conn(struct events *ev, enum gn_event_type type, const struct gn_conn *c)
{
	struct gn_event event = {.type = type,
				 .peer = *gn_conn_peer(c),
				 .addr = c->remote,
				 .inbound = c->inbound,
				 .path = c->path};

	if (type == GN_EVENT_GONE)
		event.err = c->err != 0 ? c->err : GN_EGONE;
	event_push(ev, &event);
}

/* Whether the connection counts as one to its peer: it is open or closing, and no probe. */
static bool event_counts(const struct gn_conn *c)
{
	return c->report == GN_REPORT_OPENED && c->state != GN_CONN_GONE && !c->is_probe;
}

/* Whether new channels use a rather than b. */
static bool event_is_better(const struct gn_conn *a, const struct gn_conn *b)
{
	bool is_usable = gn_conn_is_usable(a);

	return is_usable != gn_conn_is_usable(b) ? is_usable : gn_conn_is_better(a, b);
}

/* The connection to the peer that new channels use; NULL. */
static struct gn_conn *event_choose_conn(const struct gn_peer *peer)
{
	struct gn_conn *best = peer->reported != NULL && event_counts(peer->reported) ? peer->reported : NULL;
	struct gn_list *at;

	gn_list_for_each(at, &peer->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_peer);

		if (event_counts(c) && (best == NULL || event_is_better(c, best)))
			best = c;
	}
	return best;
}

/* A connection has changed.  Reports it if new channels use another connection than before; returns whether. */
static bool event_update(struct events *ev, const struct gn_conn *c)
{
	struct gn_peer *peer = c->peer;
	struct gn_conn *best = event_choose_conn(peer), *before = peer->reported;

	if (best == before)
		return false;
	peer->reported = best;
	if (best == NULL)
		event_push_conn(ev, GN_EVENT_GONE, c);
	else
		event_push_conn(ev, before == NULL ? GN_EVENT_CONNECTED : GN_EVENT_PATH, best);
	return true;
}

static void events_on_conn(void *state, struct gn_conn *c)
{
	event_update(state, c);
}

static void events_on_gone(void *state, struct gn_conn *c)
{
	event_update(state, c);
}

static void events_on_path(void *state, struct gn_conn *c)
{
	/* If another connection is used after the change, only that is reported. */
	if (!event_update(state, c) && c->peer->reported == c)
		event_push_conn(state, GN_EVENT_PATH, c);
}

static void events_on_suspect(void *state, struct gn_conn *c)
{
	event_update(state, c);
}

/* ---- life ---- */

static int events_start(struct gn_node *node, const void *config, void **state)
{
	struct events *ev = calloc(1, sizeof *ev);

	(void)config;
	if (ev == NULL)
		return -ENOMEM;
	ev->node = node;
	gn_list_init(&ev->pending);
	gn_task_init(&ev->task, events_on_task);
	*state = ev;
	return 0;
}

static void events_stop(void *state)
{
	struct events *ev = state;
	struct event_item *item;

	while ((item = gn_list_first(&ev->pending, struct event_item, link)) != NULL)
		event_item_free(item);
	gn_task_cancel(&ev->task);
	gn_multiaddrs_free(ev->addrs, ev->n_addrs);
	free(ev);
}

const struct gn_service_ops gn_service_events = {
	.name = "events",
	.start = events_start,
	.stop = events_stop,
	.on_conn = events_on_conn,
	.on_path = events_on_path,
	.on_suspect = events_on_suspect,
	.on_change = events_on_change,
	.on_gone = events_on_gone,
};
