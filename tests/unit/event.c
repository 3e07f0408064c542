/* SPDX-License-Identifier: MIT */
/* The events of a node: gn_event.h, lib/node/event.c; and listeners that are closed alone. */
#include <errno.h>

#include "node/event.h"
#include "support/support.h"

enum { LOG_MAX = 32 };

/* The events of node 0, in the order of delivery. */
static struct logged {
	struct gn_event event;
	char *addr;
} event_log[LOG_MAX];
static size_t n_logged;
static bool in_call;
static struct gn_node *close_at_event; /* the node that the callback of the next event closes */
static int n_closed;

static void count_closed(void *arg)
{
	(void)arg;
	n_closed++;
}

static void on_event(void *arg, const struct gn_event *event)
{
	struct gn_node *node = close_at_event;

	(void)arg;
	assert_false(in_call);
	assert_true(n_logged < LOG_MAX);
	event_log[n_logged].event = *event;
	event_log[n_logged++].addr = gn_multiaddr_format(event->addr);
	close_at_event = NULL;
	if (node != NULL)
		assert_int_equal(gn_node_close(node, 5 * GN_SEC, count_closed, NULL), 0);
}

static void log_clear(void)
{
	while (n_logged > 0)
		free(event_log[--n_logged].addr);
}

static void assert_event(size_t i, enum gn_event_type type, const char *addr)
{
	assert_true(i < n_logged);
	assert_string_equal(gn_event_name(event_log[i].event.type), gn_event_name(type));
	if (addr != NULL)
		assert_string_equal(event_log[i].addr, addr);
}

static void tune(struct gn_node_cfg *cfg)
{
	cfg->on_event = on_event;
}

static void nodes_init(struct net *w, size_t n)
{
	log_clear();
	n_closed = 0;
	close_at_event = NULL;
	in_call = true;
	net_init(w, 1, tune);
	in_call = false;
	for (size_t i = 1; i < n; i++)
		net_add(w, i, NULL);
	w->n = n;
}

static void on_channel(void *arg, int err, struct gn_channel *ch)
{
	(void)arg;
	if (err == 0)
		gn_channel_free(ch);
}

static void dial(struct net *w, size_t from, size_t to)
{
	const struct gn_multiaddr *addrs[] = {w->addr[to]};
	struct gn_dial_cfg cfg = {.target.addrs = addrs, .target.n_addrs = 1, .protocol = "/x", .on_done = on_channel};
	struct gn_dial *op;

	in_call = true;
	assert_int_equal(gn_dial_start(w->node[from], &cfg, &op), 0);
	in_call = false;
}

static void a_listener_and_its_address_are_reported_from_the_loop(void **state)
{
	struct net w;

	(void)state;
	nodes_init(&w, 1);
	assert_int_equal(n_logged, 0);
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 2);
	assert_event(0, GN_EVENT_LISTENER_UP, "/memory/100");
	assert_event(1, GN_EVENT_ADDR_NEW, NULL);
	assert_non_null(strstr(event_log[1].addr, "/memory/100/p2p/"));
	log_clear();
	in_call = true;
	gn_node_unlisten(w.node[0]);
	in_call = false;
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 2);
	assert_event(0, GN_EVENT_LISTENER_DOWN, "/memory/100");
	assert_int_equal(event_log[0].event.err, GN_ECLOSED);
	assert_event(1, GN_EVENT_ADDR_LOST, NULL);
	log_clear();
	gn_node_unlisten(w.node[0]);
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 0);
	net_fini(&w);
}

static void a_listener_can_be_closed_alone(void **state)
{
	struct net w;
	struct gn_multiaddr *at = net_addr("/memory/7");
	struct gn_listener_cfg cfg = {.addr = at};
	struct gn_listener *l;
	struct gn_multiaddr **addrs;
	size_t n;

	(void)state;
	nodes_init(&w, 1);
	assert_int_equal(gn_listener_open(w.node[0], &cfg, &l), 0);
	assert_true(gn_multiaddr_is_equal(gn_listener_addr(l), at));
	net_run(&w, GN_MSEC);
	log_clear();
	in_call = true;
	gn_listener_close(l);
	in_call = false;
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 2);
	assert_event(0, GN_EVENT_LISTENER_DOWN, "/memory/7");
	assert_event(1, GN_EVENT_ADDR_LOST, NULL);
	assert_int_equal(gn_node_addrs(w.node[0], &addrs, &n), 0);
	assert_int_equal(n, 1);
	gn_multiaddrs_free(addrs, n);
	/* The address is free again. */
	assert_int_equal(gn_listener_open(w.node[0], &cfg, &l), 0);
	gn_multiaddr_free(at);
	cfg.addr = at = net_addr("/ip4/127.0.0.1/udp/1");
	assert_int_equal(gn_listener_open(w.node[0], &cfg, &l), GN_ENOTRANS);
	gn_multiaddr_free(at);
	net_fini(&w);
}

static void a_peer_is_connected_once_and_gone_once(void **state)
{
	struct net w;
	struct gn_conn *c;
	bool inbound;

	(void)state;
	nodes_init(&w, 2);
	net_run(&w, GN_MSEC);
	log_clear();
	/* Both nodes dial at the same time, so that there are two connections. */
	dial(&w, 0, 1);
	dial(&w, 1, 0);
	net_run(&w, GN_SEC);
	assert_int_equal(w.node[0]->n_conns, 2);
	assert_int_equal(n_logged, 1);
	assert_event(0, GN_EVENT_CONNECTED, NULL);
	assert_true(gn_peer_id_is_equal(&event_log[0].event.peer, &w.node[1]->id));
	assert_int_equal(event_log[0].event.path, GN_PATH_DIRECT);
	/* The reported connection ends.  New channels use the other connection. */
	inbound = event_log[0].event.inbound;
	log_clear();
	c = net_conn(&w, 0, net_conn(&w, 0, 0)->inbound == inbound ? 0 : 1);
	gn_conn_abort(c, GN_ETIMEOUT);
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 1);
	assert_event(0, GN_EVENT_PATH, NULL);
	assert_int_equal(event_log[0].event.inbound, !inbound);
	log_clear();
	c = net_conn(&w, 0, 0);
	gn_node_conn_path(w.node[0], c);
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 1);
	assert_event(0, GN_EVENT_PATH, NULL);
	log_clear();
	gn_conn_abort(c, GN_ETIMEOUT);
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 1);
	assert_event(0, GN_EVENT_GONE, NULL);
	assert_int_equal(event_log[0].event.err, GN_ETIMEOUT);
	assert_true(gn_peer_id_is_equal(&event_log[0].event.peer, &w.node[1]->id));
	net_fini(&w);
}

static void a_peer_that_comes_again_is_connected_again(void **state)
{
	struct net w;

	(void)state;
	nodes_init(&w, 3);
	for (int i = 0; i < 2; i++) {
		net_run(&w, GN_MSEC);
		log_clear();
		dial(&w, 1, 0);
		dial(&w, 2, 0);
		net_run(&w, GN_SEC);
		assert_int_equal(n_logged, 2);
		assert_event(0, GN_EVENT_CONNECTED, NULL);
		assert_event(1, GN_EVENT_CONNECTED, NULL);
		assert_true(event_log[0].event.inbound);
		assert_false(gn_peer_id_is_equal(&event_log[0].event.peer, &event_log[1].event.peer));
		log_clear();
		gn_conn_abort(net_conn(&w, 1, 0), GN_ECLOSED);
		gn_conn_abort(net_conn(&w, 2, 0), GN_ECLOSED);
		net_run(&w, GN_SEC);
		assert_int_equal(n_logged, 2);
		assert_event(0, GN_EVENT_GONE, NULL);
		assert_event(1, GN_EVENT_GONE, NULL);
		assert_int_not_equal(event_log[0].event.err, 0);
	}
	net_fini(&w);
}

static void what_changes_no_state_is_no_event(void **state)
{
	struct net w;
	struct gn_protocol_cfg cfg = {.id = "/y", .on_open = (void (*)(void *, struct gn_channel *))abort};

	(void)state;
	nodes_init(&w, 1);
	net_run(&w, GN_MSEC);
	log_clear();
	assert_int_equal(gn_protocol_add(w.node[0], &cfg), 0);
	net_run(&w, GN_SEC);
	assert_int_equal(n_logged, 0);
	net_fini(&w);
}

static void a_node_may_be_closed_from_inside_an_event(void **state)
{
	struct net w;

	(void)state;
	nodes_init(&w, 2);
	net_run(&w, GN_MSEC);
	log_clear();
	close_at_event = w.node[0];
	dial(&w, 1, 0);
	net_run(&w, 10 * GN_SEC);
	assert_int_equal(n_closed, 1);
	assert_event(0, GN_EVENT_CONNECTED, NULL);
	assert_event(1, GN_EVENT_LISTENER_DOWN, NULL);
	assert_event(n_logged - 1, GN_EVENT_GONE, NULL);
	net_fini(&w);
}

static void a_freed_node_reports_nothing(void **state)
{
	struct net w;

	(void)state;
	nodes_init(&w, 2);
	dial(&w, 1, 0);
	net_run(&w, GN_SEC);
	log_clear();
	gn_node_unlisten(w.node[0]); /* events are pending */
	net_fini(&w);
	assert_int_equal(n_logged, 0);
}

static void the_reach_of_an_own_address_is_reported_when_it_changes(void **state)
{
	struct net w;
	struct gn_multiaddr *own = net_addr("/memory/100"), *other = net_addr("/memory/101");

	(void)state;
	nodes_init(&w, 1);
	/* The new address comes before its state. */
	in_call = true;
	assert_int_equal(gn_node_set_reach(w.node[0], own, GN_REACH_PRIVATE), 0);
	in_call = false;
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 3);
	assert_event(1, GN_EVENT_ADDR_NEW, NULL);
	assert_event(2, GN_EVENT_REACH, event_log[1].addr); /* with /p2p */
	assert_int_equal(event_log[2].event.reach, GN_REACH_PRIVATE);
	log_clear();
	assert_int_equal(gn_node_set_reach(w.node[0], own, GN_REACH_PRIVATE), 0);
	assert_int_equal(gn_node_set_reach(w.node[0], other, GN_REACH_PUBLIC), GN_ENONAME);
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 0);
	assert_int_equal(gn_node_set_reach(w.node[0], own, GN_REACH_PUBLIC), 0);
	assert_int_equal(gn_addr_reach(w.node[0], own), GN_REACH_PUBLIC);
	assert_int_equal(gn_addr_reach(w.node[0], w.addr[0]), GN_REACH_PUBLIC);
	assert_int_equal(gn_addr_reach(w.node[0], other), GN_REACH_UNKNOWN);
	assert_int_equal(gn_node_set_reach(w.node[0], own, GN_REACH_UNKNOWN), 0);
	net_run(&w, GN_MSEC);
	assert_int_equal(n_logged, 2);
	assert_int_equal(event_log[0].event.reach, GN_REACH_PUBLIC);
	assert_int_equal(event_log[1].event.reach, GN_REACH_UNKNOWN);
	net_fini(&w);
	gn_multiaddr_free(own);
	gn_multiaddr_free(other);
}

static void the_reach_is_kept_without_events(void **state)
{
	struct net w;
	struct gn_multiaddr *own = net_addr("/memory/101");

	(void)state;
	nodes_init(&w, 2);
	assert_int_equal(gn_node_set_reach(w.node[1], own, GN_REACH_PUBLIC), 0);
	assert_int_equal(gn_addr_reach(w.node[1], own), GN_REACH_PUBLIC);
	gn_node_unlisten(w.node[1]);
	assert_int_equal(gn_addr_reach(w.node[1], own), GN_REACH_UNKNOWN);
	net_fini(&w);
	gn_multiaddr_free(own);
}

static void each_type_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(gn_event_name(GN_EVENT_CONNECTED), "connected");
	assert_string_equal(gn_event_name(GN_EVENT_LISTENER_DOWN), "listener-down");
	assert_string_equal(gn_event_name(GN_EVENT_REACH), "reach");
	assert_string_equal(gn_event_name((enum gn_event_type)(GN_EVENT_REACH + 1)), "unknown");
	assert_string_equal(gn_reach_name(GN_REACH_UNKNOWN), "unknown");
	assert_string_equal(gn_reach_name(GN_REACH_PUBLIC), "public");
	assert_string_equal(gn_reach_name(GN_REACH_PRIVATE), "private");
	assert_string_equal(gn_reach_name((enum gn_reach)(GN_REACH_PRIVATE + 1)), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_and_its_address_are_reported_from_the_loop),
		cmocka_unit_test(a_listener_can_be_closed_alone),
		cmocka_unit_test(a_peer_is_connected_once_and_gone_once),
		cmocka_unit_test(a_peer_that_comes_again_is_connected_again),
		cmocka_unit_test(what_changes_no_state_is_no_event),
		cmocka_unit_test(a_node_may_be_closed_from_inside_an_event),
		cmocka_unit_test(a_freed_node_reports_nothing),
		cmocka_unit_test(the_reach_of_an_own_address_is_reported_when_it_changes),
		cmocka_unit_test(the_reach_is_kept_without_events),
		cmocka_unit_test(each_type_has_a_name),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	log_clear();
	return failed;
}
