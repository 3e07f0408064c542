/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "mux/yamux.h"
#include "stack/stack.h"

enum {
	BUCKETS_MIN = 8,
	WINDOW_FREE_GROWTH = 4 * 1024 * 1024, /* bytes, see window_grow() */
	EPOCH_MIN = 5,                        /* ms, see growth_interval() */
	ORPHAN_TIMEOUT = 60,                  /* s for the peer to end its side of a released stream */
	TX_CAP = 256 * 1024,                  /* bytes that an owner may write ahead of what was sent */
};

/* ---- the table ---- */

/* Ids of one side increase by two, so the lowest bit is left out. */
static unsigned bucket(const struct yamux *y, uint32_t id)
{
	return (id >> 1 ^ id << 3) & (y->n_buckets - 1);
}

struct yamux_stream *yamux_stream_find(struct yamux *y, uint32_t id)
{
	struct yamux_stream *s = y->n_buckets > 0 ? y->buckets[bucket(y, id)] : NULL;

	while (s != NULL && s->st.id != id)
		s = s->next;
	return s;
}

static int table_grow(struct yamux *y)
{
	unsigned n = y->n_buckets > 0 ? 2 * y->n_buckets : BUCKETS_MIN, old = y->n_buckets;
	struct yamux_stream **buckets = calloc(n, sizeof(struct yamux_stream *)), **was = y->buckets;

	if (buckets == NULL)
		return -ENOMEM;
	y->buckets = buckets;
	y->n_buckets = n;
	for (unsigned i = 0; i < old; i++) {
		struct yamux_stream *s, *next;

		for (s = was[i]; s != NULL; s = next) {
			next = s->next;
			s->next = buckets[bucket(y, s->st.id)];
			buckets[bucket(y, s->st.id)] = s;
		}
	}
	free(was);
	return 0;
}

static void table_add(struct yamux *y, struct yamux_stream *s)
{
	struct yamux_stream **at = &y->buckets[bucket(y, s->st.id)];

	s->next = *at;
	*at = s;
	y->in_table++;
}

static void table_del(struct yamux *y, struct yamux_stream *s)
{
	struct yamux_stream **at = &y->buckets[bucket(y, s->st.id)];

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	/* A session without streams keeps no table. */
	if (--y->in_table == 0) {
		free(y->buckets);
		y->buckets = NULL;
		y->n_buckets = 0;
	}
}

/* ---- life ---- */

int yamux_stream_new(struct yamux *y, uint32_t id, bool inbound, struct yamux_stream **out)
{
	struct gn_iobuf *iobuf = y->layer->stack->cfg.iobuf;
	struct yamux_stream *s;

	if (y->in_table >= y->n_buckets && table_grow(y) != 0)
		return -ENOMEM;
	if (!inbound && !gn_scope_has(y->cfg.scope, 1))
		return GN_ELIMIT;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->st.session = &y->session;
	s->st.id = id;
	s->st.inbound = inbound;
	s->st.is_established = !inbound;
	s->state = inbound ? YAMUX_OPEN : YAMUX_INIT;
	s->is_unacked = inbound;
	gn_list_init(&s->st.link);
	gn_list_init(&s->control_link);
	gn_list_init(&s->link);
	gn_list_init(&s->sync_link);
	gn_pipe_init(&s->st.rx, iobuf, SIZE_MAX); /* the receive window limits it */
	gn_pipe_init(&s->st.tx, iobuf, TX_CAP);
	gn_scope_init_stream(&s->scope, y->cfg.scope);
	s->st.rx.scope = &s->scope;
	s->st.rx.reports_overflow = true;
	s->st.tx.scope = y->cfg.scope;
	s->tx_window = s->window = s->granted = YAMUX_WINDOW_INITIAL;
	table_add(y, s);
	y->session.streams++;
	y->session.inbound += inbound;
	if (inbound)
		gn_scope_add_stream(y->cfg.scope);
	*out = s;
	return 0;
}

/* Changes the state; a stream that becomes CLOSED or RESET leaves the table. */
static void stream_enter(struct yamux_stream *s, enum yamux_state state)
{
	struct yamux *y = yamux_of(s->st.session);

	s->state = state;
	if (state != YAMUX_CLOSED && state != YAMUX_RESET)
		return;
	yamux_stream_acked(s);
	table_del(y, s);
	gn_list_del(&s->link);
	gn_list_add_tail(&y->finished, &s->link);
}

static void stream_free(struct yamux_stream *s)
{
	struct yamux *y = yamux_of(s->st.session);

	yamux_plan_forget(y, s);
	if (y->body_stream == s)
		y->body_stream = NULL;
	if (s->state != YAMUX_CLOSED && s->state != YAMUX_RESET)
		stream_enter(s, YAMUX_RESET);
	gn_list_del(&s->st.link);
	gn_list_del(&s->control_link);
	gn_list_del(&s->link);
	gn_list_del(&s->sync_link);
	gn_pipe_fini(&s->st.rx);
	gn_pipe_fini(&s->st.tx);
	gn_scope_unreserve(&s->scope);
	y->session.streams--;
	y->session.inbound -= s->st.inbound;
	if (s->st.inbound)
		gn_scope_del_stream(y->cfg.scope);
	free(s);
}

void yamux_streams_free(struct yamux *y)
{
	struct yamux_stream *s;

	while ((s = gn_list_first(&y->finished, struct yamux_stream, link)) != NULL)
		stream_free(s);
	for (unsigned i = 0; i < y->n_buckets; i++) {
		while (y->n_buckets > 0 && y->buckets[i] != NULL)
			stream_free(gn_analyzer_unknown(y->buckets[i]));
	}
	free(y->buckets); /* allocated for a stream that could not be made */
	y->buckets = NULL;
	y->n_buckets = 0;
}

void yamux_stream_acked(struct yamux_stream *s)
{
	struct yamux *y = yamux_of(s->st.session);

	if (!s->is_unacked || s->st.inbound)
		return;
	s->is_unacked = false;
	/* Streams that waited for an ACK are still in control_queue. */
	if (y->unacked-- == YAMUX_UNACKED_MAX)
		yamux_mark_layer(y);
}

void yamux_stream_syn_sent(struct yamux_stream *s)
{
	stream_enter(s, YAMUX_OPEN);
	s->is_unacked = true;
	yamux_of(s->st.session)->unacked++;
	yamux_stream_queue_data(s);
}

void yamux_stream_fin_sent(struct yamux_stream *s)
{
	s->st.is_ended_out = true;
	stream_enter(s, s->state == YAMUX_REMOTE_CLOSE ? YAMUX_CLOSED : YAMUX_LOCAL_CLOSE);
	if (!s->is_released)
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_TX);
}

void yamux_stream_rst_sent(struct yamux_stream *s)
{
	stream_enter(s, YAMUX_RESET);
}

void yamux_stream_fin_received(struct yamux_stream *s)
{
	s->st.is_ended_in = true;
	gn_pipe_close(&s->st.rx, GN_EOF);
	stream_enter(s, s->state == YAMUX_LOCAL_CLOSE ? YAMUX_CLOSED : YAMUX_REMOTE_CLOSE);
	if (!s->is_released)
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_RX);
}

/* Nothing is reserved for a released stream once our end was sent, since what is received for it is dropped.  The peer has
 * a limited time to end its side, too. */
void yamux_stream_free_if_finished(struct yamux_stream *s)
{
	struct yamux *y = yamux_of(s->st.session);

	if (!s->is_released || yamux_tx_is_open(s))
		return;
	gn_scope_unreserve(&s->scope);
	if (s->state == YAMUX_CLOSED || s->state == YAMUX_RESET) {
		stream_free(s);
	} else if (s->state == YAMUX_LOCAL_CLOSE && s->orphan_due == 0) {
		s->orphan_due = gn_time_add(y->session.now, ORPHAN_TIMEOUT * GN_SEC);
		gn_list_del(&s->link);
		gn_list_add_tail(&y->orphans, &s->link);
		yamux_mark_layer(y); /* so that the layer's wake time includes it */
	}
}

gn_time yamux_orphans_check(struct yamux *y, gn_time now)
{
	struct yamux_stream *s;

	while ((s = gn_list_first(&y->orphans, struct yamux_stream, link)) != NULL && s->orphan_due <= now)
		yamux_stream_reset(&s->st);
	return s != NULL ? s->orphan_due : GN_NEVER;
}

/* ---- ends ---- */

/* Ends both directions of a stream that is in neither CLOSED, RESETTING nor RESET; next is one of the latter two. */
static void stream_abort(struct yamux_stream *s, int err, bool drop, enum yamux_state next)
{
	s->st.err = err;
	yamux_sync_clear(s);
	yamux_plan_forget(yamux_of(s->st.session), s);
	gn_list_del(&s->link);
	/* Bytes in front of the peer's FIN are complete, whatever happens to our direction. */
	if (drop && yamux_rx_is_open(s) && !s->st.defers_reset)
		gn_pipe_reset(&s->st.rx, err);
	else
		gn_pipe_close(&s->st.rx, err);
	gn_pipe_reset(&s->st.tx, err);
	stream_enter(s, next);
	if (next == YAMUX_RESETTING)
		yamux_stream_queue_control(s);
	else
		gn_list_del(&s->control_link);
}

void yamux_stream_fail(struct yamux_stream *s, int err, bool drop)
{
	if (s->state >= YAMUX_CLOSED)
		return;
	stream_abort(s, err, drop, YAMUX_RESET);
	if (s->is_released)
		yamux_stream_free_if_finished(s);
	else
		gn_mux_stream_notify(&s->st, GN_MUX_STREAM_GONE | GN_MUX_STREAM_RX);
}

bool yamux_stream_has_overflowed(const struct yamux_stream *s)
{
	return s->st.rx.end != 0 && s->st.rx.end != GN_EOF && s->st.err == 0 && !s->is_released;
}

void yamux_stream_overflow(struct yamux_stream *s)
{
	int err = s->st.rx.end;

	gn_log(GN_LOG_DEBUG, "yamux: a stream is reset: %s", gn_strerror(err));
	if (s->state < YAMUX_CLOSED) {
		stream_abort(s, err, true, YAMUX_RESETTING);
	} else { /* it has left the table already */
		yamux_sync_clear(s);
		s->state = YAMUX_RESET;
		s->st.err = err;
	}
	gn_mux_stream_notify(&s->st, GN_MUX_STREAM_GONE | GN_MUX_STREAM_RX);
	yamux_mark_layer(yamux_of(s->st.session));
}

void yamux_streams_fail(struct yamux *y, int err)
{
	for (unsigned i = 0; i < y->n_buckets; i++) {
		struct yamux_stream *s;

		while (y->n_buckets > 0 && (s = gn_analyzer_unknown(y->buckets[i])) != NULL) {
			if (s->state == YAMUX_RESETTING) {
				gn_list_del(&s->control_link);
				stream_enter(s, YAMUX_RESET);
				yamux_stream_free_if_finished(s);
			} else {
				yamux_stream_fail(s, err, false);
			}
		}
	}
}

void yamux_stream_reset(struct gn_mux_stream *st)
{
	struct yamux_stream *s = yamux_stream_of(st);
	struct yamux *y = yamux_of(st->session);
	bool is_known;

	if (s->state >= YAMUX_CLOSED)
		return;
	/* A stream whose SYN was not sent, not even in part, is unknown to the peer and needs no RST. */
	is_known = s->state != YAMUX_INIT || (y->taken > 0 && y->plan[0].stream == s);
	stream_abort(s, GN_ECLOSED, true, is_known ? YAMUX_RESETTING : YAMUX_RESET);
	st->events &= ~(unsigned)(GN_MUX_STREAM_GONE | GN_MUX_STREAM_RX);
}

void yamux_stream_release(struct gn_mux_stream *st)
{
	struct yamux_stream *s = yamux_stream_of(st);

	st->on_events = NULL;
	if (st->tx.end != GN_EOF) /* it was not closed, or it failed for lack of memory */
		yamux_stream_reset(st);
	s->is_released = true;
	yamux_sync_clear(s);
	gn_list_del(&st->link);
	if (st->err == 0) { /* from now on received bytes are dropped, and granted again at once */
		gn_pipe_reset(&st->rx, GN_ECLOSED);
		yamux_stream_touch(st);
	}
	yamux_stream_free_if_finished(s);
}

bool yamux_has_unsent(const struct gn_mux_session *session)
{
	const struct yamux *y = (const struct yamux *)(const void *)session;

	for (unsigned i = 0; i < y->n_buckets; i++)
		for (const struct yamux_stream *s = y->buckets[i]; s != NULL; s = s->next)
			if (s->is_released && yamux_tx_is_open(s))
				return true;
	return false;
}

int yamux_stream_establish(struct gn_mux_stream *st)
{
	struct yamux *y = yamux_of(st->session);

	if (st->is_established || st->err != 0)
		return 0;
	if (!gn_scope_has(y->cfg.scope, 1))
		return GN_ELIMIT;
	st->is_established = true;
	yamux_stream_touch(st); /* a window update may be due */
	return 0;
}

int yamux_stream_open(struct gn_mux_session *session, struct gn_mux_stream **out)
{
	struct yamux *y = yamux_of(session);
	struct yamux_stream *s;
	int err;

	if (session->is_remote_go_away || y->is_closing || y->next_id > UINT32_MAX - 2)
		return GN_EGONE;
	err = yamux_stream_new(y, y->next_id, false, &s);
	if (err != 0)
		return err;
	y->next_id += 2;
	yamux_stream_queue_control(s); /* for the SYN */
	*out = &s->st;
	return 0;
}

/* ---- windows ---- */

void yamux_stream_queue_control(struct yamux_stream *s)
{
	struct yamux *y = yamux_of(s->st.session);

	if (gn_list_is_empty(&s->control_link))
		gn_list_add_tail(&y->control_queue, &s->control_link);
	yamux_mark_layer(y);
}

void yamux_stream_queue_data(struct yamux_stream *s)
{
	struct yamux *y = yamux_of(s->st.session);

	if (!yamux_tx_is_open(s) || s->tx_window == 0)
		return;
	if (gn_list_is_empty(&s->link))
		gn_list_add_tail(&y->data_queue, &s->link);
	yamux_mark_layer(y);
}

/* Bytes of bodies received so far.  `received` counts a whole frame when its header is received. */
static uint64_t body_received(const struct yamux_stream *s)
{
	const struct yamux *y = (const struct yamux *)(const void *)s->st.session;

	return s->received - (y->body_stream == s ? y->body_left : 0);
}

uint32_t yamux_stream_credit(const struct yamux_stream *s)
{
	uint64_t held = s->granted - body_received(s) + gn_pipe_len(&s->st.rx);

	/* A window update is worth a frame once half of the window is free. */
	if (!s->st.is_established || !yamux_rx_is_open(s) || held + s->window / 2 > s->window)
		return 0;
	return (uint32_t)(s->window - held);
}

/* The interval over which a rate is measured.  On a long path it is an eighth of the round trip: a sender
 * in slow start doubles its rate while the credit travels, and an average over the whole round trip would
 * slow it down. */
static gn_time growth_interval(gn_time rtt)
{
	gn_time least = EPOCH_MIN * GN_MSEC < rtt ? EPOCH_MIN * GN_MSEC : rtt;

	return rtt / 8 > least ? rtt / 8 : least;
}

/* Enlarges the window if the reader has emptied its buffer, to at most twice the measured rate times the
 * round trip (docs/design.md). */
static void window_grow(struct yamux_stream *s, gn_time now)
{
	struct yamux *y = yamux_of(s->st.session);
	uint64_t consumed = body_received(s) - gn_pipe_len(&s->st.rx);
	gn_time rtt = y->session.rtt, span = now - s->epoch;
	uint64_t want, least;

	if (s->is_released || !s->st.is_established || s->st.has_fixed_window)
		return;
	if (s->epoch == 0 || rtt == 0 || gn_pipe_len(&s->st.rx) > 0) {
		/* A reader that reads in small pieces empties the buffer with the last of them. */
		if (s->epoch == 0 || (rtt > 0 && span > 2 * rtt)) {
			s->epoch = now;
			s->epoch_bytes = consumed;
		}
		return;
	}
	if (span < growth_interval(rtt))
		return;
	want = (uint64_t)((double)(consumed - s->epoch_bytes) * 2.0 * (double)rtt / (double)span);
	s->epoch = now;
	s->epoch_bytes = consumed;
	/* A queue on the path looks like a long path.  Up to WINDOW_FREE_GROWTH the window may fill it,
	 * which keeps a fast path busy; past that only the shortest round trip counts, so that memory stays
	 * small. */
	least = (uint64_t)((double)want * ((double)y->rtt_min / (double)rtt));
	if (want > WINDOW_FREE_GROWTH && least < want)
		want = least > WINDOW_FREE_GROWTH ? least : WINDOW_FREE_GROWTH;
	if (want > y->cfg.window)
		want = y->cfg.window;
	if (want > s->window && gn_scope_reserve(&s->scope, want - s->window))
		s->window = want;
}

void yamux_stream_consumed(struct yamux_stream *s, gn_time now)
{
	if (s->received != s->epoch_bytes)
		window_grow(s, now);
	if (yamux_stream_credit(s) > 0)
		yamux_stream_queue_control(s);
}

void yamux_stream_touch(struct gn_mux_stream *st)
{
	struct yamux_stream *s = yamux_stream_of(st);
	struct yamux *y = yamux_of(st->session);

	if (st->err != 0)
		return;
	if (yamux_stream_has_overflowed(s)) {
		yamux_stream_overflow(s);
		return;
	}
	yamux_stream_consumed(s, y->session.now);
	yamux_stream_queue_data(s);
	/* A FIN without bytes in front of it needs no window. */
	if (gn_pipe_is_closed(&st->tx) && yamux_tx_is_open(s))
		yamux_stream_queue_control(s);
}
