/* SPDX-License-Identifier: MIT */
#include "node/host_watch.h"

#include "addr/multiaddr.h"
#include "base/log.h"
#include "loop/interfaces.h"
#include "node/listener.h"
#include "node/node.h"

static bool node_has_wildcard(const struct gn_node *node)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->own.addrs[GN_OWN_LISTENING])
		if (gn_multiaddr_scope(gn_list_entry(at, struct gn_own_addr, link)->addr) == GN_SCOPE_UNSPECIFIED)
			return true;
	return false;
}

/* FNV-1a of the node's addresses in their order.  -ENOMEM, -errno. */
static int host_addrs_hash(const struct gn_node *node, uint64_t *out)
{
	uint64_t hash = 0xcbf29ce484222325U;
	struct gn_multiaddr **addrs;
	size_t n;
	int err = gn_node_addrs(node, &addrs, &n);

	if (err != 0)
		return err;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const uint8_t *p = gn_multiaddr_bytes(addrs[i], &len);

		for (size_t k = 0; k < len; k++)
			hash = (hash ^ p[k]) * 0x100000001b3U;
	}
	gn_multiaddrs_free(addrs, n);
	*out = hash;
	return 0;
}

/* Most changes of interfaces, such as those that containers make, leave the node's addresses as they are. */
static void host_watch_on_change(void *arg)
{
	struct gn_node *node = arg;
	struct gn_host_watch *w = &node->host_watch;
	uint64_t hash;
	bool is_known;

	gn_listeners_check(node);
	is_known = host_addrs_hash(node, &hash) == 0;
	if (is_known && w->has_hash && w->hash == hash)
		return;
	w->has_hash = is_known;
	w->hash = is_known ? hash : 0;
	gn_node_changed(node);
}

void gn_host_watch_update(struct gn_node *node)
{
	struct gn_host_watch *w = &node->host_watch;
	int err;

	if (node->is_closing || (!node_has_wildcard(node) && !gn_listeners_retry(node))) {
		gn_host_watch_stop(node);
		return;
	}
	if (w->watch != NULL)
		return;
	err = gn_interfaces_watch_new(node->loop, host_watch_on_change, node, &w->watch);
	if (err != 0)
		gn_log(GN_LOG_DEBUG, "changes of this host's addresses are not noticed: %s", gn_strerror(err));
}

void gn_host_watch_stop(struct gn_node *node)
{
	gn_interfaces_watch_free(node->host_watch.watch);
	node->host_watch.watch = NULL;
	node->host_watch.has_hash = false;
}
