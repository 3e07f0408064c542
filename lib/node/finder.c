/* SPDX-License-Identifier: MIT */
#include "node/finder.h"

#include <errno.h>
#include <string.h>

#include "node/attached.h"
#include "node/node.h"

int gn_finder_attach(struct gn_node *node, const struct gn_finder_ops *ops, const void *config)
{
	const struct gn_attached_ops common = {ops, ops->start, ops->stop};

	return gn_attached_add(node, &node->finders, &common, config);
}

int gn_finder_detach(struct gn_node *node, const struct gn_finder_ops *ops)
{
	return gn_attached_del(&node->finders, ops);
}

int gn_topic_check(const struct gn_topic *topic)
{
	if (topic->len > GN_TOPIC_LEN_MAX)
		return GN_ETOOBIG;
	if ((topic->kind == GN_TOPIC_NODES) != (topic->len == 0))
		return -EINVAL;
	if (topic->kind == GN_TOPIC_NAMESPACE && memchr(topic->bytes, '\0', topic->len) != NULL)
		return -EINVAL;
	return 0;
}
