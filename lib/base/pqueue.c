/* SPDX-License-Identifier: MIT */
#include "base/pqueue.h"

/* Melds two heaps into one.  Each may be NULL; neither root has siblings. */
static struct gn_pqueue_node *pqueue_meld(struct gn_pqueue *q, struct gn_pqueue_node *a, struct gn_pqueue_node *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	q->compares++;
	if (q->is_before(b, a)) {
		struct gn_pqueue_node *t = a;

		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (a->child != NULL)
		a->child->prev = b;
	a->child = b;
	return a;
}

/* Melds the children of a removed node into one heap: first in pairs, then the pairs from the last to the first.  This
 * order keeps the amortised cost of a removal at O(log n). */
static struct gn_pqueue_node *pqueue_meld_children(struct gn_pqueue *q, struct gn_pqueue_node *first)
{
	struct gn_pqueue_node *pairs = NULL, *root = NULL;

	while (first != NULL) {
		struct gn_pqueue_node *a = first, *b = a->next;

		first = b != NULL ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b != NULL)
			b->next = b->prev = NULL;
		a = pqueue_meld(q, a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		struct gn_pqueue_node *a = pairs;

		pairs = a->next;
		a->next = NULL;
		root = pqueue_meld(q, root, a);
	}
	return root;
}

void gn_pqueue_add(struct gn_pqueue *q, struct gn_pqueue_node *node)
{
	node->child = node->next = node->prev = NULL;
	q->root = pqueue_meld(q, q->root, node);
}

void gn_pqueue_del(struct gn_pqueue *q, struct gn_pqueue_node *node)
{
	struct gn_pqueue_node *rest;

	if (!gn_pqueue_has(q, node))
		return;
	rest = pqueue_meld_children(q, node->child);
	if (node == q->root) {
		q->root = rest;
	} else {
		if (node->prev->child == node)
			node->prev->child = node->next;
		else
			node->prev->next = node->next;
		if (node->next != NULL)
			node->next->prev = node->prev;
		q->root = pqueue_meld(q, q->root, rest);
	}
	*node = (struct gn_pqueue_node){NULL, NULL, NULL};
}
