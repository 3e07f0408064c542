/* SPDX-License-Identifier: MIT */
/* lib/node/conn: connections without a node.  The tests record the events that a connection reports to its
 * owner. */
#include "support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "id/key.h"
#include "node/conn.h"
#include "transport/mem.h"

/* The maximum of sizeof(struct gn_conn) on machines with 64-bit pointers.  It limits the memory of an idle
 * connection. */
enum { CONN_SIZE_MAX = 752 };

/* One end of a link: the state of the owner of the connection, and the reported events as letters.
 *   a added, s secured, o opened, O on_open(0), i incoming, S suspect, A no longer suspect, g gone,
 *   E on_open(error), f freed */
struct end {
	struct gn_conn_env env;
	struct gn_iobuf iobuf;
	struct gn_networks networks;
	struct gn_peers peers;
	struct gn_component_states components;
	struct gn_scope scope;
	struct gn_limits limits;
	struct gn_key *key;
	struct gn_conn *conn; /* NULL when it was freed */
	int secured, open_err, gone_err;
	uint32_t refusal; /* set when the peer is secured */
	bool is_used;
	char events[16];
};

struct conn_pair {
	struct gn_loop *loop;
	struct gn_link_listener *listener;
	struct gn_multiaddr *addr;
	struct end dialer, listening;
};

static struct conn_pair *pair;

/* The ends have no node, so the environment of a connection identifies its end. */
static struct end *end_of(const struct gn_conn *c)
{
	return gn_list_entry(c->env, struct end, env);
}

static void note(const struct gn_conn *c, char event)
{
	struct end *e = end_of(c);
	size_t n = strlen(e->events);

	assert_true(n + 1 < sizeof e->events);
	e->events[n] = event;
}

static void end_on_added(struct gn_node *node, struct gn_conn *c)
{
	assert_null(node);
	end_of(c)->conn = c;
	note(c, 'a');
}

static int end_on_secured(struct gn_node *node, struct gn_conn *c)
{
	struct end *e = end_of(c);

	(void)node;
	note(c, 's');
	c->refusal = e->refusal;
	c->err = e->refusal != 0 ? GN_EREFUSED : 0;
	return e->secured;
}

static void end_on_opened(struct gn_node *node, struct gn_conn *c)
{
	(void)node;
	note(c, 'o');
}

static void end_on_suspect(struct gn_node *node, struct gn_conn *c)
{
	(void)node;
	note(c, c->is_suspect ? 'S' : 'A');
}

static void end_on_closing(struct gn_node *node, struct gn_conn *c)
{
	(void)node;
	assert_int_equal(c->state, GN_CONN_OPEN);
}

static int end_on_admit(struct gn_node *node, struct gn_conn *c)
{
	(void)node;
	(void)c;
	return 0;
}

static void end_on_incoming(struct gn_node *node, struct gn_conn *c, struct gn_mux_stream *st)
{
	(void)node;
	note(c, 'i');
	c->session->ops->release(st);
}

static bool end_is_used(const struct gn_conn *c)
{
	return end_of(c)->is_used;
}

static void end_on_gone(struct gn_node *node, struct gn_conn *c)
{
	(void)node;
	assert_null(c->link);
	assert_int_equal(c->state, GN_CONN_GONE);
	end_of(c)->gone_err = c->err;
	note(c, 'g');
}

static void end_on_freed(struct gn_node *node, struct gn_conn *c)
{
	(void)node;
	end_of(c)->conn = NULL;
	note(c, 'f');
}

static void end_on_open(void *arg, struct gn_conn *c, int err)
{
	struct end *e = arg;

	e->open_err = err;
	note(c, err == 0 ? 'O' : 'E');
}

static void end_init(struct end *e, uint8_t first)
{
	static const struct gn_security_ops *const securities[] = {&gn_security_noise, NULL};
	static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
	static const struct gn_components components = {.securities = securities, .muxers = muxers};
	static const struct gn_conn_events events = {
		.added = end_on_added,
		.secured = end_on_secured,
		.opened = end_on_opened,
		.suspect = end_on_suspect,
		.closing = end_on_closing,
		.admit = end_on_admit,
		.incoming = end_on_incoming,
		.is_used = end_is_used,
		.gone = end_on_gone,
		.freed = end_on_freed,
	};
	struct gn_node_cfg cfg = {.components = &components};
	uint8_t seed[GN_KEY_SEED_LEN] = {first};

	memset(e, 0, sizeof *e);
	gn_iobuf_init(&e->iobuf);
	gn_limits_init(&e->limits);
	gn_scope_init(&e->scope, NULL, e->limits.memory);
	gn_networks_init(&e->networks, &e->scope);
	gn_peers_init(&e->peers, e->limits.memory);
	assert_int_equal(gn_key_new_seeded(seed, &e->key), 0);
	e->env.loop = pair->loop;
	e->env.iobuf = &e->iobuf;
	e->env.networks = &e->networks;
	e->env.peers = &e->peers;
	e->env.limits = &e->limits;
	e->env.components = &e->components;
	e->env.key = e->key;
	e->env.events = &events;
	assert_int_equal(gn_upgrade_init(&e->env.upgrade, &components), 0);
	assert_int_equal(gn_components_start(&e->components, NULL, &cfg), 0);
}

static void end_fini(struct end *e)
{
	if (e->conn != NULL)
		gn_conn_free(e->conn);
	gn_components_stop(&e->components);
	gn_upgrade_fini(&e->env.upgrade);
	gn_networks_fini(&e->networks);
	gn_peers_fini(&e->peers);
	gn_iobuf_fini(&e->iobuf);
	gn_key_free(e->key);
}

static void end_connect(struct end *e, struct gn_link *link, bool inbound)
{
	struct gn_conn_cfg cfg = {.env = &e->env, .link = link, .inbound = inbound, .on_open = end_on_open, .arg = e};
	struct gn_conn *c;

	assert_int_equal(gn_conn_new(&cfg, &c), 0);
	assert_ptr_equal(c, e->conn);
}

static void pair_on_link(void *arg, struct gn_link *link)
{
	end_connect(arg, link, true);
}

static void pair_on_dialed(void *arg, int err, struct gn_link *link)
{
	assert_int_equal(err, 0);
	end_connect(arg, link, false);
}

static void pair_run(gn_time howlong)
{
	gn_time until = gn_loop_now(pair->loop) + howlong;

	while (gn_loop_now(pair->loop) < until && gn_loop_turn(pair->loop, until - gn_loop_now(pair->loop)) == 0)
		;
}

static int pair_setup(void **state)
{
	struct gn_link_listen_cfg cfg = {.on_link = pair_on_link};
	struct gn_multiaddr *any;

	(void)state;
	pair = calloc(1, sizeof *pair);
	assert_non_null(pair);
	assert_int_equal(gn_loop_new_virtual(&pair->loop), 0);
	end_init(&pair->dialer, 1);
	end_init(&pair->listening, 2);
	assert_int_equal(gn_multiaddr_parse("/memory/0", &any, NULL), 0);
	cfg.loop = pair->loop;
	cfg.addr = any;
	cfg.arg = &pair->listening;
	assert_int_equal(gn_transport_mem.listen(NULL, &cfg, &pair->listener, &pair->addr), 0);
	gn_multiaddr_free(any);
	return 0;
}

static int pair_teardown(void **state)
{
	(void)state;
	end_fini(&pair->dialer);
	end_fini(&pair->listening);
	gn_transport_mem.close(pair->listener);
	gn_multiaddr_free(pair->addr);
	gn_loop_free(pair->loop);
	free(pair);
	return 0;
}

static void pair_dial(void)
{
	struct gn_link_dial_cfg cfg = {.loop = pair->loop,
				       .addr = pair->addr,
				       .on_done = pair_on_dialed,
				       .arg = &pair->dialer};
	struct gn_link_dial *dial;

	assert_int_equal(gn_transport_mem.dial(NULL, &cfg, &dial), 0);
}

/* ---- the tests ---- */

static void a_connection_reports_its_life_in_order(void **state)
{
	struct gn_mux_stream *st;

	(void)state;
	pair_dial();
	pair_run(GN_SEC);
	assert_string_equal(pair->dialer.events, "asoO");
	assert_string_equal(pair->listening.events, "asoO");
	assert_int_equal(pair->dialer.conn->session->ops->open(pair->dialer.conn->session, &st), 0);
	st->session->ops->touch(st);
	pair_run(GN_SEC);
	assert_string_equal(pair->listening.events, "asoOi");
	st->session->ops->release(st);
	gn_conn_close(pair->dialer.conn);
	pair_run(10 * GN_SEC);
	assert_string_equal(pair->dialer.events, "asoOgf");
	assert_string_equal(pair->listening.events, "asoOigf");
	assert_int_equal(pair->dialer.gone_err, GN_ECLOSED);
}

static void a_connection_that_never_opened_reports_gone_and_the_error(void **state)
{
	(void)state;
	pair_dial();
	while (pair->listening.conn == NULL)
		assert_int_equal(gn_loop_turn(pair->loop, GN_SEC), 0);
	gn_conn_abort(pair->listening.conn, GN_ELIMIT);
	pair_run(GN_SEC);
	assert_string_equal(pair->listening.events, "agEf");
	assert_int_equal(pair->listening.open_err, GN_ELIMIT);
	assert_string_equal(pair->dialer.events, "agEf");
}

static void an_error_of_secured_ends_the_connection(void **state)
{
	(void)state;
	pair->listening.secured = GN_ELIMIT;
	pair_dial();
	pair_run(GN_SEC);
	assert_string_equal(pair->listening.events, "asgEf");
	assert_int_equal(pair->listening.open_err, GN_ELIMIT);
}

/* The peer is informed by a Go Away frame, so its own connection opens before. */
static void a_refusal_is_sent_and_the_connection_never_opens(void **state)
{
	(void)state;
	pair->listening.refusal = GN_GO_AWAY_GATED;
	pair_dial();
	pair_run(10 * GN_SEC);
	assert_string_equal(pair->listening.events, "asgEf");
	assert_int_equal(pair->listening.open_err, GN_EREFUSED);
	assert_string_equal(pair->dialer.events, "asoOgf");
	assert_int_equal(pair->dialer.gone_err, GN_EREFUSED);
}

static void a_cancelled_on_open_is_not_called(void **state)
{
	(void)state;
	pair_dial();
	while (pair->dialer.conn == NULL)
		assert_int_equal(gn_loop_turn(pair->loop, GN_SEC), 0);
	pair->dialer.conn->on_open = NULL;
	pair_run(GN_SEC);
	assert_string_equal(pair->dialer.events, "aso");
	assert_int_equal(pair->dialer.conn->report, GN_REPORT_OPENED);
}

static void a_cut_link_ends_the_connection_with_its_error(void **state)
{
	(void)state;
	pair_dial();
	pair_run(GN_SEC);
	assert_int_equal(pair->dialer.conn->tx_state, GN_TX_OPEN);
	gn_mem_cut_all(pair->loop);
	pair_run(GN_SEC);
	assert_string_equal(pair->dialer.events, "asoOgf");
	assert_int_equal(pair->dialer.gone_err, GN_ERESET);
}

static void unused_connections_close_when_the_owner_closes(void **state)
{
	(void)state;
	pair_dial();
	pair_run(GN_SEC);
	pair->dialer.env.closes_unused = true;
	gn_conn_post(pair->dialer.conn);
	while (pair->dialer.conn->tx_state == GN_TX_OPEN)
		assert_int_equal(gn_loop_turn(pair->loop, GN_SEC), 0);
	assert_int_equal(pair->dialer.conn->tx_state, GN_TX_SHUT);
	assert_int_equal(pair->dialer.conn->state, GN_CONN_CLOSING);
	pair_run(10 * GN_SEC);
	assert_string_equal(pair->dialer.events, "asoOgf");
}

/* The connection is open 1 ns before the limit, and closes at the limit. */
static void an_inbound_connection_without_a_stream_ends_at_the_limit_first_stream(void **state)
{
	gn_time limit = 10 * GN_SEC;

	(void)state;
	pair->listening.limits.first_stream = limit;
	pair_dial();
	while (pair->listening.conn == NULL || pair->listening.conn->report != GN_REPORT_OPENED)
		assert_int_equal(gn_loop_turn(pair->loop, GN_SEC), 0);
	pair_run(limit - 1);
	assert_int_equal(pair->listening.conn->state, GN_CONN_OPEN);
	pair_run(1);
	for (int i = 0; i < 3; i++) /* the timer fires, and then the turn that it scheduled runs */
		(void)gn_loop_turn(pair->loop, 0);
	assert_int_equal(pair->listening.conn->state, GN_CONN_CLOSING);
	pair_run(10 * GN_SEC);
	assert_string_equal(pair->listening.events, "asoOgf");
}

static void an_inbound_connection_that_is_used_outlives_the_limit_first_stream(void **state)
{
	(void)state;
	pair->listening.limits.first_stream = 10 * GN_SEC;
	pair->listening.is_used = true;
	pair_dial();
	pair_run(100 * GN_SEC);
	assert_string_equal(pair->listening.events, "asoO");
	pair->listening.is_used = false;
	pair_run(13 * GN_SEC);
	assert_string_equal(pair->listening.events, "asoOgf");
}

static void more_components_than_eight_are_offered(void **state)
{
	enum { MANY = 12 };
	static struct gn_muxer_ops ops[MANY];
	static const struct gn_muxer_ops *muxers[MANY + 1];
	static const struct gn_security_ops *const securities[] = {NULL};
	static const struct gn_components k = {.securities = securities, .muxers = muxers};
	struct gn_upgrade u;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		ops[i].id = i == MANY - 1 ? "/last" : "/muxer";
		muxers[i] = &ops[i];
	}
	assert_int_equal(gn_upgrade_init(&u, &k), 0);
	assert_int_equal(u.securities.n, 0);
	assert_int_equal(u.muxers.n, MANY);
	assert_string_equal(u.muxers.ids[MANY - 1], "/last");
	assert_null(u.muxers.ids[MANY]);
	gn_upgrade_fini(&u);
}

static void a_connection_is_small(void **state)
{
	(void)state;
	if (sizeof(void *) == 8)
		assert_true(sizeof(struct gn_conn) <= CONN_SIZE_MAX);
}

int main(void)
{
#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
	const struct CMUnitTest tests[] = {
		PAIR_TEST(a_connection_reports_its_life_in_order),
		PAIR_TEST(a_connection_that_never_opened_reports_gone_and_the_error),
		PAIR_TEST(an_error_of_secured_ends_the_connection),
		PAIR_TEST(a_refusal_is_sent_and_the_connection_never_opens),
		PAIR_TEST(a_cancelled_on_open_is_not_called),
		PAIR_TEST(a_cut_link_ends_the_connection_with_its_error),
		PAIR_TEST(unused_connections_close_when_the_owner_closes),
		PAIR_TEST(an_inbound_connection_without_a_stream_ends_at_the_limit_first_stream),
		PAIR_TEST(an_inbound_connection_that_is_used_outlives_the_limit_first_stream),
		cmocka_unit_test(more_components_than_eight_are_offered),
		cmocka_unit_test(a_connection_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
