/* SPDX-License-Identifier: MIT */
/* Connections over streams of another connection: lib/node/stream_link.c, and links with pipes in lib/node/conn*.c. */
#include "support/support.h"

enum { MIB = 1 << 20 };

static void a_connection_over_a_stream_opens_and_carries_streams(void **state)
{
	static struct carried w;
	struct carried_circuit *c;
	struct carried_flow *f;

	(void)state;
	carried_init(&w, NULL, NULL);
	c = carried_open(&w, w.carrier[0]);
	assert_int_equal(carried_count(&w, 0), 2);
	assert_ptr_equal(gn_stream_link_carrier(carried_conn(c, 0)->link), w.carrier[0]);
	assert_null(gn_stream_link_carrier(w.carrier[0]->link));
	w.to_send = 2000;
	f = carried_flow_start(&w, carried_conn(c, 0), 1000);
	assert_non_null(f);
	carried_run(&w, 100 * GN_MSEC);
	assert_int_equal(f->err, GN_EOF);
	assert_int_equal(f->got, 2000);
	assert_int_equal(w.servers[0].err, GN_EOF);
	assert_int_equal(w.servers[0].got, 1000);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(carried_conn(c, i)->received, carried_conn(c, !i)->written);
		assert_int_equal(gn_conn_taken(carried_conn(c, i)), carried_conn(c, i)->written);
	}
	carried_fini(&w);
}

static void bytes_arrive_whole_in_both_directions(void **state)
{
	static const struct gn_mem_cfg mem[] = {
		{.buffer = 4 << 20},
		{.buffer = 1 << 20, .delay = 5 * GN_MSEC},
		{.seed = 5, .max_chunk = 5000, .buffer = 100000, .delay = GN_MSEC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof mem / sizeof *mem; i++) {
		static struct carried w;
		struct carried_circuit *c;
		struct carried_flow *f;

		carried_init(&w, &mem[i], NULL);
		c = carried_open(&w, w.carrier[0]);
		w.to_send = 16 * MIB + 3;
		f = carried_flow_start(&w, carried_conn(c, 0), 16 * MIB + 1);
		for (int k = 0; k < 100 && (f->err == 0 || w.servers[0].err == 0); k++)
			carried_run(&w, GN_SEC);
		assert_int_equal(f->err, GN_EOF);
		assert_int_equal(f->got, 16 * MIB + 3);
		assert_int_equal(w.servers[0].err, GN_EOF);
		assert_int_equal(w.servers[0].got, 16 * MIB + 1);
		carried_fini(&w);
	}
}

static void a_hundred_circuits_over_one_connection_work_at_once(void **state)
{
	static struct carried w;
	struct carried_flow *f[100];

	(void)state;
	carried_init(&w, NULL, NULL);
	for (int i = 0; i < 100; i++)
		assert_non_null(carried_start(&w, w.carrier[0]));
	carried_run(&w, GN_SEC);
	assert_int_equal(carried_count(&w, 0), 101);
	assert_int_equal(carried_count(&w, 1), 101);
	w.to_send = 100000;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(w.circuits[i].end[0].opened, 1);
		f[i] = carried_flow_start(&w, carried_conn(&w.circuits[i], 0), 300000);
		assert_non_null(f[i]);
	}
	for (int k = 0; k < 10; k++)
		carried_run(&w, GN_SEC);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(f[i]->err, GN_EOF);
		assert_int_equal(f[i]->got, 100000);
		assert_int_equal(w.servers[i].got, 300000);
	}
	carried_fini(&w);
}

/* ---- making a link ---- */

static void a_link_needs_an_open_stream(void **state)
{
	static struct carried w;
	struct gn_stream s;
	struct gn_link *link = NULL;

	(void)state;
	carried_init(&w, NULL, NULL);
	w.has_no_conns = true;
	assert_int_equal(gn_stream_open(&s, w.carrier[0], "/circuit", 0), 0);
	assert_int_equal(gn_stream_link_new(&s, w.net.addr[1], w.net.addr[0], &link), -EINVAL);
	carried_run(&w, GN_MSEC);
	assert_true(s.is_open);
	assert_int_equal(gn_stream_end(&s), 0);
	assert_int_equal(gn_stream_link_new(&s, w.net.addr[1], w.net.addr[0], &link), GN_ECLOSED);
	gn_stream_reset(&s);
	assert_int_equal(gn_stream_link_new(&s, w.net.addr[1], w.net.addr[0], &link), GN_ECLOSED);
	assert_null(link);
	assert_ptr_equal(s.conn, w.carrier[0]); /* it is still the caller's */
	gn_stream_close(&s);
	w.circuits[0].end[1].link->ops->abort(w.circuits[0].end[1].link);
	carried_fini(&w);
}

static void links_are_nested_to_a_limited_depth(void **state)
{
	static struct carried w;
	struct gn_conn *c;
	struct carried_flow *f;

	(void)state;
	carried_init(&w, NULL, NULL);
	c = w.carrier[0];
	for (int i = 0; i < GN_STREAM_LINK_DEPTH; i++)
		c = carried_conn(carried_open(&w, c), 0);
	w.to_send = 100000;
	f = carried_flow_start(&w, c, 300000);
	carried_run(&w, GN_SEC);
	assert_int_equal(f->err, GN_EOF);
	assert_int_equal(f->got, 100000);
	assert_int_equal(w.servers[0].got, 300000);
	assert_non_null(carried_start(&w, c));
	carried_run(&w, GN_SEC);
	assert_int_equal(w.circuits[GN_STREAM_LINK_DEPTH].end[1].err, GN_ELIMIT);
	assert_int_not_equal(w.circuits[GN_STREAM_LINK_DEPTH].end[0].err, 0);
	assert_int_equal(carried_count(&w, 0), 1 + GN_STREAM_LINK_DEPTH);
	carried_fini(&w);
}

/* ---- the pipes of a link ---- */

static unsigned ready_events;

static void note_ready(void *arg, unsigned ready)
{
	(void)arg;
	ready_events |= ready;
}

/* Makes the two ends of a circuit without connections. */
static struct carried_circuit *open_bare(struct carried *w)
{
	struct carried_circuit *c;

	carried_init(w, NULL, NULL);
	w->has_no_conns = true;
	c = carried_start(w, w->carrier[0]);
	assert_non_null(c);
	carried_run(w, GN_MSEC);
	for (int i = 0; i < 2; i++) {
		assert_non_null(c->end[i].link);
		c->end[i].link->on_ready = note_ready;
	}
	return c;
}

static void bytes_pass_and_the_other_end_is_notified(void **state)
{
	static struct carried w;
	struct carried_circuit *c = open_bare(&w);
	struct gn_link *a = c->end[0].link, *b = c->end[1].link;
	uint8_t *p;

	(void)state;
	ready_events = 0;
	assert_int_equal(gn_pipe_put(a->pipes->tx, "hello", 5), 0);
	a->ops->touch(a);
	assert_int_equal(ready_events, 0); /* nothing is called from inside */
	assert_int_equal(a->ops->unacked(a), 5);
	carried_run(&w, GN_MSEC);
	assert_int_equal(ready_events, GN_READABLE | GN_WRITABLE);
	assert_int_equal(gn_pipe_whole(b->pipes->rx, 5, &p), 0);
	assert_memory_equal(p, "hello", 5);
	gn_pipe_skip(b->pipes->rx, 5);
	b->ops->touch(b);
	assert_int_equal(a->ops->unacked(a), 0);
	/* The end comes behind the bytes, and the other direction goes on. */
	assert_int_equal(gn_pipe_put(a->pipes->tx, "last", 4), 0);
	assert_int_equal(a->ops->end(a), 0);
	assert_int_equal(a->ops->end(a), 0);
	carried_run(&w, GN_MSEC);
	assert_int_equal(gn_pipe_len(b->pipes->rx), 4);
	gn_pipe_skip(b->pipes->rx, 4);
	assert_int_equal(gn_pipe_end(b->pipes->rx), GN_EOF);
	assert_int_equal(gn_pipe_put(b->pipes->tx, "back", 4), 0);
	b->ops->close(b);
	carried_run(&w, GN_MSEC);
	assert_int_equal(gn_pipe_len(a->pipes->rx), 4);
	gn_pipe_skip(a->pipes->rx, 4);
	assert_int_equal(gn_pipe_end(a->pipes->rx), GN_EOF);
	a->ops->close(a);
	carried_run(&w, GN_MSEC);
	assert_true(gn_list_is_empty(&w.carrier[0]->streams_open));
	assert_int_equal(w.carrier[0]->session->streams, 0);
	carried_fini(&w);
}

static void an_abort_is_received_behind_the_bytes(void **state)
{
	static struct carried w;
	struct carried_circuit *c = open_bare(&w);
	struct gn_link *a = c->end[0].link, *b = c->end[1].link;

	(void)state;
	assert_int_equal(gn_pipe_put(a->pipes->tx, "hello", 5), 0);
	a->ops->touch(a);
	carried_run(&w, GN_MSEC);
	ready_events = 0;
	a->ops->abort(a);
	carried_run(&w, GN_MSEC);
	assert_int_equal(ready_events, GN_READABLE | GN_WRITABLE);
	assert_int_equal(gn_pipe_len(b->pipes->rx), 5);
	gn_pipe_skip(b->pipes->rx, 5);
	assert_int_equal(gn_pipe_end(b->pipes->rx), GN_ERESET);
	assert_int_equal(gn_pipe_put(b->pipes->tx, "x", 1), GN_ERESET);
	b->ops->close(b);
	carried_fini(&w);
}

static int carrier_err = 1;

static void note_carrier(void *arg, int err)
{
	(void)arg;
	carrier_err = err;
}

/* The owner of a link is not a connection, and keeps the link when it is notified. */
static void the_owner_is_notified_of_the_carrier_and_may_keep_the_link(void **state)
{
	static struct carried w;
	struct carried_circuit *c = open_bare(&w);

	(void)state;
	for (int i = 0; i < 2; i++)
		c->end[i].link->pipes->on_carrier = note_carrier;
	carrier_err = 1;
	gn_conn_close(w.carrier[0]);
	assert_int_equal(carrier_err, 1);
	carried_run(&w, GN_MSEC);
	assert_int_equal(carrier_err, 0);
	gn_conn_abort(w.carrier[0], GN_ETIMEOUT);
	assert_int_equal(carrier_err, GN_ETIMEOUT);
	carried_run(&w, GN_SEC);
	assert_int_equal(carrier_err, GN_ERESET); /* of the other end */
	assert_int_equal(w.net.node[0]->n_conns, 1);
	assert_int_equal(gn_pipe_end(c->end[0].link->pipes->rx), GN_ETIMEOUT);
	c->end[0].link->ops->abort(c->end[0].link);
	carried_run(&w, GN_SEC);
	assert_int_equal(w.net.node[0]->n_conns, 0);
	/* A link outlives its node, but not its pipes. */
	gn_node_free(w.net.node[1]);
	w.net.node[1] = NULL;
	assert_null(c->end[1].link->pipes->rx);
	assert_int_equal(c->end[1].link->ops->unacked(c->end[1].link), 0);
	assert_int_equal(c->end[1].link->ops->end(c->end[1].link), GN_ECLOSED);
	c->end[1].link->ops->touch(c->end[1].link);
	c->end[1].link->ops->close(c->end[1].link);
	carried_fini(&w);
}

/* ---- flow control and memory ---- */

static void unread_bytes_keep_the_window_of_the_stream_closed(void **state)
{
	static struct carried w;
	struct carried_circuit *c = open_bare(&w);
	struct gn_link *a = c->end[0].link, *b = c->end[1].link;
	static const uint8_t bytes[50000];
	size_t put = 0, full;

	(void)state;
	for (int i = 0; i < 20; i++) {
		while (gn_pipe_put(a->pipes->tx, bytes, sizeof bytes) == 0)
			put += sizeof bytes;
		a->ops->touch(a);
		carried_run(&w, GN_MSEC);
	}
	full = gn_pipe_len(b->pipes->rx);
	assert_true(full <= 256 * 1024 && full > 255 * 1024); /* the negotiation has used some of the window */
	assert_int_equal(a->ops->unacked(a), put - full);     /* the peer's host has what the window allows */
	gn_pipe_skip(b->pipes->rx, 100 * 1024);
	b->ops->touch(b);
	carried_run(&w, GN_MSEC);
	assert_int_equal(gn_pipe_len(b->pipes->rx), full - 100 * 1024); /* half of the window is not free yet */
	gn_pipe_skip(b->pipes->rx, 100 * 1024);
	b->ops->touch(b);
	carried_run(&w, GN_MSEC);
	assert_true(gn_pipe_len(b->pipes->rx) <= 256 * 1024 && gn_pipe_len(b->pipes->rx) > 255 * 1024);
	a->ops->abort(a);
	b->ops->abort(b);
	carried_fini(&w);
}

/* Starts a flow to a reader that does not read.  Returns what the reader's node is charged for it. */
static size_t start_held(struct carried *w, struct gn_conn *c, struct carried_flow **f)
{
	size_t used = w->net.node[1]->scope.used;

	w->holds = true;
	*f = carried_flow_start(w, c, 64 * MIB);
	carried_run(w, 10 * GN_SEC);
	w->holds = false;
	assert_true((*f)->sent < MIB);
	gn_iobuf_settle(w->net.node[1]->iobuf); /* views are not charged */
	return w->net.node[1]->scope.used - used;
}

/* A reader that stops stops its writer, and nothing else: not another stream of the nested connection, nor of the carrier. */
static void a_reader_that_stops_stops_its_writer_only(void **state)
{
	static struct carried w;
	struct carried_circuit *c;
	struct carried_flow *held[2], *nested, *plain;
	size_t used[2];

	(void)state;
	carried_init(&w, NULL, NULL);
	c = carried_open(&w, w.carrier[0]);
	used[0] = start_held(&w, w.carrier[0], &held[0]);
	used[1] = start_held(&w, carried_conn(c, 0), &held[1]);
	/* The bytes are charged once, in blocks; the stream that carries them holds none. */
	assert_true(used[0] >= 256 * 1024 && used[0] < 400 * 1024);
	assert_true(used[1] >= 256 * 1024 && used[1] < 400 * 1024);
	assert_int_equal(gn_pipe_len(carried_conn(c, 1)->link->pipes->rx), 0);
	nested = carried_flow_start(&w, carried_conn(c, 0), 3 * MIB);
	plain = carried_flow_start(&w, w.carrier[0], 3 * MIB);
	carried_run(&w, 10 * GN_SEC);
	assert_int_equal(nested->err, GN_EOF);
	assert_int_equal(plain->err, GN_EOF);
	assert_int_equal(w.servers[2].got, 3 * MIB);
	assert_int_equal(w.servers[3].got, 3 * MIB);
	for (int i = 0; i < 2; i++)
		carried_flow_resume(&w.servers[i]);
	carried_run(&w, 60 * GN_SEC);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(held[i]->err, GN_EOF);
		assert_int_equal(w.servers[i].got, 64 * MIB);
	}
	carried_fini(&w);
}

/* ---- liveness ---- */

/* The node's end of a circuit; the test has the link of the other end, which answers nothing. */
static struct gn_conn *open_silent(struct carried *w, struct gn_link **peer)
{
	struct carried_circuit *c;
	struct gn_conn *conn;

	carried_init(w, NULL, NULL);
	c = carried_open(w, w->carrier[0]);
	conn = carried_conn(c, 1);
	carried_run(w, GN_SEC);
	*peer = conn->link;
	conn->link->on_ready = note_ready; /* the connection gets no turn any more */
	gn_timer_stop(&conn->timer);
	gn_task_cancel(&conn->task);
	return carried_conn(c, 0);
}

static void a_silent_peer_ends_the_nested_connection_and_not_the_carrier(void **state)
{
	static struct carried w;
	struct gn_link *peer;
	struct gn_conn *c = open_silent(&w, &peer);

	(void)state;
	carried_run(&w, 58 * GN_SEC);
	assert_int_equal(c->state, GN_CONN_OPEN);
	carried_run(&w, 5 * GN_SEC);
	assert_int_equal(carried_count(&w, 0), 1);
	assert_int_equal(w.carrier[0]->state, GN_CONN_OPEN);
	carried_fini(&w);
}

/* On a path of a few bytes a second a record takes minutes: the bytes of an incomplete one show that the peer lives. */
static void bytes_of_an_incomplete_record_are_a_sign_of_life(void **state)
{
	static struct carried w;
	struct gn_link *peer;
	struct gn_conn *c = open_silent(&w, &peer);
	uint64_t received = c->received;

	(void)state;
	assert_int_equal(gn_pipe_put(peer->pipes->tx, "\x10\x00", 2), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(gn_pipe_put(peer->pipes->tx, "x", 1), 0);
		peer->ops->touch(peer);
		carried_run(&w, 10 * GN_SEC);
		assert_int_equal(carried_count(&w, 0), 2);
	}
	assert_int_equal(c->received, received + 22);
	carried_run(&w, 65 * GN_SEC);
	assert_int_equal(carried_count(&w, 0), 1);
	carried_fini(&w);
}

static void the_round_trip_is_measured(void **state)
{
	static const struct gn_mem_cfg mem = {.delay = 20 * GN_MSEC};
	static struct carried w;
	struct carried_circuit *c;

	(void)state;
	carried_init(&w, &mem, NULL);
	c = carried_open(&w, w.carrier[0]);
	(void)carried_flow_start(&w, carried_conn(c, 0), MIB);
	carried_run(&w, 5 * GN_SEC);
	for (int i = 0; i < 2; i++) {
		gn_time rtt = carried_conn(c, i)->session->rtt;

		assert_true(rtt >= 40 * GN_MSEC && rtt < 100 * GN_MSEC);
	}
	/* An idle circuit stays open, at the price of pings. */
	carried_run(&w, 600 * GN_SEC);
	assert_int_equal(carried_count(&w, 0), 2);
	carried_fini(&w);
}

/* A part of the carrier's backlog that is not the circuit's does not count, and nothing is lost or added when the carrier is
 * slow. */
static void what_is_not_acknowledged_is_counted(void **state)
{
	struct gn_mem_cfg mem = {.buffer = 1 << 20};
	static struct carried w;
	struct carried_circuit *c;
	struct gn_link *a;

	(void)state;
	carried_init(&w, &mem, NULL);
	w.has_no_conns = true;
	c = carried_start(&w, w.carrier[0]);
	carried_run(&w, GN_MSEC);
	a = c->end[0].link;
	mem.delay = 100 * GN_MSEC;
	assert_int_equal(gn_mem_set(w.net.loop, &mem), 0);
	assert_int_equal(gn_pipe_put(a->pipes->tx, "0123456789", 10), 0);
	a->ops->touch(a);
	carried_run(&w, 50 * GN_MSEC);
	assert_int_equal(gn_pipe_len(a->pipes->tx), 0);
	assert_int_equal(a->ops->unacked(a), 10); /* on its way */
	assert_int_equal(gn_pipe_put(a->pipes->tx, "abc", 3), 0);
	assert_int_equal(a->ops->unacked(a), 13);
	a->ops->touch(a);
	carried_run(&w, 40 * GN_MSEC);
	assert_int_equal(a->ops->unacked(a), 13);
	carried_run(&w, 20 * GN_MSEC); /* mem acknowledges when the peer's host reads */
	assert_int_equal(a->ops->unacked(a), 3);
	(void)carried_flow_start(&w, w.carrier[0], 64 * MIB);
	carried_run(&w, 500 * GN_MSEC);
	assert_int_equal(a->ops->unacked(a), 0);
	a->ops->abort(a);
	c->end[1].link->ops->abort(c->end[1].link);
	carried_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_over_a_stream_opens_and_carries_streams),
		cmocka_unit_test(bytes_arrive_whole_in_both_directions),
		cmocka_unit_test(a_hundred_circuits_over_one_connection_work_at_once),
		cmocka_unit_test(a_link_needs_an_open_stream),
		cmocka_unit_test(links_are_nested_to_a_limited_depth),
		cmocka_unit_test(bytes_pass_and_the_other_end_is_notified),
		cmocka_unit_test(an_abort_is_received_behind_the_bytes),
		cmocka_unit_test(the_owner_is_notified_of_the_carrier_and_may_keep_the_link),
		cmocka_unit_test(unread_bytes_keep_the_window_of_the_stream_closed),
		cmocka_unit_test(a_reader_that_stops_stops_its_writer_only),
		cmocka_unit_test(a_silent_peer_ends_the_nested_connection_and_not_the_carrier),
		cmocka_unit_test(bytes_of_an_incomplete_record_are_a_sign_of_life),
		cmocka_unit_test(the_round_trip_is_measured),
		cmocka_unit_test(what_is_not_acknowledged_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
