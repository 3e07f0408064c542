/* SPDX-License-Identifier: MIT */
/* The time limits of struct gn_limits.  In each test a slow or silent peer exceeds one, and the node then
 * serves the next peer. */

#include "support/support.h"

/* ---- inbound connections ---- */

/* Each of these functions is called every millisecond and sends what one kind of slow peer sends. */
static void silent(struct raw_peer *f, unsigned ms)
{
	(void)f;
	(void)ms;
}

static void drips(struct raw_peer *f, unsigned ms)
{
	static const char text[] = RAW_PEER_SELECT RAW_PEER_NOISE;

	raw_peer_put(f, text + ms % (sizeof text - 1), ms < sizeof text - 1);
}

static void half(struct raw_peer *f, unsigned ms)
{
	if (ms == 0)
		raw_peer_noise_1(f);
}

static void drips_noise(struct raw_peer *f, unsigned ms)
{
	if (ms == 0)
		raw_peer_noise_1(f);
	if (ms == 1) /* a length, then one byte at a time */
		raw_peer_put(f, "\x10\x00", 2);
	if (ms > 1)
		raw_peer_put(f, "x", 1);
}

static void proposes(struct raw_peer *f, unsigned ms)
{
	if (ms == 0)
		raw_peer_send_text(f, RAW_PEER_SELECT);
	raw_peer_send_text(f, "\x05/tls\n");
}

static void lists(struct raw_peer *f, unsigned ms)
{
	if (ms == 0)
		raw_peer_send_text(f, RAW_PEER_SELECT);
	raw_peer_send_text(f, "\x03ls\n");
}

static void no_muxer(struct raw_peer *f, unsigned ms)
{
	if (ms == 0) {
		raw_peer_noise_1(f);
		raw_peer_noise_3(f, false);
	}
}

static void muxer_drips(struct raw_peer *f, unsigned ms)
{
	static const char text[] = RAW_PEER_SELECT "\x12/mplex/6.7.0/and/\n";

	no_muxer(f, ms);
	raw_peer_plain(f, text + ms % (sizeof text - 1), ms < sizeof text - 1);
	raw_peer_seal(f);
}

static void empty_records(struct raw_peer *f, unsigned ms)
{
	uint8_t out[64];

	no_muxer(f, ms);
	for (int i = 0; i < 10; i++)
		raw_peer_put(f, out, noise_peer_seal(&f->noise, "", 0, out));
}

static void a_handshake_that_is_too_slow_is_dropped(void **state)
{
	static void (*const slow[])(struct raw_peer *, unsigned) = {
		silent, drips, half, drips_noise, proposes, lists, no_muxer, muxer_drips, empty_records};
	struct test_node t;

	(void)state;
	test_limits.accept = 60 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
		gn_time begin;
		struct raw_peer f;

		raw_peer_connect(&f, &t, 2);
		TEST_NODE_UNTIL(&t, t.node->n_conns == 1, GN_SEC);
		begin = gn_loop_now(t.loop);
		for (unsigned ms = 0; ms < 300 && f.err == 0; ms++) {
			slow[i](&f, ms);
			test_node_run(&t, GN_MSEC);
		}
		assert_int_equal(f.err, GN_ERESET);
		/* The connection may end sooner when there are too many proposals.  A peer that keeps sending
		 * gets at most three times the limit. */
		assert_true(gn_loop_now(t.loop) - begin <= 182 * GN_MSEC);
		if (slow[i] == silent || slow[i] == half || slow[i] == no_muxer)
			assert_true(gn_loop_now(t.loop) - begin <= 62 * GN_MSEC);
		if (slow[i] == drips_noise || slow[i] == empty_records)
			assert_true(gn_loop_now(t.loop) - begin >= 178 * GN_MSEC);
		assert_true(slow[i] == proposes || slow[i] == lists || gn_loop_now(t.loop) - begin >= 58 * GN_MSEC);
		raw_peer_abort(&f);
		test_node_quiet(&t);
		test_node_serves(&t);
		test_node_quiet(&t);
	}
	test_node_stop(&t);
}

static void a_slow_handshake_is_dropped_in_real_time(void **state)
{
	struct raw_peer f[3];
	struct test_node t;

	(void)state;
	test_limits.accept = 50 * GN_MSEC;
	test_node_init(&t, false, &test_limits);
	for (int i = 0; i < 3; i++)
		raw_peer_connect(&f[i], &t, 2);
	half(&f[1], 0);
	no_muxer(&f[2], 0);
	TEST_NODE_UNTIL(&t, f[0].err != 0 && f[1].err != 0 && f[2].err != 0, 5 * GN_SEC);
	for (int i = 0; i < 3; i++)
		raw_peer_abort(&f[i]);
	test_node_stop(&t);
}

static void a_connection_without_a_stream_is_closed(void **state)
{
	struct raw_peer f[2];
	struct test_node t;

	(void)state;
	test_limits.first_stream = 100 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	for (int i = 0; i < 2; i++)
		raw_peer_open(&f[i], &t, (uint8_t)(i + 2));
	/* Pings do not keep a connection open. */
	raw_peer_frame(&f[0], YAMUX_PING, YAMUX_SYN, 0, 1);
	raw_peer_seal(&f[0]);
	test_node_run(&t, 80 * GN_MSEC);
	assert_int_equal(t.node->n_conns, 2);
	raw_peer_stream(&f[1], 1, "/hold");
	raw_peer_seal(&f[1]);
	test_node_run(&t, 50 * GN_MSEC);
	assert_false(gn_conn_is_usable(gn_list_entry(t.node->conns.next, struct gn_conn, link_node)));
	TEST_NODE_UNTIL(&t, t.node->n_conns == 1, 5 * GN_SEC);
	test_node_run(&t, 5 * GN_SEC);
	assert_int_equal(t.node->n_conns, 1);
	assert_int_equal(f[1].err, 0);
	for (int i = 0; i < 2; i++)
		raw_peer_abort(&f[i]);
	test_node_stop(&t);
}

/* The limit `idle` does not give more time to a connection that has opened no stream. */
static void the_idle_limit_does_not_extend_first_stream(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.first_stream = 100 * GN_MSEC;
	test_limits.idle = 30 * GN_SEC;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	test_node_run(&t, 120 * GN_MSEC);
	assert_false(gn_conn_is_usable(gn_list_entry(t.node->conns.next, struct gn_conn, link_node)));
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void a_slow_negotiation_is_reset(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.negotiate = 50 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	test_node_run(&t, 10 * GN_MSEC);
	raw_peer_frame(&f, YAMUX_PING, YAMUX_SYN, 0, 1); /* this peer sends, but does not answer requests */
	raw_peer_seal(&f);
	test_node_run(&t, 200 * GN_MSEC); /* the node's own identify stream has timed out as well */
	f.rsts = 0;
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);                 /* no bytes */
	raw_peer_data(&f, YAMUX_SYN, 3, "\x13/multi", 7);                  /* a part of the header */
	raw_peer_data(&f, YAMUX_SYN, 5, RAW_PEER_SELECT "\x05/abc\n", 26); /* an unknown protocol */
	raw_peer_data(&f, YAMUX_SYN | YAMUX_FIN, 7, RAW_PEER_SELECT, 20);  /* ends before a proposal */
	raw_peer_data(&f, YAMUX_SYN, 9, "\x80\x80\x80", 3);                /* malformed */
	raw_peer_seal(&f);
	test_node_run(&t, 40 * GN_MSEC);
	assert_int_equal(f.rsts, 2);
	raw_peer_data(&f, 0, 3, "stream", 6); /* further bytes do not extend the limit */
	raw_peer_seal(&f);
	test_node_run(&t, 20 * GN_MSEC);
	assert_int_equal(f.rsts, 5);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->scope.used, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void on_link(void *arg, struct gn_link *link)
{
	struct gn_link **taken = arg;

	*taken = link;
}

/* A listener whose links stay silent. */
static struct gn_link_listener *listen_silent(struct test_node *t, const char *text, struct gn_link **taken,
					      struct gn_multiaddr **bound)
{
	struct gn_link_listen_cfg cfg = {.loop = t->loop, .on_link = on_link, .arg = taken};
	struct gn_link_listener *l;
	struct gn_multiaddr *at;

	*taken = NULL;
	assert_int_equal(gn_multiaddr_parse(text, &at, NULL), 0);
	cfg.addr = at;
	assert_int_equal((t->is_virtual ? &gn_transport_mem : &gn_transport_tcp)->listen(NULL, &cfg, &l, bound), 0);
	gn_multiaddr_free(at);
	return l;
}

static void an_attempt_times_out(void **state)
{
	static const struct gn_mem_cfg far_away = {.delay = GN_SEC};
	struct gn_link_listener *l;
	struct gn_link *taken;
	struct gn_multiaddr *bound;
	const struct gn_multiaddr *addrs[2];
	struct outcome o;
	struct test_node t;
	gn_time begin;

	(void)state;
	test_limits.attempt = 50 * GN_MSEC;
	test_limits.dial = 400 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	l = listen_silent(&t, "/memory/9", &taken, &bound);
	addrs[0] = bound;
	/* The link is connected, but nothing is received. */
	begin = gn_loop_now(t.loop);
	outcome_dial(t.node, &o, addrs, 1);
	TEST_NODE_UNTIL(&t, o.done > 0, 5 * GN_SEC);
	assert_int_equal(o.err, GN_ETIMEOUT);
	assert_int_equal(o.attempts, 1);
	assert_int_equal(o.attempt_err[0], GN_ETIMEOUT);
	assert_int_equal(o.when - begin, test_limits.attempt);
	taken->ops->abort(taken);
	/* The link is not connected. */
	assert_int_equal(gn_mem_set(t.loop, &far_away), 0);
	begin = gn_loop_now(t.loop);
	outcome_dial(t.node, &o, addrs, 1);
	TEST_NODE_UNTIL(&t, o.done > 0, 5 * GN_SEC);
	assert_int_equal(o.err, GN_ETIMEOUT);
	assert_int_equal(o.attempt_err[0], GN_ETIMEOUT);
	assert_int_equal(o.when - begin, test_limits.attempt);
	assert_int_equal(o.done, 1);
	gn_transport_mem.close(l);
	gn_multiaddr_free(bound);
	test_node_quiet(&t);
	test_node_fini(&t);
}

static void a_dial_times_out(void **state)
{
	static const char *const at[] = {"/memory/10", "/memory/11"};
	struct gn_link_listener *l[2];
	struct gn_link *taken[2];
	struct gn_multiaddr *bound[2];
	const struct gn_multiaddr *addrs[2];
	struct outcome o;
	struct test_node t;
	gn_time begin;

	(void)state;
	test_limits.attempt = 10 * GN_SEC;
	test_limits.dial = 400 * GN_MSEC;
	test_node_init(&t, true, &test_limits);
	for (int i = 0; i < 2; i++) {
		l[i] = listen_silent(&t, at[i], &taken[i], &bound[i]);
		addrs[i] = bound[i];
	}
	begin = gn_loop_now(t.loop);
	outcome_dial(t.node, &o, addrs, 2);
	TEST_NODE_UNTIL(&t, o.done > 0, 5 * GN_SEC);
	assert_int_equal(o.err, GN_ETIMEOUT);
	assert_int_equal(o.attempts, 2);
	assert_int_equal(o.when - begin, test_limits.dial);
	assert_int_equal(o.took[0], 400 * GN_MSEC);
	assert_int_equal(o.took[1], 150 * GN_MSEC);
	test_node_quiet(&t);
	for (int i = 0; i < 2; i++) {
		taken[i]->ops->abort(taken[i]);
		gn_transport_mem.close(l[i]);
		gn_multiaddr_free(bound[i]);
	}
	test_node_serves(&t);
	test_node_stop(&t);
}

static void an_unanswered_keepalive_ends_the_connection(void **state)
{
	struct test_node t;
	struct raw_peer f[3];

	(void)state;
	test_limits.keepalive = 200 * GN_MSEC;
	test_limits.ping = 100 * GN_MSEC;
	test_limits.first_stream = GN_NEVER;
	test_node_init(&t, true, &test_limits);
	for (int i = 0; i < 3; i++) {
		raw_peer_open(&f[i], &t, (uint8_t)(i + 2));
		f[i].answers = i == 0;
	}
	raw_peer_set_reading(&f[2], false);
	test_node_run(&t, 1500 * GN_MSEC);
	/* A peer that answers stays connected; one that does not answer or does not read is dropped. */
	assert_int_equal(f[0].err, 0);
	assert_true(f[0].pings >= 4 && f[0].pings <= 9);
	assert_int_not_equal(f[1].err, 0);
	TEST_NODE_UNTIL(&t, t.node->n_conns == 1, 5 * GN_SEC);
	for (int i = 0; i < 3; i++)
		raw_peer_abort(&f[i]);
	test_node_stop(&t);
}

static void without_keepalive_no_ping_is_sent(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.keepalive = GN_NEVER;
	test_limits.first_stream = GN_NEVER;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	f.answers = false;
	test_node_run(&t, 3600 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->n_conns, 1);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void an_idle_connection_is_closed(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.idle = 300 * GN_MSEC;
	test_limits.negotiate = 100 * GN_MSEC;
	test_limits.first_stream = GN_SEC;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	raw_peer_stream(&f, 1, "/hold");
	raw_peer_seal(&f);
	test_node_run(&t, 20 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->n_conns, 1);
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	raw_peer_seal(&f);
	test_node_run(&t, 200 * GN_MSEC);
	assert_true(gn_conn_is_usable(gn_list_entry(t.node->conns.next, struct gn_conn, link_node)));
	test_node_run(&t, 200 * GN_MSEC);
	assert_true(f.is_away);
	assert_int_equal(f.away_code, GN_GO_AWAY_NORMAL);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_handshake_that_is_too_slow_is_dropped, test_limits_reset),
		cmocka_unit_test_setup(a_slow_handshake_is_dropped_in_real_time, test_limits_reset),
		cmocka_unit_test_setup(a_connection_without_a_stream_is_closed, test_limits_reset),
		cmocka_unit_test_setup(the_idle_limit_does_not_extend_first_stream, test_limits_reset),
		cmocka_unit_test_setup(a_slow_negotiation_is_reset, test_limits_reset),
		cmocka_unit_test_setup(an_attempt_times_out, test_limits_reset),
		cmocka_unit_test_setup(a_dial_times_out, test_limits_reset),
		cmocka_unit_test_setup(an_unanswered_keepalive_ends_the_connection, test_limits_reset),
		cmocka_unit_test_setup(without_keepalive_no_ping_is_sent, test_limits_reset),
		cmocka_unit_test_setup(an_idle_connection_is_closed, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
