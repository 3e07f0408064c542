/* SPDX-License-Identifier: MIT */
#include "support/dummy_router.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/loop.h"
#include "node/node.h"

struct dummy_router_state {
	struct gn_node *node;
	struct dummy_router_cfg *cfg;
	struct gn_list finds;
};

struct gn_router_find {
	struct gn_list link;
	struct dummy_router_state *router;
	struct gn_router_find_cfg cfg;
	struct gn_timer timer;
	size_t next;
};

static void dummy_find_free(struct gn_router_find *f)
{
	f->router->cfg->n_open--;
	gn_timer_fini(&f->timer);
	gn_list_del(&f->link);
	free(f);
}

static void dummy_find_end(struct gn_router_find *f, int err)
{
	struct gn_router_find_cfg cfg = f->cfg;

	dummy_find_free(f);
	cfg.on_done(cfg.arg, err);
}

static void dummy_find_on_timer(void *arg)
{
	struct gn_router_find *f = arg;
	const struct dummy_router_cfg *own = f->router->cfg;
	bool is_known = own->peer.len == 0 || gn_peer_id_is_equal(&own->peer, &f->cfg.peer);
	struct gn_multiaddr *addr;
	struct gn_router_answer answer = {.source = {own->origin, GN_NEVER},
					  .addrs = (const struct gn_multiaddr *const *)&addr,
					  .n = 1,
					  .is_trusted = own->is_trusted};

	if (!is_known || f->next == DUMMY_ROUTER_ADDRS || own->addrs[f->next] == NULL) {
		dummy_find_end(f, is_known ? own->err : GN_ENOADDR);
		return;
	}
	if (gn_multiaddr_parse(own->addrs[f->next++], &addr, NULL) != 0)
		abort();
	gn_timer_start(&f->timer, own->delay);
	f->cfg.on_addrs(f->cfg.arg, &answer); /* last, because it may cancel the search */
	gn_multiaddr_free(addr);
}

static int dummy_find(void *state, const struct gn_router_find_cfg *cfg, struct gn_router_find **out)
{
	struct dummy_router_state *r = state;
	struct gn_router_find *f;

	r->cfg->n_finds++;
	if (r->cfg->find_err != 0)
		return r->cfg->find_err;
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return -ENOMEM;
	r->cfg->n_open++;
	f->router = r;
	f->cfg = *cfg;
	gn_list_init(&f->link);
	gn_list_add_tail(&r->finds, &f->link);
	gn_timer_init(&f->timer, r->node->loop, dummy_find_on_timer, f);
	gn_timer_start(&f->timer, r->cfg->delay);
	*out = f;
	return 0;
}

static int dummy_router_start(struct gn_node *node, const void *config, void **state)
{
	struct dummy_router_state *r;

	if (config == NULL)
		return -EINVAL;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return -ENOMEM;
	r->node = node;
	r->cfg = (struct dummy_router_cfg *)(uintptr_t)config;
	gn_list_init(&r->finds);
	*state = r;
	return 0;
}

static void dummy_router_stop(void *state)
{
	struct dummy_router_state *r = state;
	struct gn_router_find *f;

	while ((f = gn_list_first(&r->finds, struct gn_router_find, link)) != NULL)
		dummy_find_end(f, GN_ECLOSED);
	free(r);
}

const struct gn_router_ops dummy_router = {
	.name = "dummy",
	.start = dummy_router_start,
	.stop = dummy_router_stop,
	.find = dummy_find,
	.cancel = dummy_find_free,
};

const struct gn_router_ops dummy_router_second = {
	.name = "dummy-second",
	.start = dummy_router_start,
	.stop = dummy_router_stop,
	.find = dummy_find,
	.cancel = dummy_find_free,
};
