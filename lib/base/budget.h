/* SPDX-License-Identifier: MIT */
/*
 * Memory budgets.  A budget may be a share of another one; bytes that are charged to a share are charged
 * to its parent, too.  A share has no fixed maximum: it may hold as much as its parent still has free.  A
 * single share therefore gets at most half of the parent, and k shares that take all they can get 1 / (k +
 * 1) of it each, so that as much stays free for the next one.
 */
#ifndef GN_BASE_BUDGET_H
#define GN_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

struct gn_budget {
	size_t used;
	size_t max;               /* used only by a budget without a parent */
	struct gn_budget *parent; /* the budget that this is a share of, or NULL; a parent has no parent itself */
};

static inline size_t gn_budget_free(const struct gn_budget *b)
{
	const struct gn_budget *root = b->parent != NULL ? b->parent : b;

	return root->max > root->used ? root->max - root->used : 0;
}

/* Whether n more bytes may be charged.  In all functions here b may be NULL, which means that nothing is
 * counted. */
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

/* As gn_budget_has(), but only the parent's limit applies: for charges that must not fail because of the
 * share. */
static inline bool gn_budget_has_whole(const struct gn_budget *b, size_t n)
{
	return b == NULL || n <= gn_budget_free(b);
}

/* Charges n bytes if the parent's limit allows it; otherwise returns false and charges nothing. */
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

/* Charges n bytes if both limits allow it; otherwise returns false and charges nothing. */
static inline bool gn_budget_take(struct gn_budget *b, size_t n)
{
	return gn_budget_has(b, n) && gn_budget_take_whole(b, n);
}

/* As gn_budget_take(), for optional memory: fails when more than half of the parent would be used, so that
 * new users still get what they need. */
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

/* Returns n bytes that were charged. */
static inline void gn_budget_give(struct gn_budget *b, size_t n)
{
	if (b == NULL)
		return;
	b->used -= n;
	if (b->parent != NULL)
		b->parent->used -= n;
}

#endif
