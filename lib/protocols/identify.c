/* SPDX-License-Identifier: MIT */
#include "protocols/identify.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/log.h"
#include "id/multihash.h"
#include "node/node.h"
#include "node/service.h"

enum identify_kind {
	ASK,    /* we opened it: they write, we read */
	ANSWER, /* they opened it: we write, and wait for their end */
	PUSH,   /* we opened it: we write, and wait for their end */
	PUSHED, /* they opened it: they write */
};

struct gn_identify_stream {
	struct gn_list link; /* in service->streams */
	struct gn_stream stream;
	struct gn_identify_service *service;
	struct gn_identify_peer *peer;
	enum identify_kind kind;
	struct gn_identify_reader reader; /* ASK, PUSHED */
	struct gn_timer limit;
};

static void push_more(struct gn_identify_service *sv);

/* ---- what a peer may cost ---- */

static struct gn_identify_bucket *bucket_get(struct gn_identify_service *sv, const struct gn_conn *c)
{
	struct gn_identify_bucket *b;
	struct gn_list *at;

	gn_list_for_each(at, &sv->peers) {
		struct gn_identify_peer *other = gn_list_entry(at, struct gn_identify_peer, link);

		if (!gn_peer_id_is_equal(&other->conn->peer, &c->peer))
			continue;
		other->bucket->conns++;
		other->bucket->tokens++;
		return other->bucket;
	}
	b = malloc(sizeof *b);
	if (b != NULL)
		*b = (struct gn_identify_bucket){GN_IDENTIFY_BURST, 1, gn_loop_now(sv->node->loop)};
	return b;
}

static void bucket_put(struct gn_identify_bucket *b)
{
	if (--b->conns == 0)
		free(b);
}

static bool bucket_take(struct gn_identify_bucket *b, gn_time now)
{
	gn_time since = now - b->filled, n = since / (GN_IDENTIFY_EVERY * GN_SEC);

	b->filled = now - since % (GN_IDENTIFY_EVERY * GN_SEC);
	if (b->tokens < GN_IDENTIFY_BURST)
		b->tokens = n < GN_IDENTIFY_BURST - b->tokens ? b->tokens + (unsigned)n : GN_IDENTIFY_BURST;
	if (b->tokens == 0)
		return false;
	b->tokens--;
	return true;
}

/* ---- a stream's end ---- */

static void identify_stream_free(struct gn_identify_stream *s)
{
	gn_stream_close(&s->stream);
	gn_timer_fini(&s->limit);
	gn_identify_reader_fini(&s->reader);
	gn_list_del(&s->link);
	free(s);
}

/* The beginning of a SHA-256: enough to tell what one peer says from what it said before. */
static uint64_t hash_of(const struct gn_buf *body)
{
	uint8_t hash[GN_MULTIHASH_MAX] = {0};

	gn_multihash_encode(GN_MULTIHASH_SHA2_256, body->p, body->len, hash);
	return gn_get_u64(hash + 2);
}

/* The peer has said all of it. */
static int learn(struct gn_identify_stream *s)
{
	struct gn_identify_peer *peer = s->peer;
	const struct gn_buf *body = &s->reader.body;
	struct gn_identify_known *known = NULL;
	uint64_t hash;
	int err = gn_identify_reader_finish(&s->reader);

	if (err != 0)
		return err;
	/* What was said last, said again: nothing of it is new. */
	hash = hash_of(body);
	if (s->kind == PUSHED && peer->known != NULL && hash == peer->hash)
		return 0;
	err = gn_identify_known_make(body->p, body->len, &peer->conn->peer, s->kind == PUSHED ? peer->known : NULL,
				     &known);
	if (err != 0)
		return err;
	free(peer->known);
	peer->known = known;
	peer->hash = hash;
	/* What has changed since we answered it could not be pushed before we knew that it listens. */
	if (known->takes_push && peer->told != 0 && peer->told != s->service->version)
		peer->pending_push = true;
	return 0;
}

static void over(struct gn_identify_stream *s, int err)
{
	struct gn_identify_service *sv = s->service;
	struct gn_identify_peer *peer = s->peer;
	bool pushed = s->kind == PUSH;

	if (err == GN_EOF)
		err = s->kind == ASK || s->kind == PUSHED ? learn(s) : 0;
	if (err != 0)
		gn_log(GN_LOG_DEBUG, "identify: %s", gn_strerror(err));
	if (err == 0 && s->kind == PUSHED)
		gn_stream_end(&s->stream);
	else if (err != 0)
		gn_stream_reset(&s->stream);
	if (s->kind == ASK) {
		peer->asking = NULL;
		gn_identify_op_told(&peer->waiters, err, &s->reader.body);
	}
	identify_stream_free(s);
	if (pushed)
		sv->pushing--;
	push_more(sv);
}

static void identify_on_limit(void *arg)
{
	over(arg, GN_ETIMEOUT);
}

/* ---- what comes in ---- */

/* GN_EAGAIN, how it ended, or what is wrong with it. */
static int take_in(struct gn_identify_stream *s)
{
	struct iovec v[4];
	int n;

	while ((n = gn_stream_peek(&s->stream, v, 4)) > 0) {
		size_t len = 0;

		for (int i = 0; i < n; i++) {
			int err = s->kind == ASK || s->kind == PUSHED
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

	if (s->kind == ASK && events & GN_OPENED)
		gn_stream_end(stream);
	err = take_in(s);
	if (err == GN_EAGAIN && events & GN_DEAD)
		err = stream->err;
	if (err != GN_EAGAIN)
		over(s, err);
}

/* ---- streams are made ---- */

static struct gn_identify_stream *stream_new(struct gn_identify_peer *peer, enum identify_kind kind)
{
	struct gn_identify_service *sv = peer->service;
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
	struct gn_identify_stream *s = stream_new(peer, kind);
	int err = s == NULL ? -ENOMEM : gn_stream_open(&s->stream, peer->conn, protocol);

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

/* Says who we are, and that this is all. */
static int identify_notify(struct gn_identify_stream *s)
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
		s->peer->told = s->service->version;
	gn_buf_fini(&b);
	return err;
}

int gn_identify_ask(struct gn_identify_peer *peer)
{
	if (peer->asking != NULL)
		return 0;
	peer->is_asked = true;
	return identify_stream_open(peer, ASK, GN_IDENTIFY_ID, &peer->asking);
}

static void push_start(struct gn_identify_peer *peer)
{
	struct gn_identify_stream *s;

	if (identify_stream_open(peer, PUSH, GN_IDENTIFY_PUSH_ID, &s) != 0)
		return;
	if (identify_notify(s) != 0) {
		gn_stream_reset(&s->stream);
		identify_stream_free(s);
		return;
	}
	peer->service->pushing++;
}

static void push_more(struct gn_identify_service *sv)
{
	struct gn_list *at;

	gn_list_for_each(at, &sv->peers) {
		struct gn_identify_peer *peer = gn_list_entry(at, struct gn_identify_peer, link);

		if (sv->pushing >= GN_IDENTIFY_PUSHES)
			return;
		if (!peer->pending_push || gn_timer_is_running(&sv->quiet))
			continue;
		peer->pending_push = false;
		if (gn_conn_is_usable(peer->conn))
			push_start(peer);
	}
}

/* A peer opened a stream to us. */
static void incoming(struct gn_stream *handed, enum identify_kind kind)
{
	struct gn_identify_peer *peer = handed->conn->service_state;
	struct gn_identify_stream *s = NULL;
	struct gn_list *at;
	unsigned n = 0;
	int err = 0;

	if (peer != NULL && bucket_take(peer->bucket, gn_loop_now(peer->service->node->loop))) {
		gn_list_for_each(at, &peer->service->streams) {
			const struct gn_identify_stream *other = gn_list_entry(at, struct gn_identify_stream, link);

			n += other->peer == peer && other->stream.inbound;
		}
		if (n < GN_IDENTIFY_STREAMS)
			s = stream_new(peer, kind);
	}
	if (s == NULL) {
		gn_stream_reset(handed);
		gn_stream_close(handed);
		return;
	}
	gn_stream_accept(&s->stream, handed);
	s->stream.on_event = identify_on_event;
	s->stream.arg = s;
	if (kind == ANSWER)
		err = identify_notify(s);
	if (err != 0)
		over(s, err);
}

static void on_answer(void *arg, struct gn_stream *stream)
{
	(void)arg;
	incoming(stream, ANSWER);
}

static void on_pushed(void *arg, struct gn_stream *stream)
{
	(void)arg;
	incoming(stream, PUSHED);
}

/* ---- connections ---- */

static void ask_turn(struct gn_task *task)
{
	struct gn_identify_peer *peer = gn_list_entry(task, struct gn_identify_peer, task);

	if (peer->turns > 0) {
		peer->turns--;
		gn_task_post(peer->service->node->loop, &peer->task);
	} else if (!peer->is_asked && !peer->service->node->is_closing && gn_conn_is_usable(peer->conn)) {
		gn_identify_ask(peer);
	}
}

static void service_on_conn(void *state, struct gn_conn *c)
{
	struct gn_identify_service *sv = state;
	struct gn_identify_peer *peer = calloc(1, sizeof *peer);

	if (peer == NULL)
		return; /* one that is not asked, and does not get an answer */
	peer->bucket = bucket_get(sv, c);
	if (peer->bucket == NULL) {
		free(peer);
		return;
	}
	peer->service = sv;
	peer->conn = c;
	/* Whoever dialed opens his stream in the next turn: that goes first. */
	peer->turns = 2;
	gn_list_init(&peer->link);
	gn_list_init(&peer->waiters);
	gn_list_add_tail(&sv->peers, &peer->link);
	gn_task_init(&peer->task, ask_turn);
	gn_task_post(sv->node->loop, &peer->task);
	c->service_state = peer;
}

static void peer_free(struct gn_identify_peer *peer)
{
	gn_task_cancel(&peer->task);
	gn_list_del(&peer->link);
	peer->conn->service_state = NULL;
	bucket_put(peer->bucket);
	free(peer->known);
	free(peer);
}

/* Its streams, if they are of such a kind, without learning from them. */
static void drop_streams(struct gn_identify_service *sv, const struct gn_identify_peer *peer, bool all)
{
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &sv->streams) {
		struct gn_identify_stream *s = gn_list_entry(at, struct gn_identify_stream, link);

		if ((peer != NULL && s->peer != peer) || (!all && s->kind != ASK && s->kind != PUSH))
			continue;
		if (s->kind == ASK)
			s->peer->asking = NULL;
		if (s->kind == PUSH)
			sv->pushing--;
		gn_stream_reset(&s->stream);
		identify_stream_free(s);
	}
}

static void identify_service_on_gone(void *state, struct gn_conn *c)
{
	struct gn_identify_service *sv = state;
	struct gn_identify_peer *peer = c->service_state;

	if (peer == NULL)
		return;
	drop_streams(sv, peer, true);
	gn_identify_op_told(&peer->waiters, c->err != 0 ? c->err : GN_EGONE, NULL);
	peer_free(peer);
	push_more(sv);
}

/* ---- changes ---- */

static void on_quiet(void *arg)
{
	struct gn_identify_service *sv = arg;
	struct gn_list *at;

	gn_list_for_each(at, &sv->peers) {
		struct gn_identify_peer *peer = gn_list_entry(at, struct gn_identify_peer, link);

		if (peer->known != NULL && peer->known->takes_push && peer->told != sv->version)
			peer->pending_push = true;
	}
	push_more(sv);
}

/* The node is closing: nobody waits for answers any more. */
static void give_up(struct gn_identify_service *sv)
{
	struct gn_list *at;

	gn_timer_stop(&sv->quiet);
	drop_streams(sv, NULL, false);
	gn_list_for_each(at, &sv->peers) {
		struct gn_identify_peer *peer = gn_list_entry(at, struct gn_identify_peer, link);

		peer->pending_push = false;
		gn_identify_op_told(&peer->waiters, GN_ECLOSED, NULL);
	}
}

static void service_on_change(void *state)
{
	struct gn_identify_service *sv = state;

	sv->version++;
	if (sv->node->is_closing)
		give_up(sv);
	else if (!gn_list_is_empty(&sv->peers))
		gn_timer_start(&sv->quiet, GN_IDENTIFY_QUIET * GN_MSEC);
}

/* ---- life ---- */

static int serve(struct gn_identify_service *sv, const char *id, void (*on_open)(void *, struct gn_stream *))
{
	struct gn_registry_entry entry = {.on_open = on_open, .arg = sv};

	entry.id = (char *)(uintptr_t)id; /* copied */
	return gn_registry_add(&sv->node->registry, &entry);
}

static int identify_service_start(struct gn_node *node, void **state)
{
	struct gn_identify_service *sv = calloc(1, sizeof *sv);
	int err;

	if (sv == NULL)
		return -ENOMEM;
	sv->node = node;
	sv->version = 1;
	gn_list_init(&sv->peers);
	gn_list_init(&sv->streams);
	gn_list_init(&sv->ops);
	gn_timer_init(&sv->quiet, node->loop, on_quiet, sv);
	err = serve(sv, GN_IDENTIFY_ID, on_answer);
	if (err == 0 && (err = serve(sv, GN_IDENTIFY_PUSH_ID, on_pushed)) != 0)
		gn_registry_del(&node->registry, GN_IDENTIFY_ID);
	if (err != 0) {
		gn_timer_fini(&sv->quiet);
		free(sv);
		return err;
	}
	*state = sv;
	return 0;
}

static void identify_service_stop(struct gn_node *node, void *state)
{
	struct gn_identify_service *sv = state;
	struct gn_identify_peer *peer;

	drop_streams(sv, NULL, true);
	gn_identify_ops_free(sv);
	while ((peer = gn_list_first(&sv->peers, struct gn_identify_peer, link)) != NULL)
		peer_free(peer);
	gn_registry_del(&node->registry, GN_IDENTIFY_ID);
	gn_registry_del(&node->registry, GN_IDENTIFY_PUSH_ID);
	gn_timer_fini(&sv->quiet);
	free(sv);
}

const struct gn_service_ops gn_service_identify = {
	.name = "identify",
	.start = identify_service_start,
	.stop = identify_service_stop,
	.on_conn = service_on_conn,
	.on_gone = identify_service_on_gone,
	.on_change = service_on_change,
};
