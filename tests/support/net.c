/* SPDX-License-Identifier: MIT */
#include "support/net.h"

#include "support/cmocka.h"

struct gn_multiaddr *net_addr(const char *text)
{
	struct gn_multiaddr *a;

	assert_true(gn_multiaddr_parse(text, &a, NULL) == 0);
	return a;
}

void net_add(struct net *w, size_t i, void (*tune)(struct gn_node_cfg *cfg))
{
	struct gn_node_cfg cfg;
	char text[32];

	gn_node_cfg_init(&cfg);
	w->key[i] = test_node_key((uint8_t)(i + 1));
	cfg.loop = w->loop;
	cfg.key = w->key[i];
	cfg.components = test_node_components();
	if (tune != NULL)
		tune(&cfg);
	assert_int_equal(gn_node_new(&cfg, &w->node[i]), 0);
	snprintf(text, sizeof text, "/memory/%zu", 100 + i);
	w->addr[i] = test_node_listen(w->node[i], text);
}

void net_init(struct net *w, size_t n, void (*tune)(struct gn_node_cfg *cfg))
{
	memset(w, 0, sizeof *w);
	w->n = n;
	assert_true(gn_loop_new_virtual(&w->loop) == 0);
	for (size_t i = 0; i < n; i++)
		net_add(w, i, tune);
}

void net_fini(struct net *w)
{
	for (size_t i = 0; i < w->n; i++) {
		gn_node_free(w->node[i]);
		gn_key_free(w->key[i]);
		gn_multiaddr_free(w->addr[i]);
	}
	gn_loop_free(w->loop);
}

void net_run(struct net *w, gn_time howlong)
{
	gn_time until = gn_loop_now(w->loop) + howlong;

	while (gn_loop_now(w->loop) < until && gn_loop_turn(w->loop, until - gn_loop_now(w->loop)) == 0)
		;
}

struct gn_conn *net_conn(struct net *w, size_t node, size_t i)
{
	struct gn_list *at;

	gn_list_for_each(at, &w->node[node]->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		if (c->state != GN_CONN_GONE && i-- == 0)
			return c;
	}
	return NULL;
}

static void net_on_identify(void *arg, int err, const struct gn_identify_info *info)
{
	(void)info;
	*(int *)arg = err;
}

void net_connect(struct net *w, size_t from, size_t to)
{
	const struct gn_multiaddr *addrs[] = {w->addr[to]};
	int err = 1;
	struct gn_identify_cfg cfg = {.target = {.addrs = addrs, .n_addrs = 1},
				      .on_done = net_on_identify,
				      .arg = &err};
	struct gn_identify *op;

	assert_int_equal(gn_identify_start(w->node[from], &cfg, &op), 0);
	for (int i = 0; i < 1000 && err == 1; i++)
		net_run(w, GN_MSEC);
	assert_int_equal(err, 0);
	net_run(w, 100 * GN_MSEC);
}
