/* SPDX-License-Identifier: MIT */
#include "support/carried.h"

#include "support/cmocka.h"

/* ---- circuits ---- */

static void carried_on_open(void *arg, struct gn_conn *conn, int err)
{
	struct carried_end *end = arg;

	end->conn = err == 0 ? conn : NULL;
	end->opened++;
	end->err = err;
}

/* Makes the link over a stream, and the connection over the link. */
static void carried_connect(struct carried_circuit *c, int side, struct gn_stream *stream)
{
	struct carried *w = c->w;
	struct carried_end *end = &c->end[side];
	struct gn_multiaddr *remote = w->net.addr[!side], *local = w->net.addr[side];
	struct gn_conn_cfg cfg = {.node = w->net.node[side],
				  .env = &w->net.node[side]->conn_env,
				  .inbound = side == 1,
				  .origin = side == 1 ? GN_ORIGIN_INBOUND : GN_ORIGIN_ADDRESS,
				  .on_open = carried_on_open,
				  .arg = end};

	end->err = gn_stream_link_new(stream, remote, local, &end->link);
	if (end->err != 0)
		return;
	assert_null(stream->conn);
	if (w->has_no_conns)
		return;
	cfg.link = end->link;
	end->link = NULL;
	end->err = gn_conn_new(&cfg, &end->conn);
}

static void carried_on_accept(void *arg, struct gn_stream *stream)
{
	struct carried *w = arg;
	struct carried_circuit *c = &w->circuits[w->n_accepted % CARRIED_MAX];

	w->n_accepted++;
	c->w = w;
	carried_connect(c, 1, stream);
	if (c->end[1].err != 0) {
		if (!w->is_failing)
			assert_int_equal(c->end[1].err, GN_ELIMIT);
		gn_stream_close(stream);
	}
}

static void carried_on_event(void *arg, struct gn_stream *stream, unsigned events)
{
	struct carried_circuit *c = arg;

	if (events & GN_DEAD) {
		c->end[0].err = stream->err;
		gn_stream_close(stream);
	} else if (stream->is_open) {
		carried_connect(c, 0, stream);
		gn_stream_close(stream); /* no effect when the link has it */
	}
}

static void carried_on_lost(void *arg, struct gn_stream *stream)
{
	(void)arg;
	(void)stream;
}

struct carried_circuit *carried_start(struct carried *w, struct gn_conn *carrier)
{
	struct carried_circuit *c = &w->circuits[w->n];

	assert_true(w->n < CARRIED_MAX);
	c->w = w;
	if (gn_stream_open(&c->stream, carrier, "/circuit", 0) != 0)
		return NULL;
	w->n++;
	c->stream.on_event = carried_on_event;
	c->stream.on_lost = carried_on_lost;
	c->stream.arg = c;
	return c;
}

struct carried_circuit *carried_open(struct carried *w, struct gn_conn *carrier)
{
	struct carried_circuit *c = carried_start(w, carrier);

	assert_non_null(c);
	for (int i = 0; i < 1000 && (c->end[0].opened == 0 || c->end[1].opened == 0); i++)
		carried_run(w, GN_MSEC);
	for (int side = 0; side < 2; side++) {
		assert_int_equal(c->end[side].opened, 1);
		assert_int_equal(c->end[side].err, 0);
	}
	return c;
}

struct gn_conn *carried_conn(struct carried_circuit *c, int side)
{
	struct gn_list *at;

	if (c->w->net.node[side] == NULL)
		return NULL;
	gn_list_for_each(at, &c->w->net.node[side]->conns) {
		struct gn_conn *conn = gn_list_entry(at, struct gn_conn, link_node);

		if (conn == c->end[side].conn && conn->state != GN_CONN_GONE)
			return conn;
	}
	return NULL;
}

unsigned carried_count(struct carried *w, int side)
{
	unsigned n = 0;

	while (w->net.node[side] != NULL && net_conn(&w->net, (size_t)side, n) != NULL)
		n++;
	return n;
}

/* ---- flows ---- */

enum { PATTERN = 1 << 20, PATTERN_MORE = 1 << 16 };

/* The first PATTERN_MORE bytes stand behind it again, so that a view may begin anywhere. */
static const uint8_t *flow_pattern(void)
{
	static uint8_t bytes[PATTERN + PATTERN_MORE];
	uint32_t x = 1;

	if (bytes[0] == 0) {
		for (size_t i = 0; i < PATTERN; i++) {
			x = x * 1664525 + 1013904223;
			bytes[i] = (uint8_t)(x >> 24 | 1);
		}
		memcpy(bytes + PATTERN, bytes, PATTERN_MORE);
	}
	return bytes;
}

static int flow_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct carried_flow *e = arg;
	size_t n = e->to_send - e->sent, at = e->sent;
	int k = 0;

	while (k < max && n > 0 && limit > 0) {
		size_t len = n < PATTERN_MORE ? n : PATTERN_MORE;

		len = len < limit ? len : limit;
		v[k].iov_base = (void *)(uintptr_t)(flow_pattern() + at % PATTERN);
		v[k++].iov_len = len;
		at += len;
		n -= len;
		limit -= len;
	}
	return k;
}

static void flow_skip(void *arg, size_t n)
{
	((struct carried_flow *)arg)->sent += n;
}

static const struct gn_source flow_source = {flow_peek, flow_skip};

/* Compares what has arrived with the pattern.  Returns GN_EAGAIN or the end. */
static int flow_read(struct carried_flow *e)
{
	struct iovec v[16];
	int n;

	while ((n = gn_stream_peek(&e->s, v, 16)) > 0) {
		size_t total = 0;

		for (int i = 0; i < n; i++) {
			for (size_t at = 0; at < v[i].iov_len;) {
				size_t len = v[i].iov_len - at;

				len = len < PATTERN_MORE ? len : PATTERN_MORE;
				if (memcmp((uint8_t *)v[i].iov_base + at, flow_pattern() + e->got % PATTERN, len) != 0)
					fail_msg("the bytes behind byte %zu are wrong", e->got);
				at += len;
				e->got += len;
			}
			total += v[i].iov_len;
		}
		gn_stream_skip(&e->s, total);
	}
	return n;
}

static void flow_close(struct carried_flow *e, int err)
{
	e->err = err;
	e->is_ended = true;
	gn_stream_source(&e->s, NULL, NULL);
	gn_stream_close(&e->s);
}

static void flow_on_event(void *arg, struct gn_stream *s, unsigned events)
{
	struct carried_flow *e = arg;
	int r = e->holds ? GN_EAGAIN : flow_read(e);

	if (e->sent == e->to_send && !s->is_ending && s->err == 0)
		(void)gn_stream_end(s);
	if (r != GN_EAGAIN && r != GN_EOF)
		flow_close(e, r);
	else if (events & GN_DEAD)
		flow_close(e, s->err);
	else if (r == GN_EOF && s->mux->is_ended_out)
		flow_close(e, GN_EOF);
}

static void flow_on_lost(void *arg, struct gn_stream *s)
{
	struct carried_flow *e = arg;

	(void)s;
	e->err = GN_ECLOSED;
	e->is_ended = true;
}

static void flow_attach(struct carried_flow *e, struct carried *w, size_t to_send, bool holds)
{
	e->w = w;
	e->to_send = to_send;
	e->holds = holds;
	e->s.on_event = flow_on_event;
	e->s.on_lost = flow_on_lost;
	e->s.arg = e;
	gn_stream_source(&e->s, &flow_source, e);
}

static void flow_on_accept(void *arg, struct gn_stream *stream)
{
	struct carried *w = arg;
	struct carried_flow *e = &w->servers[w->n_servers++];

	assert_true(w->n_servers <= CARRIED_FLOWS);
	gn_stream_accept(&e->s, stream);
	flow_attach(e, w, w->to_send, w->holds);
}

struct carried_flow *carried_flow_start(struct carried *w, struct gn_conn *c, size_t to_send)
{
	struct carried_flow *e = &w->clients[w->n_clients];

	assert_true(w->n_clients < CARRIED_FLOWS);
	if (gn_stream_open(&e->s, c, "/flow", 0) != 0)
		return NULL;
	w->n_clients++;
	flow_attach(e, w, to_send, false);
	return e;
}

void carried_flow_resume(struct carried_flow *e)
{
	e->holds = false;
	if (!e->is_ended)
		flow_on_event(e, &e->s, GN_CAN_READ);
}

/* ---- both ---- */

void carried_init_nodes(struct carried *w, const struct gn_mem_cfg *mem, void (*tune)(struct gn_node_cfg *cfg))
{
	struct gn_registry_entry circuit = {.id = (char *)(uintptr_t) "/circuit",
					    .on_open = carried_on_accept,
					    .arg = w};
	struct gn_registry_entry flow = {.id = (char *)(uintptr_t) "/flow", .on_open = flow_on_accept, .arg = w};

	memset(w, 0, sizeof *w);
	net_init(&w->net, 2, tune);
	if (mem != NULL)
		assert_int_equal(gn_mem_set(w->net.loop, mem), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(gn_registry_add(&w->net.node[i]->registry, &circuit), 0);
		assert_int_equal(gn_registry_add(&w->net.node[i]->registry, &flow), 0);
	}
}

void carried_init(struct carried *w, const struct gn_mem_cfg *mem, void (*tune)(struct gn_node_cfg *cfg))
{
	carried_init_nodes(w, mem, tune);
	net_connect(&w->net, 0, 1);
	for (size_t i = 0; i < 2; i++) {
		w->carrier[i] = net_conn(&w->net, i, 0);
		assert_non_null(w->carrier[i]);
	}
}

void carried_fini(struct carried *w)
{
	net_fini(&w->net);
}

void carried_run(struct carried *w, gn_time span)
{
	net_run(&w->net, span);
}

void carried_settle(struct carried *w)
{
	for (gn_time until = gn_loop_now(w->net.loop) + GN_SEC; gn_loop_now(w->net.loop) < until;)
		if (gn_loop_turn(w->net.loop, until - gn_loop_now(w->net.loop)) != 0)
			break;
}
