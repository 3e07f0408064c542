/* SPDX-License-Identifier: MIT */
#include "node/book_block.h"

#include <string.h>

#include "base/time.h"

static uint8_t *peer_bytes(struct gn_book_peer *p)
{
	return (uint8_t *)(p->entries + p->n_addrs);
}

void gn_book_content_load(struct gn_book_peer *p, gn_time now, struct gn_book_content *c)
{
	const uint8_t *at;

	memset(c, 0, sizeof *c);
	if (p == NULL)
		return;
	at = peer_bytes(p);
	for (size_t i = 0; i < p->n_addrs; i++) {
		const struct gn_book_entry *e = &p->entries[i];

		if (p->holds > 0 || e->expires > now) {
			c->entries[c->n_addrs] = *e;
			c->addrs[c->n_addrs++] = at;
		}
		at += e->len;
	}
	c->protocols = at;
	c->n_protocols = p->n_protocols;
	c->record = (struct gn_book_record){p->seq, at + p->n_protocols, p->n_record};
}

void gn_book_content_copy(const struct gn_book_content *c, struct gn_book_peer *p)
{
	uint8_t *at;

	p->n_addrs = (uint16_t)c->n_addrs;
	p->n_protocols = (uint16_t)c->n_protocols;
	p->n_record = (uint16_t)c->record.len;
	p->seq = c->record.seq;
	at = peer_bytes(p);
	for (size_t i = 0; i < c->n_addrs; i++) {
		p->entries[i] = c->entries[i];
		memcpy(at, c->addrs[i], c->entries[i].len);
		at += c->entries[i].len;
		p->is_proven |= c->entries[i].origin == GN_BOOK_USER;
	}
	if (c->n_protocols > 0)
		memcpy(at, c->protocols, c->n_protocols);
	if (c->record.len > 0)
		memcpy(at + c->n_protocols, c->record.envelope, c->record.len);
}

size_t gn_book_content_size(const struct gn_book_content *c)
{
	size_t size = sizeof(struct gn_book_peer) + c->n_addrs * sizeof(struct gn_book_entry) + c->n_protocols +
		      c->record.len;

	for (size_t i = 0; i < c->n_addrs; i++)
		size += c->entries[i].len;
	return size;
}

int gn_book_entry_compare(const struct gn_book_entry *a, const struct gn_book_entry *b)
{
	const bool a_is_user = a->origin == GN_BOOK_USER, b_is_user = b->origin == GN_BOOK_USER;

	if (a_is_user != b_is_user)
		return a_is_user ? 1 : -1;
	if ((a->failures == 0) != (b->failures == 0))
		return a->failures == 0 ? 1 : -1;
	if (a->origin != b->origin)
		return a->origin > b->origin ? 1 : -1;
	if (a->succeeded != b->succeeded)
		return a->succeeded > b->succeeded ? 1 : -1;
	return a->expires > b->expires ? 1 : a->expires < b->expires ? -1 : 0;
}

/* The index of the address, or n_addrs. */
static size_t content_find(const struct gn_book_content *c, const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < c->n_addrs && (c->entries[i].len != n || memcmp(c->addrs[i], p, n) != 0))
		i++;
	return i;
}

static void content_del(struct gn_book_content *c, size_t i)
{
	c->n_addrs--;
	memmove(c->entries + i, c->entries + i + 1, (c->n_addrs - i) * sizeof c->entries[0]);
	memmove(c->addrs + i, c->addrs + i + 1, (c->n_addrs - i) * sizeof c->addrs[0]);
}

/* The length of the address without a final /p2p/ID.  GN_EPEERID, GN_ENONAME and GN_ETOOBIG as
 * gn_book_add(). */
static int addr_measure(const struct gn_multiaddr *addr, const struct gn_peer_id *peer, const uint8_t **bytes,
			size_t *len)
{
	struct gn_multiaddr_part part, last = {0};
	struct gn_cursor c;
	size_t n;

	gn_multiaddr_walk(addr, &c);
	*bytes = c.p;
	n = gn_cursor_left(&c);
	while (gn_multiaddr_next(&c, &part))
		last = part;
	if (last.code == GN_MA_P2P) {
		if (last.len != peer->len || memcmp(last.value, peer->bytes, last.len) != 0)
			return GN_EPEERID;
		n -= last.size;
	}
	if (n == 0)
		return GN_ENONAME;
	if (n > GN_BOOK_ADDR_LEN_MAX)
		return GN_ETOOBIG;
	*len = n;
	return 0;
}

int gn_book_content_add(struct gn_book_content *c, const struct gn_peer_id *peer, const struct gn_multiaddr *addr,
			const struct gn_book_source *source)
{
	struct gn_book_entry e = {.expires = source->expires, .succeeded = GN_BOOK_NO_TIME, .failed = GN_BOOK_NO_TIME};
	const uint8_t *bytes;
	size_t len, i, least = 0;
	int err = addr_measure(addr, peer, &bytes, &len);

	if (err < 0)
		return err;
	e.origin = (uint8_t)source->origin;
	e.len = (uint16_t)len;
	i = content_find(c, bytes, len);
	if (i < c->n_addrs) {
		if (e.origin > c->entries[i].origin)
			c->entries[i].origin = e.origin;
		c->entries[i].expires = gn_time_max(c->entries[i].expires, e.expires);
		return 0;
	}
	if (c->n_addrs == GN_BOOK_ADDRS_MAX) {
		for (i = 1; i < c->n_addrs; i++)
			if (gn_book_entry_compare(&c->entries[i], &c->entries[least]) < 0)
				least = i;
		if (gn_book_entry_compare(&c->entries[least], &e) > 0)
			return GN_ELIMIT;
		content_del(c, least);
	}
	c->entries[c->n_addrs] = e;
	c->addrs[c->n_addrs++] = bytes;
	return 0;
}

static bool list_has(const struct gn_book_addrs *list, const struct gn_peer_id *peer, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < list->n; i++) {
		const uint8_t *bytes;
		size_t len;

		if (addr_measure(list->addrs[i], peer, &bytes, &len) == 0 && len == n && memcmp(bytes, p, n) == 0)
			return true;
	}
	return false;
}

void gn_book_content_replace(struct gn_book_content *c, const struct gn_peer_id *peer, const struct gn_book_addrs *list)
{
	for (size_t i = c->n_addrs; i-- > 0;)
		if (c->entries[i].origin == list->source.origin &&
		    !list_has(list, peer, c->addrs[i], c->entries[i].len))
			content_del(c, i);
	for (size_t i = 0; i < list->n; i++)
		(void)gn_book_content_add(c, peer, list->addrs[i], &list->source);
}

struct gn_book_entry *gn_book_entry_find(struct gn_book_peer *p, const struct gn_multiaddr *addr, gn_time now)
{
	const uint8_t *bytes, *at;
	size_t len;

	if (p == NULL || addr_measure(addr, &p->id, &bytes, &len) < 0)
		return NULL;
	at = peer_bytes(p);
	for (size_t i = 0; i < p->n_addrs; i++) {
		if (p->entries[i].len == len && memcmp(at, bytes, len) == 0)
			return p->holds > 0 || p->entries[i].expires > now ? &p->entries[i] : NULL;
		at += p->entries[i].len;
	}
	return NULL;
}
