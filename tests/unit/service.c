/* SPDX-License-Identifier: MIT */
/* lib/node/service.c, with a service that this test defines, on nodes of tests/support/net.h. */
#include <errno.h>

#include "node/service.h"
#include "node/stream.h"
#include "protocols/identify.h"
#include "support/support.h"

/* What the service of a node does in its callbacks, and which of them were called. */
struct probe {
	struct gn_node *node;
	int start_err;
	bool opens_stream;         /* it opens a stream on each connection, in on_conn */
	bool sends_last;           /* it sends a message in on_closing, and closes the stream on GN_ACKED */
	bool holds_last;           /* it opens a stream in on_closing, and keeps it open */
	bool detaches_in_on_conn;  /* it detaches itself */
	bool aborts_in_on_conn;    /* it aborts the connection */
	bool closes_in_on_closing; /* it closes the connection a second time */
	bool was_started;
	int stopped, conns, gone, identified, paths, changes, node_closings, conn_closings, states;
	char agent[32];
	bool peer_serves_late;
};

struct probe_conn {
	struct gn_service_conn base;
	struct probe *probe;
	struct gn_stream stream;
	bool has_stream;
};

static const struct gn_service_ops probe_ops;

static int probe_start(struct gn_node *node, const void *config, void **state)
{
	struct probe *p = (void *)(uintptr_t)config;

	if (p->start_err != 0)
		return p->start_err;
	p->node = node;
	p->was_started = true;
	*state = p;
	return 0;
}

static void probe_stop(void *state)
{
	((struct probe *)state)->stopped++;
}

static void probe_on_event(void *arg, struct gn_stream *s, unsigned events)
{
	struct probe_conn *pc = arg;

	if (events & (GN_ACKED | GN_DEAD)) {
		gn_stream_close(s);
		pc->has_stream = false;
	}
}

static struct probe_conn *probe_conn(const struct probe *p, const struct gn_conn *c)
{
	struct gn_service_conn *s = gn_service_conn_find(c, p);

	return s != NULL ? gn_list_entry(s, struct probe_conn, base) : NULL;
}

static void probe_open(struct probe_conn *pc, struct gn_conn *c)
{
	assert_int_equal(gn_stream_open(&pc->stream, c, "/last", 0), 0);
	pc->stream.on_event = probe_on_event;
	pc->stream.arg = pc;
	pc->has_stream = true;
}

static void probe_on_conn(void *state, struct gn_conn *c)
{
	struct probe *p = state;
	struct probe_conn *pc = calloc(1, sizeof *pc);

	assert_non_null(pc);
	assert_null(probe_conn(p, c));
	p->conns++;
	p->states++;
	pc->probe = p;
	gn_service_conn_add(c, &pc->base, p);
	if (p->opens_stream)
		probe_open(pc, c);
	if (p->detaches_in_on_conn)
		assert_int_equal(gn_service_detach(p->node, &probe_ops), 0);
	if (p->aborts_in_on_conn)
		gn_conn_abort(c, GN_EREFUSED);
}

static void probe_on_gone(void *state, struct gn_conn *c)
{
	struct probe *p = state;
	struct probe_conn *pc = probe_conn(p, c);

	assert_non_null(pc);
	p->gone++;
	p->states--;
	if (pc->has_stream)
		gn_stream_close(&pc->stream);
	gn_service_conn_del(c, &pc->base);
	free(pc);
}

static void probe_on_identified(void *state, struct gn_conn *c, const struct gn_identify_info *info)
{
	struct probe *p = state;

	assert_non_null(probe_conn(p, c));
	p->identified++;
	snprintf(p->agent, sizeof p->agent, "%s", info->agent);
	p->peer_serves_late = false;
	for (size_t i = 0; i < info->n_protocols; i++)
		p->peer_serves_late |= strcmp(info->protocols[i], "/late") == 0;
}

static void probe_on_path(void *state, struct gn_conn *c)
{
	assert_non_null(probe_conn(state, c));
	((struct probe *)state)->paths++;
}

static void probe_on_change(void *state)
{
	((struct probe *)state)->changes++;
}

static void probe_on_closing(void *state, struct gn_conn *c)
{
	struct probe *p = state;
	struct probe_conn *pc;

	if (c == NULL) {
		p->node_closings++;
		return;
	}
	p->conn_closings++;
	pc = probe_conn(p, c);
	assert_non_null(pc);
	if (p->sends_last || p->holds_last)
		probe_open(pc, c);
	if (p->sends_last) {
		assert_int_equal(gn_stream_put(&pc->stream, "goodbye", 7), 0);
		assert_int_equal(gn_stream_end(&pc->stream), 0);
		assert_int_equal(gn_stream_sync(&pc->stream), 0);
	}
	if (p->closes_in_on_closing)
		gn_conn_close(c);
}

static const struct gn_service_ops probe_ops = {
	.name = "probe",
	.start = probe_start,
	.stop = probe_stop,
	.on_conn = probe_on_conn,
	.on_identified = probe_on_identified,
	.on_path = probe_on_path,
	.on_change = probe_on_change,
	.on_closing = probe_on_closing,
	.on_gone = probe_on_gone,
};

/* ---- nodes ---- */

static char received[64];
static size_t n_received;

static void on_last_event(void *arg, struct gn_channel *ch, unsigned events)
{
	ptrdiff_t n;

	(void)arg;
	(void)events;
	while ((n = gn_channel_read(ch, received + n_received, sizeof received - n_received)) > 0)
		n_received += (size_t)n;
	if (n != GN_EAGAIN) {
		gn_channel_end(ch);
		gn_channel_free(ch);
	}
}

static void on_last(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, on_last_event, arg);
}

static void serve(struct gn_node *node, const char *id)
{
	struct gn_protocol_cfg cfg = {.id = id, .on_open = on_last};

	assert_int_equal(gn_protocol_add(node, &cfg), 0);
}

static void on_identify(void *arg, int err, const struct gn_identify_info *info)
{
	(void)info;
	*(int *)arg = err;
}

/* Makes n nodes, of which each serves /last and is connected to node 0. */
static void setup_nodes(struct net *w, size_t n, void (*tune)(struct gn_node_cfg *cfg))
{
	net_init(w, n, tune);
	n_received = 0;
	for (size_t i = 0; i < n; i++)
		serve(w->node[i], "/last");
	for (size_t i = 1; i < n; i++)
		net_connect(w, i, 0);
}

static void count_done(void *arg)
{
	++*(int *)arg;
}

/* ---- tests ---- */

static void an_attached_service_gets_every_open_connection_from_the_loop(void **state)
{
	struct net w;
	struct probe p = {0};

	(void)state;
	setup_nodes(&w, 3, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	assert_true(p.was_started);
	assert_int_equal(p.conns, 0);
	assert_ptr_equal(gn_node_service(w.node[0], &probe_ops), &p);
	net_run(&w, GN_MSEC);
	assert_int_equal(p.conns, 2);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), -EEXIST);
	net_fini(&w);
	assert_int_equal(p.gone, 2);
	assert_int_equal(p.states, 0);
	assert_int_equal(p.stopped, 1);
}

static void a_connection_that_opens_before_the_report_is_reported_once(void **state)
{
	struct net w;
	struct probe p = {0};

	(void)state;
	setup_nodes(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_add(&w, 2, NULL);
	w.n = 3;
	net_connect(&w, 2, 0);
	assert_int_equal(p.conns, 2);
	net_fini(&w);
	assert_int_equal(p.states, 0);
}

static void a_service_of_a_node_without_connections_gets_the_next_one(void **state)
{
	struct net w;
	struct probe p = {0};

	(void)state;
	net_init(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_connect(&w, 1, 0);
	assert_int_equal(p.conns, 1);
	net_fini(&w);
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	struct net w;
	struct probe p = {.start_err = -EACCES};

	(void)state;
	setup_nodes(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), -EACCES);
	assert_null(gn_node_service(w.node[0], &probe_ops));
	assert_int_equal(gn_service_detach(w.node[0], &probe_ops), -ENOENT);
	net_run(&w, GN_MSEC);
	net_fini(&w);
	assert_int_equal(p.stopped + p.conns, 0);
}

static void detaching_with_open_streams_frees_each_state_once(void **state)
{
	struct net w;
	struct probe p = {.opens_stream = true};

	(void)state;
	setup_nodes(&w, 3, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, 10 * GN_MSEC);
	assert_int_equal(net_conn(&w, 0, 0)->session->streams, 1);
	assert_int_equal(gn_service_detach(w.node[0], &probe_ops), 0);
	assert_int_equal(gn_service_detach(w.node[0], &probe_ops), -ENOENT);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), -EEXIST);
	assert_null(gn_node_service(w.node[0], &probe_ops));
	assert_int_equal(p.gone, 0); /* the callback comes from the loop, not from inside the call */
	net_run(&w, 10 * GN_MSEC);
	assert_int_equal(p.gone, 2);
	assert_int_equal(p.states, 0);
	assert_int_equal(p.stopped, 1);
	assert_int_equal(net_conn(&w, 0, 0)->session->streams, 0);
	assert_true(gn_conn_is_usable(net_conn(&w, 0, 0)));
	/* The slot may be used again. */
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, 10 * GN_MSEC);
	assert_int_equal(p.conns, 4);
	net_fini(&w);
	assert_int_equal(p.states, 0);
	assert_int_equal(p.gone, 4);
}

static void a_node_that_is_freed_while_a_service_is_detached_stops_it_once(void **state)
{
	struct net w;
	struct probe p = {.opens_stream = true};

	(void)state;
	setup_nodes(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, 10 * GN_MSEC);
	assert_int_equal(gn_service_detach(w.node[0], &probe_ops), 0);
	net_fini(&w);
	assert_int_equal(p.gone, 1);
	assert_int_equal(p.states, 0);
	assert_int_equal(p.stopped, 1);
}

static void a_service_may_detach_itself_in_on_conn(void **state)
{
	struct net w;
	struct probe p = {.detaches_in_on_conn = true};

	(void)state;
	setup_nodes(&w, 3, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, 10 * GN_MSEC);
	assert_int_equal(p.conns, 1);
	assert_int_equal(p.gone, 1);
	assert_int_equal(p.stopped, 1);
	net_fini(&w);
}

static void a_service_may_abort_the_connection_in_on_conn(void **state)
{
	struct net w;
	struct probe p = {.aborts_in_on_conn = true};

	(void)state;
	setup_nodes(&w, 3, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, 10 * GN_MSEC);
	assert_int_equal(p.conns, 2);
	assert_int_equal(p.gone, 2);
	assert_null(net_conn(&w, 0, 0));
	net_fini(&w);
	assert_int_equal(p.states, 0);
}

static void a_dial_fails_when_a_service_aborts_its_connection(void **state)
{
	struct net w;
	struct probe p = {.aborts_in_on_conn = true};
	const struct gn_multiaddr *addrs[1];
	int err = 1;
	struct gn_identify_cfg cfg = {.target = {.addrs = addrs, .n_addrs = 1}, .on_done = on_identify, .arg = &err};
	struct gn_identify *op;

	(void)state;
	net_init(&w, 2, NULL);
	addrs[0] = w.addr[1];
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	assert_int_equal(gn_identify_start(w.node[0], &cfg, &op), 0);
	net_run(&w, 30 * GN_SEC);
	assert_int_equal(err, GN_EREFUSED);
	assert_int_equal(p.conns, 1);
	assert_int_equal(p.gone, 1);
	net_fini(&w);
}

static void a_service_learns_of_identify_and_of_pushes(void **state)
{
	struct net w;
	struct probe p = {0}, later = {0};
	struct gn_identify_view view;

	(void)state;
	net_init(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_connect(&w, 1, 0);
	assert_int_equal(p.identified, 1);
	assert_string_equal(p.agent, "golem-net/" GN_VERSION);
	assert_false(p.peer_serves_late);
	serve(w.node[1], "/late");
	net_run(&w, 5 * GN_SEC);
	assert_int_equal(p.identified, 2);
	assert_true(p.peer_serves_late);
	/* A service that is attached later can query the message that was received before. */
	assert_int_equal(gn_service_attach(w.node[1], &probe_ops, &later), 0);
	net_run(&w, GN_MSEC);
	assert_int_equal(later.conns, 1);
	assert_int_equal(later.identified, 0);
	assert_int_equal(gn_identify_get(net_conn(&w, 1, 0), &view), 0);
	assert_string_equal(view.info.agent, "golem-net/" GN_VERSION);
	gn_identify_view_fini(&view);
	net_fini(&w);
}

static void a_service_learns_of_own_protocols_and_of_paths(void **state)
{
	struct net w;
	struct probe p = {0};

	(void)state;
	setup_nodes(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, GN_MSEC);
	assert_int_equal(p.changes, 0);
	serve(w.node[0], "/more");
	assert_int_equal(p.changes, 1);
	gn_node_unlisten(w.node[0]);
	assert_int_equal(p.changes, 2);
	gn_node_conn_path(w.node[0], net_conn(&w, 0, 0));
	assert_int_equal(p.paths, 1);
	net_fini(&w);
}

static void closing_a_node_waits_for_a_last_message(void **state)
{
	struct net w;
	struct probe p = {.sends_last = true};
	int done = 0;

	(void)state;
	setup_nodes(&w, 3, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, GN_MSEC);
	assert_int_equal(gn_node_close(w.node[0], 60 * GN_SEC, count_done, &done), 0);
	assert_int_equal(p.node_closings, 1);
	assert_int_equal(p.conn_closings, 2);
	net_run(&w, 5 * GN_SEC);
	assert_int_equal(done, 1);
	assert_int_equal(n_received, 14);
	assert_memory_equal(received, "goodbyegoodbye", 14);
	assert_int_equal(p.conn_closings, 2);
	assert_int_equal(p.gone, 2);
	net_fini(&w);
	assert_int_equal(p.states, 0);
}

static void closing_a_node_waits_for_a_service_no_longer_than_the_limit(void **state)
{
	struct net w;
	struct probe p = {.holds_last = true};
	int done = 0;

	(void)state;
	setup_nodes(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, GN_MSEC);
	assert_int_equal(gn_node_close(w.node[0], 7 * GN_SEC, count_done, &done), 0);
	net_run(&w, 7 * GN_SEC - GN_MSEC);
	assert_int_equal(done, 0);
	assert_int_equal(p.gone, 0);
	net_run(&w, 2 * GN_MSEC);
	assert_int_equal(done, 1);
	assert_int_equal(p.gone, 1);
	net_fini(&w);
}

static void close_idle(struct gn_node_cfg *cfg)
{
	cfg->limits.idle = 3 * GN_SEC;
}

static void a_connection_that_closes_waits_for_a_last_message(void **state)
{
	struct net w;
	struct probe p = {.sends_last = true, .closes_in_on_closing = true};

	(void)state;
	setup_nodes(&w, 2, close_idle);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, GN_MSEC);
	gn_conn_close(net_conn(&w, 0, 0));
	net_run(&w, 10 * GN_SEC);
	assert_int_equal(p.node_closings, 0);
	assert_int_equal(p.conn_closings, 1);
	assert_int_equal(n_received, 7);
	assert_int_equal(p.gone, 1);
	assert_null(net_conn(&w, 0, 0));
	net_fini(&w);
	assert_int_equal(p.states, 0);
}

static void an_aborted_connection_reports_no_closing(void **state)
{
	struct net w;
	struct probe p = {0};

	(void)state;
	setup_nodes(&w, 2, NULL);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), 0);
	net_run(&w, GN_MSEC);
	gn_conn_abort(net_conn(&w, 0, 0), GN_ECLOSED);
	net_run(&w, GN_SEC);
	assert_int_equal(p.conn_closings, 0);
	assert_int_equal(p.gone, 1);
	net_fini(&w);
}

static void a_closing_node_takes_no_service(void **state)
{
	struct net w;
	struct probe p = {0};
	int done = 0;

	(void)state;
	setup_nodes(&w, 2, NULL);
	assert_int_equal(gn_node_close(w.node[0], GN_SEC, count_done, &done), 0);
	assert_int_equal(gn_service_attach(w.node[0], &probe_ops, &p), GN_ECLOSED);
	net_run(&w, 2 * GN_SEC);
	assert_int_equal(done, 1);
	net_fini(&w);
}

static void a_node_has_at_most_as_many_services_as_the_limit(void **state)
{
	struct net w;
	struct probe p[GN_SERVICES_MAX + 1];
	struct gn_service_ops ops[GN_SERVICES_MAX + 1];
	size_t stock = 2; /* identify and ping, which each node has */

	(void)state;
	memset(p, 0, sizeof p);
	setup_nodes(&w, 2, NULL);
	for (size_t i = 0; i < GN_SERVICES_MAX + 1; i++) {
		ops[i] = probe_ops;
		assert_int_equal(gn_service_attach(w.node[0], &ops[i], &p[i]),
				 i < GN_SERVICES_MAX - stock ? 0 : GN_ELIMIT);
	}
	net_run(&w, GN_MSEC);
	for (size_t i = 0; i < GN_SERVICES_MAX - stock; i++)
		assert_int_equal(p[i].conns, 1);
	net_fini(&w);
	for (size_t i = 0; i < GN_SERVICES_MAX - stock; i++)
		assert_int_equal(p[i].gone, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attached_service_gets_every_open_connection_from_the_loop),
		cmocka_unit_test(a_connection_that_opens_before_the_report_is_reported_once),
		cmocka_unit_test(a_service_of_a_node_without_connections_gets_the_next_one),
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
		cmocka_unit_test(detaching_with_open_streams_frees_each_state_once),
		cmocka_unit_test(a_node_that_is_freed_while_a_service_is_detached_stops_it_once),
		cmocka_unit_test(a_service_may_detach_itself_in_on_conn),
		cmocka_unit_test(a_service_may_abort_the_connection_in_on_conn),
		cmocka_unit_test(a_dial_fails_when_a_service_aborts_its_connection),
		cmocka_unit_test(a_service_learns_of_identify_and_of_pushes),
		cmocka_unit_test(a_service_learns_of_own_protocols_and_of_paths),
		cmocka_unit_test(closing_a_node_waits_for_a_last_message),
		cmocka_unit_test(closing_a_node_waits_for_a_service_no_longer_than_the_limit),
		cmocka_unit_test(a_connection_that_closes_waits_for_a_last_message),
		cmocka_unit_test(an_aborted_connection_reports_no_closing),
		cmocka_unit_test(a_closing_node_takes_no_service),
		cmocka_unit_test(a_node_has_at_most_as_many_services_as_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
