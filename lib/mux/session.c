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

void gn_mux_stream_notify(struct gn_mux_stream *st, unsigned news)
{
	st->news |= news;
	if (gn_list_is_empty(&st->link))
		gn_list_add_tail(&st->session->news, &st->link);
}

void gn_mux_session_deliver(struct gn_mux_session *s, void (*on_new)(void *arg, struct gn_mux_stream *st), void *arg)
{
	struct gn_list now;
	struct gn_mux_stream *st;

	/* What comes up meanwhile waits for the next time, so this ends. */
	gn_list_init(&now);
	gn_list_splice(&now, &s->news);
	while ((st = gn_list_first(&now, struct gn_mux_stream, link)) != NULL) {
		unsigned news = st->news;

		gn_list_del(&st->link);
		st->news = 0;
		if (news & GN_MUX_STREAM_NEW) {
			news &= ~(unsigned)GN_MUX_STREAM_NEW;
			/* The rest is told once somebody listens. */
			if (news != 0)
				gn_mux_stream_notify(st, news);
			on_new(arg, st);
			continue;
		}
		if (st->on_news != NULL && news != 0)
			st->on_news(st->arg, st, news);
	}
}
