/* SPDX-License-Identifier: MIT */
#include "support/peer_events.h"

#include "support/cmocka.h"

struct gn_event peer_events[8];
size_t peer_events_n;

static void peer_events_on_event(void *arg, const struct gn_event *event)
{
	(void)arg;
	if (event->type > GN_EVENT_PATH)
		return;
	assert_true(peer_events_n < sizeof peer_events / sizeof peer_events[0]);
	peer_events[peer_events_n++] = *event;
}

void peer_events_tune(struct gn_node_cfg *cfg)
{
	cfg->on_event = peer_events_on_event;
}

void peer_events_net_init(struct net *w)
{
	peer_events_n = 0;
	net_init(w, 1, peer_events_tune);
	net_add(w, 1, NULL);
	w->n = 2;
	net_run(w, GN_MSEC);
}
