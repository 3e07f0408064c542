/* SPDX-License-Identifier: MIT */
/* Whether others can connect to the addresses of this node: a part of own.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "node/own.h"

/* Whether `any`, an address of the table, is a wildcard that stands for addr among others. */
static bool own_stands_for(const struct gn_multiaddr *any, const struct gn_multiaddr *addr)
{
	struct gn_cursor rest_any, rest;
	struct gn_ip a, b;

	return gn_multiaddr_scope(any) == GN_SCOPE_UNSPECIFIED && gn_multiaddr_to_ip(any, &a, &rest_any) == 0 &&
	       gn_multiaddr_to_ip(addr, &b, &rest) == 0 && a.is_ip6 == b.is_ip6 && a.code == b.code &&
	       a.port == b.port && gn_cursor_left(&rest_any) == gn_cursor_left(&rest) &&
	       memcmp(rest_any.p, rest.p, gn_cursor_left(&rest)) == 0;
}

/* Whether addr is in the table, or is one of those that a wildcard of it stands for. */
static bool own_covers(const struct gn_own *own, const struct gn_multiaddr *addr)
{
	struct gn_list *at;

	for (size_t i = 0; i < GN_OWN_ORIGINS; i++) {
		gn_list_for_each(at, &own->addrs[i]) {
			const struct gn_own_addr *a = gn_list_entry(at, struct gn_own_addr, link);

			if (gn_multiaddr_is_equal(a->addr, addr) || own_stands_for(a->addr, addr))
				return true;
		}
	}
	return false;
}

static struct gn_own_reach *own_reach_find(const struct gn_own *own, const struct gn_multiaddr *addr)
{
	struct gn_list *at;

	gn_list_for_each(at, &own->reaches) {
		struct gn_own_reach *r = gn_list_entry(at, struct gn_own_reach, link);

		if (gn_multiaddr_is_equal(r->addr, addr))
			return r;
	}
	return NULL;
}

static void own_reach_del(struct gn_own *own, struct gn_own_reach *r)
{
	gn_list_del(&r->link);
	own->n_reaches--;
	gn_multiaddr_free(r->addr);
	free(r);
}

static int own_reach_add(struct gn_own *own, const struct gn_multiaddr *addr, enum gn_reach reach)
{
	struct gn_own_reach *r;

	if (own->n_reaches == GN_OWN_REACH_MAX)
		return GN_ELIMIT;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return -ENOMEM;
	if (gn_multiaddr_dup(addr, &r->addr) != 0) {
		free(r);
		return -ENOMEM;
	}
	r->reach = reach;
	gn_list_add_tail(&own->reaches, &r->link);
	own->n_reaches++;
	return 0;
}

int gn_own_set_reach(struct gn_own *own, const struct gn_multiaddr *addr, enum gn_reach reach, bool *changed)
{
	struct gn_own_reach *r = own_reach_find(own, addr);
	int err = 0;

	if (!own_covers(own, addr))
		return GN_ENONAME;
	if (reach == (r != NULL ? r->reach : GN_REACH_UNKNOWN)) {
		*changed = false;
		return 0;
	}
	if (r == NULL)
		err = own_reach_add(own, addr, reach);
	else if (reach == GN_REACH_UNKNOWN)
		own_reach_del(own, r);
	else
		r->reach = reach;
	if (err == 0)
		*changed = true;
	return err;
}

enum gn_reach gn_own_reach(const struct gn_own *own, const struct gn_multiaddr *addr)
{
	const struct gn_own_reach *r = own_reach_find(own, addr);

	return r != NULL ? r->reach : GN_REACH_UNKNOWN;
}

void gn_own_reach_prune(struct gn_own *own)
{
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &own->reaches) {
		struct gn_own_reach *r = gn_list_entry(at, struct gn_own_reach, link);

		if (!own_covers(own, r->addr))
			own_reach_del(own, r);
	}
}
