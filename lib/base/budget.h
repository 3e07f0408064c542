/* SPDX-License-Identifier: MIT */
/*
 * Budgets of memory.  A budget may be a share of another one: what is charged to a share is charged
 * to its parent, too.  How large a share may grow is not fixed: it may hold as much as is free for
 * all others.  One share alone gets half of the parent, k greedy ones get 1 / (k + 1) each, and as
 * much stays free for whoever comes next.
 */
#ifndef GN_BASE_BUDGET_H
#define GN_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

struct gn_budget {
	size_t used;
	size_t max;               /* of a budget without a parent */
	struct gn_budget *parent; /* NULL, or what this is a share of; it has no parent itself */
};

static inline size_t gn_budget_free(const struct gn_budget *b)
{
	const struct gn_budget *root = b->parent != NULL ? b->parent : b;

	return root->max > root->used ? root->max - root->used : 0;
}

/* May n bytes more be charged?  b may be NULL: nothing is counted; this holds for all functions here. */
static inline bool gn_budget_has(const struct gn_budget *b, size_t n)
{
	size_t left;

	if (b == NULL)
		return true;
	left = gn_budget_free(b);
	if (n > left)
		return false;
	return b->parent == NULL || (b->used <= left - n && n <= left - n - b->used);
}

/* The same for what must not fail for want of a share: only the whole is looked at. */
static inline bool gn_budget_has_whole(const struct gn_budget *b, size_t n)
{
	return b == NULL || n <= gn_budget_free(b);
}

/* Charges n bytes, or returns false and charges nothing. */
static inline bool gn_budget_take_whole(struct gn_budget *b, size_t n)
{
	if (!gn_budget_has_whole(b, n))
		return false;
	if (b != NULL)
		b->used += n;
	if (b != NULL && b->parent != NULL)
		b->parent->used += n;
	return true;
}

static inline bool gn_budget_take(struct gn_budget *b, size_t n)
{
	return gn_budget_has(b, n) && gn_budget_take_whole(b, n);
}

/* The same for what is useful but not needed: leaves half of the whole to those who begin. */
static inline bool gn_budget_take_spare(struct gn_budget *b, size_t n)
{
	const struct gn_budget *root;

	if (b == NULL)
		return true;
	root = b->parent != NULL ? b->parent : b;
	if (root->used > root->max / 2 || n > root->max / 2 - root->used)
		return false;
	return gn_budget_take(b, n);
}

static inline void gn_budget_give(struct gn_budget *b, size_t n)
{
	if (b == NULL)
		return;
	b->used -= n;
	if (b->parent != NULL)
		b->parent->used -= n;
}

#endif
