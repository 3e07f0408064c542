/* SPDX-License-Identifier: MIT */
#include "support/direct_mux.h"

#include <errno.h>
#include <stdlib.h>

#include "support/require.h"

/* One end of a stream.  twin is the end in the other session.  It is NULL until the peer has been informed of
 * the stream, and after one of the two ends was freed. */
struct direct_stream {
	struct gn_mux_stream st; /* must be the first member */
	struct gn_list link;
	struct direct_stream *twin;
	bool is_known; /* the peer has been informed of the stream */
	bool is_released, wants_ack, pending_reset;
};

static struct direct_mux *direct_of(struct gn_mux_session *s)
{
	return (struct direct_mux *)(void *)s;
}

static struct direct_stream *direct_stream_of(struct gn_mux_stream *st)
{
	return (struct direct_stream *)(void *)st;
}

static bool direct_is_finished(const struct direct_stream *s)
{
	return s->st.err != 0 ? !s->pending_reset : s->st.is_ended_in && s->st.is_ended_out;
}

static void direct_notify(struct direct_stream *s, unsigned events)
{
	if (!s->is_released)
		gn_mux_stream_notify(&s->st, events);
}

static struct direct_stream *direct_stream_new(struct direct_mux *m, uint32_t id, struct direct_stream *twin)
{
	struct direct_stream *s = calloc(1, sizeof *s);

	REQUIRE(s != NULL);
	s->st.session = &m->session;
	s->st.id = id;
	s->st.inbound = twin != NULL;
	s->st.is_established = twin == NULL;
	s->twin = twin;
	s->is_known = twin != NULL;
	gn_list_init(&s->st.link);
	gn_pipe_init(&s->st.rx, &m->iobuf, SIZE_MAX);
	gn_pipe_init(&s->st.tx, &m->iobuf, DIRECT_MUX_WINDOW);
	gn_list_add_tail(&m->all, &s->link);
	m->session.streams++;
	m->session.inbound += s->st.inbound;
	return s;
}

static void direct_stream_free(struct direct_stream *s)
{
	struct gn_mux_session *session = s->st.session;

	if (s->twin != NULL)
		s->twin->twin = NULL;
	gn_list_del(&s->link);
	gn_list_del(&s->st.link);
	gn_pipe_fini(&s->st.rx);
	gn_pipe_fini(&s->st.tx);
	session->streams--;
	session->inbound -= s->st.inbound;
	free(s);
}

static void direct_stream_fail(struct direct_stream *s, int err, bool drop)
{
	if (s->st.err != 0 || direct_is_finished(s))
		return;
	s->st.err = err;
	s->wants_ack = false;
	if (drop && !s->st.is_ended_in && !s->st.defers_reset)
		gn_pipe_reset(&s->st.rx, err);
	else
		gn_pipe_close(&s->st.rx, err);
	gn_pipe_reset(&s->st.tx, err);
	direct_notify(s, GN_MUX_STREAM_GONE | GN_MUX_STREAM_RX);
}

static void direct_fail(struct direct_mux *m, int err)
{
	struct gn_list *at, *next;

	if (m->session.err != 0)
		return;
	m->session.err = err;
	m->session.is_remote_go_away = true;
	gn_list_for_each_safe(at, next, &m->all) {
		struct direct_stream *s = gn_list_entry(at, struct direct_stream, link);

		direct_stream_fail(s, err, false);
		s->pending_reset = false;
		if (s->is_released)
			direct_stream_free(s);
	}
}

/* ---- the operations ---- */

static int direct_open(struct gn_mux_session *session, struct gn_mux_stream **out)
{
	struct direct_mux *m = direct_of(session);

	if (session->is_remote_go_away || m->is_closing)
		return GN_EGONE;
	*out = &direct_stream_new(m, m->next_id, NULL)->st;
	m->next_id += 2;
	return 0;
}

static int direct_establish(struct gn_mux_stream *st)
{
	st->is_established = true;
	return 0;
}

static void direct_touch(struct gn_mux_stream *st)
{
	(void)st; /* direct_mux_carry() visits all streams */
}

static void direct_sync(struct gn_mux_stream *st)
{
	if (st->err != 0)
		return;
	if (st->session->err == 0) {
		direct_stream_of(st)->wants_ack = true;
		return;
	}
	st->err = st->session->err;
	gn_mux_stream_notify(st, GN_MUX_STREAM_GONE);
}

static void direct_reset(struct gn_mux_stream *st)
{
	struct direct_stream *s = direct_stream_of(st);

	if (st->err != 0 || direct_is_finished(s))
		return;
	direct_stream_fail(s, GN_ECLOSED, true);
	st->events &= ~(unsigned)(GN_MUX_STREAM_GONE | GN_MUX_STREAM_RX);
	s->pending_reset = st->session->err == 0 && s->is_known;
}

static void direct_release(struct gn_mux_stream *st)
{
	struct direct_stream *s = direct_stream_of(st);

	st->on_events = NULL;
	if (st->tx.end != GN_EOF)
		direct_reset(st);
	s->is_released = true;
	s->wants_ack = false;
	gn_list_del(&st->link);
	gn_pipe_reset(&st->rx, GN_ECLOSED);
	if (direct_is_finished(s))
		direct_stream_free(s);
}

static void direct_kill(struct gn_mux_session *session, int err)
{
	direct_fail(direct_of(session), err);
}

static void direct_go_away(struct gn_mux_session *session, uint32_t code)
{
	struct direct_mux *m = direct_of(session);

	if (m->is_closing || session->err != 0)
		return;
	m->is_closing = m->pending_go_away = true;
	m->go_away_code = code;
	if (code != GN_GO_AWAY_NORMAL)
		direct_fail(m, GN_ECLOSED);
}

static bool direct_has_unsent(const struct gn_mux_session *session)
{
	const struct direct_mux *m = (const struct direct_mux *)(const void *)session;
	struct gn_list *at;

	gn_list_for_each(at, &m->all) {
		const struct direct_stream *s = gn_list_entry(at, struct direct_stream, link);

		if (s->is_released && s->st.err == 0 && !s->st.is_ended_out)
			return true;
	}
	return false;
}

static const struct gn_mux_session_ops direct_ops = {
	.open = direct_open,
	.establish = direct_establish,
	.touch = direct_touch,
	.sync = direct_sync,
	.reset = direct_reset,
	.release = direct_release,
	.kill = direct_kill,
	.go_away = direct_go_away,
	.has_unsent = direct_has_unsent,
};

/* ---- the connection ---- */

static void direct_announce(struct direct_stream *s)
{
	struct direct_mux *peer = direct_of(s->st.session)->peer;
	int err = peer->cfg.admit != NULL ? peer->cfg.admit(peer->cfg.arg) : 0;

	s->is_known = true;
	if (err == 0) {
		s->twin = direct_stream_new(peer, s->st.id, s);
		gn_mux_stream_notify(&s->twin->st, GN_MUX_STREAM_NEW);
	} else {
		direct_stream_fail(s, GN_ERESET, true);
	}
}

/* Copies bytes to the twin while its rx pipe has room.  Returns true when any were copied. */
static bool direct_copy(struct direct_stream *s)
{
	bool has_moved = false;
	struct iovec v;

	while (s->st.err == 0 && gn_pipe_peek(&s->st.tx, &v, 1, 65536) == 1) {
		struct direct_stream *to = s->twin;

		if (to != NULL && !to->is_released && to->st.err == 0) {
			size_t room = DIRECT_MUX_WINDOW - gn_pipe_len(&to->st.rx);

			v.iov_len = v.iov_len < room ? v.iov_len : room;
			if (v.iov_len == 0)
				break;
			REQUIRE(gn_pipe_put(&to->st.rx, v.iov_base, v.iov_len) == 0);
			direct_notify(to, GN_MUX_STREAM_RX);
		}
		gn_pipe_skip(&s->st.tx, v.iov_len);
		s->st.sent += v.iov_len;
		direct_notify(s, GN_MUX_STREAM_TX);
		has_moved = true;
	}
	return has_moved;
}

static void direct_end(struct direct_stream *s)
{
	s->st.is_ended_out = true;
	direct_notify(s, GN_MUX_STREAM_TX);
	if (s->twin == NULL || s->twin->st.err != 0)
		return;
	s->twin->st.is_ended_in = true;
	gn_pipe_close(&s->twin->st.rx, GN_EOF);
	direct_notify(s->twin, GN_MUX_STREAM_RX);
}

/* Transfers what one end of a stream has pending.  Returns true when there was anything. */
static bool direct_step(struct direct_stream *s)
{
	bool has_moved;
	struct iovec v;

	if (s->pending_reset) {
		struct direct_stream *twin = s->twin;

		s->pending_reset = false;
		if (twin != NULL)
			direct_stream_fail(twin, GN_ERESET, true);
		return true;
	}
	if (s->st.err != 0)
		return false;
	has_moved = !s->is_known;
	if (!s->is_known)
		direct_announce(s);
	has_moved |= direct_copy(s);
	if (s->st.err == 0 && !s->st.is_ended_out && gn_pipe_end(&s->st.tx) == GN_EOF) {
		direct_end(s);
		has_moved = true;
	}
	if (s->wants_ack && gn_pipe_peek(&s->st.tx, &v, 1, 1) == 0 &&
	    (!gn_pipe_is_closed(&s->st.tx) || s->st.is_ended_out)) {
		s->wants_ack = false;
		s->st.acked = s->st.sent;
		direct_notify(s, GN_MUX_STREAM_ACKED);
		has_moved = true;
	}
	return has_moved;
}

static bool direct_carry_one(struct direct_mux *m)
{
	struct gn_list *at, *next;
	bool has_moved = m->pending_go_away;

	if (m->pending_go_away) {
		m->pending_go_away = false;
		m->peer->session.is_remote_go_away = true;
		if (m->go_away_code != GN_GO_AWAY_NORMAL)
			direct_fail(m->peer, gn_go_away_error(m->go_away_code));
	}
	if (m->session.err != 0 || m->peer->session.err != 0)
		return has_moved;
	gn_list_for_each(at, &m->all)
		has_moved |= direct_step(gn_list_entry(at, struct direct_stream, link));
	for (int i = 0; i < 2; i++, m = m->peer) {
		gn_list_for_each_safe(at, next, &m->all) {
			struct direct_stream *s = gn_list_entry(at, struct direct_stream, link);

			if (s->is_released && direct_is_finished(s))
				direct_stream_free(s);
		}
	}
	return has_moved;
}

void direct_mux_carry(struct direct_mux m[2])
{
	bool has_moved;

	do {
		has_moved = direct_carry_one(&m[0]);
		has_moved |= direct_carry_one(&m[1]);
	} while (has_moved);
}

void direct_mux_init(struct direct_mux m[2], const struct gn_mux_cfg cfg[2])
{
	for (int i = 0; i < 2; i++) {
		m[i] = (struct direct_mux){.session = {.ops = &direct_ops}, .peer = &m[!i], .cfg = cfg[i]};
		m[i].next_id = cfg[i].client ? 1 : 2;
		gn_list_init(&m[i].session.events);
		gn_list_init(&m[i].all);
		gn_iobuf_init(&m[i].iobuf);
	}
}

void direct_mux_fini(struct direct_mux m[2])
{
	for (int i = 0; i < 2; i++) {
		struct direct_stream *s;

		while ((s = gn_list_first(&m[i].all, struct direct_stream, link)) != NULL)
			direct_stream_free(s);
		gn_iobuf_fini(&m[i].iobuf);
	}
}
