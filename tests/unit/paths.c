/* SPDX-License-Identifier: MIT */
/* Paths, roles and probes: lib/node/paths.h, and the flags of node/dialer.h that concern them. */
#include <errno.h>

#include "node/dialer.h"
#include "node/paths.h"
#include "node/stream.h"
#include "support/support.h"

static const struct gn_path_limits some_bytes = {.bytes = 131072}, some_seconds = {.seconds = 120};

/* ---- dials ---- */

struct dialed {
	bool is_done;
	int err;
	struct gn_conn *c;
};

static void dialed_on_done(void *arg, int err, struct gn_conn *c)
{
	struct dialed *d = arg;

	assert_false(d->is_done);
	*d = (struct dialed){true, err, c};
}

static struct gn_dialer *dial_begin(struct net *w, const struct gn_dialer_cfg *how, struct dialed *d)
{
	const struct gn_multiaddr *addrs[] = {w->addr[1]};
	struct gn_dialer_cfg cfg = *how;
	struct gn_dialer *op;

	*d = (struct dialed){0};
	if (cfg.target.n_addrs == 0) {
		cfg.target.addrs = addrs;
		cfg.target.n_addrs = 1;
	}
	cfg.on_done = dialed_on_done;
	cfg.arg = d;
	assert_int_equal(gn_dialer_start(w->node[0], &cfg, &op), 0);
	return op;
}

static struct gn_conn *dial(struct net *w, const struct gn_dialer_cfg *how)
{
	struct dialed d;

	dial_begin(w, how, &d);
	net_run(w, 100 * GN_MSEC);
	assert_true(d.is_done);
	assert_int_equal(d.err, 0);
	return d.c;
}

static const struct gn_dialer_cfg plain = {0}, probe = {.is_probe = true}, client = {.role = GN_ROLE_CLIENT},
				  consent = {.takes_limited = true};

/* ---- roles ---- */

struct ends {
	struct gn_link *link[2];
};

static void ends_on_dialed(void *arg, int err, struct gn_link *link)
{
	assert_int_equal(err, 0);
	((struct ends *)arg)->link[0] = link;
}

static void ends_on_listening(void *arg, struct gn_link *link)
{
	((struct ends *)arg)->link[1] = link;
}

/* Makes a link between node 0 and node 1 that no dialer knows. */
static void ends_init(struct ends *e, struct net *w)
{
	struct gn_multiaddr *addr = net_addr("/memory/7"), *bound;
	struct gn_link_listen_cfg listen = {.loop = w->loop, .addr = addr, .on_link = ends_on_listening, .arg = e};
	struct gn_link_dial_cfg cfg = {.loop = w->loop, .addr = addr, .on_done = ends_on_dialed, .arg = e};
	struct gn_link_listener *l;
	struct gn_link_dial *op;

	memset(e, 0, sizeof *e);
	assert_int_equal(gn_transport_mem.listen(NULL, &listen, &l, &bound), 0);
	assert_int_equal(gn_transport_mem.dial(NULL, &cfg, &op), 0);
	while (e->link[0] == NULL || e->link[1] == NULL)
		assert_int_equal(gn_loop_turn(w->loop, GN_SEC), 0);
	gn_transport_mem.close(l);
	gn_multiaddr_free(bound);
	gn_multiaddr_free(addr);
}

static struct gn_conn *ends_conn(struct ends *e, struct net *w, size_t i, bool inbound, enum gn_conn_role role)
{
	struct gn_conn_cfg cfg = {.node = w->node[i],
				  .env = &w->node[i]->conn_env,
				  .link = e->link[i],
				  .inbound = inbound,
				  .role = role,
				  .expect = &w->node[1 - i]->id};
	struct gn_conn *c;

	assert_int_equal(gn_conn_new(&cfg, &c), 0);
	return c;
}

static void assert_odd(struct gn_conn *c, bool is_odd)
{
	struct gn_mux_stream *st;

	assert_int_equal(c->state, GN_CONN_OPEN);
	assert_int_equal(c->session->ops->open(c->session, &st), 0);
	assert_int_equal(st->id % 2, is_odd);
	c->session->ops->release(st);
}

static void the_role_decides_about_the_handshake_not_who_dialed(void **state)
{
	static const struct {
		bool inbound[2];
		enum gn_conn_role role[2];
		bool is_client[2];
	} cases[] = {
		{{false, true}, {GN_ROLE_BY_DIAL, GN_ROLE_BY_DIAL}, {true, false}},
		{{false, false}, {GN_ROLE_CLIENT, GN_ROLE_SERVER}, {true, false}},
		{{false, false}, {GN_ROLE_SERVER, GN_ROLE_CLIENT}, {false, true}},
		{{true, false}, {GN_ROLE_CLIENT, GN_ROLE_SERVER}, {true, false}},
		{{true, true}, {GN_ROLE_CLIENT, GN_ROLE_BY_DIAL}, {true, false}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct gn_conn *c[2];
		struct ends e;
		struct net w;

		peer_events_net_init(&w);
		ends_init(&e, &w);
		for (size_t k = 0; k < 2; k++)
			c[k] = ends_conn(&e, &w, k, cases[i].inbound[k], cases[i].role[k]);
		net_run(&w, GN_SEC);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(c[k]->inbound, cases[i].inbound[k]);
			assert_odd(c[k], cases[i].is_client[k]);
			assert_true(gn_peer_id_is_equal(gn_conn_peer(c[k]), &w.node[1 - k]->id));
		}
		net_fini(&w);
	}
}

static void two_clients_do_not_connect(void **state)
{
	struct ends e;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	ends_init(&e, &w);
	ends_conn(&e, &w, 0, false, GN_ROLE_BY_DIAL);
	ends_conn(&e, &w, 1, false, GN_ROLE_BY_DIAL);
	net_run(&w, 100 * GN_MSEC);
	assert_null(gn_node_find_conn(w.node[0], &w.node[1]->id, GN_FIND_LIMITED));
	net_fini(&w);
}

static void a_dial_with_a_role_makes_a_connection_that_others_use(void **state)
{
	struct gn_conn *first, *second;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	first = dial(&w, &plain);
	second = dial(&w, &client);
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(dial(&w, &plain), second);
	net_fini(&w);
}

/* ---- the choice ---- */

static void a_lookup_prefers_direct_then_unlimited_then_new_connections(void **state)
{
	/* From the best to the worst; those of equal rank are equally good. */
	static const struct {
		enum gn_path path;
		struct gn_path_limits limits;
		int rank;
	} paths[] = {
		{GN_PATH_DIRECT, {0, 0}, 0},       {GN_PATH_DIRECT, {131072, 0}, 1}, {GN_PATH_RELAYED, {0, 0}, 2},
		{GN_PATH_RELAYED, {131072, 0}, 3}, {GN_PATH_RELAYED, {0, 120}, 3},
	};
	enum { N = sizeof paths / sizeof paths[0] };
	struct gn_conn *a, *b;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	a = dial(&w, &client);
	b = dial(&w, &client); /* the newer one */
	for (size_t i = 0; i < N * N; i++) {
		size_t k = i / N, m = i % N;
		struct gn_conn *best = paths[k].rank < paths[m].rank ? a : b;

		gn_conn_set_path(a, paths[k].path, &paths[k].limits);
		gn_conn_set_path(b, paths[m].path, &paths[m].limits);
		assert_ptr_equal(gn_node_find_conn(w.node[0], gn_conn_peer(a), GN_FIND_LIMITED), best);
		assert_true(gn_conn_is_better(best, best == a ? b : a));
		assert_false(gn_conn_is_better(best == a ? b : a, best));
		net_run(&w, GN_MSEC);
		peer_events_n = 0;
	}
	assert_false(gn_conn_is_better(a, a));
	net_fini(&w);
}

static void a_connection_that_takes_no_streams_is_not_found(void **state)
{
	struct gn_conn *a, *b;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	a = dial(&w, &client);
	b = dial(&w, &client);
	gn_conn_close(b);
	assert_ptr_equal(gn_node_find_conn(w.node[0], gn_conn_peer(a), 0), a);
	gn_conn_abort(a, GN_ECLOSED);
	assert_null(gn_node_find_conn(w.node[0], gn_conn_peer(a), GN_FIND_LIMITED));
	net_fini(&w);
}

/* ---- limited connections ---- */

static void a_limited_connection_is_used_with_consent_only(void **state)
{
	struct gn_conn *limited, *other;
	struct gn_stream s;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	limited = dial(&w, &plain);
	gn_conn_set_path(limited, GN_PATH_RELAYED, &some_seconds);
	assert_true(gn_conn_is_limited(limited));
	assert_null(gn_node_find_conn(w.node[0], gn_conn_peer(limited), 0));
	assert_ptr_equal(gn_node_find_conn(w.node[0], gn_conn_peer(limited), GN_FIND_LIMITED), limited);
	assert_ptr_equal(dial(&w, &consent), limited);
	assert_int_equal(gn_stream_open(&s, limited, "/x", 0), -EPERM);
	assert_int_equal(gn_stream_open(&s, limited, "/x", GN_STREAM_LIMITED), 0);
	gn_stream_close(&s);
	net_connect(&w, 0, 1); /* identify consents */
	assert_int_equal(w.node[0]->n_conns, 1);
	other = dial(&w, &plain);
	assert_ptr_not_equal(other, limited);
	assert_ptr_equal(dial(&w, &consent), other);
	net_fini(&w);
}

static void a_relayed_connection_without_limits_needs_no_consent(void **state)
{
	struct gn_stream s;
	struct gn_conn *c;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	c = dial(&w, &plain);
	gn_conn_set_path(c, GN_PATH_RELAYED, NULL);
	assert_false(gn_conn_is_limited(c));
	assert_ptr_equal(dial(&w, &plain), c);
	assert_int_equal(gn_stream_open(&s, c, "/x", 0), 0);
	gn_stream_close(&s);
	net_fini(&w);
}

static void an_address_through_a_relay_is_consent(void **state)
{
	struct gn_dialer_cfg cfg = {.target.n_addrs = 1};
	char id[GN_PEER_ID_TEXT_MAX], text[256];
	const struct gn_multiaddr *addrs[1];
	struct gn_multiaddr *addr;
	struct gn_conn *c;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	c = dial(&w, &plain);
	gn_conn_set_path(c, GN_PATH_RELAYED, &some_bytes);
	snprintf(text, sizeof text, "/memory/5/p2p-circuit/p2p/%s", gn_peer_id_format(gn_conn_peer(c), id));
	addrs[0] = addr = net_addr(text);
	cfg.target.addrs = addrs;
	assert_ptr_equal(dial(&w, &cfg), c);
	gn_multiaddr_free(addr);
	net_fini(&w);
}

/* A transport whose links have the path test_path; it has one attempt at a time. */
static struct gn_link_path test_path;
static struct gn_transport_ops path_transport;
static struct gn_link_dial_cfg path_dial_cfg;

static void path_on_dialed(void *arg, int err, struct gn_link *link)
{
	(void)arg;
	if (link != NULL)
		link->path = &test_path;
	path_dial_cfg.on_done(path_dial_cfg.arg, err, link);
}

static int path_dial(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out)
{
	struct gn_link_dial_cfg mem = *cfg;

	path_dial_cfg = *cfg;
	mem.on_done = path_on_dialed;
	return gn_transport_mem.dial(state, &mem, out);
}

static void path_tune(struct gn_node_cfg *cfg)
{
	static const struct gn_transport_ops *transports[] = {&path_transport, NULL};
	static struct gn_components k;

	path_transport = gn_transport_mem;
	path_transport.dial = path_dial;
	k = *cfg->components;
	k.transports = transports;
	cfg->components = &k;
	peer_events_tune(cfg);
}

static void path_nodes_init(struct net *w, enum gn_path path, struct gn_path_limits limits)
{
	peer_events_n = 0;
	test_path = (struct gn_link_path){path, limits};
	net_init(w, 1, path_tune);
	net_add(w, 1, NULL);
	w->n = 2;
}

static void a_connection_has_the_path_of_its_link(void **state)
{
	struct gn_path_limits limits;
	struct gn_conn *c;
	struct net w;

	(void)state;
	path_nodes_init(&w, GN_PATH_RELAYED, (struct gn_path_limits){1000, 60});
	c = dial(&w, &consent);
	assert_int_equal(c->path, GN_PATH_RELAYED);
	gn_conn_path_limits(c, &limits);
	assert_int_equal(limits.bytes, 1000);
	assert_int_equal(limits.seconds, 60);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 1);
	assert_int_equal(peer_events[0].type, GN_EVENT_CONNECTED);
	assert_int_equal(peer_events[0].path, GN_PATH_RELAYED);
	/* The limits stay known after the link is gone. */
	gn_conn_abort(c, GN_ERESET);
	gn_conn_path_limits(c, &limits);
	assert_int_equal(limits.bytes, 1000);
	net_fini(&w);
	/* A link that names no path is direct. */
	peer_events_net_init(&w);
	c = dial(&w, &plain);
	assert_int_equal(c->path, GN_PATH_DIRECT);
	assert_false(gn_conn_is_limited(c));
	net_fini(&w);
}

static void a_dial_without_consent_fails_when_its_connection_is_limited(void **state)
{
	struct dialed without, with;
	struct net w;

	(void)state;
	path_nodes_init(&w, GN_PATH_RELAYED, some_bytes);
	/* The second dial joins the attempt of the first one. */
	dial_begin(&w, &plain, &without);
	dial_begin(&w, &consent, &with);
	net_run(&w, 100 * GN_MSEC);
	assert_int_equal(without.err, -EPERM);
	assert_true(with.is_done);
	assert_int_equal(with.err, 0);
	net_fini(&w);
}

/* ---- probes ---- */

static void a_probe_is_a_connection_of_its_own_that_nobody_finds(void **state)
{
	struct gn_conn *a, *b, *c;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	a = dial(&w, &probe);
	assert_true(a->is_probe);
	assert_null(gn_node_find_conn(w.node[0], gn_conn_peer(a), GN_FIND_LIMITED));
	b = dial(&w, &plain);
	assert_ptr_not_equal(a, b);
	assert_false(b->is_probe);
	c = dial(&w, &probe);
	assert_ptr_not_equal(c, a);
	assert_ptr_not_equal(c, b);
	assert_ptr_equal(dial(&w, &plain), b);
	net_fini(&w);
}

static void dials_and_probes_do_not_join(void **state)
{
	/* Which of two dials that run at the same time is a probe. */
	static const bool is_probe[][2] = {{true, false}, {false, true}, {true, true}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct dialed d[2];
		struct net w;

		peer_events_net_init(&w);
		for (size_t k = 0; k < 2; k++)
			dial_begin(&w, is_probe[i][k] ? &probe : &plain, &d[k]);
		net_run(&w, 100 * GN_MSEC);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(d[k].err, 0);
			assert_int_equal(d[k].c->is_probe, is_probe[i][k]);
		}
		assert_ptr_not_equal(d[0].c, d[1].c);
		net_fini(&w);
	}
}

static void a_probe_is_no_event_and_is_not_queried(void **state)
{
	struct gn_conn *c;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	c = dial(&w, &probe);
	assert_true(c->session->streams == 0);
	gn_conn_close(c);
	net_run(&w, GN_SEC);
	assert_int_equal(peer_events_n, 0);
	net_fini(&w);
}

/* ---- events ---- */

static void new_channels_and_events_follow_the_best_path(void **state)
{
	struct gn_conn *relayed, *direct;
	struct net w;

	(void)state;
	peer_events_net_init(&w);
	relayed = dial(&w, &plain);
	gn_conn_set_path(relayed, GN_PATH_RELAYED, NULL);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 2);
	assert_int_equal(peer_events[1].type, GN_EVENT_PATH);
	assert_int_equal(peer_events[1].path, GN_PATH_RELAYED);
	/* The path is what it was. */
	gn_conn_set_path(relayed, GN_PATH_RELAYED, NULL);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 2);
	/* A direct connection is made beside it. */
	direct = dial(&w, &client);
	assert_int_equal(peer_events_n, 3);
	assert_int_equal(peer_events[2].type, GN_EVENT_PATH);
	assert_int_equal(peer_events[2].path, GN_PATH_DIRECT);
	/* A change of the connection that is not used is no event. */
	gn_conn_set_path(relayed, GN_PATH_RELAYED, &some_bytes);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 3);
	gn_conn_abort(direct, GN_ERESET);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 4);
	assert_int_equal(peer_events[3].type, GN_EVENT_PATH);
	assert_int_equal(peer_events[3].path, GN_PATH_RELAYED);
	gn_conn_abort(relayed, GN_ERESET);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 5);
	assert_int_equal(peer_events[4].type, GN_EVENT_GONE);
	assert_int_equal(peer_events[4].path, GN_PATH_RELAYED);
	net_fini(&w);
}

static void a_worse_connection_is_no_event(void **state)
{
	struct gn_conn *direct, *other;
	struct net w;

	(void)state;
	path_nodes_init(&w, GN_PATH_DIRECT, (struct gn_path_limits){0});
	direct = dial(&w, &plain);
	test_path.path = GN_PATH_RELAYED;
	other = dial(&w, &client);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 1);
	gn_conn_abort(other, GN_ERESET);
	net_run(&w, GN_MSEC);
	assert_int_equal(peer_events_n, 1);
	assert_int_equal(direct->state, GN_CONN_OPEN);
	net_fini(&w);
}

static void a_channel_knows_its_path(void **state)
{
	const struct gn_multiaddr *addrs[1];
	struct gn_channel_state st;
	struct outcome o;
	struct net w;

	(void)state;
	path_nodes_init(&w, GN_PATH_RELAYED, (struct gn_path_limits){0});
	addrs[0] = w.addr[1];
	outcome_dial(w.node[0], &o, addrs, 1);
	net_run(&w, 100 * GN_MSEC);
	assert_int_equal(o.err, 0);
	gn_channel_state(o.ch, &st);
	assert_int_equal(st.path, GN_PATH_RELAYED);
	assert_int_equal(st.path_limits.seconds, 0);
	gn_conn_set_path(net_conn(&w, 0, 0), GN_PATH_RELAYED, &some_seconds);
	gn_channel_state(o.ch, &st);
	assert_int_equal(st.path_limits.seconds, some_seconds.seconds);
	gn_channel_free(o.ch);
	net_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_role_decides_about_the_handshake_not_who_dialed),
		cmocka_unit_test(two_clients_do_not_connect),
		cmocka_unit_test(a_dial_with_a_role_makes_a_connection_that_others_use),
		cmocka_unit_test(a_lookup_prefers_direct_then_unlimited_then_new_connections),
		cmocka_unit_test(a_connection_that_takes_no_streams_is_not_found),
		cmocka_unit_test(a_limited_connection_is_used_with_consent_only),
		cmocka_unit_test(a_relayed_connection_without_limits_needs_no_consent),
		cmocka_unit_test(an_address_through_a_relay_is_consent),
		cmocka_unit_test(a_connection_has_the_path_of_its_link),
		cmocka_unit_test(a_dial_without_consent_fails_when_its_connection_is_limited),
		cmocka_unit_test(a_probe_is_a_connection_of_its_own_that_nobody_finds),
		cmocka_unit_test(dials_and_probes_do_not_join),
		cmocka_unit_test(a_probe_is_no_event_and_is_not_queried),
		cmocka_unit_test(new_channels_and_events_follow_the_best_path),
		cmocka_unit_test(a_worse_connection_is_no_event),
		cmocka_unit_test(a_channel_knows_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
