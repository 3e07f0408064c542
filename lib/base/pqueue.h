/* SPDX-License-Identifier: MIT */
/*
 * A priority queue: a pairing heap whose nodes are members of the entries, so that adding an entry allocates nothing
 * and cannot fail.  Adding takes constant time, and removing takes amortised O(log n).
 */
#ifndef GN_BASE_PQUEUE_H
#define GN_BASE_PQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: the node is in no queue. */
struct gn_pqueue_node {
	struct gn_pqueue_node *child, *next, *prev; /* prev: the sibling before, or the parent of a first child */
};

struct gn_pqueue {
	struct gn_pqueue_node *root;
	/* The order of two entries.  An entry whose place has changed is deleted and added again before the next call
	 * for another entry. */
	bool (*is_before)(struct gn_pqueue_node *a, struct gn_pqueue_node *b);
	uint64_t compares; /* calls of is_before, which tests read */
};

/* The node must be in no queue. */
void gn_pqueue_add(struct gn_pqueue *q, struct gn_pqueue_node *node);
/* A node that is in no queue stays as it is. */
void gn_pqueue_del(struct gn_pqueue *q, struct gn_pqueue_node *node);
/* An entry that is before all others; NULL when the queue is empty. */
static inline struct gn_pqueue_node *gn_pqueue_first(const struct gn_pqueue *q)
{
	return q->root;
}

/* Whether the node is in this queue.  It must be in no other one. */
static inline bool gn_pqueue_has(const struct gn_pqueue *q, const struct gn_pqueue_node *node)
{
	return node->prev != NULL || node == q->root;
}

#endif
