/* SPDX-License-Identifier: MIT */
#include "mux/yamux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "stack/stack.h"

enum {
	PING_INTERVAL_MIN = 20, /* ms between pings that measure the round trip, at first; doubles */
	PING_INTERVAL_MAX = 1000,
};

void yamux_mark_layer(struct yamux *y)
{
	gn_stack_mark_top(y->layer->stack); /* also marks the layer below, which pulls */
}

void yamux_fail(struct yamux *y, int err, bool send, uint32_t code)
{
	if (y->session.err != 0)
		return;
	gn_log(GN_LOG_DEBUG, "yamux: %s", gn_strerror(err));
	y->session.err = err;
	y->session.is_remote_go_away = true;
	y->is_closing = true;
	y->pending_go_away = send && !y->is_go_away_sent;
	y->go_away_code = code;
	y->n_pings = 0;
	y->n_refused = 0;
	yamux_streams_fail(y, err);
	yamux_syncs_fail(y, err);
	yamux_mark_layer(y);
}

/* ---- pings ---- */

static void ping_start(struct yamux *y, gn_time now)
{
	if (y->is_ping_in_flight || y->pending_ping || y->session.err != 0)
		return;
	y->pending_ping = true;
	y->ping_value = (y->ping_value + 1) & ~YAMUX_SYNC_PING;
	y->ping_sent = now; /* the wait for room below counts, too: a peer that does not read is not alive */
	yamux_mark_layer(y);
}

void yamux_ponged(struct yamux *y, uint32_t value, gn_time now)
{
	gn_time sample = now - y->ping_sent;

	yamux_sync_ponged(y, value);
	if (!y->is_ping_in_flight || value != y->ping_value)
		return;
	y->is_ping_in_flight = false;
	if (sample < GN_USEC)
		sample = GN_USEC;
	if (y->rtt_min == 0 || sample < y->rtt_min)
		y->rtt_min = sample;
	/* A short average: windows need the round trip under the present load. */
	y->session.rtt = y->session.rtt == 0 ? sample : (y->session.rtt + sample) / 2;
}

/* Sends the ping that is due, fails the session when the peer has been silent for too long, and sets the
 * layer's wake time.  A session without received data gets a ping after `keepalive` and fails after `ping`
 * more, whichever of our pings is not answered.  While streams are in use, the round trip is measured.  A ping
 * or its answer is no such use: on a path whose round trip is longer than the interval they would go on for ever. */
static void yamux_check_timers(struct yamux *y, gn_time now)
{
	gn_time last_received = y->session.last_received, due = GN_NEVER, orphan;

	if (y->session.err != 0)
		return;
	if (y->has_stream_frame && gn_time_add(y->ping_sent, y->ping_interval) <= now && !y->is_ping_in_flight) {
		ping_start(y, now);
		y->ping_interval = gn_time_min(2 * y->ping_interval, PING_INTERVAL_MAX * GN_MSEC);
	}
	if ((y->is_ping_in_flight || y->pending_ping) && y->cfg.ping > 0) {
		due = gn_time_add(gn_time_max(y->ping_sent, gn_time_add(last_received, y->cfg.keepalive)), y->cfg.ping);
		if (due <= now) {
			yamux_fail(y, GN_ETIMEOUT, false, 0);
			return;
		}
	} else if (y->cfg.keepalive > 0) {
		due = gn_time_add(last_received, y->cfg.keepalive);
		if (due <= now) {
			ping_start(y, now);
			due = gn_time_add(now, y->cfg.ping > 0 ? y->cfg.ping : y->cfg.keepalive);
		}
	}
	orphan = yamux_orphans_check(y, now);
	y->layer->wake = orphan < due ? orphan : due;
}

/* ---- the session ---- */

static void session_go_away(struct gn_mux_session *s, uint32_t code)
{
	struct yamux *y = yamux_of(s);

	if (code != GN_GO_AWAY_NORMAL) {
		bool is_limit = code == GN_GO_AWAY_CONNS || code == GN_GO_AWAY_CONNS_PER_ADDR;

		yamux_fail(y, code == GN_GO_AWAY_GATED ? GN_EREFUSED : is_limit ? GN_ELIMIT : GN_ECLOSED, true, code);
		return;
	}
	if (y->is_go_away_sent || y->pending_go_away)
		return;
	y->pending_go_away = true;
	y->go_away_code = code;
	y->is_closing = true; /* nothing may follow Go Away */
	yamux_mark_layer(y);
}

static void session_kill(struct gn_mux_session *s, int err)
{
	yamux_fail(yamux_of(s), err, false, 0);
}

static const struct gn_mux_session_ops session_ops = {
	.open = yamux_stream_open,
	.establish = yamux_stream_establish,
	.touch = yamux_stream_touch,
	.sync = yamux_stream_sync,
	.reset = yamux_stream_reset,
	.release = yamux_stream_release,
	.kill = session_kill,
	.go_away = session_go_away,
	.has_unsent = yamux_has_unsent,
};

/* ---- the layer ---- */

static int yamux_init(struct gn_layer *l, const void *cfg)
{
	struct yamux *y = l->state;

	y->session.ops = &session_ops;
	gn_list_init(&y->session.events);
	gn_list_init(&y->control_queue);
	gn_list_init(&y->data_queue);
	gn_list_init(&y->orphans);
	gn_list_init(&y->finished);
	gn_list_init(&y->syncs);
	y->layer = l;
	y->cfg = *(const struct gn_mux_cfg *)cfg;
	y->next_id = y->cfg.client ? 1 : 2;
	y->ping_interval = PING_INTERVAL_MIN * GN_MSEC;
	y->ping_sent = -GN_SEC;
	gn_pipe_source(l->tx, &yamux_source, y);
	return 0;
}

static int yamux_advance(struct gn_layer *l, gn_time now)
{
	struct yamux *y = l->state;
	int err;

	y->session.now = now;
	if (y->session.last_received == 0)
		y->session.last_received = now;
	y->has_stream_frame = false;
	err = yamux_receive(y, now);
	if (err == 0)
		y->session.last_received = now;
	yamux_check_timers(y, now);
	if (y->is_closing && !y->pending_go_away && y->taken == 0)
		gn_pipe_close(l->tx, GN_EOF);
	return err;
}

static void yamux_fini(struct gn_layer *l)
{
	struct yamux *y = l->state;

	gn_pipe_source(l->tx, NULL, NULL);
	yamux_streams_free(y);
	free(y->refused);
	free(y->buckets); /* allocated for a stream that could not be made */
}

static struct gn_mux_session *yamux_session(struct gn_layer *l)
{
	return &((struct yamux *)l->state)->session;
}

static const struct gn_layer_ops yamux_ops = {
	.name = "/yamux/1.0.0",
	.size = sizeof(struct yamux),
	.init = yamux_init,
	.advance = yamux_advance,
	.fini = yamux_fini,
};

const struct gn_muxer_ops gn_muxer_yamux = {
	.id = "/yamux/1.0.0",
	.frame_max = YAMUX_BODY_MAX,
	.layer = &yamux_ops,
	.session = yamux_session,
};
