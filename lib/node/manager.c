/* SPDX-License-Identifier: MIT */
#include "node/manager.h"

#include <stdlib.h>

#include "base/time.h"
#include "node/limits.h"
#include "node/node.h"
#include "node/stream.h"
#include "node/tags.h"

struct candidate {
	struct gn_conn *conn;
	int64_t weight;
	unsigned n_own; /* streams that this node has opened */
};

static bool manager_is_over(const struct gn_manager *m)
{
	return m->node->n_admitted > m->node->cfg.limits.conns_high && !m->node->is_closing;
}

/* Whether the connection is old enough to be counted by a trim. */
static bool conn_is_counted(const struct gn_conn *c, gn_time now)
{
	return c->count == GN_COUNT_ADMITTED && c->state != GN_CONN_CLOSING &&
	       now - c->since >= GN_MANAGER_GRACE * GN_SEC;
}

/* Whether the connection carries a channel of the program, or another connection. */
static bool conn_has_channel(const struct gn_conn *c)
{
	struct gn_list *at;

	gn_list_for_each(at, &c->streams_open) {
		const struct gn_stream *s = gn_list_entry(at, struct gn_stream, link);

		if (s->is_channel || s->on_conn != NULL)
			return true;
	}
	return false;
}

/* Streams that this node has opened.  Those of the peer say nothing: it can open as many as it likes. */
static unsigned conn_own_streams(const struct gn_conn *c)
{
	struct gn_list *at;
	unsigned n = 0;

	gn_list_for_each(at, &c->streams_open) {
		const struct gn_stream *s = gn_list_entry(at, struct gn_stream, link);

		n += s->is_open && !s->inbound;
	}
	return n;
}

static bool conn_may_be_closed(const struct gn_conn *c, struct gn_peer_value *value)
{
	gn_tags_value(c->peer, value);
	return c->state == GN_CONN_OPEN && c->report == GN_REPORT_OPENED && !value->is_protected &&
	       !conn_has_channel(c) && gn_list_is_empty(&c->peer->dials);
}

/* For qsort(): the one that is closed first is the first. */
static int candidate_compare(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	if (a->n_own != b->n_own)
		return a->n_own < b->n_own ? -1 : 1;
	if (a->conn->inbound != b->conn->inbound)
		return a->conn->inbound ? -1 : 1;
	return (a->conn->since < b->conn->since) - (a->conn->since > b->conn->since);
}

/* Collects the connections that may be closed, and returns how many; *counted: how many are old enough. */
static size_t manager_collect(struct gn_manager *m, struct candidate *out, unsigned *counted)
{
	gn_time now = gn_loop_now(m->node->loop);
	struct gn_peer_value value;
	struct gn_list *at;
	size_t n = 0;

	*counted = 0;
	gn_list_for_each(at, &m->node->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		m->visits++;
		if (!conn_is_counted(c, now))
			continue;
		++*counted;
		if (conn_may_be_closed(c, &value))
			out[n++] = (struct candidate){c, value.weight, conn_own_streams(c)};
	}
	return n;
}

static void manager_trim(struct gn_manager *m)
{
	const struct gn_limits *lim = &m->node->cfg.limits;
	struct candidate *all = calloc(m->node->n_conns, sizeof *all);
	unsigned counted;
	size_t n;

	if (all == NULL)
		return; /* the next trim is not far */
	n = manager_collect(m, all, &counted);
	if (counted > lim->conns_low)
		qsort(all, n, sizeof *all, candidate_compare);
	for (size_t i = 0; i < n && counted > lim->conns_low; i++) {
		struct gn_peer_value value;
		struct gn_conn *c = all[i].conn;

		/* No connection is freed while others are closed, but what is called then may have changed this one. */
		if (c->count != GN_COUNT_ADMITTED || !conn_may_be_closed(c, &value))
			continue;
		gn_conn_close(c); /* it counts until it is gone, however long its peer makes that last */
		counted--;
	}
	free(all);
}

static void manager_on_timer(void *arg)
{
	struct gn_manager *m = arg;

	if (!manager_is_over(m))
		return;
	m->next = gn_time_add(gn_loop_now(m->node->loop), GN_MANAGER_INTERVAL * GN_SEC);
	manager_trim(m);
	gn_manager_admitted(m);
}

void gn_manager_init(struct gn_manager *m, struct gn_node *node)
{
	*m = (struct gn_manager){.node = node};
	gn_timer_init(&m->timer, node->loop, manager_on_timer, m);
}

void gn_manager_fini(struct gn_manager *m)
{
	gn_timer_fini(&m->timer);
}

void gn_manager_admitted(struct gn_manager *m)
{
	if (manager_is_over(m) && !gn_timer_is_running(&m->timer))
		gn_timer_start_at(&m->timer, gn_time_max(m->next, gn_loop_now(m->node->loop)));
}

void gn_conn_used_by_dial(struct gn_conn *c, bool is_transient)
{
	const struct gn_limits *lim = c->env->limits;
	gn_time now = gn_loop_now(c->env->loop);

	if (c->inbound)
		return;
	if (!is_transient) {
		c->is_wanted = true;
		if (c->is_transient)
			c->deadline = lim->idle > 0 ? gn_time_add(now, lim->idle) : GN_NEVER;
		c->is_transient = false;
	} else if (!c->is_wanted && !c->is_transient) {
		c->is_transient = true;
		c->deadline = gn_time_min(c->deadline, gn_time_add(now, GN_TRANSIENT_IDLE * GN_SEC));
	}
	gn_conn_post(c);
}
