/* SPDX-License-Identifier: MIT */
#include "node/paths.h"

#include "node/conn.h"
#include "node/node.h"
#include "node/service.h"

bool gn_conn_is_limited(const struct gn_conn *c)
{
	return c->path_bytes > 0 || c->path_seconds > 0;
}

void gn_conn_path_limits(const struct gn_conn *c, struct gn_path_limits *out)
{
	*out = (struct gn_path_limits){.bytes = c->path_bytes, .seconds = c->path_seconds};
}

void gn_conn_set_path(struct gn_conn *c, enum gn_path path, const struct gn_path_limits *limits)
{
	struct gn_path_limits now = {0};

	if (limits != NULL)
		now = *limits;
	if (c->path == path && c->path_bytes == now.bytes && c->path_seconds == now.seconds)
		return;
	c->path = path;
	c->path_bytes = now.bytes;
	c->path_seconds = now.seconds;
	gn_node_conn_path(c->node, c);
}

bool gn_conn_is_better(const struct gn_conn *a, const struct gn_conn *b)
{
	bool is_limited = gn_conn_is_limited(a);

	if (a->is_suspect != b->is_suspect)
		return b->is_suspect;
	if (a->path != b->path)
		return a->path == GN_PATH_DIRECT;
	if (is_limited != gn_conn_is_limited(b))
		return !is_limited;
	return a->since > b->since;
}

static bool conn_is_accepted(const struct gn_conn *c, unsigned flags)
{
	return gn_conn_is_usable(c) && !c->is_probe && ((flags & GN_FIND_LIMITED) != 0 || !gn_conn_is_limited(c)) &&
	       ((flags & GN_FIND_SUSPECT) != 0 || !c->is_suspect);
}

struct gn_conn *gn_node_find_conn(struct gn_node *node, const struct gn_peer_id *id, unsigned flags)
{
	struct gn_peer *peer = gn_peers_find(&node->peers, id);
	struct gn_conn *best = NULL;
	struct gn_list *at;

	if (peer == NULL)
		return NULL;
	gn_list_for_each(at, &peer->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_peer);

		node->peers.visits++;
		if (conn_is_accepted(c, flags) && (best == NULL || gn_conn_is_better(c, best)))
			best = c;
	}
	return best;
}
