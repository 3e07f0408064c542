/* SPDX-License-Identifier: MIT */
#include "node/limits.h"

#include <limits.h>
#include <string.h>

#include "node/node.h"
#include "node/stream.h"
#include "node/tags.h"

enum {
	REFUSED_MAX = 8,   /* connections that count as GN_COUNT_REFUSED at a time */
	UNUSED_AGE = 1000, /* ms: the least age of a connection that is closed as unused */
};

/* The marks of the connection manager are parts of conns, so gn_limits_fill() sets them. */
static const struct gn_limits limits_default = {
	.conns = 1024,
	.conns_per_addr = 16,
	.conns_pending = 64,
	.dials = 64,
	.streams_per_conn = 256,
	.streams_per_peer = 512,
	.memory = (size_t)256 << 20,
	.window = (size_t)64 << 20,
	.accept = 10 * GN_SEC,
	.first_stream = 60 * GN_SEC,
	.negotiate = 10 * GN_SEC,
	.dial = 15 * GN_SEC,
	.attempt = 10 * GN_SEC,
	.ping = 45 * GN_SEC,
	.keepalive = 15 * GN_SEC,
	.idle = 0,
};

void gn_limits_init(struct gn_limits *limits)
{
	*limits = limits_default;
}

static void limit_fill(void *field, const void *value, size_t n)
{
	static const uint64_t zero = 0;

	if (memcmp(field, &zero, n) == 0)
		memcpy(field, value, n);
}

void gn_limits_fill(struct gn_limits *limits)
{
#define FILL(name) limit_fill(&limits->name, &limits_default.name, sizeof limits->name)
	FILL(conns);
	if (limits->conns_high == 0)
		limits->conns_high = limits->conns - limits->conns / 16;
	if (limits->conns_low == 0)
		limits->conns_low = limits->conns_high - limits->conns_high / 5;
	if (limits->conns_low > limits->conns_high)
		limits->conns_low = limits->conns_high;
	FILL(conns_per_addr);
	FILL(conns_pending);
	FILL(dials);
	FILL(streams_per_conn);
	FILL(streams_per_peer);
	FILL(memory);
	FILL(window);
	if (limits->memory_per_peer == 0)
		limits->memory_per_peer = limits->memory / 8;
	FILL(accept);
	FILL(first_stream);
	FILL(negotiate);
	FILL(dial);
	FILL(attempt);
	FILL(ping);
	FILL(keepalive);
#undef FILL
	if (limits->keepalive == GN_NEVER)
		limits->keepalive = 0;
	if (limits->idle == GN_NEVER)
		limits->idle = 0;
}

/* ---- connections that are not admitted yet ---- */

static bool is_in_pending(enum gn_conn_count count)
{
	return count == GN_COUNT_PENDING || count == GN_COUNT_REFUSED;
}

static void counters_add(struct gn_conn *c, enum gn_conn_count count, unsigned n)
{
	struct gn_node *node = c->node;

	if (is_in_pending(count)) {
		node->n_pending += n;
		c->network->pending += n;
	}
	if (count == GN_COUNT_REFUSED)
		node->n_refused += n;
	if (count == GN_COUNT_ADMITTED) {
		node->n_admitted += n;
		c->network->conns += c->inbound ? n : 0;
	}
}

void gn_conn_count_as(struct gn_conn *c, enum gn_conn_count count)
{
	bool was_in = is_in_pending(c->count), is_in = is_in_pending(count);

	if (c->count == count)
		return;
	if (!was_in || !is_in)
		gn_list_del(&c->link_network);
	if (is_in && !was_in)
		gn_list_add_tail(&c->network->pending_conns, &c->link_network);
	counters_add(c, c->count, UINT_MAX); /* subtracts one */
	counters_add(c, count, 1);
	c->count = count;
	gn_networks_rank(&c->node->networks, c->network);
	if (count == GN_COUNT_ADMITTED)
		gn_manager_admitted(&c->node->manager);
}

int gn_node_make_room(struct gn_node *node)
{
	const struct gn_limits *lim = &node->cfg.limits;

	if (node->is_closing || lim->conns_pending == 0)
		return GN_ELIMIT;
	while (node->n_pending >= lim->conns_pending) {
		struct gn_pqueue_node *first = gn_pqueue_first(&node->networks.by_pending);
		struct gn_network *net = gn_list_entry(first, struct gn_network, by_pending);

		gn_conn_abort(gn_list_first(&net->pending_conns, struct gn_conn, link_network), GN_ELIMIT);
	}
	return 0;
}

/* ---- connections without a stream ---- */

/*     node->young --> network->unused_conns, after UNUSED_AGE; both are in the order in which the connections were added
 *     either --> none, when a stream gets its protocol, or the connection ends
 */

/* The connection may be closed to make room, if it is old enough. */
static void unused_add(struct gn_conn *c)
{
	if (c->inbound && c->count == GN_COUNT_ADMITTED && c->network->kind != GN_NETWORK_NONE)
		gn_list_add_tail(&c->node->young, &c->link_network);
}

/* Whether there is a reason to keep the connections to the peer. */
static bool peer_is_kept(const struct gn_peer *peer)
{
	struct gn_peer_value value;

	gn_tags_value(peer, &value);
	return value.is_protected || value.weight > 0;
}

static void unused_del(struct gn_conn *c)
{
	if (c->count != GN_COUNT_ADMITTED || gn_list_is_empty(&c->link_network))
		return;
	gn_list_del(&c->link_network);
	gn_networks_rank(&c->node->networks, c->network);
}

void gn_conn_opened(struct gn_conn *c)
{
	if (c->n_used == 0)
		unused_add(c);
}

void gn_conn_stream_opened(struct gn_conn *c)
{
	if (c->n_used++ == 0)
		unused_del(c);
}

void gn_conn_stream_closed(struct gn_conn *c)
{
	if (--c->n_used == 0 && c->state == GN_CONN_OPEN && c->report == GN_REPORT_OPENED)
		unused_add(c);
}

void gn_conns_untagged(const struct gn_peer *peer)
{
	struct gn_list *at;

	if (peer_is_kept(peer))
		return;
	gn_list_for_each(at, &peer->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_peer);

		if (c->n_used == 0 && c->state == GN_CONN_OPEN && c->report == GN_REPORT_OPENED &&
		    gn_list_is_empty(&c->link_network))
			unused_add(c);
	}
}

bool gn_conn_is_used(const struct gn_conn *c)
{
	return c->n_used > 0;
}

/* The unused connection that is oldest in the network that has the most connections; NULL.  Each connection is moved to
 * its network's list once, so this takes amortised O(log n) for n networks. */
static struct gn_conn *find_unused(struct gn_node *node)
{
	gn_time born = gn_loop_now(node->loop) - UNUSED_AGE * GN_MSEC;
	struct gn_pqueue_node *first;
	struct gn_conn *c;

	while ((c = gn_list_first(&node->young, struct gn_conn, link_network)) != NULL && c->since <= born) {
		node->networks.visits++;
		gn_list_del(&c->link_network);
		gn_list_add_tail(&c->network->unused_conns, &c->link_network);
		gn_networks_rank(&node->networks, c->network);
	}
	while ((first = gn_pqueue_first(&node->networks.by_conns)) != NULL) {
		const struct gn_network *net = gn_list_entry(first, struct gn_network, by_conns);

		node->networks.visits++;
		c = gn_list_first(&net->unused_conns, struct gn_conn, link_network);
		if (c->state == GN_CONN_OPEN && !peer_is_kept(c->peer))
			return c;
		unused_del(c); /* it is closing already, or gn_conns_untagged() adds it again */
	}
	return NULL;
}

/* ---- admission ---- */

static bool node_is_full(const struct gn_node *node)
{
	return node->n_admitted >= node->cfg.limits.conns;
}

/* Closes a connection whose place another one takes at once. */
static void close_for_room(struct gn_conn *c)
{
	gn_conn_count_as(c, GN_COUNT_NONE);
	gn_conn_close(c);
}

/* Inbound connections leave some places to the dials of this node. */
static bool node_is_full_for_inbound(const struct gn_node *node)
{
	return node->n_admitted >= node->cfg.limits.conns - node->cfg.limits.conns / 32;
}

/* The limit that one more connection would exceed, as a Go Away code; 0.  A full node closes an unused connection in
 * favour of a newcomer whose network has at least two fewer, so that no network can occupy all places (loopback
 * has no limit per address). */
static uint32_t broken_limit(struct gn_conn *c)
{
	const struct gn_limits *lim = &c->node->cfg.limits;
	const struct gn_network *net = c->network;
	struct gn_conn *other;

	if (net->kind != GN_NETWORK_NONE && !net->is_loopback && net->conns >= lim->conns_per_addr)
		return GN_GO_AWAY_CONNS_PER_ADDR;
	if (!node_is_full_for_inbound(c->node))
		return 0;
	other = lim->conns > 0 ? find_unused(c->node) : NULL;
	if (other == NULL || (!peer_is_kept(c->peer) && other->network->conns < net->conns + 2))
		return GN_GO_AWAY_CONNS;
	close_for_room(other);
	return 0;
}

bool gn_node_has_place(struct gn_node *node)
{
	return !node_is_full(node) || (node->cfg.limits.conns > 0 && find_unused(node) != NULL);
}

bool gn_node_make_place(struct gn_node *node)
{
	struct gn_conn *other;

	if (!node_is_full(node))
		return true;
	other = node->cfg.limits.conns > 0 ? find_unused(node) : NULL;
	if (other == NULL)
		return false;
	close_for_room(other);
	return true;
}

int gn_conn_admit(struct gn_conn *c)
{
	c->refusal = broken_limit(c);
	if (c->refusal == 0) {
		gn_conn_count_as(c, GN_COUNT_ADMITTED);
		return 0;
	}
	c->err = GN_ELIMIT;
	if (c->node->n_refused >= REFUSED_MAX)
		return GN_ELIMIT;
	gn_conn_count_as(c, GN_COUNT_REFUSED);
	return 0;
}

/* ---- streams ---- */

int gn_node_admits_stream(struct gn_node *node, const struct gn_conn *c)
{
	const struct gn_limits *lim = &node->cfg.limits;

	if (node->is_closing || c->refusal != 0 || (c->state == GN_CONN_CLOSING && c->count == GN_COUNT_NONE))
		return GN_ECLOSED;
	if (c->session == NULL || c->session->inbound >= lim->streams_per_conn)
		return GN_ELIMIT;
	return c->peer->scope.streams < lim->streams_per_peer ? 0 : GN_ELIMIT;
}
