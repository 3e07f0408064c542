/* SPDX-License-Identifier: MIT */
/* Intrusive, circular, doubly linked lists.  A head and a node are the same struct; both are initialised
 * with gn_list_init().  A node that is on no list points to itself, so gn_list_del() and
 * gn_list_is_empty() are valid on it. */
#ifndef GN_BASE_LIST_H
#define GN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct gn_list {
	struct gn_list *next, *prev;
};

static inline void gn_list_init(struct gn_list *node)
{
	node->next = node;
	node->prev = node;
}

/* For a head: whether the list has no nodes.  For a node: whether it is on no list. */
static inline bool gn_list_is_empty(const struct gn_list *head)
{
	return head->next == head;
}

static inline void gn_list_link(struct gn_list *prev, struct gn_list *node, struct gn_list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

/* The node must be on no list. */
static inline void gn_list_add_head(struct gn_list *head, struct gn_list *node)
{
	gn_list_link(head, node, head->next);
}

static inline void gn_list_add_tail(struct gn_list *head, struct gn_list *node)
{
	gn_list_link(head->prev, node, head);
}

/* Removes the node from its list.  A node that is on no list stays as it is. */
static inline void gn_list_del(struct gn_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	gn_list_init(node);
}

/* Moves all nodes of `from` to the end of `to`. */
static inline void gn_list_splice(struct gn_list *to, struct gn_list *from)
{
	if (gn_list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	gn_list_init(from);
}

/* Clang's analyzer does not see that a node which is deleted from its list leaves the other nodes, too, so it reports
 * a use after free in loops that free nodes.  To the analyzer, and only to it, these are functions that return a
 * pointer to anything. */
#ifdef __clang_analyzer__
void *gn_analyzer_unknown(const void *p);
struct gn_list *gn_list_next(const struct gn_list *node);
#define gn_list_entry(ptr, type, member) ((type *)(void *)((char *)gn_analyzer_unknown(ptr) - offsetof(type, member)))
#else
#define gn_analyzer_unknown(p) (p)
#define gn_list_next(node) ((node)->next)
#define gn_list_entry(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#endif

/* NULL when the list is empty. */
#define gn_list_first(head, type, member) \
	(gn_list_is_empty(head) ? (type *)NULL : gn_list_entry(gn_list_next(head), type, member))

/* pos and tmp are struct gn_list *.  The body of the _safe form may delete pos, but not the node after it;
 * the body of the other form may delete neither. */
#define gn_list_for_each(pos, head) for ((pos) = gn_list_next(head); (pos) != (head); (pos) = gn_list_next(pos))
#define gn_list_for_each_safe(pos, tmp, head)                                        \
	for ((pos) = gn_list_next(head), (tmp) = gn_list_next(pos); (pos) != (head); \
	     (pos) = (tmp), (tmp) = gn_list_next(pos))

#endif
