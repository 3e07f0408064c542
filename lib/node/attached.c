/* SPDX-License-Identifier: MIT */
#include "node/attached.h"

#include <errno.h>
#include <stdlib.h>

#include "node/node.h"

struct gn_attached *gn_attached_find(const struct gn_list *list, const void *ops)
{
	struct gn_list *at;

	gn_list_for_each(at, list)
		if (gn_list_entry(at, struct gn_attached, link)->ops == ops)
			return gn_list_entry(at, struct gn_attached, link);
	return NULL;
}

int gn_attached_add(struct gn_node *node, struct gn_list *list, const struct gn_attached_ops *ops, const void *config)
{
	struct gn_attached *a;
	struct gn_list *at;
	unsigned n = 0;
	int err;

	if (node->is_closing)
		return GN_ECLOSED;
	if (gn_attached_find(list, ops->ops) != NULL)
		return -EEXIST;
	gn_list_for_each(at, list)
		n++;
	if (n >= GN_ATTACHED_MAX)
		return GN_ELIMIT;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return -ENOMEM;
	a->ops = ops->ops;
	a->stop = ops->stop;
	gn_list_init(&a->link);
	err = ops->start(node, config, &a->state);
	if (err != 0) {
		free(a);
		return err;
	}
	gn_list_add_tail(list, &a->link);
	return 0;
}

static void attached_free(struct gn_attached *a)
{
	gn_list_del(&a->link);
	a->stop(a->state);
	free(a);
}

int gn_attached_del(struct gn_list *list, const void *ops)
{
	struct gn_attached *a = gn_attached_find(list, ops);

	if (a == NULL)
		return -ENOENT;
	attached_free(a);
	return 0;
}

void gn_attached_stop(struct gn_list *list)
{
	while (!gn_list_is_empty(list))
		attached_free(gn_list_entry(list->prev, struct gn_attached, link));
}
