/* SPDX-License-Identifier: MIT */
#include "base/scope.h"

#include <stdint.h>
#include <string.h>

void gn_scope_init(struct gn_scope *s, struct gn_scope *parent, size_t max)
{
	memset(s, 0, sizeof *s);
	s->parent = parent;
	s->max = max;
}

void gn_scope_init_stream(struct gn_scope *s, struct gn_scope *parent)
{
	gn_scope_init(s, parent, 0);
	s->is_stream = true;
}

/* What the scopes above are charged for this one when it has used so many bytes. */
static size_t scope_charge(const struct gn_scope *s, size_t used)
{
	return s->is_stream && used < s->reserved ? s->reserved : used;
}

static const struct gn_scope *scope_root(const struct gn_scope *s)
{
	while (s->parent != NULL)
		s = s->parent;
	return s;
}

/* Whether used and n more bytes are at most max. */
static bool scope_fits(size_t used, size_t max, size_t n)
{
	return used <= max && n <= max - used;
}

bool gn_scope_has_whole(const struct gn_scope *s, size_t n)
{
	const struct gn_scope *root = s != NULL ? scope_root(s) : NULL;

	return root == NULL || root->is_stream || scope_fits(root->used, root->max, n);
}

/* Whether the scope itself may hold n more bytes; `root` is its node. */
static bool scope_may_hold(const struct gn_scope *s, const struct gn_scope *root, size_t n)
{
	if (!scope_fits(s->used, s->is_stream ? SIZE_MAX : s->max, n))
		return false;
	/* Afterwards it has used + n bytes, and the node has n fewer free. */
	return !s->is_fair || (scope_fits(root->used, root->max, n) && s->used <= SIZE_MAX - n &&
			       scope_fits(0, root->max - root->used - n, s->used + n));
}

bool gn_scope_has(const struct gn_scope *s, size_t n)
{
	const struct gn_scope *root = s != NULL ? scope_root(s) : NULL;

	for (; s != NULL && n > 0; s = s->parent) {
		if (!scope_may_hold(s, root, n))
			return false;
		n = scope_charge(s, s->used + n) - scope_charge(s, s->used);
		if (s->peer != NULL && !scope_may_hold(s->peer, root, n))
			return false;
	}
	return true;
}

void gn_scope_force(struct gn_scope *s, size_t n)
{
	for (; s != NULL; s = s->parent) {
		size_t before = scope_charge(s, s->used);

		s->used += n;
		n = scope_charge(s, s->used) - before;
		if (s->peer != NULL)
			s->peer->used += n;
	}
}

bool gn_scope_take_whole(struct gn_scope *s, size_t n)
{
	if (!gn_scope_has_whole(s, n))
		return false;
	gn_scope_force(s, n);
	return true;
}

bool gn_scope_take(struct gn_scope *s, size_t n)
{
	if (!gn_scope_has(s, n))
		return false;
	gn_scope_force(s, n);
	return true;
}

void gn_scope_give(struct gn_scope *s, size_t n)
{
	for (; s != NULL; s = s->parent) {
		size_t before = scope_charge(s, s->used);

		s->used -= n;
		n = before - scope_charge(s, s->used);
		if (s->peer != NULL)
			s->peer->used -= n;
	}
}

bool gn_scope_reserve(struct gn_scope *s, size_t n)
{
	const struct gn_scope *root, *conn;
	size_t more;

	if (s == NULL)
		return true;
	if (n > SIZE_MAX - s->reserved)
		return false;
	root = scope_root(s);
	conn = s->parent;
	more = s->reserved + n > s->used ? s->reserved + n - scope_charge(s, s->used) : 0;
	if (root != s && !scope_fits(root->used, root->max / 2, more))
		return false;
	if (conn != NULL && conn->peer != NULL &&
	    !scope_fits(conn->peer->used, conn->peer->max - conn->peer->max / 4, more))
		return false;
	if (!gn_scope_has(conn, more))
		return false;
	s->reserved += n;
	gn_scope_force(s->parent, more);
	return true;
}

void gn_scope_unreserve(struct gn_scope *s)
{
	size_t less;

	if (s == NULL)
		return;
	less = scope_charge(s, s->used) - s->used;
	s->reserved = 0;
	gn_scope_give(s->parent, less);
}

static void scope_count(struct gn_scope *s, int n)
{
	for (; s != NULL; s = s->parent) {
		s->streams += (unsigned)n;
		if (s->peer != NULL)
			s->peer->streams += (unsigned)n;
	}
}

void gn_scope_add_stream(struct gn_scope *s)
{
	scope_count(s, 1);
}

void gn_scope_del_stream(struct gn_scope *s)
{
	scope_count(s, -1);
}

void gn_scope_join(struct gn_scope *conn, struct gn_scope *peer)
{
	gn_scope_leave(conn);
	conn->peer = peer;
	peer->used += conn->used;
	peer->streams += conn->streams;
}

void gn_scope_leave(struct gn_scope *conn)
{
	if (conn->peer == NULL)
		return;
	conn->peer->used -= conn->used;
	conn->peer->streams -= conn->streams;
	conn->peer = NULL;
}
