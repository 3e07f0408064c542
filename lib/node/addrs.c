/* SPDX-License-Identifier: MIT */
/* The addresses that a node hands out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr.h"
#include "loop/interfaces.h"
#include "loop/socket.h"
#include "node/node.h"

enum { ADDRS_MAX = 256, RANK_ANNOUNCED = -1 };

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

static int addr_list_copy(struct addr_list *l, const struct gn_multiaddr *a, int rank)
{
	struct gn_multiaddr *copy;
	int err = gn_multiaddr_dup(a, &copy);

	return err != 0 ? err : addr_list_add(l, copy, rank);
}

static int collect_own(struct addr_list *l, const struct gn_own_addr *own, struct host_addrs *host)
{
	struct gn_ip ip;
	int err = 0;

	if (own->origin == GN_OWN_ANNOUNCED)
		return addr_list_copy(l, own->addr, RANK_ANNOUNCED);
	if (gn_multiaddr_scope(own->addr) != GN_SCOPE_UNSPECIFIED || gn_multiaddr_to_ip(own->addr, &ip, NULL) != 0)
		return addr_list_copy(l, own->addr, rank_of(own->addr, GN_INTERFACE_OTHER));
	if (host->ifs == NULL) {
		err = gn_ifaddrs_get(&host->ifs, &host->n);
		/* Without it the order is only less good. */
		if (err == 0 && host->interfaces == NULL)
			(void)gn_interfaces_get(&host->interfaces);
	}
	return err != 0 ? err : spell_out(l, own->addr, &ip, host);
}

static int collect(const struct gn_node *node, struct addr_list *l)
{
	struct host_addrs host = {NULL, 0, NULL};
	const gn_time now = gn_loop_now(node->loop);
	struct gn_list *at;
	int err = 0;

	for (size_t i = 0; i < GN_OWN_ORIGINS; i++) {
		gn_list_for_each(at, &node->own.addrs[i]) {
			const struct gn_own_addr *own = gn_list_entry(at, struct gn_own_addr, link);

			if (err == 0 && own->state == GN_OWN_ADVERTISED && own->expires > now)
				err = collect_own(l, own, &host);
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

/* Whether the address names a host but no port, so that nobody can dial it. */
static bool lacks_port(const struct gn_multiaddr *a)
{
	static const uint32_t hosts[] = {GN_MA_IP4, GN_MA_IP6, GN_MA_DNS, GN_MA_DNS4, GN_MA_DNS6};

	if (gn_multiaddr_has(a, GN_MA_TCP) || gn_multiaddr_has(a, GN_MA_UDP) || gn_multiaddr_has(a, GN_MA_P2P_CIRCUIT))
		return false;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		if (gn_multiaddr_has(a, hosts[i]))
			return true;
	return false;
}

/* The address without /p2p/ID, which must be the node's own.  GN_EPEERID, GN_ENONAME, GN_ENOTRANS, -ENOMEM. */
static int announced_parse(const struct gn_node *node, const struct gn_multiaddr *addr, struct gn_multiaddr **out)
{
	struct gn_peer_id id;

	if (gn_multiaddr_peer(addr, &id) == 0 && !gn_peer_id_is_equal(&id, &node->id))
		return GN_EPEERID;
	if (lacks_port(addr))
		return GN_ENOTRANS;
	return gn_multiaddr_without_peer(addr, out);
}

int gn_addr_announce(struct gn_node *node, const struct gn_multiaddr *addr)
{
	struct gn_multiaddr *bare;
	bool changed = false;
	int err = announced_parse(node, addr, &bare);

	if (err != 0)
		return err;
	err = gn_own_add(&node->own, GN_OWN_ANNOUNCED, bare, GN_NEVER, &changed);
	gn_multiaddr_free(bare);
	gn_node_own_changed(node, changed);
	return err;
}

int gn_addr_withdraw(struct gn_node *node, const struct gn_multiaddr *addr)
{
	struct gn_multiaddr *bare;
	bool changed, was_there;
	int err = announced_parse(node, addr, &bare);

	if (err != 0)
		return err;
	was_there = gn_own_del(&node->own, GN_OWN_ANNOUNCED, bare, &changed);
	gn_multiaddr_free(bare);
	gn_node_own_changed(node, changed);
	return was_there ? 0 : GN_ENONAME;
}
