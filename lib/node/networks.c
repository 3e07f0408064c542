/* SPDX-License-Identifier: MIT */
#include "node/networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "node/conn.h"

enum { BUCKETS_MIN = 16 };

static gn_time networks_oldest(struct gn_list *conns)
{
	return gn_list_entry(conns->next, struct gn_conn, link_network)->since;
}

static bool networks_has_more_pending(struct gn_pqueue_node *a, struct gn_pqueue_node *b)
{
	struct gn_network *x = gn_list_entry(a, struct gn_network, by_pending);
	struct gn_network *y = gn_list_entry(b, struct gn_network, by_pending);

	if (x->pending != y->pending)
		return x->pending > y->pending;
	return networks_oldest(&x->pending_conns) < networks_oldest(&y->pending_conns);
}

static bool networks_has_more_conns(struct gn_pqueue_node *a, struct gn_pqueue_node *b)
{
	struct gn_network *x = gn_list_entry(a, struct gn_network, by_conns);
	struct gn_network *y = gn_list_entry(b, struct gn_network, by_conns);

	if (x->conns != y->conns)
		return x->conns > y->conns;
	return networks_oldest(&x->unused_conns) < networks_oldest(&y->unused_conns);
}

void gn_networks_rank(struct gn_networks *t, struct gn_network *net)
{
	gn_pqueue_del(&t->by_pending, &net->by_pending);
	gn_pqueue_del(&t->by_conns, &net->by_conns);
	if (!gn_list_is_empty(&net->pending_conns))
		gn_pqueue_add(&t->by_pending, &net->by_pending);
	if (!gn_list_is_empty(&net->unused_conns))
		gn_pqueue_add(&t->by_conns, &net->by_conns);
}

void gn_networks_init(struct gn_networks *t, struct gn_scope *memory)
{
	memset(t, 0, sizeof *t);
	gn_random(&t->seed, sizeof t->seed);
	t->memory = memory;
	t->by_pending.is_before = networks_has_more_pending;
	t->by_conns.is_before = networks_has_more_conns;
}

void gn_networks_fini(struct gn_networks *t)
{
	free(t->buckets);
	t->buckets = NULL;
}

/* The finalizer of splitmix64 over the seeded key. */
static unsigned networks_bucket(const struct gn_networks *t, enum gn_network_kind kind, uint64_t key)
{
	uint64_t x = (key ^ t->seed) + kind * 0x9e3779b97f4a7c15U;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return (unsigned)(x ^ x >> 31) & (t->n_buckets - 1);
}

static int networks_grow(struct gn_networks *t)
{
	unsigned old = t->n_buckets, n = old > 0 ? 2 * old : BUCKETS_MIN;
	struct gn_network **was = t->buckets, **buckets = calloc(n, sizeof *buckets);

	if (buckets == NULL)
		return -ENOMEM;
	t->buckets = buckets;
	t->n_buckets = n;
	for (unsigned i = 0; i < old; i++) {
		struct gn_network *net, *next;

		for (net = was[i]; net != NULL; net = next) {
			struct gn_network **at = &buckets[networks_bucket(t, net->kind, net->key)];

			next = net->next;
			net->next = *at;
			*at = net;
		}
	}
	free(was);
	return 0;
}

static void networks_key_of(const struct gn_multiaddr *remote, enum gn_network_kind *kind, uint64_t *key)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct gn_ip ip;

	*kind = GN_NETWORK_NONE;
	*key = 0;
	if (gn_multiaddr_to_ip(remote, &ip, NULL) != 0)
		return;
	if (!ip.is_ip6 || memcmp(ip.addr, mapped, sizeof mapped) == 0) {
		*kind = GN_NETWORK_IP4;
		*key = gn_get_u32(ip.is_ip6 ? ip.addr + sizeof mapped : ip.addr);
	} else {
		*kind = GN_NETWORK_IP6;
		*key = gn_get_u64(ip.addr);
	}
}

struct gn_network *gn_networks_get(struct gn_networks *t, const struct gn_multiaddr *remote)
{
	enum gn_network_kind kind;
	struct gn_network *net;
	uint64_t key;

	/* If the table cannot grow, its chains become longer, which is no failure. */
	if (t->n >= t->n_buckets && networks_grow(t) != 0 && t->n_buckets == 0)
		return NULL;
	networks_key_of(remote, &kind, &key);
	net = t->buckets[networks_bucket(t, kind, key)];
	while (net != NULL && (net->kind != kind || net->key != key))
		net = net->next;
	if (net == NULL) {
		struct gn_network **at = &t->buckets[networks_bucket(t, kind, key)];

		net = calloc(1, sizeof *net);
		if (net == NULL)
			return NULL;
		net->kind = kind;
		net->key = key;
		net->is_loopback = gn_multiaddr_scope(remote) == GN_SCOPE_LOOPBACK;
		gn_scope_init(&net->scope, t->memory, SIZE_MAX);
		net->scope.is_fair = kind != GN_NETWORK_NONE;
		gn_list_init(&net->negotiating);
		gn_list_init(&net->pending_conns);
		gn_list_init(&net->unused_conns);
		net->next = *at;
		*at = net;
		t->n++;
	}
	net->refs++;
	return net;
}

void gn_networks_put(struct gn_networks *t, struct gn_network *net)
{
	struct gn_network **at;

	if (net == NULL || --net->refs > 0)
		return;
	at = &t->buckets[networks_bucket(t, net->kind, net->key)];
	while (*at != net)
		at = &(*at)->next;
	*at = net->next;
	t->n--;
	free(net);
}
