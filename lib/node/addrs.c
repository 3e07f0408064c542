/* SPDX-License-Identifier: MIT */
/* gn_node_addrs(): the addresses that a node gives to others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr.h"
#include "loop/socket.h"
#include "node/listener.h"
#include "node/node.h"

enum { ADDRS_MAX = 256 };

struct addr_list {
	struct gn_multiaddr **a;
	size_t n;
};

void gn_multiaddrs_free(struct gn_multiaddr **a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gn_multiaddr_free(a[i]);
	free(a);
}

/* Adds a, unless it is in the list or the list is full.  Takes ownership of a, also on failure. */
static int addr_list_add(struct addr_list *l, struct gn_multiaddr *a)
{
	struct gn_multiaddr **grown;

	for (size_t i = 0; i < l->n; i++) {
		if (gn_multiaddr_is_equal(l->a[i], a)) {
			gn_multiaddr_free(a);
			return 0;
		}
	}
	grown = l->n < ADDRS_MAX ? realloc(l->a, (l->n + 1) * sizeof(struct gn_multiaddr *)) : NULL;
	if (grown == NULL) {
		gn_multiaddr_free(a);
		return l->n < ADDRS_MAX ? -ENOMEM : 0;
	}
	l->a = grown;
	l->a[l->n++] = a;
	return 0;
}

/* Adds the wildcard address `bound` with each address of this host in place of the wildcard. */
static int addr_list_add_wildcard(struct addr_list *l, const struct gn_multiaddr *bound, const struct gn_ip *any,
				  const struct gn_ifaddr *ifs, size_t n_ifs)
{
	struct gn_multiaddr_part part;

	if (!gn_multiaddr_find(bound, any->is_ip6 ? GN_MA_IP6 : GN_MA_IP4, &part))
		return 0;
	for (size_t i = 0; i < n_ifs; i++) {
		struct gn_ip ip = {.is_ip6 = any->is_ip6};
		struct gn_multiaddr *host, *whole;
		int err;

		/* A link-local address is valid on its own link only, and needs a zone. */
		if ((ifs[i].addr.family == 6) != any->is_ip6 ||
		    gn_ip_scope(any->is_ip6, ifs[i].addr.ip) == GN_SCOPE_LINK)
			continue;
		memcpy(ip.addr, ifs[i].addr.ip, any->is_ip6 ? 16 : 4);
		err = gn_multiaddr_from_ip(&ip, &host);
		if (err != 0)
			return err;
		err = gn_multiaddr_replace(bound, &part, host, &whole);
		gn_multiaddr_free(host);
		if (err == 0)
			err = addr_list_add(l, whole);
		if (err != 0)
			return err;
	}
	return 0;
}

/* The order of the list: the lower the rank, the likelier it is that others can reach the address. */
static int addr_rank(const struct gn_multiaddr *a)
{
	int family = gn_multiaddr_has(a, GN_MA_IP6);

	switch (gn_multiaddr_scope(a)) {
	case GN_SCOPE_PUBLIC:
		return family;
	case GN_SCOPE_PRIVATE:
		return 2 + family;
	case GN_SCOPE_OTHER:
		return 4 + family;
	case GN_SCOPE_LINK:
		return 6;
	default:
		return 8 + family;
	}
}

static void addr_list_sort(struct addr_list *l)
{
	for (size_t i = 1; i < l->n; i++) { /* insertion sort: stable, and the list is short */
		struct gn_multiaddr *a = l->a[i];
		size_t k = i;

		for (; k > 0 && addr_rank(l->a[k - 1]) > addr_rank(a); k--)
			l->a[k] = l->a[k - 1];
		l->a[k] = a;
	}
}

static int addr_list_fill(const struct gn_node *node, struct addr_list *l)
{
	const struct gn_multiaddr *bound[GN_LISTENERS_MAX];
	int n = gn_listeners_bound(node, bound, GN_LISTENERS_MAX), err = 0;
	struct gn_ifaddr *ifs = NULL;
	size_t n_ifs = 0;

	for (int i = 0; i < n && err == 0; i++) {
		struct gn_multiaddr *copy;
		struct gn_ip ip;

		if (gn_multiaddr_scope(bound[i]) == GN_SCOPE_UNSPECIFIED &&
		    gn_multiaddr_to_ip(bound[i], &ip, NULL) == 0) {
			if (ifs == NULL)
				err = gn_ifaddrs_get(&ifs, &n_ifs);
			if (err == 0)
				err = addr_list_add_wildcard(l, bound[i], &ip, ifs, n_ifs);
		} else {
			err = gn_multiaddr_dup(bound[i], &copy);
			if (err == 0)
				err = addr_list_add(l, copy);
		}
	}
	free(ifs);
	return err;
}

int gn_node_addrs(const struct gn_node *node, struct gn_multiaddr ***out, size_t *n)
{
	struct addr_list l = {NULL, 0};
	int err = addr_list_fill(node, &l);

	addr_list_sort(&l);
	for (size_t i = 0; i < l.n && err == 0; i++) {
		struct gn_multiaddr *whole;

		err = gn_multiaddr_with_peer(l.a[i], &node->id, &whole);
		if (err == 0) {
			gn_multiaddr_free(l.a[i]);
			l.a[i] = whole;
		}
	}
	if (err != 0) {
		gn_multiaddrs_free(l.a, l.n);
		return err;
	}
	*out = l.a;
	*n = l.n;
	return 0;
}
