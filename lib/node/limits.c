/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "addr/multiaddr.h"
#include "node/conn.h"
#include "node/node.h"

void gn_limits_init(struct gn_limits *limits)
{
	static const struct gn_limits stock = {
		.conns = 1024,
		.conns_per_addr = 16,
		.conns_pending = 64,
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

	*limits = stock;
}

/* The network that an address counts for: an IPv4 address, or an IPv6 /64. */
static bool is_same_net(const struct gn_ip *a, const struct gn_ip *b)
{
	return a->is_ip6 == b->is_ip6 && memcmp(a->addr, b->addr, a->is_ip6 ? 8 : 4) == 0;
}

bool gn_node_is_full(const struct gn_node *node)
{
	return node->n_conns >= node->cfg.limits.conns;
}

int gn_node_admits_conn(struct gn_node *node, const struct gn_multiaddr *remote)
{
	const struct gn_limits *lim = &node->cfg.limits;
	struct gn_ip from, ip;
	struct gn_list *at;
	unsigned n = 0;

	if (node->is_closing || gn_node_is_full(node) || node->n_pending >= lim->conns_pending)
		return GN_ELIMIT;
	if (gn_multiaddr_to_ip(remote, &from, NULL) != 0)
		return 0;
	gn_list_for_each(at, &node->conns) {
		const struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		if (c->inbound && c->state != GN_CONN_GONE && gn_multiaddr_to_ip(c->remote, &ip, NULL) == 0 &&
		    is_same_net(&from, &ip))
			n++;
	}
	return n < lim->conns_per_addr ? 0 : GN_ELIMIT;
}

int gn_node_admits_stream(struct gn_node *node, const struct gn_conn *c)
{
	const struct gn_limits *lim = &node->cfg.limits;
	struct gn_list *at;
	unsigned n = 0;

	if (node->is_closing || c->is_refused)
		return GN_ECLOSED;
	if (c->session == NULL || c->session->inbound >= lim->streams_per_conn)
		return GN_ELIMIT;
	gn_list_for_each(at, &node->conns) {
		const struct gn_conn *other = gn_list_entry(at, struct gn_conn, link_node);

		if (other->session != NULL && gn_peer_id_is_equal(&other->peer, &c->peer))
			n += other->session->inbound;
	}
	return n < lim->streams_per_peer ? 0 : GN_ELIMIT;
}
