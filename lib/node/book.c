/* SPDX-License-Identifier: MIT */
#include "node/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "node/book_block.h"

enum { BUCKETS_MIN = 16 };

struct gn_book {
	struct gn_book_peer **buckets;
	size_t n_buckets, n, bytes;
	uint64_t seed;
	struct gn_list idle[2]; /* the longest without use first */
};

/* ---- the table ---- */

/* The finalizer of splitmix64 over each eight bytes of the id; the seed is secret. */
static struct gn_book_peer **book_bucket(const struct gn_book *b, const struct gn_peer_id *id)
{
	uint64_t x = b->seed;

	for (size_t i = 0; i < id->len; i += sizeof x) {
		uint64_t word = 0;

		memcpy(&word, id->bytes + i, id->len - i < sizeof word ? id->len - i : sizeof word);
		x ^= word + 0x9e3779b97f4a7c15U;
		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
		x = (x ^ x >> 27) * 0x94d049bb133111ebU;
		x ^= x >> 31;
	}
	return &b->buckets[x & (b->n_buckets - 1)];
}

/* The pointer that points to the peer; to NULL if it is unknown. */
static struct gn_book_peer **book_find(const struct gn_book *b, const struct gn_peer_id *id)
{
	struct gn_book_peer **at = book_bucket(b, id);

	while (*at != NULL && !gn_peer_id_is_equal(&(*at)->id, id))
		at = &(*at)->next;
	return at;
}

static int book_grow(struct gn_book *b)
{
	struct gn_book grown = *b;

	grown.n_buckets = b->n_buckets > 0 ? 2 * b->n_buckets : BUCKETS_MIN;
	grown.buckets = calloc(grown.n_buckets, sizeof(struct gn_book_peer *));
	if (grown.buckets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < b->n_buckets; i++) {
		struct gn_book_peer *p, *next;

		for (p = b->buckets[i]; p != NULL; p = next) {
			struct gn_book_peer **at = book_bucket(&grown, &p->id);

			next = p->next;
			p->next = *at;
			*at = p;
		}
	}
	free(b->buckets);
	b->buckets = grown.buckets;
	b->n_buckets = grown.n_buckets;
	return 0;
}

int gn_book_new(struct gn_book **out)
{
	struct gn_book *b = calloc(1, sizeof *b);

	if (b == NULL)
		return -ENOMEM;
	if (book_grow(b) < 0) {
		free(b);
		return -ENOMEM;
	}
	gn_random(&b->seed, sizeof b->seed);
	gn_list_init(&b->idle[0]);
	gn_list_init(&b->idle[1]);
	*out = b;
	return 0;
}

void gn_book_free(struct gn_book *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n_buckets; i++) {
		struct gn_book_peer *p, *next;

		for (p = b->buckets[i]; p != NULL; p = next) {
			next = p->next;
			free(p);
		}
	}
	free(b->buckets);
	free(b);
}

size_t gn_book_count(const struct gn_book *b)
{
	return b->n;
}

size_t gn_book_bytes(const struct gn_book *b)
{
	return b->bytes;
}

bool gn_book_has(const struct gn_book *b, const struct gn_peer_id *peer)
{
	return *book_find(b, peer) != NULL;
}

/* ---- which peer leaves ---- */

/* The peer is in use now: it becomes the last one to leave, or cannot leave at all. */
static void book_used(struct gn_book *b, struct gn_book_peer *p)
{
	gn_list_del(&p->idle);
	if (p->holds == 0)
		gn_list_add_tail(&b->idle[p->is_proven], &p->idle);
}

static void book_drop(struct gn_book *b, struct gn_book_peer *p)
{
	*book_find(b, &p->id) = p->next;
	gn_list_del(&p->idle);
	b->n--;
	b->bytes -= p->size;
	free(p);
}

/* The least useful peer other than `keep`, which may be NULL; NULL if there is none. */
static struct gn_book_peer *book_least(struct gn_book *b, const struct gn_book_peer *keep)
{
	for (size_t i = 0; i < 2; i++) {
		struct gn_list *at;

		gn_list_for_each(at, &b->idle[i]) {
			struct gn_book_peer *p = gn_list_entry(at, struct gn_book_peer, idle);

			if (p != keep)
				return p;
		}
	}
	return NULL;
}

/* Makes room for a block of `size` bytes, which takes the place of `old` or, if that is NULL, is a new
 * peer. */
static int book_make_room(struct gn_book *b, const struct gn_book_peer *old, size_t size)
{
	const size_t others = old != NULL ? old->size : 0, n = old != NULL ? 0 : 1;

	while (b->n + n > GN_BOOK_PEERS_MAX || b->bytes - others + size > GN_BOOK_BYTES_MAX) {
		struct gn_book_peer *p = book_least(b, old);

		if (p == NULL)
			return GN_ELIMIT;
		book_drop(b, p);
	}
	return 0;
}

/* ---- blocks ---- */

/* Puts the new block in the place of the old one, in its bucket and, if the peer's class stays, in its
 * list. */
static void book_swap(struct gn_book *b, struct gn_book_peer **at, struct gn_book_peer *p)
{
	struct gn_book_peer *old = *at;
	bool is_same = old != NULL && old->is_proven == p->is_proven;

	gn_list_init(&p->idle);
	p->next = old != NULL ? old->next : NULL;
	*at = p;
	b->n += old == NULL;
	b->bytes += p->size;
	if (is_same && p->holds == 0)
		gn_list_link(old->idle.prev, &p->idle, &old->idle);
	if (old != NULL) {
		gn_list_del(&old->idle);
		b->bytes -= old->size;
		free(old);
	}
	if (!is_same)
		book_used(b, p);
}

/* Stores the contents as the block of the peer, which is added if it is unknown. */
static int content_store(struct gn_book *b, const struct gn_peer_id *id, const struct gn_book_content *c)
{
	struct gn_book_peer *old = *book_find(b, id), *p;
	size_t size = gn_book_content_size(c);
	int err;

	p = calloc(1, size);
	if (p == NULL)
		return -ENOMEM;
	err = book_make_room(b, old, size);
	/* If the table cannot grow, its chains become longer, which is no failure. */
	if (err == 0 && old == NULL && b->n >= b->n_buckets)
		(void)book_grow(b);
	if (err < 0) {
		free(p);
		return err;
	}
	p->id = *id;
	p->size = (uint32_t)size;
	if (old != NULL) {
		p->is_proven = old->is_proven;
		p->holds = old->holds;
	}
	gn_book_content_copy(c, p);
	book_swap(b, book_find(b, id), p);
	return 0;
}

/* ---- addresses ---- */

int gn_book_add(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_multiaddr *addr,
		const struct gn_book_source *source, gn_time now)
{
	struct gn_book_content c;
	int err;

	gn_book_content_load(*book_find(b, peer), now, &c);
	err = gn_book_content_add(&c, peer, addr, source);
	return err < 0 ? err : content_store(b, peer, &c);
}

int gn_book_replace(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_book_addrs *list, gn_time now)
{
	struct gn_book_content c;

	gn_book_content_load(*book_find(b, peer), now, &c);
	gn_book_content_replace(&c, peer, list);
	return content_store(b, peer, &c);
}

size_t gn_book_addrs(const struct gn_book *b, const struct gn_peer_id *peer, gn_time now,
		     struct gn_book_addr out[GN_BOOK_ADDRS_MAX])
{
	struct gn_book_content c;
	size_t order[GN_BOOK_ADDRS_MAX];

	gn_book_content_load(*book_find(b, peer), now, &c);
	for (size_t i = 0; i < c.n_addrs; i++) { /* stable, and short */
		size_t k = i;

		for (; k > 0 && gn_book_entry_compare(&c.entries[order[k - 1]], &c.entries[i]) < 0; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	for (size_t i = 0; i < c.n_addrs; i++) {
		const struct gn_book_entry *e = &c.entries[order[i]];
		gn_time rest = GN_BOOK_REST_MIN;

		for (unsigned k = 1; k < e->failures && rest < GN_BOOK_REST_MAX; k++)
			rest *= 2;
		rest = gn_time_min(rest, GN_BOOK_REST_MAX);
		out[i] = (struct gn_book_addr){
			.bytes = c.addrs[order[i]],
			.len = e->len,
			.origin = (enum gn_book_origin)e->origin,
			.expires = e->expires,
			.succeeded = e->succeeded,
			.failed = e->failed,
			.failures = e->failures,
			.rests_until = e->failures == 0 || e->origin == GN_BOOK_USER ? GN_BOOK_NO_TIME
										     : gn_time_add(e->failed, rest),
		};
	}
	return c.n_addrs;
}

/* ---- results of dialling ---- */

bool gn_book_succeeded(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_multiaddr *addr, gn_time now)
{
	struct gn_book_peer *p = *book_find(b, peer);
	struct gn_book_entry *e = gn_book_entry_find(p, addr, now);

	if (e == NULL)
		return false;
	e->succeeded = now;
	e->failures = 0;
	p->is_proven = true;
	book_used(b, p);
	return true;
}

bool gn_book_failed(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_multiaddr *addr, gn_time now)
{
	struct gn_book_entry *e = gn_book_entry_find(*book_find(b, peer), addr, now);

	if (e == NULL)
		return false;
	e->failed = now;
	if (e->failures < UINT8_MAX)
		e->failures++;
	return true;
}

/* ---- protocols and the record ---- */

int gn_book_set_protocols(struct gn_book *b, const struct gn_peer_id *peer, const char *const *protocols, size_t n,
			  gn_time now)
{
	char names[GN_BOOK_PROTOCOLS_LEN_MAX];
	struct gn_book_content c;

	gn_book_content_load(*book_find(b, peer), now, &c);
	c.protocols = names;
	c.n_protocols = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(protocols[i]) + 1;

		if (len > sizeof names - c.n_protocols)
			continue;
		memcpy(names + c.n_protocols, protocols[i], len);
		c.n_protocols += len;
	}
	return content_store(b, peer, &c);
}

const char *gn_book_protocol(const struct gn_book *b, const struct gn_peer_id *peer, size_t i)
{
	struct gn_book_content c;
	const char *at, *end;

	gn_book_content_load(*book_find(b, peer), 0, &c);
	if (c.n_protocols == 0)
		return NULL;
	at = c.protocols;
	end = at + c.n_protocols;
	for (; at < end && i > 0; i--)
		at += strlen(at) + 1;
	return at < end ? at : NULL;
}

int gn_book_set_record(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_book_record *record,
		       const struct gn_book_addrs *list, gn_time now)
{
	struct gn_book_addrs signed_list = *list;
	struct gn_book_content c;

	if (record->len > GN_BOOK_RECORD_LEN_MAX)
		return GN_ETOOBIG;
	gn_book_content_load(*book_find(b, peer), now, &c);
	if (c.record.len > 0 && record->seq <= c.record.seq)
		return GN_EORDER;
	signed_list.source.origin = GN_BOOK_RECORD;
	gn_book_content_replace(&c, peer, &signed_list);
	c.record = *record;
	return content_store(b, peer, &c);
}

bool gn_book_record(const struct gn_book *b, const struct gn_peer_id *peer, struct gn_book_record *out)
{
	struct gn_book_content c;

	gn_book_content_load(*book_find(b, peer), 0, &c);
	if (c.record.len == 0)
		return false;
	*out = c.record;
	return true;
}

/* ---- holds ---- */

int gn_book_hold(struct gn_book *b, const struct gn_peer_id *peer, gn_time now)
{
	struct gn_book_peer *p = *book_find(b, peer);
	struct gn_book_content c;
	int err;

	/* An unknown peer is added; of a known one the expired addresses go, because a hold would revive
	 * them. */
	gn_book_content_load(p, now, &c);
	if (p == NULL || c.n_addrs < p->n_addrs) {
		err = content_store(b, peer, &c);
		if (err < 0)
			return err;
	}
	p = *book_find(b, peer);
	p->holds++;
	book_used(b, p);
	return 0;
}

void gn_book_release(struct gn_book *b, const struct gn_peer_id *peer, gn_time now)
{
	struct gn_book_peer *p = *book_find(b, peer);

	if (p == NULL || --p->holds > 0)
		return;
	for (size_t i = 0; i < p->n_addrs; i++)
		p->entries[i].expires = gn_time_max(p->entries[i].expires, gn_time_add(now, GN_BOOK_KEEP));
	book_used(b, p);
}
