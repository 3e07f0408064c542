/* SPDX-License-Identifier: MIT */
/* Nodes on one virtual loop, over the mem transport: node i listens on /memory/(100 + i). */
#ifndef GN_TESTS_NET_H
#define GN_TESTS_NET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr.h"
#include "id/key.h"
#include "loop/loop.h"
#include "node/conn.h"
#include "node/node.h"
#include "transport/mem.h"

enum { NET_NODES = 4 };

struct net {
	struct gn_loop *loop;
	size_t n;
	struct gn_key *key[NET_NODES];
	struct gn_node *node[NET_NODES];
	struct gn_multiaddr *addr[NET_NODES]; /* with /p2p */
};

static inline const struct gn_components *net_components(void)
{
	static const struct gn_transport_ops *const transports[] = {&gn_transport_mem, NULL};
	static const struct gn_security_ops *const securities[] = {&gn_security_noise, NULL};
	static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
	static const struct gn_service_ops *const services[] = {&gn_service_identify, &gn_service_ping, NULL};
	static const struct gn_components all = {transports, securities, muxers, services};

	return &all;
}

#define NET_MUST(what)                                                                     \
	do {                                                                               \
		if (!(what)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                           \
		}                                                                          \
	} while (0)

static inline struct gn_multiaddr *net_addr(const char *text)
{
	struct gn_multiaddr *a;

	NET_MUST(gn_multiaddr_parse(text, &a, NULL) == 0);
	return a;
}

/* Node i; tune may change its configuration. */
static inline void net_add(struct net *w, size_t i, void (*tune)(struct gn_node_cfg *cfg))
{
	uint8_t seed[GN_KEY_SEED_LEN] = {(uint8_t)(i + 1)};
	struct gn_multiaddr *at;
	struct gn_node_cfg cfg;
	char text[32];

	gn_node_cfg_init(&cfg);
	NET_MUST(gn_key_new_seeded(seed, &w->key[i]) == 0);
	cfg.loop = w->loop;
	cfg.key = w->key[i];
	cfg.components = net_components();
	if (tune != NULL)
		tune(&cfg);
	NET_MUST(gn_node_new(&cfg, &w->node[i]) == 0);
	snprintf(text, sizeof text, "/memory/%zu", 100 + i);
	at = net_addr(text);
	NET_MUST(gn_node_listen(w->node[i], at, &w->addr[i]) == 0);
	gn_multiaddr_free(at);
}

static inline void net_init(struct net *w, size_t n, void (*tune)(struct gn_node_cfg *cfg))
{
	memset(w, 0, sizeof *w);
	w->n = n;
	NET_MUST(gn_loop_new_virtual(&w->loop) == 0);
	for (size_t i = 0; i < n; i++)
		net_add(w, i, tune);
}

static inline void net_fini(struct net *w)
{
	for (size_t i = 0; i < w->n; i++) {
		gn_node_free(w->node[i]);
		gn_key_free(w->key[i]);
		gn_multiaddr_free(w->addr[i]);
	}
	gn_loop_free(w->loop);
}

/* Lets so much time pass. */
static inline void net_run(struct net *w, gn_time howlong)
{
	gn_time until = gn_loop_now(w->loop) + howlong;

	while (gn_loop_now(w->loop) < until && gn_loop_turn(w->loop, until - gn_loop_now(w->loop)) == 0)
		;
}

/* The i-th connection of a node that is not gone; NULL. */
static inline struct gn_conn *net_conn(struct net *w, size_t node, size_t i)
{
	struct gn_list *at;

	gn_list_for_each(at, &w->node[node]->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		if (c->state != GN_CONN_GONE && i-- == 0)
			return c;
	}
	return NULL;
}

#endif
