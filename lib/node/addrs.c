/* SPDX-License-Identifier: MIT */
/* The addresses that a node hands out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr.h"
#include "loop/interfaces.h"
#include "loop/socket.h"
#include "node/listener.h"
#include "node/node.h"

enum { ADDRS_MAX = 256 };

struct ranked {
	struct gn_multiaddr *addr;
	int rank;
};

struct addr_list {
	struct ranked *a;
	size_t n;
};

/* Takes ownership of a, and keeps the order of rank; equal ranks stay as they came.  An address that is in the list
 * already is left out, and so is one for which there is no room. */
static int addr_list_add(struct addr_list *l, struct gn_multiaddr *a, int rank)
{
	struct ranked *grown;
	size_t k;

	for (k = 0; k < l->n && !gn_multiaddr_is_equal(l->a[k].addr, a); k++)
		;
	if (k < l->n || l->n == ADDRS_MAX) {
		gn_multiaddr_free(a);
		return 0;
	}
	grown = realloc(l->a, (l->n + 1) * sizeof *grown);
	if (grown == NULL) {
		gn_multiaddr_free(a);
		return -ENOMEM;
	}
	l->a = grown;
	for (k = l->n++; k > 0 && l->a[k - 1].rank > rank; k--)
		l->a[k] = l->a[k - 1];
	l->a[k] = (struct ranked){a, rank};
	return 0;
}

/* The addresses of this host, and what is known of its interfaces. */
struct host_addrs {
	struct gn_ifaddr *ifs;
	size_t n;
	struct gn_interfaces *interfaces; /* NULL: nothing is known */
};

/* The lower, the likelier that others reach it.  Of one scope, those of the interface with the default route come
 * first; those of bridges to containers and virtual machines come last, before the loopback. */
static int rank_of(const struct gn_multiaddr *a, enum gn_interface_kind kind)
{
	int family = gn_multiaddr_has(a, GN_MA_IP6), place;

	switch (gn_multiaddr_scope(a)) {
	case GN_SCOPE_PUBLIC:
		place = family;
		break;
	case GN_SCOPE_PRIVATE:
		place = 2 + family;
		break;
	case GN_SCOPE_OTHER:
		place = 4 + family;
		break;
	case GN_SCOPE_LINK:
		place = 6;
		break;
	default:
		return 2 * (10 + family);
	}
	if (kind == GN_INTERFACE_VIRTUAL)
		place = 8 + family;
	return 2 * place + (kind != GN_INTERFACE_DEFAULT);
}

/* `bound` listens on every interface: the same with each of this host's addresses. */
static int spell_out(struct addr_list *l, const struct gn_multiaddr *bound, const struct gn_ip *any,
		     const struct host_addrs *host_addrs)
{
	const struct gn_ifaddr *ifs = host_addrs->ifs;
	struct gn_multiaddr_part part;

	if (!gn_multiaddr_find(bound, any->is_ip6 ? GN_MA_IP6 : GN_MA_IP4, &part))
		return 0;
	for (size_t i = 0; i < host_addrs->n; i++) {
		struct gn_ip ip = {.is_ip6 = any->is_ip6};
		struct gn_multiaddr *host, *whole;
		int err;

		/* A link-local address means something on its own link only, and needs a zone. */
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
			err = addr_list_add(l, whole,
					    rank_of(whole, gn_interfaces_kind(host_addrs->interfaces, ifs[i].index,
									      ifs[i].addr.family)));
		if (err != 0)
			return err;
	}
	return 0;
}

static int collect(const struct gn_node *node, struct addr_list *l)
{
	const struct gn_multiaddr *bound[GN_LISTENERS_MAX];
	int n = gn_listeners_bound(node, bound, GN_LISTENERS_MAX), err = 0;
	struct host_addrs host = {NULL, 0, NULL};

	for (int i = 0; i < n && err == 0; i++) {
		struct gn_multiaddr *copy;
		struct gn_ip ip;

		if (gn_multiaddr_scope(bound[i]) == GN_SCOPE_UNSPECIFIED &&
		    gn_multiaddr_to_ip(bound[i], &ip, NULL) == 0) {
			if (host.ifs == NULL) {
				err = gn_ifaddrs_get(&host.ifs, &host.n);
				/* Without it the order is only less good. */
				if (err == 0 && host.interfaces == NULL)
					(void)gn_interfaces_get(&host.interfaces);
			}
			if (err == 0)
				err = spell_out(l, bound[i], &ip, &host);
		} else {
			err = gn_multiaddr_dup(bound[i], &copy);
			if (err == 0)
				err = addr_list_add(l, copy, rank_of(copy, GN_INTERFACE_OTHER));
		}
	}
	gn_interfaces_free(host.interfaces);
	free(host.ifs);
	return err;
}

int gn_node_addrs(const struct gn_node *node, struct gn_multiaddr ***out, size_t *n)
{
	struct addr_list l = {NULL, 0};
	struct gn_multiaddr **all = NULL;
	int err = collect(node, &l);

	if (err == 0 && l.n > 0 && (all = calloc(l.n, sizeof(struct gn_multiaddr *))) == NULL)
		err = -ENOMEM;
	for (size_t i = 0; i < l.n && err == 0; i++)
		err = gn_multiaddr_with_peer(l.a[i].addr, &node->id, &all[i]);
	for (size_t i = 0; i < l.n; i++)
		gn_multiaddr_free(l.a[i].addr);
	if (err != 0) {
		gn_multiaddrs_free(all, all != NULL ? l.n : 0);
	} else {
		*out = all;
		*n = l.n;
	}
	free(l.a);
	return err;
}
