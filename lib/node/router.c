/* SPDX-License-Identifier: MIT */
#include "node/router.h"

#include "node/attached.h"
#include "node/node.h"

int gn_router_attach(struct gn_node *node, const struct gn_router_ops *ops, const void *config)
{
	const struct gn_attached_ops common = {ops, ops->start, ops->stop};

	return gn_attached_add(node, &node->routers, &common, config);
}

int gn_router_detach(struct gn_node *node, const struct gn_router_ops *ops)
{
	return gn_attached_del(&node->routers, ops);
}
