/* SPDX-License-Identifier: MIT */
#include "node/peerbook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "loop/socket.h"
#include "node/node.h"
#include "node/router.h"

struct gn_book *gn_node_book(struct gn_node *node)
{
	if (node->book == NULL)
		(void)gn_book_new(&node->book);
	return node->book;
}

/* ---- the first rule: what enters the book ---- */

/* Writes those of the addresses that have a meaning in a network of the scope to out; returns their number. */
static size_t peerbook_filter(const struct gn_multiaddr *const *addrs, size_t n, enum gn_ip_scope scope,
			      const struct gn_multiaddr *out[GN_BOOK_ADDRS_MAX])
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < GN_BOOK_ADDRS_MAX; i++)
		if (gn_multiaddr_is_for(addrs[i], scope))
			out[k++] = addrs[i];
	return k;
}

/* The address by which this node has reached the peer. */
static void peerbook_add_dialled(struct gn_book *b, const struct gn_conn *c, gn_time now)
{
	const struct gn_book_source source = {c->origin == GN_ORIGIN_DNS ? GN_BOOK_DNS : GN_BOOK_DIALLED,
					      gn_time_add(now, GN_BOOK_KEEP)};

	if (c->origin == GN_ORIGIN_BOOK || c->origin == GN_ORIGIN_ROUTER ||
	    gn_book_add(b, gn_conn_peer(c), c->remote, &source, now) == 0)
		(void)gn_book_succeeded(b, gn_conn_peer(c), c->remote, now);
}

void gn_peerbook_identified(struct gn_conn *c, const struct gn_peerbook_message *message)
{
	const struct gn_multiaddr *addrs[GN_BOOK_ADDRS_MAX];
	struct gn_node *node = c->node;
	const struct gn_identify_info *info = message->info;
	const gn_time now = gn_loop_now(node->loop);
	const enum gn_ip_scope scope = gn_multiaddr_scope(c->remote);
	struct gn_book_addrs list = {{GN_BOOK_IDENTIFY, gn_time_add(now, GN_BOOK_KEEP)}, addrs, 0};
	const bool enters = !c->inbound || c->peer->tags != NULL;
	struct gn_book *b = enters ? gn_node_book(node) : node->book;

	if (b == NULL || (!enters && !gn_book_has(b, gn_conn_peer(c))))
		return;
	if (!c->inbound && !c->is_in_book) {
		if (gn_book_hold(b, gn_conn_peer(c), now) != 0)
			return;
		c->is_in_book = true;
		peerbook_add_dialled(b, c, now);
	}
	/* A push has only the fields that have changed. */
	if (info->n_listen > 0) {
		list.n = peerbook_filter(info->listen, info->n_listen, scope, addrs);
		(void)gn_book_replace(b, gn_conn_peer(c), &list, now);
	}
	if (info->n_protocols > 0)
		(void)gn_book_set_protocols(b, gn_conn_peer(c), info->protocols, info->n_protocols, now);
	if (message->record.envelope != NULL) {
		list.n = peerbook_filter(message->signed_addrs, message->n_signed, scope, addrs);
		(void)gn_book_set_record(b, gn_conn_peer(c), &message->record, &list, now);
	}
}

void gn_peerbook_gone(struct gn_conn *c)
{
	if (c->is_in_book)
		gn_book_release(c->node->book, gn_conn_peer(c), gn_loop_now(c->node->loop));
	c->is_in_book = false;
}

/* ---- results ---- */

static bool is_error_of_this_host(int err)
{
	static const int own[] = {GN_ECLOSED, GN_ELIMIT,    GN_ENOTRANS,    GN_EZONE, GN_ENOZONE,
				  -ENOMEM,    -EMFILE,      -ENFILE,        -ENOBUFS, -EACCES,
				  -EPERM,     -ENETUNREACH, -EADDRNOTAVAIL, -ENETDOWN};

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (err == own[i])
			return true;
	return false;
}

void gn_peerbook_result(struct gn_node *node, const struct gn_peer_id *peer, const struct gn_multiaddr *addr, int err)
{
	if (node->book == NULL || peer->len == 0)
		return;
	if (err == 0)
		(void)gn_book_succeeded(node->book, peer, addr, gn_loop_now(node->loop));
	else if (!is_error_of_this_host(err))
		(void)gn_book_failed(node->book, peer, addr, gn_loop_now(node->loop));
}

/* ---- the second rule: what is dialled ---- */

void gn_peerbook_host_fini(struct gn_peerbook_host *host)
{
	free(host->ifs);
	memset(host, 0, sizeof *host);
}

/* Whether the first `bits` bits, above 0, are the same. */
static bool is_same_network(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned rest = bits % 8;

	return bits > 0 && memcmp(a, b, bits / 8) == 0 &&
	       (rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & 0xff << (8 - rest) & 0xff) == 0);
}

static bool host_is_in_network(struct gn_peerbook_host *host, const struct gn_multiaddr *addr)
{
	struct gn_ip ip;

	if (gn_multiaddr_to_ip(addr, &ip, NULL) != 0)
		return false;
	if (!host->is_read)
		host->is_read = gn_ifaddrs_get(&host->ifs, &host->n) == 0;
	for (size_t i = 0; i < host->n; i++)
		if ((host->ifs[i].addr.family == 6) == ip.is_ip6 &&
		    is_same_network(host->ifs[i].addr.ip, ip.addr, host->ifs[i].prefix))
			return true;
	return false;
}

bool gn_peerbook_may_dial(struct gn_peerbook_host *host, const struct gn_multiaddr *addr)
{
	switch (gn_multiaddr_scope(addr)) {
	case GN_SCOPE_UNSPECIFIED:
	case GN_SCOPE_LINK:
		return false;
	case GN_SCOPE_PRIVATE:
		return host_is_in_network(host, addr);
	default:
		return true;
	}
}

static bool peerbook_is_candidate(const struct gn_book_addr *known, gn_time now, const struct gn_multiaddr *addr,
				  struct gn_peerbook_host *host)
{
	if (known->rests_until > now)
		return false;
	return known->origin == GN_BOOK_USER || known->origin == GN_BOOK_DIALLED || gn_peerbook_may_dial(host, addr);
}

size_t gn_peerbook_addrs(struct gn_node *node, const struct gn_peer_id *peer,
			 struct gn_multiaddr *out[GN_BOOK_ADDRS_MAX])
{
	struct gn_book_addr known[GN_BOOK_ADDRS_MAX];
	struct gn_peerbook_host host = {NULL, 0, false};
	const gn_time now = gn_loop_now(node->loop);
	size_t n, k = 0;

	if (node->book == NULL)
		return 0;
	n = gn_book_addrs(node->book, peer, now, known);
	for (size_t i = 0; i < n; i++) {
		struct gn_multiaddr *bare;

		if (gn_multiaddr_decode(known[i].bytes, known[i].len, &bare) != 0)
			continue;
		if (peerbook_is_candidate(&known[i], now, bare, &host) &&
		    gn_multiaddr_with_peer(bare, peer, &out[k]) == 0)
			k++;
		gn_multiaddr_free(bare);
	}
	gn_peerbook_host_fini(&host);
	return k;
}

/* Whether the book has the address, and it rests after a failure. */
static bool peerbook_rests(struct gn_node *node, const struct gn_peer_id *peer, const struct gn_multiaddr *addr)
{
	struct gn_book_addr known[GN_BOOK_ADDRS_MAX];
	const gn_time now = gn_loop_now(node->loop);
	size_t n = node->book != NULL ? gn_book_addrs(node->book, peer, now, known) : 0, len;
	const uint8_t *bytes = gn_multiaddr_bytes(addr, &len);

	for (size_t i = 0; i < n; i++)
		if (known[i].len == len && memcmp(known[i].bytes, bytes, len) == 0)
			return known[i].rests_until > now;
	return false;
}

size_t gn_peerbook_routed(struct gn_node *node, const struct gn_peer_id *peer, const struct gn_router_answer *answer,
			  struct gn_multiaddr *out[GN_BOOK_ADDRS_MAX])
{
	struct gn_peerbook_host host = {NULL, 0, false};
	struct gn_book *b = gn_node_book(node);
	const gn_time now = gn_loop_now(node->loop);
	size_t k = 0;

	for (size_t i = 0; i < answer->n && k < GN_BOOK_ADDRS_MAX; i++) {
		struct gn_multiaddr *bare;

		if ((!answer->is_trusted && !gn_multiaddr_is_for(answer->addrs[i], GN_SCOPE_PRIVATE)) ||
		    gn_multiaddr_without_peer(answer->addrs[i], &bare) != 0)
			continue;
		if (b != NULL)
			(void)gn_book_add(b, peer, answer->addrs[i], &answer->source, now);
		if ((answer->is_trusted || gn_peerbook_may_dial(&host, bare)) && !peerbook_rests(node, peer, bare) &&
		    gn_multiaddr_with_peer(answer->addrs[i], peer, &out[k]) == 0)
			k++;
		gn_multiaddr_free(bare);
	}
	gn_peerbook_host_fini(&host);
	return k;
}
