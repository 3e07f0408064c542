/* SPDX-License-Identifier: MIT */
#include "node/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "id/key.h"
#include "node/attached.h"
#include "node/dialer.h"
#include "node/limits.h"
#include "node/listener.h"
#include "node/peerbook.h"
#include "node/shared_iobuf.h"
#include "node/stream.h"
#include "node/stream_link.h"
#include "node/tags.h"

/* ---- looking up ---- */

const struct gn_transport_ops *gn_node_transport(struct gn_node *node, const struct gn_multiaddr *addr)
{
	const struct gn_transport_ops *const *t = node->cfg.components->transports;

	while (*t != NULL && !(*t)->is_for(addr))
		t++;
	return *t;
}

void gn_node_id(const struct gn_node *node, struct gn_peer_id *out)
{
	*out = node->id;
}

/* ---- own addresses ---- */

void gn_node_own_changed(struct gn_node *node, bool changed)
{
	if (!node->is_closing)
		gn_timer_start_at(&node->own_timer, gn_own_next_expiry(&node->own));
	if (changed)
		gn_node_changed(node);
}

static void node_on_own_expiry(void *arg)
{
	struct gn_node *node = arg;
	bool changed;

	gn_own_expire(&node->own, gn_loop_now(node->loop), &changed);
	gn_node_own_changed(node, changed);
}

/* ---- closing ---- */

static void node_on_close_task(struct gn_task *task)
{
	struct gn_node *node = gn_list_entry(task, struct gn_node, close_task);
	void (*cb)(void *) = node->on_closed;

	gn_timer_stop(&node->close_timer);
	node->on_closed = NULL;
	if (cb != NULL)
		cb(node->closed_arg);
}

enum {
	NODE_TRIM_BYTES = 1 << 20, /* freed bytes from which on memory is returned */
	NODE_TRIM_DELAY = 1000,    /* ms: the least time between two calls */
};

static void node_on_trim(void *arg)
{
	((struct gn_node *)arg)->iobuf->freed = 0;
	gn_heap_trim();
}

void gn_node_released(struct gn_node *node)
{
	if (node->iobuf->freed >= NODE_TRIM_BYTES && !gn_timer_is_running(&node->trim_timer))
		gn_timer_start(&node->trim_timer, NODE_TRIM_DELAY * GN_MSEC);
}

static void node_check_closed(struct gn_node *node)
{
	struct gn_list *at;

	if (!node->is_past_limit)
		return;
	gn_list_for_each(at, &node->conns)
		if (gn_list_entry(at, struct gn_conn, link_node)->state != GN_CONN_GONE)
			return;
	gn_task_post(node->loop, &node->close_task);
}

/* The limit of gn_node_close() has expired.  A connection with streams that have an owner is aborted.  The others
 * still send what was queued in good order, as long as the peer acknowledges it, see conn.c; so do the connections that
 * carry them. */
static void node_on_close_limit(void *arg)
{
	struct gn_node *node = arg;
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &node->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		if (gn_stream_links_are_all(c))
			gn_conn_close(c);
		else
			gn_conn_abort(c, GN_ECLOSED);
	}
	node->is_past_limit = true;
	node_check_closed(node);
}

int gn_node_close(struct gn_node *node, gn_time limit, void (*done)(void *arg), void *arg)
{
	struct gn_list *at;

	if (node->is_closing)
		return GN_ECLOSED;
	node->is_closing = true;
	node->conn_env.closes_unused = true;
	node->on_closed = done;
	node->closed_arg = arg;
	gn_timer_stop(&node->own_timer);
	gn_listeners_close(node);
	gn_host_watch_stop(node);
	gn_dialers_close(node);
	gn_services_close(node);
	gn_list_for_each(at, &node->conns)
		gn_conn_post(gn_list_entry(at, struct gn_conn, link_node));
	if (node->n_conns == 0)
		gn_task_post(node->loop, &node->close_task);
	else
		gn_timer_start(&node->close_timer, limit);
	return 0;
}

/* ---- what connections report, struct gn_conn_events ---- */

static void node_on_conn_added(struct gn_node *node, struct gn_conn *c)
{
	gn_list_add_tail(&node->conns, &c->link_node);
	node->n_conns++;
	gn_conn_count_as(c, c->inbound ? GN_COUNT_PENDING : GN_COUNT_ADMITTED);
}

static int node_on_conn_secured(struct gn_node *node, struct gn_conn *c)
{
	int err = 0;

	if (node->cfg.gate != NULL)
		err = node->cfg.gate(node->cfg.arg, gn_conn_peer(c), c->remote, c->inbound);
	if (err == 0)
		return c->inbound ? gn_conn_admit(c) : 0;
	c->refusal = GN_GO_AWAY_GATED;
	c->err = err;
	return 0;
}

static void node_on_conn_opened(struct gn_node *node, struct gn_conn *c)
{
	gn_conn_opened(c);
	gn_node_conn_opened(node, c);
}

static int node_on_conn_admit(struct gn_node *node, struct gn_conn *c)
{
	return gn_node_admits_stream(node, c);
}

static void node_on_conn_incoming(struct gn_node *node, struct gn_conn *c, struct gn_mux_stream *st)
{
	(void)node;
	gn_stream_incoming(c, st);
}

/* Connections over streams of this one close first. */
static void node_on_conn_closing(struct gn_node *node, struct gn_conn *c)
{
	gn_stream_links_notify(c, 0);
	gn_node_conn_closing(node, c);
}

/* Connections over streams of this one end first, so that nobody finds a usable connection whose carrier is gone. */
static void node_on_conn_gone(struct gn_node *node, struct gn_conn *c)
{
	gn_stream_links_notify(c, c->err);
	gn_conn_count_as(c, GN_COUNT_NONE);
	if (c->report == GN_REPORT_OPENED)
		gn_node_conn_gone(node, c);
	gn_peerbook_gone(c);
	node_check_closed(node);
}

static void node_on_conn_freed(struct gn_node *node, struct gn_conn *c)
{
	gn_conn_count_as(c, GN_COUNT_NONE);
	node->bytes_in += c->bytes_in;
	node->bytes_out += c->bytes_out;
	gn_list_del(&c->link_node);
	node->n_conns--;
	if (node->is_closing && node->n_conns == 0)
		gn_task_post(node->loop, &node->close_task);
	gn_node_released(node);
}

static int node_conn_env_init(struct gn_node *node)
{
	static const struct gn_conn_events events = {
		.added = node_on_conn_added,
		.secured = node_on_conn_secured,
		.opened = node_on_conn_opened,
		.suspect = gn_node_conn_suspect,
		.closing = node_on_conn_closing,
		.admit = node_on_conn_admit,
		.incoming = node_on_conn_incoming,
		.is_used = gn_conn_is_used,
		.gone = node_on_conn_gone,
		.freed = node_on_conn_freed,
	};
	struct gn_conn_env *env = &node->conn_env;

	env->loop = node->loop;
	env->iobuf = node->iobuf;
	env->networks = &node->networks;
	env->peers = &node->peers;
	env->components = &node->components;
	env->limits = &node->cfg.limits;
	env->key = node->key;
	env->events = &events;
	return gn_upgrade_init(&env->upgrade, node->cfg.components);
}

/* ---- life ---- */

static int node_init(struct gn_node *node)
{
	int err = gn_shared_iobuf_acquire(node->loop, &node->iobuf);

	if (err == 0)
		err = gn_key_dup(node->cfg.key, &node->key);
	if (err != 0)
		return err;
	gn_key_id(node->key, &node->id);
	node->agent = strdup(node->cfg.agent != NULL ? node->cfg.agent : "golem-net/" GN_VERSION);
	if (node->agent == NULL)
		return -ENOMEM;
	node->since = gn_loop_now(node->loop);
	err = node_conn_env_init(node);
	if (err == 0)
		err = gn_components_start(&node->components, node, &node->cfg);
	return err != 0 ? err : gn_services_start(node);
}

int gn_node_new(const struct gn_node_cfg *cfg, struct gn_node **out)
{
	struct gn_node *node;
	int err;

	if (cfg->loop == NULL || cfg->key == NULL || cfg->components == NULL)
		return -EINVAL;
	node = calloc(1, sizeof *node);
	if (node == NULL)
		return -ENOMEM;
	node->loop = cfg->loop;
	node->cfg = *cfg;
	gn_limits_fill(&node->cfg.limits);
	gn_scope_init(&node->scope, NULL, node->cfg.limits.memory);
	gn_networks_init(&node->networks, &node->scope);
	gn_peers_init(&node->peers, node->cfg.limits.memory_per_peer);
	gn_own_init(&node->own);
	gn_list_init(&node->conns);
	gn_list_init(&node->young);
	gn_list_init(&node->listeners);
	gn_list_init(&node->dials);
	gn_attempts_init(&node->attempts, node);
	gn_list_init(&node->tagged);
	gn_manager_init(&node->manager, node);
	gn_list_init(&node->services);
	gn_list_init(&node->routers);
	gn_list_init(&node->finders);
	gn_list_init(&node->reaches);
	gn_timer_init(&node->close_timer, node->loop, node_on_close_limit, node);
	gn_timer_init(&node->own_timer, node->loop, node_on_own_expiry, node);
	gn_timer_init(&node->trim_timer, node->loop, node_on_trim, node);
	gn_task_init(&node->close_task, node_on_close_task);
	err = node_init(node);
	node->cfg.configs = NULL; /* it was borrowed */
	if (err != 0) {
		gn_node_free(node);
		return err;
	}
	*out = node;
	return 0;
}

void gn_node_free(struct gn_node *node)
{
	if (node == NULL)
		return;
	node->is_closing = node->is_being_freed = true;
	node->on_closed = NULL;
	gn_dialers_free(node);
	gn_attempts_fini(&node->attempts);
	gn_listeners_close(node);
	gn_host_watch_stop(node);
	gn_services_stop(node);
	gn_attached_stop(&node->reaches);
	gn_attached_stop(&node->finders);
	gn_attached_stop(&node->routers);
	/* The youngest first: a connection over a stream is younger than the one that carries it. */
	while (!gn_list_is_empty(&node->conns)) {
		struct gn_conn *c = gn_list_entry(node->conns.prev, struct gn_conn, link_node);

		gn_streams_free(c);
		gn_conn_free(c);
	}
	gn_tags_free(node);
	gn_manager_fini(&node->manager);
	gn_components_stop(&node->components);
	gn_upgrade_fini(&node->conn_env.upgrade);
	gn_networks_fini(&node->networks);
	gn_peers_fini(&node->peers);
	gn_own_fini(&node->own);
	gn_book_free(node->book);
	gn_registry_fini(&node->registry);
	gn_timer_fini(&node->close_timer);
	gn_timer_fini(&node->trim_timer);
	gn_timer_fini(&node->own_timer);
	gn_task_cancel(&node->close_task);
	if (node->iobuf != NULL)
		gn_shared_iobuf_release(node->loop);
	gn_key_free(node->key);
	free(node->agent);
	free(node);
}

void gn_node_metrics(const struct gn_node *node, struct gn_metrics *out)
{
	gn_time now = gn_loop_now(node->loop), last_received = 0;
	struct gn_list *at;

	memset(out, 0, sizeof *out);
	out->bytes_in = node->bytes_in;
	out->bytes_out = node->bytes_out;
	out->frames_in = node->frames_in;
	out->frames_out = node->frames_out;
	out->age = now - node->since;
	out->channels = node->n_channels;
	gn_list_for_each(at, &node->conns) {
		const struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		out->bytes_in += c->bytes_in;
		out->bytes_out += c->bytes_out;
		if (c->state == GN_CONN_OPEN)
			out->conns++;
		if (c->session != NULL && c->session->last_received > last_received)
			last_received = c->session->last_received;
	}
	out->silence = last_received > 0 ? now - last_received : out->age;
}
