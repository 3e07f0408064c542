/* SPDX-License-Identifier: MIT */
/* How connections over streams end: with the connection that carries them, before it, with the node. */
#include "support/support.h"

enum { MIB = 1 << 20 };

/* ---- loss at any moment ---- */

/* The ways in which a circuit, or its carrier, may end. */
enum way {
	CUT_LINK,
	ABORT_CARRIER,
	ABORT_PEERS_CARRIER,
	CLOSE_CARRIER,
	ABORT_NESTED,
	CLOSE_NESTED,
	FREE_NODE,
	FREE_PEER,
	WAYS
};

static void end_by(struct carried *w, struct carried_circuit *c, enum way way)
{
	struct gn_conn *carrier[2] = {net_conn(&w->net, 0, 0), net_conn(&w->net, 1, 0)};
	struct gn_conn *nested = carried_conn(c, 0);

	switch (way) {
	case CUT_LINK:
		gn_mem_cut_all(w->net.loop);
		break;
	case ABORT_CARRIER:
		gn_conn_abort(carrier[0], GN_ETIMEOUT);
		break;
	case ABORT_PEERS_CARRIER:
		gn_conn_abort(carrier[1], GN_ETIMEOUT);
		break;
	case CLOSE_CARRIER:
		gn_conn_close(carrier[0]);
		break;
	case ABORT_NESTED:
		if (nested != NULL)
			gn_conn_abort(nested, GN_EPROTO);
		break;
	case CLOSE_NESTED:
		if (nested != NULL)
			gn_conn_close(nested);
		break;
	case FREE_NODE:
	case FREE_PEER:
		gn_node_free(w->net.node[way == FREE_PEER]);
		w->net.node[way == FREE_PEER] = NULL;
		break;
	case WAYS:
		break;
	}
}

/* Starts a circuit over a carrier, or twice over another circuit, and a flow over it, as soon as they can be started; ends
 * something after so many turns of the loop.  Returns false when everything was over before that. */
static bool end_after(unsigned turns, enum way way, int depth)
{
	static const struct gn_mem_cfg mem = {.buffer = 100000, .delay = GN_MSEC};
	static struct carried w;
	struct carried_circuit *c;
	struct carried_flow *f = NULL;
	struct gn_conn *below;
	bool goes_on = true, was_early;

	carried_init(&w, &mem, NULL);
	below = w.carrier[0];
	for (int i = 1; i < depth; i++)
		below = carried_conn(carried_open(&w, below), 0);
	w.to_send = 200 * KIB;
	c = carried_start(&w, below);
	assert_non_null(c);
	for (unsigned i = 0; i < turns && goes_on; i++) {
		struct gn_conn *nested = carried_conn(c, 0);

		if (f == NULL && nested != NULL && nested->state == GN_CONN_OPEN)
			f = carried_flow_start(&w, nested, 300 * KIB);
		(void)gn_loop_turn(w.net.loop, GN_MSEC);
		goes_on = f == NULL || !f->is_ended || !w.servers[0].is_ended;
	}
	was_early = carried_conn(c, 0) == NULL;
	end_by(&w, c, way);
	carried_run(&w, 100 * GN_SEC);
	if (f != NULL)
		assert_true(f->is_ended);
	for (int i = 0; i < 2; i++) {
		if (w.net.node[i] == NULL)
			continue;
		/* When there was no connection yet, nothing was ended. */
		if ((way == ABORT_NESTED || way == CLOSE_NESTED) && was_early)
			continue;
		assert_null(carried_conn(c, i));
		if (way == ABORT_NESTED || way == CLOSE_NESTED)
			continue;
		assert_int_equal(w.net.node[i]->n_conns, 0);
		assert_int_equal(w.net.node[i]->scope.used, 0);
	}
	carried_fini(&w);
	return goes_on;
}

static void a_circuit_may_end_in_every_state_in_every_way(void **state)
{
	(void)state;
	for (int depth = 1; depth <= 2; depth++)
		for (int way = 0; way < WAYS; way++)
			for (unsigned turns = 0; end_after(turns, (enum way)way, depth); turns += turns < 60 ? 1 : 37)
				assert_true(turns < 100000);
}

/* ---- the order of ends ---- */

static struct {
	const struct gn_conn *gone[4];
	int err[4];
	unsigned n;
	void (*gone_event)(struct gn_node *node, struct gn_conn *c);
} order;

static void order_on_gone(struct gn_node *node, struct gn_conn *c)
{
	order.gone_event(node, c);
	assert_true(order.n < 4);
	order.gone[order.n] = c;
	order.err[order.n++] = c->err;
}

/* Records in which order the connections of node 0 end. */
static void order_watch(struct carried *w, struct gn_conn_events *events)
{
	memset(&order, 0, sizeof order);
	*events = *w->net.node[0]->conn_env.events;
	order.gone_event = events->gone;
	events->gone = order_on_gone;
	w->net.node[0]->conn_env.events = events;
}

static void nested_connections_fail_before_their_carrier_and_with_its_error(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		static struct carried w;
		struct gn_conn_events events;
		struct gn_conn *once, *twice;
		int err = way == 0 ? -EHOSTUNREACH : GN_ERESET;

		carried_init(&w, NULL, NULL);
		once = carried_conn(carried_open(&w, w.carrier[0]), 0);
		twice = carried_conn(carried_open(&w, once), 0);
		order_watch(&w, &events);
		if (way == 0) {
			gn_conn_abort(w.carrier[0], err);
			assert_int_equal(order.n, 3); /* before the call returns */
		} else {
			gn_mem_cut_all(w.net.loop);
			carried_run(&w, GN_SEC);
		}
		assert_int_equal(order.n, 3);
		assert_ptr_equal(order.gone[0], twice);
		assert_ptr_equal(order.gone[1], once);
		assert_ptr_equal(order.gone[2], w.carrier[0]);
		for (int i = 0; i < 3; i++)
			assert_int_equal(order.err[i], err);
		carried_run(&w, GN_SEC);
		assert_int_equal(w.net.node[0]->n_conns, 0);
		assert_int_equal(w.net.node[1]->n_conns, 0);
		carried_fini(&w);
	}
}

static void nested_connections_close_before_their_carrier_and_lose_nothing(void **state)
{
	static const struct gn_mem_cfg mem = {.buffer = 100000, .delay = 20 * GN_MSEC};
	static struct carried w;
	struct gn_conn_events events;
	struct gn_conn *once, *twice;
	struct carried_flow *f;

	(void)state;
	carried_init(&w, &mem, NULL);
	once = carried_conn(carried_open(&w, w.carrier[0]), 0);
	twice = carried_conn(carried_open(&w, once), 0);
	order_watch(&w, &events);
	w.to_send = MIB;
	f = carried_flow_start(&w, twice, 2 * MIB);
	carried_run(&w, 100 * GN_MSEC);
	assert_true(f->sent > 0 && !f->is_ended);
	gn_conn_close(w.carrier[0]);
	carried_run(&w, GN_MSEC);
	assert_int_equal(w.carrier[0]->state, GN_CONN_CLOSING);
	assert_int_equal(once->state, GN_CONN_CLOSING);
	assert_int_equal(twice->state, GN_CONN_CLOSING);
	carried_run(&w, 30 * GN_SEC);
	assert_int_equal(f->err, GN_EOF);
	assert_int_equal(f->got, MIB);
	assert_int_equal(w.servers[0].err, GN_EOF);
	assert_int_equal(w.servers[0].got, 2 * MIB);
	assert_int_equal(order.n, 3);
	assert_ptr_equal(order.gone[0], twice);
	assert_ptr_equal(order.gone[1], once);
	assert_ptr_equal(order.gone[2], w.carrier[0]);
	for (int i = 0; i < 3; i++)
		assert_int_equal(order.err[i], GN_ECLOSED);
	assert_int_equal(w.net.node[0]->n_conns, 0);
	assert_int_equal(w.net.node[1]->n_conns, 0);
	carried_fini(&w);
}

static void a_circuit_that_is_not_open_yet_ends_when_its_carrier_closes(void **state)
{
	static struct carried w;
	struct carried_circuit *c;

	(void)state;
	carried_init(&w, NULL, NULL);
	w.has_no_conns = true;
	c = carried_start(&w, w.carrier[0]);
	carried_run(&w, GN_MSEC);
	assert_non_null(c->end[0].link);
	w.has_no_conns = false;
	{
		struct gn_conn_cfg cfg = {.node = w.net.node[0],
					  .env = &w.net.node[0]->conn_env,
					  .link = c->end[0].link};

		c->end[0].link = NULL;
		assert_int_equal(gn_conn_new(&cfg, &c->end[0].conn), 0);
	}
	carried_run(&w, GN_SEC);
	assert_int_equal(carried_conn(c, 0)->state, GN_CONN_SECURING);
	gn_conn_close(w.carrier[0]);
	carried_run(&w, GN_MSEC);
	assert_null(carried_conn(c, 0));
	c->end[1].link->ops->abort(c->end[1].link);
	carried_run(&w, 10 * GN_SEC);
	assert_int_equal(w.net.node[0]->n_conns, 0);
	assert_int_equal(w.net.node[1]->n_conns, 0);
	carried_fini(&w);
}

/* ---- nodes that close ---- */

static void on_closed(void *arg)
{
	++*(int *)arg;
}

static void a_node_closes_when_its_circuits_are_unused(void **state)
{
	static struct carried w;
	int closed = 0;

	(void)state;
	carried_init(&w, NULL, NULL);
	(void)carried_open(&w, carried_conn(carried_open(&w, w.carrier[0]), 0));
	assert_int_equal(gn_node_close(w.net.node[0], 60 * GN_SEC, on_closed, &closed), 0);
	carried_run(&w, GN_SEC);
	assert_int_equal(closed, 1);
	assert_int_equal(w.net.node[0]->n_conns, 0);
	assert_int_equal(w.net.node[1]->n_conns, 0);
	carried_fini(&w);
}

/* The peer does not read: the limit of the close ends the circuit that is in use, and its carrier. */
static void the_limit_of_a_close_ends_circuits_in_use(void **state)
{
	static struct carried w;
	struct carried_circuit *c;
	int closed = 0;

	(void)state;
	carried_init(&w, NULL, NULL);
	c = carried_open(&w, w.carrier[0]);
	w.holds = true;
	assert_non_null(carried_flow_start(&w, carried_conn(c, 0), 2 * MIB));
	carried_run(&w, GN_SEC);
	assert_int_equal(gn_node_close(w.net.node[0], 5 * GN_SEC, on_closed, &closed), 0);
	carried_run(&w, 4 * GN_SEC);
	assert_int_equal(closed, 0);
	assert_int_equal(carried_count(&w, 0), 2);
	carried_run(&w, 10 * GN_SEC);
	assert_int_equal(closed, 1);
	assert_int_equal(w.net.node[0]->n_conns, 0);
	carried_fini(&w);
}

/* A flow was released in good order, and its bytes are still queued when the limit of the close expires: they are delivered
 * as long as the peer's host acknowledges some, so neither the circuit nor its carrier may be aborted. */
static void the_limit_of_a_close_does_not_cut_what_was_released(void **state)
{
	struct gn_mem_cfg mem = {.buffer = 20000};
	static struct carried w;
	struct carried_circuit *c;
	struct gn_stream s;
	int closed = 0;
	size_t put = 0;
	static const uint8_t bytes[1000];

	(void)state;
	carried_init(&w, &mem, NULL);
	c = carried_open(&w, w.carrier[0]);
	mem.delay = 200 * GN_MSEC;
	assert_int_equal(gn_mem_set(w.net.loop, &mem), 0);
	w.holds = true; /* the server does not compare the bytes, which are no pattern */
	assert_int_equal(gn_stream_open(&s, carried_conn(c, 0), "/flow", 0), 0);
	while (put < 200 * sizeof bytes && gn_stream_put(&s, bytes, sizeof bytes) == 0)
		put += sizeof bytes;
	carried_run(&w, 2 * GN_SEC);
	assert_int_equal(gn_stream_end(&s), 0);
	s.conn->must_flush = true; /* as gn_channel_free() */
	gn_stream_close(&s);
	assert_int_equal(gn_node_close(w.net.node[0], 100 * GN_MSEC, on_closed, &closed), 0);
	carried_run(&w, 300 * GN_MSEC);
	assert_int_equal(closed, 0);
	carried_run(&w, 60 * GN_SEC);
	assert_int_equal(closed, 1);
	assert_int_equal(w.n_servers, 1);
	assert_int_equal(gn_pipe_len(&w.servers[0].s.mux->rx), put);
	assert_true(put == 200 * sizeof bytes);
	assert_int_equal(w.servers[0].s.mux->rx.end, GN_EOF);
	carried_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_circuit_may_end_in_every_state_in_every_way),
		cmocka_unit_test(nested_connections_fail_before_their_carrier_and_with_its_error),
		cmocka_unit_test(nested_connections_close_before_their_carrier_and_lose_nothing),
		cmocka_unit_test(a_circuit_that_is_not_open_yet_ends_when_its_carrier_closes),
		cmocka_unit_test(a_node_closes_when_its_circuits_are_unused),
		cmocka_unit_test(the_limit_of_a_close_ends_circuits_in_use),
		cmocka_unit_test(the_limit_of_a_close_does_not_cut_what_was_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
