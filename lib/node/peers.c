/* SPDX-License-Identifier: MIT */
#include "node/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PEERS_BUCKETS_MIN = 16 };

void gn_peers_init(struct gn_peers *t, size_t memory_per_peer)
{
	memset(t, 0, sizeof *t);
	gn_random(&t->seed, sizeof t->seed);
	t->memory_per_peer = memory_per_peer;
}

void gn_peers_fini(struct gn_peers *t)
{
	free(t->buckets);
	t->buckets = NULL;
}

/* The finalizer of splitmix64, chained over the words of the id. */
static struct gn_peer **peers_bucket(const struct gn_peers *t, const struct gn_peer_id *id)
{
	uint64_t words[(sizeof *id + 7) / 8] = {0}, x = t->seed;

	memcpy(words, id, sizeof *id);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		x = (x ^ words[i]) + 0x9e3779b97f4a7c15U;
		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
		x = (x ^ x >> 27) * 0x94d049bb133111ebU;
		x ^= x >> 31;
	}
	return &t->buckets[x & (t->n_buckets - 1)];
}

static int peers_grow(struct gn_peers *t)
{
	struct gn_peers grown = *t;

	grown.n_buckets = t->n_buckets > 0 ? 2 * t->n_buckets : PEERS_BUCKETS_MIN;
	grown.buckets = calloc(grown.n_buckets, sizeof *grown.buckets);
	if (grown.buckets == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < t->n_buckets; i++) {
		struct gn_peer *p, *next;

		for (p = t->buckets[i]; p != NULL; p = next) {
			struct gn_peer **at = peers_bucket(&grown, &p->id);

			next = p->next;
			p->next = *at;
			*at = p;
		}
	}
	free(t->buckets);
	*t = grown;
	return 0;
}

struct gn_peer *gn_peers_find(struct gn_peers *t, const struct gn_peer_id *id)
{
	struct gn_peer *p = t->n_buckets > 0 ? *peers_bucket(t, id) : NULL;

	for (t->visits++; p != NULL && !gn_peer_id_is_equal(&p->id, id); t->visits++)
		p = p->next;
	return p;
}

struct gn_peer *gn_peers_get(struct gn_peers *t, const struct gn_peer_id *id)
{
	struct gn_peer *p = gn_peers_find(t, id), **at;

	if (p != NULL) {
		p->refs++;
		return p;
	}
	/* If the table cannot grow, its chains become longer, which is no failure. */
	if (t->n >= t->n_buckets && peers_grow(t) != 0 && t->n_buckets == 0)
		return NULL;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	at = peers_bucket(t, id);
	p->next = *at;
	*at = p;
	t->n++;
	p->id = *id;
	p->refs = 1;
	gn_scope_init(&p->scope, NULL, t->memory_per_peer);
	gn_list_init(&p->conns);
	gn_list_init(&p->dials);
	return p;
}

void gn_peers_put(struct gn_peers *t, struct gn_peer *peer)
{
	struct gn_peer **at;

	if (peer == NULL || --peer->refs > 0)
		return;
	at = peers_bucket(t, &peer->id);
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	t->n--;
	free(peer);
}
