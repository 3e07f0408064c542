/* SPDX-License-Identifier: MIT */
#include "mux/session.h"

int gn_go_away_error(uint32_t code)
{
	switch (code) {
	case GN_GO_AWAY_PROTOCOL:
		return GN_EPROTO;
	case GN_GO_AWAY_GATED:
		return GN_EREFUSED;
	case GN_GO_AWAY_LIMIT:
		return GN_ELIMIT;
	case GN_GO_AWAY_CONNS:
		return GN_ECONNS;
	case GN_GO_AWAY_CONNS_PER_ADDR:
		return GN_EPERADDR;
	default:
		return GN_EGONE;
	}
}

void gn_mux_stream_notify(struct gn_mux_stream *st, unsigned events)
{
	st->events |= events;
	if (gn_list_is_empty(&st->link))
		gn_list_add_tail(&st->session->events, &st->link);
}

void gn_mux_check_overflows(struct gn_iobuf *s)
{
	struct gn_pipe *rx;

	while ((rx = gn_list_first(&s->overflowed, struct gn_pipe, borrower)) != NULL) {
		struct gn_mux_stream *st = gn_list_entry(rx, struct gn_mux_stream, rx);

		gn_list_del(&rx->borrower);
		st->session->ops->touch(st);
	}
}

void gn_mux_session_deliver(struct gn_mux_session *s, void (*on_new)(void *arg, struct gn_mux_stream *st), void *arg)
{
	struct gn_list now;
	struct gn_mux_stream *st;

	/* Events that come up meanwhile wait for the next call, so this loop ends. */
	gn_list_init(&now);
	gn_list_splice(&now, &s->events);
	while ((st = gn_list_first(&now, struct gn_mux_stream, link)) != NULL) {
		unsigned events = st->events;

		gn_list_del(&st->link);
		st->events = 0;
		if (events & GN_MUX_STREAM_NEW) {
			events &= ~(unsigned)GN_MUX_STREAM_NEW;
			/* The other events wait until on_new has set on_events. */
			if (events != 0)
				gn_mux_stream_notify(st, events);
			on_new(arg, st);
			continue;
		}
		if (st->on_events != NULL && events != 0)
			st->on_events(st->arg, st, events);
	}
}
