/* SPDX-License-Identifier: MIT */
#include "node/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/time.h"

void gn_own_init(struct gn_own *own)
{
	memset(own, 0, sizeof *own);
	for (size_t i = 0; i < GN_OWN_ORIGINS; i++)
		gn_list_init(&own->addrs[i]);
	gn_list_init(&own->reaches);
}

static void own_addr_free(struct gn_own *own, struct gn_own_addr *a)
{
	gn_list_del(&a->link);
	own->n[a->origin]--;
	gn_multiaddr_free(a->addr);
	free(a);
}

void gn_own_fini(struct gn_own *own)
{
	struct gn_list *at, *next;

	for (size_t i = 0; i < GN_OWN_ORIGINS; i++)
		gn_list_for_each_safe(at, next, &own->addrs[i])
			own_addr_free(own, gn_list_entry(at, struct gn_own_addr, link));
	gn_own_reach_prune(own);
}

static struct gn_own_addr *own_find(const struct gn_own *own, enum gn_own_origin origin,
				    const struct gn_multiaddr *addr)
{
	struct gn_list *at;

	gn_list_for_each(at, &own->addrs[origin]) {
		struct gn_own_addr *a = gn_list_entry(at, struct gn_own_addr, link);

		if (gn_multiaddr_is_equal(a->addr, addr))
			return a;
	}
	return NULL;
}

/* Whether the address is advertised by any origin. */
static bool own_is_advertised(const struct gn_own *own, const struct gn_multiaddr *addr)
{
	for (size_t i = 0; i < GN_OWN_ORIGINS; i++) {
		const struct gn_own_addr *a = own_find(own, (enum gn_own_origin)i, addr);

		if (a != NULL && a->state == GN_OWN_ADVERTISED)
			return true;
	}
	return false;
}

/* Removes the address; whether the advertised addresses are other ones then. */
static bool own_remove(struct gn_own *own, struct gn_own_addr *a)
{
	struct gn_multiaddr *addr = a->addr;
	bool changed = a->state == GN_OWN_ADVERTISED;

	a->addr = NULL;
	own_addr_free(own, a);
	gn_own_reach_prune(own);
	changed = changed && !own_is_advertised(own, addr);
	gn_multiaddr_free(addr);
	return changed;
}

static int own_addr_new(struct gn_own *own, enum gn_own_origin origin, const struct gn_multiaddr *addr,
			struct gn_own_addr **out)
{
	struct gn_own_addr *a = calloc(1, sizeof *a);

	if (a == NULL)
		return -ENOMEM;
	if (gn_multiaddr_dup(addr, &a->addr) < 0) {
		free(a);
		return -ENOMEM;
	}
	a->origin = origin;
	gn_list_add_tail(&own->addrs[origin], &a->link);
	own->n[origin]++;
	*out = a;
	return 0;
}

int gn_own_add(struct gn_own *own, enum gn_own_origin origin, const struct gn_multiaddr *addr, gn_time expires,
	       bool *changed)
{
	struct gn_own_addr *a = own_find(own, origin, addr);
	bool was = own_is_advertised(own, addr);

	if (a == NULL) {
		int err = own->n[origin] < GN_OWN_MAX ? own_addr_new(own, origin, addr, &a) : GN_ELIMIT;

		if (err < 0)
			return err;
		a->state = GN_OWN_ADVERTISED;
	}
	a->expires = expires;
	*changed = !was;
	return 0;
}

bool gn_own_del(struct gn_own *own, enum gn_own_origin origin, const struct gn_multiaddr *addr, bool *changed)
{
	struct gn_own_addr *a = own_find(own, origin, addr);

	*changed = a != NULL && own_remove(own, a);
	return a != NULL;
}

/* ---- observed addresses ---- */

/* The network of an IP address as a key: /24 of IPv4, /48 of IPv6; the family is in the highest bits. */
static uint64_t observer_network(const struct gn_ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!ip->is_ip6)
		return gn_get_u32(ip->addr) >> 8;
	if (memcmp(ip->addr, mapped, sizeof mapped) == 0)
		return gn_get_u32(ip->addr + sizeof mapped) >> 8;
	return (uint64_t)1 << 63 | gn_get_u64(ip->addr) >> 16;
}

static bool own_is_public(const struct gn_multiaddr *addr, struct gn_ip *ip)
{
	enum gn_ip_scope scope;

	if (gn_multiaddr_has(addr, GN_MA_P2P_CIRCUIT) || gn_multiaddr_to_ip(addr, ip, NULL) < 0)
		return false;
	scope = gn_ip_scope(ip->is_ip6, ip->addr);
	return scope == GN_SCOPE_PUBLIC || scope == GN_SCOPE_OTHER;
}

/* The first listening address of the family and with the port's protocol of ip, which has its IP address
 * replaced by ip.  GN_ENONAME: there is none. */
static int own_translate(const struct gn_own *own, const struct gn_ip *ip, struct gn_multiaddr **out)
{
	struct gn_list *at;

	gn_list_for_each(at, &own->addrs[GN_OWN_LISTENING]) {
		const struct gn_own_addr *a = gn_list_entry(at, struct gn_own_addr, link);
		struct gn_multiaddr_part part;
		struct gn_multiaddr *host;
		struct gn_ip local, only = *ip;
		int err;

		/* A listener on loopback is no port that a NAT could map. */
		if (gn_multiaddr_is_loopback(a->addr) || gn_multiaddr_to_ip(a->addr, &local, NULL) < 0 ||
		    local.is_ip6 != ip->is_ip6 || local.code != ip->code || local.zone[0] != '\0')
			continue;
		(void)gn_multiaddr_find(a->addr, ip->is_ip6 ? GN_MA_IP6 : GN_MA_IP4, &part);
		only.code = 0;
		err = gn_multiaddr_from_ip(&only, &host);
		if (err == 0) {
			err = gn_multiaddr_replace(a->addr, &part, host, out);
			gn_multiaddr_free(host);
		}
		return err;
	}
	return GN_ENONAME;
}

/* The network stops vouching for the address; a candidate without observers leaves. */
static void observer_del(struct gn_own *own, struct gn_own_addr *a, unsigned i)
{
	a->observers[i] = a->observers[--a->n_observers];
	if (a->n_observers == 0 && a->state == GN_OWN_CANDIDATE)
		(void)own_remove(own, a);
}

/* If the network vouches for as many other addresses as it may, it stops vouching for the one reported
 * longest ago. */
static void observer_limit(struct gn_own *own, uint64_t network, const struct gn_own_addr *except)
{
	struct gn_own_addr *oldest = NULL;
	unsigned n = 0, oldest_i = 0;
	struct gn_list *at;

	gn_list_for_each(at, &own->addrs[GN_OWN_OBSERVED]) {
		struct gn_own_addr *a = gn_list_entry(at, struct gn_own_addr, link);

		for (unsigned i = 0; a != except && i < a->n_observers; i++) {
			if (a->observers[i].network != network)
				continue;
			n++;
			if (oldest == NULL || a->observers[i].reported < oldest->observers[oldest_i].reported) {
				oldest = a;
				oldest_i = i;
			}
		}
	}
	if (n >= GN_OWN_PER_OBSERVER)
		observer_del(own, oldest, oldest_i);
}

/* Makes room for an observed address.  GN_ELIMIT: all of them are advertised. */
static int observed_make_room(struct gn_own *own)
{
	struct gn_own_addr *least = NULL;
	struct gn_list *at;

	if (own->n[GN_OWN_OBSERVED] < GN_OWN_OBSERVED_MAX)
		return 0;
	gn_list_for_each(at, &own->addrs[GN_OWN_OBSERVED]) {
		struct gn_own_addr *a = gn_list_entry(at, struct gn_own_addr, link);

		if (a->state == GN_OWN_CANDIDATE &&
		    (least == NULL || a->n_observers < least->n_observers ||
		     (a->n_observers == least->n_observers && a->reported < least->reported)))
			least = a;
	}
	if (least == NULL)
		return GN_ELIMIT;
	(void)own_remove(own, least);
	return 0;
}

/* The network reports the address now.  Reports that are older than GN_OWN_OBSERVED_TIME do not count. */
static void observed_report(struct gn_own_addr *a, uint64_t network, gn_time now)
{
	unsigned i = 0;

	a->reported = now;
	a->expires = gn_time_add(now, GN_OWN_OBSERVED_TIME);
	while (i < a->n_observers) {
		if (gn_time_add(a->observers[i].reported, GN_OWN_OBSERVED_TIME) <= now)
			a->observers[i] = a->observers[--a->n_observers];
		else
			i++;
	}
	for (i = 0; i < a->n_observers; i++)
		if (a->observers[i].network == network)
			break;
	if (i == GN_OWN_OBSERVERS_MAX)
		return;
	a->observers[i] = (struct gn_own_observer){network, now};
	if (i == a->n_observers)
		a->n_observers++;
}

static int own_observed(struct gn_own *own, const struct gn_multiaddr *addr, uint64_t network, gn_time now,
			bool *changed)
{
	struct gn_own_addr *a = own_find(own, GN_OWN_OBSERVED, addr);
	int err;

	observer_limit(own, network, a);
	if (a == NULL) {
		err = observed_make_room(own);
		if (err == GN_ELIMIT)
			return 0;
		err = own_addr_new(own, GN_OWN_OBSERVED, addr, &a);
		if (err < 0)
			return err;
	}
	observed_report(a, network, now);
	if (a->state == GN_OWN_CANDIDATE && a->n_observers >= GN_OWN_CONFIRMATIONS) {
		*changed = !own_is_advertised(own, addr);
		a->state = GN_OWN_ADVERTISED;
	}
	return 0;
}

int gn_own_observe(struct gn_own *own, const struct gn_own_report *report, gn_time now, bool *changed)
{
	struct gn_multiaddr *addr;
	struct gn_ip ip, observer;
	int err;

	gn_own_expire(own, now, changed);
	if (!own_is_public(report->observed, &ip) || ip.code == 0 || !own_is_public(report->observer, &observer))
		return 0;
	err = report->is_inbound || report->is_from_listener ? gn_multiaddr_without_peer(report->observed, &addr)
							     : own_translate(own, &ip, &addr);
	if (err != 0)
		return err == -ENOMEM ? err : 0;
	if (own_find(own, GN_OWN_LISTENING, addr) == NULL) {
		bool is_new = false;

		err = own_observed(own, addr, observer_network(&observer), now, &is_new);
		*changed = *changed || is_new;
	}
	gn_multiaddr_free(addr);
	return err;
}

/* ---- lifetimes and lists ---- */

void gn_own_expire(struct gn_own *own, gn_time now, bool *changed)
{
	struct gn_list *at, *next;

	*changed = false;
	for (size_t i = 0; i < GN_OWN_ORIGINS; i++) {
		gn_list_for_each_safe(at, next, &own->addrs[i]) {
			struct gn_own_addr *a = gn_list_entry(at, struct gn_own_addr, link);

			if (a->expires <= now && own_remove(own, a))
				*changed = true;
		}
	}
}

gn_time gn_own_next_expiry(const struct gn_own *own)
{
	gn_time first = GN_NEVER;
	struct gn_list *at;

	for (size_t i = 0; i < GN_OWN_ORIGINS; i++)
		gn_list_for_each(at, &own->addrs[i])
			first = gn_time_min(first, gn_list_entry(at, struct gn_own_addr, link)->expires);
	return first;
}

size_t gn_own_advertised(const struct gn_own *own, gn_time now, const struct gn_multiaddr **out, size_t room)
{
	struct gn_list *at;
	size_t n = 0;

	for (size_t i = 0; i < GN_OWN_ORIGINS; i++) {
		gn_list_for_each(at, &own->addrs[i]) {
			const struct gn_own_addr *a = gn_list_entry(at, struct gn_own_addr, link);
			size_t k = 0;

			if (a->state != GN_OWN_ADVERTISED || a->expires <= now || n == room)
				continue;
			while (k < n && !gn_multiaddr_is_equal(out[k], a->addr))
				k++;
			if (k == n)
				out[n++] = a->addr;
		}
	}
	return n;
}
