/* SPDX-License-Identifier: MIT */
#include "protocols/identify.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/log.h"
#include "id/multihash.h"
#include "node/node.h"
#include "node/peerbook.h"
#include "node/service.h"

enum identify_kind {
	IDENTIFY_QUERY,    /* outbound: we read the peer's message */
	IDENTIFY_ANSWER,   /* inbound: we write ours, and wait for the end */
	IDENTIFY_PUSH_OUT, /* outbound: we write ours, and wait for the end */
	IDENTIFY_PUSH_IN,  /* inbound: we read the peer's message */
};

struct gn_identify_stream {
	struct gn_list link; /* in service->streams */
	struct gn_stream stream;
	struct gn_identify_service *service;
	struct gn_identify_peer *peer;
	enum identify_kind kind;
	struct gn_identify_reader reader; /* IDENTIFY_QUERY, IDENTIFY_PUSH_IN */
	struct gn_timer limit;
};

static void identify_push_next(struct gn_identify_service *sv);

static struct gn_identify_service *identify_service_of(const struct gn_identify_peer *peer)
{
	return peer->base.service;
}

/* Peers that wait for a push are in front of the others, so that the next one is found without a search. */
static void identify_push_set(struct gn_identify_peer *peer, bool is_pending)
{
	struct gn_list *peers = &identify_service_of(peer)->peers;

	peer->pending_push = is_pending;
	gn_list_del(&peer->link);
	if (is_pending)
		gn_list_add_head(peers, &peer->link);
	else
		gn_list_add_tail(peers, &peer->link);
}

struct gn_identify_peer *gn_identify_peer_find(const struct gn_identify_service *service, const struct gn_conn *conn)
{
	struct gn_service_conn *s = gn_service_conn_find(conn, service);

	return s != NULL ? gn_list_entry(s, struct gn_identify_peer, base) : NULL;
}

/* ---- the rate of a peer ---- */

/* ---- the end of a stream ---- */

static void identify_stream_free(struct gn_identify_stream *s)
{
	if (s->stream.inbound)
		s->peer->n_inbound--;
	gn_stream_close(&s->stream);
	gn_timer_fini(&s->limit);
	gn_identify_reader_fini(&s->reader);
	gn_list_del(&s->link);
	free(s);
}

/* The first bytes of a SHA-256, which suffice to recognise that a peer repeats its last message. */
static uint64_t identify_hash(const struct gn_buf *body)
{
	uint8_t hash[GN_MULTIHASH_MAX] = {0};

	gn_multihash_encode(GN_MULTIHASH_SHA2_256, body->p, body->len, hash);
	return gn_get_u64(hash + 2);
}

int gn_identify_get(const struct gn_conn *conn, struct gn_identify_view *view)
{
	const struct gn_identify_service *sv = gn_node_service(conn->node, &gn_service_identify);
	const struct gn_identify_peer *peer = sv != NULL ? gn_identify_peer_find(sv, conn) : NULL;
	int err;

	if (sv == NULL)
		return -EINVAL;
	if (peer == NULL || peer->known == NULL)
		return GN_EAGAIN;
	err = gn_identify_view_init(view, peer->known->body, peer->known->len, gn_conn_peer(conn));
	if (err == 0)
		view->info.signed_record = peer->known->signed_record;
	return err;
}

/* Passes the message to the other services. */
static void identify_report(const struct gn_identify_peer *peer)
{
	struct gn_conn *c = peer->conn;
	struct gn_identify_view view;

	if (!gn_node_wants_identified(c->node) || gn_identify_get(c, &view) != 0)
		return;
	gn_node_conn_identified(c->node, c, &view.info);
	gn_identify_view_fini(&view);
}

static bool identify_is_from_listener(struct gn_link *link)
{
	return link != NULL && link->ops->is_from_listener != NULL && link->ops->is_from_listener(link);
}

/* Uses the address of this node that the peer reports.  A report is optional information, so without memory it is
 * dropped. */
static void identify_observe(const struct gn_identify_peer *peer)
{
	const struct gn_conn *c = peer->conn;
	struct gn_own_report report = {.observer = c->remote,
				       .is_inbound = c->inbound,
				       .is_from_listener = identify_is_from_listener(c->link)};
	struct gn_identify_view v;
	bool changed = false;

	/* Most reports of a local network's peers are not used; they are not even decoded. */
	if (gn_multiaddr_scope(c->remote) < GN_SCOPE_OTHER || gn_identify_get(c, &v) != 0)
		return;
	report.observed = v.observed;
	if (v.observed != NULL)
		(void)gn_own_observe(&c->node->own, &report, gn_loop_now(c->node->loop), &changed);
	gn_identify_view_fini(&v);
	gn_node_own_changed(c->node, changed);
}

/* Passes the message to the node's address book. */
static void identify_remember(const struct gn_identify_peer *peer, const struct gn_identify_view *v)
{
	const struct gn_peerbook_message message = {
		.info = &v->info,
		.record = {v->record.seq, v->envelope, v->n_envelope},
		.signed_addrs = (const struct gn_multiaddr *const *)v->record.addrs,
		.n_signed = v->record.n_addrs,
	};

	gn_peerbook_identified(peer->conn, &message);
}

/* The connection ends.  What is known of a tagged peer that has dialled this node is kept in the address book. */
static void identify_keep_tagged(const struct gn_identify_peer *peer)
{
	const struct gn_conn *c = peer->conn;
	struct gn_identify_view v;

	if (!c->inbound || c->peer->tags == NULL || c->node->is_closing || gn_identify_get(c, &v) != 0)
		return;
	identify_remember(peer, &v);
	gn_identify_view_fini(&v);
}

/* The peer has sent its whole message.  *is_new is set when it has anything new. */
static int identify_learn(struct gn_identify_stream *s, bool *is_new)
{
	struct gn_identify_peer *peer = s->peer;
	const struct gn_buf *body = &s->reader.body;
	struct gn_identify_known *known = NULL;
	struct gn_identify_view now;
	uint64_t hash;
	int err = gn_identify_reader_finish(&s->reader);

	if (err != 0)
		return err;
	/* A repetition of the last message has nothing new. */
	hash = identify_hash(body);
	if (s->kind == IDENTIFY_PUSH_IN && peer->known != NULL && hash == peer->hash)
		return 0;
	err = gn_identify_view_init(&now, body->p, body->len, gn_conn_peer(peer->conn));
	if (err != 0)
		return err;
	err = gn_identify_known_make(&now, s->kind == IDENTIFY_PUSH_IN ? peer->known : NULL, &known);
	if (err == 0)
		identify_remember(peer, &now);
	gn_identify_view_fini(&now);
	if (err != 0)
		return err;
	free(peer->known);
	peer->known = known;
	peer->hash = hash;
	identify_observe(peer);
	*is_new = true;
	/* A change since our answer could not be pushed before it was known that the peer serves pushes. */
	if (known->takes_push && peer->sent_version != 0 && peer->sent_version != s->service->version)
		identify_push_set(peer, true);
	return 0;
}

static void identify_stream_finish(struct gn_identify_stream *s, int err)
{
	struct gn_identify_service *sv = s->service;
	struct gn_identify_peer *peer = s->peer;
	bool pushed = s->kind == IDENTIFY_PUSH_OUT, is_new = false;

	if (err == GN_EOF)
		err = s->kind == IDENTIFY_QUERY || s->kind == IDENTIFY_PUSH_IN ? identify_learn(s, &is_new) : 0;
	if (err != 0)
		gn_log(GN_LOG_DEBUG, "identify: %s", gn_strerror(err));
	if (err == 0 && s->kind == IDENTIFY_PUSH_IN)
		gn_stream_end(&s->stream);
	else if (err != 0)
		gn_stream_reset(&s->stream);
	if (s->kind == IDENTIFY_QUERY) {
		peer->query = NULL;
		gn_identify_ops_finish(&peer->waiters, err, &s->reader.body);
	}
	identify_stream_free(s);
	if (pushed)
		sv->pushing--;
	identify_push_next(sv);
	if (is_new) /* last, because a service may end the connection or close the node in it */
		identify_report(peer);
}

static void identify_on_limit(void *arg)
{
	identify_stream_finish(arg, GN_ETIMEOUT);
}

/* ---- receiving ---- */

/* Reads all that was received: GN_EAGAIN, GN_EOF, or an error. */
static int identify_stream_read(struct gn_identify_stream *s)
{
	struct iovec v[4];
	int n;

	while ((n = gn_stream_peek(&s->stream, v, 4)) > 0) {
		size_t len = 0;

		for (int i = 0; i < n; i++) {
			int err = s->kind == IDENTIFY_QUERY || s->kind == IDENTIFY_PUSH_IN
					  ? gn_identify_reader_put(&s->reader, v[i].iov_base, v[i].iov_len)
					  : 0;

			if (err != 0)
				return err;
			len += v[i].iov_len;
		}
		gn_stream_skip(&s->stream, len);
	}
	return n;
}

static void identify_on_event(void *arg, struct gn_stream *stream, unsigned events)
{
	struct gn_identify_stream *s = arg;
	int err;

	if (s->kind == IDENTIFY_QUERY && events & GN_OPENED)
		gn_stream_end(stream);
	err = identify_stream_read(s);
	if (err == GN_EAGAIN && events & GN_DEAD)
		err = stream->err;
	if (err != GN_EAGAIN)
		identify_stream_finish(s, err);
}

/* ---- opening streams ---- */

static struct gn_identify_stream *identify_stream_new(struct gn_identify_peer *peer, enum identify_kind kind)
{
	struct gn_identify_service *sv = identify_service_of(peer);
	struct gn_identify_stream *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->service = sv;
	s->peer = peer;
	s->kind = kind;
	gn_identify_reader_init(&s->reader);
	gn_timer_init(&s->limit, sv->node->loop, identify_on_limit, s);
	gn_timer_start(&s->limit, GN_IDENTIFY_TIME * GN_SEC);
	gn_list_init(&s->link);
	gn_list_add_tail(&sv->streams, &s->link);
	return s;
}

static int identify_stream_open(struct gn_identify_peer *peer, enum identify_kind kind, const char *protocol,
				struct gn_identify_stream **out)
{
	struct gn_identify_stream *s = identify_stream_new(peer, kind);
	int err = s == NULL ? -ENOMEM : gn_stream_open(&s->stream, peer->conn, protocol, GN_STREAM_LIMITED);

	if (err != 0) {
		if (s != NULL)
			identify_stream_free(s);
		return err;
	}
	s->stream.on_event = identify_on_event;
	s->stream.arg = s;
	*out = s;
	return 0;
}

/* Sends the message of this node, and the end of the stream. */
static int identify_send(struct gn_identify_stream *s)
{
	struct gn_buf b;
	int err;

	gn_buf_init(&b, GN_IDENTIFY_OWN_MAX);
	err = gn_identify_own_make(s->peer->conn, &b);
	if (err == 0)
		err = gn_stream_put(&s->stream, b.p, b.len);
	if (err == 0)
		err = gn_stream_end(&s->stream);
	if (err == 0)
		s->peer->sent_version = s->service->version;
	gn_buf_fini(&b);
	return err;
}

int gn_identify_query(struct gn_identify_peer *peer)
{
	if (peer->query != NULL)
		return 0;
	peer->is_queried = true;
	return identify_stream_open(peer, IDENTIFY_QUERY, GN_IDENTIFY_ID, &peer->query);
}

static void identify_push_start(struct gn_identify_peer *peer)
{
	struct gn_identify_stream *s;

	if (identify_stream_open(peer, IDENTIFY_PUSH_OUT, GN_IDENTIFY_PUSH_ID, &s) != 0)
		return;
	if (identify_send(s) != 0) {
		gn_stream_reset(&s->stream);
		identify_stream_free(s);
		return;
	}
	identify_service_of(peer)->pushing++;
}

static void identify_push_next(struct gn_identify_service *sv)
{
	while (sv->pushing < GN_IDENTIFY_PUSHES && !sv->node->is_closing && !gn_timer_is_running(&sv->quiet)) {
		struct gn_identify_peer *peer = gn_list_first(&sv->peers, struct gn_identify_peer, link);

		if (peer == NULL || !peer->pending_push)
			return;
		identify_push_set(peer, false);
		if (gn_conn_is_usable(peer->conn))
			identify_push_start(peer);
	}
}

/* A peer opened a stream. */
static void identify_accept(struct gn_identify_service *sv, struct gn_stream *handed, enum identify_kind kind)
{
	struct gn_identify_peer *peer = gn_identify_peer_find(sv, handed->conn);
	struct gn_identify_stream *s = NULL;
	int err = 0;

	if (peer != NULL && gn_identify_bucket_take(peer->bucket, gn_loop_now(sv->node->loop)) &&
	    peer->n_inbound < GN_IDENTIFY_STREAMS)
		s = identify_stream_new(peer, kind);
	if (s == NULL) {
		gn_stream_reset(handed);
		gn_stream_close(handed);
		return;
	}
	gn_stream_accept(&s->stream, handed);
	peer->n_inbound++;
	s->stream.on_event = identify_on_event;
	s->stream.arg = s;
	if (kind == IDENTIFY_ANSWER)
		err = identify_send(s);
	if (err != 0)
		identify_stream_finish(s, err);
}

static void identify_on_query(void *arg, struct gn_stream *stream)
{
	identify_accept(arg, stream, IDENTIFY_ANSWER);
}

static void identify_on_push(void *arg, struct gn_stream *stream)
{
	identify_accept(arg, stream, IDENTIFY_PUSH_IN);
}

/* ---- connections ---- */

static void identify_on_task(struct gn_task *task)
{
	struct gn_identify_peer *peer = gn_list_entry(task, struct gn_identify_peer, task);

	if (peer->delay_turns > 0) {
		peer->delay_turns--;
		gn_task_post(identify_service_of(peer)->node->loop, &peer->task);
	} else if (!peer->is_queried && !identify_service_of(peer)->node->is_closing && gn_conn_is_usable(peer->conn)) {
		gn_identify_query(peer);
	}
}

static void identify_service_on_conn(void *state, struct gn_conn *c)
{
	struct gn_identify_service *sv = state;
	struct gn_identify_peer *peer = calloc(1, sizeof *peer);

	if (peer == NULL)
		return; /* without state, the connection is not queried, and inbound streams are reset */
	peer->bucket = gn_identify_bucket_get(sv, c);
	if (peer->bucket == NULL) {
		free(peer);
		return;
	}
	peer->conn = c;
	/* The program opens its first stream in the next turn of the loop; the query goes after it. */
	peer->delay_turns = 2;
	gn_list_init(&peer->link);
	gn_list_init(&peer->waiters);
	gn_list_add_tail(&sv->peers, &peer->link);
	gn_task_init(&peer->task, identify_on_task);
	if (!c->is_probe) /* a probe is answered, but not queried */
		gn_task_post(sv->node->loop, &peer->task);
	gn_service_conn_add(c, &peer->base, sv);
}

static void identify_peer_free(struct gn_identify_peer *peer)
{
	gn_task_cancel(&peer->task);
	gn_list_del(&peer->link);
	gn_service_conn_del(peer->conn, &peer->base);
	gn_identify_bucket_put(peer->bucket);
	free(peer->known);
	free(peer);
}

/* Resets the streams of a peer, or of all peers if it is NULL; only the outbound ones unless all is true. */
static void identify_streams_drop(struct gn_identify_service *sv, const struct gn_identify_peer *peer, bool all)
{
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &sv->streams) {
		struct gn_identify_stream *s = gn_list_entry(at, struct gn_identify_stream, link);

		if ((peer != NULL && s->peer != peer) ||
		    (!all && s->kind != IDENTIFY_QUERY && s->kind != IDENTIFY_PUSH_OUT))
			continue;
		if (s->kind == IDENTIFY_QUERY)
			s->peer->query = NULL;
		if (s->kind == IDENTIFY_PUSH_OUT)
			sv->pushing--;
		gn_stream_reset(&s->stream);
		identify_stream_free(s);
	}
}

static void identify_service_on_gone(void *state, struct gn_conn *c)
{
	struct gn_identify_service *sv = state;
	struct gn_identify_peer *peer = gn_identify_peer_find(sv, c);

	if (peer == NULL)
		return;
	identify_keep_tagged(peer);
	identify_streams_drop(sv, peer, true);
	gn_identify_ops_finish(&peer->waiters, c->err != 0 ? c->err : GN_EGONE, NULL);
	identify_peer_free(peer);
	identify_push_next(sv);
}

/* ---- changes ---- */

static void identify_on_quiet(void *arg)
{
	struct gn_identify_service *sv = arg;
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &sv->peers) {
		struct gn_identify_peer *peer = gn_list_entry(at, struct gn_identify_peer, link);

		if (peer->known != NULL && peer->known->takes_push && peer->sent_version != sv->version)
			identify_push_set(peer, true);
	}
	identify_push_next(sv);
}

/* The node is closing: cancels outbound streams, and fails the operations that wait for them. */
static void identify_cancel_all(struct gn_identify_service *sv)
{
	struct gn_list *at;

	gn_timer_stop(&sv->quiet);
	identify_streams_drop(sv, NULL, false);
	gn_list_for_each(at, &sv->peers) {
		struct gn_identify_peer *peer = gn_list_entry(at, struct gn_identify_peer, link);

		peer->pending_push = false;
		gn_identify_ops_finish(&peer->waiters, GN_ECLOSED, NULL);
	}
}

static void identify_service_on_closing(void *state, struct gn_conn *c)
{
	if (c == NULL)
		identify_cancel_all(state);
}

static void identify_service_on_change(void *state)
{
	struct gn_identify_service *sv = state;

	sv->version++;
	if (!sv->node->is_closing && !gn_list_is_empty(&sv->peers))
		gn_timer_start(&sv->quiet, GN_IDENTIFY_QUIET * GN_MSEC);
}

/* ---- life ---- */

static int identify_serve(struct gn_identify_service *sv, const char *id, void (*on_open)(void *, struct gn_stream *))
{
	struct gn_registry_entry entry = {.on_open = on_open, .arg = sv};

	entry.id = (char *)(uintptr_t)id; /* the registry copies it */
	return gn_registry_add(&sv->node->registry, &entry);
}

static int identify_service_start(struct gn_node *node, const void *config, void **state)
{
	struct gn_identify_service *sv;
	int err;

	if (config != NULL)
		return -EINVAL;
	sv = calloc(1, sizeof *sv);
	if (sv == NULL)
		return -ENOMEM;
	sv->node = node;
	sv->version = 1;
	gn_list_init(&sv->peers);
	gn_list_init(&sv->streams);
	gn_list_init(&sv->ops);
	gn_timer_init(&sv->quiet, node->loop, identify_on_quiet, sv);
	err = identify_serve(sv, GN_IDENTIFY_ID, identify_on_query);
	if (err == 0 && (err = identify_serve(sv, GN_IDENTIFY_PUSH_ID, identify_on_push)) != 0)
		gn_registry_del(&node->registry, GN_IDENTIFY_ID);
	if (err != 0) {
		gn_timer_fini(&sv->quiet);
		free(sv);
		return err;
	}
	*state = sv;
	return 0;
}

static void identify_service_stop(void *state)
{
	struct gn_identify_service *sv = state;

	/* on_gone has closed the streams and freed the state of every connection. */
	gn_registry_del(&sv->node->registry, GN_IDENTIFY_ID);
	gn_registry_del(&sv->node->registry, GN_IDENTIFY_PUSH_ID);
	gn_identify_ops_stop(sv);
	gn_timer_fini(&sv->quiet);
	free(sv);
}

const struct gn_service_ops gn_service_identify = {
	.name = "identify",
	.start = identify_service_start,
	.stop = identify_service_stop,
	.on_conn = identify_service_on_conn,
	.on_gone = identify_service_on_gone,
	.on_change = identify_service_on_change,
	.on_closing = identify_service_on_closing,
};
