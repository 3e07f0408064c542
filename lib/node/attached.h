/* SPDX-License-Identifier: MIT */
/*
 * Components that are attached to a node at run time, one list for each interface: router.h, finder.h, reach.h.  A
 * service may attach what belongs to it in its start(), and detach it in its stop().
 */
#ifndef GN_NODE_ATTACHED_H
#define GN_NODE_ATTACHED_H

#include "base/list.h"
#include "gn.h"

enum { GN_ATTACHED_MAX = 16 }; /* of one interface */

struct gn_attached {
	struct gn_list link;
	const void *ops; /* of the list's interface */
	void *state;
	void (*stop)(void *state);
};

/* What the interfaces have in common. */
struct gn_attached_ops {
	const void *ops;
	int (*start)(struct gn_node *node, const void *config, void **state);
	void (*stop)(void *state);
};
/* Starts the component and adds it to the end of the list.  0; -EEXIST: it is attached; GN_ECLOSED: the node is closing;
 * GN_ELIMIT: GN_ATTACHED_MAX; -ENOMEM; an error of start(). */
int gn_attached_add(struct gn_node *node, struct gn_list *list, const struct gn_attached_ops *ops, const void *config);
/* Removes the component from the list, stops it and frees it.  -ENOENT: it is not attached. */
int gn_attached_del(struct gn_list *list, const void *ops);
/* Stops all, the last one first, when the node is being freed. */
void gn_attached_stop(struct gn_list *list);
/* NULL: it is not attached. */
struct gn_attached *gn_attached_find(const struct gn_list *list, const void *ops);

#endif
