/* SPDX-License-Identifier: MIT */
#include "node/negotiating.h"

#include "base/time.h"
#include "node/conn.h"

/* The limits per address do not apply to connections without an IP address. */
static bool has_limits(const struct gn_network *net)
{
	return net->kind != GN_NETWORK_NONE;
}

void gn_negotiating_add(struct gn_stream *s)
{
	struct gn_network *net = s->conn->network;

	gn_list_add_tail(&net->negotiating, &s->link_negotiating);
	net->n_negotiating++;
	s->conn->n_negotiating++;
}

void gn_negotiating_del(struct gn_stream *s)
{
	if (gn_list_is_empty(&s->link_negotiating))
		return;
	gn_list_del(&s->link_negotiating);
	s->conn->network->n_negotiating--;
	s->conn->n_negotiating--;
}

/* On a long or busy path a proposal may arrive long after the opening of its stream. */
gn_time gn_negotiating_grace(const struct gn_stream *s)
{
	gn_time span = GN_NEGOTIATING_GRACE * GN_MSEC + 2 * s->conn->session->rtt;

	span = gn_time_min(span, 3 * GN_NEGOTIATING_GRACE * GN_MSEC);
	return gn_time_min(span, s->conn->env->limits->negotiate);
}

bool gn_negotiating_is_crowded(const struct gn_stream *s)
{
	const struct gn_network *net = s->conn->network;

	return s->conn->n_negotiating > GN_NEGOTIATING_PER_CONN ||
	       (has_limits(net) && net->n_negotiating > GN_NEGOTIATING_PER_ADDR);
}

struct gn_stream *gn_negotiating_surplus(const struct gn_network *net)
{
	if (!has_limits(net) || net->n_negotiating <= GN_NEGOTIATING_BURST)
		return NULL;
	return gn_list_first(&net->negotiating, struct gn_stream, link_negotiating);
}
