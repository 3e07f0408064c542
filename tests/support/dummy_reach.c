/* SPDX-License-Identifier: MIT */
#include "support/dummy_reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "loop/loop.h"
#include "node/node.h"

struct dummy_reach_state {
	struct gn_reach_link *link;
	const struct dummy_reach_cfg *cfg;
	struct gn_timer timer;
	struct gn_multiaddr *mapped; /* NULL: none */
};

static bool dummy_reach_listens(const struct dummy_reach_state *s)
{
	struct gn_list *at;

	gn_list_for_each(at, &gn_reach_node(s->link)->own.addrs[GN_OWN_LISTENING])
		if (gn_multiaddr_has(gn_list_entry(at, struct gn_own_addr, link)->addr, GN_MA_TCP))
			return true;
	return false;
}

static void dummy_reach_report(struct dummy_reach_state *s, enum gn_reach_state state, int err, gn_time retry)
{
	const struct gn_reach_status status = {state, err, retry};

	gn_reach_report(s->link, &status);
}

static void dummy_reach_unmap(struct dummy_reach_state *s)
{
	if (s->mapped != NULL)
		gn_reach_del(s->link, s->mapped);
	gn_multiaddr_free(s->mapped);
	s->mapped = NULL;
}

static void dummy_reach_on_timer(void *arg)
{
	struct dummy_reach_state *s = arg;
	gn_time now = gn_loop_now(gn_reach_node(s->link)->loop);
	int err = s->cfg->err;

	if (err == 0 && s->mapped == NULL)
		err = gn_multiaddr_parse("/ip4/198.51.100.1/tcp/4001", &s->mapped, NULL);
	if (err == 0)
		err = gn_reach_add(s->link, s->mapped, now + s->cfg->lifetime);
	if (err != 0) {
		dummy_reach_unmap(s);
		dummy_reach_report(s, GN_REACH_STATE_FAILED, err, now + s->cfg->delay);
		gn_timer_start(&s->timer, s->cfg->delay);
		return;
	}
	dummy_reach_report(s, GN_REACH_STATE_UP, 0, GN_NEVER);
	gn_timer_start(&s->timer, s->cfg->lifetime / 2);
}

static void dummy_reach_on_change(void *state)
{
	struct dummy_reach_state *s = state;

	if (!dummy_reach_listens(s)) {
		gn_timer_stop(&s->timer);
		dummy_reach_unmap(s);
		dummy_reach_report(s, GN_REACH_STATE_IDLE, 0, GN_NEVER);
	} else if (!gn_timer_is_running(&s->timer)) {
		dummy_reach_report(s, GN_REACH_STATE_TRYING, 0, GN_NEVER);
		gn_timer_start(&s->timer, s->cfg->delay);
	}
}

static int dummy_reach_start(struct gn_reach_link *link, const void *config, void **state)
{
	const struct dummy_reach_cfg *cfg = config;
	struct dummy_reach_state *s;

	if (cfg == NULL || cfg->start_err != 0)
		return cfg == NULL ? -EINVAL : cfg->start_err;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->link = link;
	s->cfg = cfg;
	gn_timer_init(&s->timer, gn_reach_node(link)->loop, dummy_reach_on_timer, s);
	dummy_reach_on_change(s);
	*state = s;
	return 0;
}

static void dummy_reach_stop(void *state)
{
	struct dummy_reach_state *s = state;

	gn_timer_fini(&s->timer);
	gn_multiaddr_free(s->mapped);
	free(s);
}

const struct gn_reach_ops dummy_reach = {
	.name = "dummy",
	.origin = GN_OWN_MAPPED,
	.start = dummy_reach_start,
	.stop = dummy_reach_stop,
	.on_change = dummy_reach_on_change,
};

const struct gn_reach_ops dummy_reach_second = {
	.name = "dummy-second",
	.origin = GN_OWN_MAPPED,
	.start = dummy_reach_start,
	.stop = dummy_reach_stop,
	.on_change = dummy_reach_on_change,
};
