/* SPDX-License-Identifier: MIT */
/* lib/node/alive.c: which connections stay open with the default limits, on a virtual clock.  The cases are
 * slow paths, peers that are stopped for a while, and slow handshakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

/* A client's channel to one of the protocols of a test_node. */
struct client {
	struct test_node *t;
	struct gn_key *key;
	struct gn_node *node;
	struct gn_channel *ch;
	int err;      /* the result of the dial */
	int dead;     /* the error of the channel */
	size_t got;   /* number of bytes received */
	bool is_done; /* the dial has completed */
};

static void client_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct client *c = arg;
	uint8_t buf[4096];
	ptrdiff_t n;

	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0)
		c->got += (size_t)n;
	if (events & GN_DEAD) {
		c->dead = gn_channel_error(ch);
		gn_channel_free(ch);
		c->ch = NULL;
	}
}

static void client_on_done(void *arg, int err, struct gn_channel *ch)
{
	struct client *c = arg;

	c->is_done = true;
	c->err = err;
	c->ch = ch;
	if (err == 0)
		gn_channel_on_event(ch, client_on_event, c);
}

static void client_init(struct client *c, struct test_node *t, const char *protocol)
{
	const struct gn_multiaddr *addrs[1] = {t->addr};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = protocol,
				  .kind = GN_BYTES,
				  .on_done = client_on_done,
				  .arg = c};
	struct gn_limits lim;
	struct gn_dial *op;

	memset(c, 0, sizeof *c);
	c->t = t;
	c->key = test_node_key(77);
	gn_limits_init(&lim);
	c->node = test_node_node(t->loop, c->key, &lim);
	assert_int_equal(gn_dial_start(c->node, &cfg, &op), 0);
}

/* Dials, and waits until the channel is open. */
static void client_open(struct client *c, struct test_node *t, const char *protocol)
{
	struct gn_channel_state st;
	bool opened = false;

	client_init(c, t, protocol);
	TEST_NODE_UNTIL(t, c->is_done, 100 * GN_SEC);
	assert_int_equal(c->err, 0);
	for (int i = 0; i < 1000 && !opened; i++) {
		test_node_run(t, 10 * GN_MSEC);
		gn_channel_state(c->ch, &st);
		opened = st.opened;
	}
	assert_true(opened);
}

static void client_fini(struct client *c)
{
	if (c->ch != NULL)
		gn_channel_free(c->ch);
	gn_node_free(c->node);
	gn_key_free(c->key);
}

static void stop(struct test_node *t)
{
	static const struct gn_mem_cfg plain = {.delay = 0};

	assert_int_equal(gn_mem_set(t->loop, &plain), 0);
	test_node_quiet(t);
	test_node_fini(t);
}

/* ---- slow paths ---------------------------------------------------------------- */

/* The delay between the two nodes is 500 ms, and at most 2 KiB are in transit, which is 4 KB/s in each
 * direction.  A record takes 16 s, and so does a ping that waits behind one. */
static const struct gn_mem_cfg slow = {.delay = 500 * GN_MSEC, .buffer = 2048};

static void a_slow_connection_lives_while_bytes_are_received(void **state)
{
	struct client c;
	struct test_node t;

	(void)state;
	test_node_init(&t, true, NULL);
	assert_int_equal(gn_mem_set(t.loop, &slow), 0);
	client_open(&c, &t, "/flood");
	for (int i = 0; i < 20; i++) {
		size_t before = c.got;

		test_node_run(&t, 40 * GN_SEC);
		assert_int_equal(c.dead, 0);
		assert_in_range(c.got - before, 60000, 240000); /* 160 kB, plus or minus a record of 64 KiB */
	}
	client_fini(&c);
	stop(&t);
}

static void a_slow_connection_lives_while_bytes_are_acknowledged(void **state)
{
	static uint8_t bytes[200000];
	struct gn_metrics m;
	struct client c;
	struct test_node t;
	size_t sent = 0;

	(void)state;
	test_node_init(&t, true, NULL);
	assert_int_equal(gn_mem_set(t.loop, &slow), 0);
	client_open(&c, &t, "/sink");
	while (sent < sizeof bytes) {
		ptrdiff_t n = gn_channel_write(c.ch, bytes + sent, sizeof bytes - sent);

		assert_true(n > 0 || n == GN_EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		test_node_run(&t, GN_SEC);
		assert_int_equal(c.dead, 0);
	}
	for (int i = 0; i < 60; i++) {
		test_node_run(&t, GN_SEC);
		assert_int_equal(c.dead, 0);
	}
	gn_channel_metrics(c.ch, &m);
	assert_int_equal(m.bytes_out, sizeof bytes);
	assert_int_equal(gn_channel_unacked(c.ch), 0);
	client_fini(&c);
	stop(&t);
}

/* The proposal is in one record with 64 KB of data.  The record takes 16 s. */
static void a_stream_with_data_opens_on_a_slow_path(void **state)
{
	static uint8_t bytes[200000];
	struct gn_channel_state st;
	struct client c;
	struct test_node t;

	(void)state;
	test_node_init(&t, true, NULL);
	assert_int_equal(gn_mem_set(t.loop, &slow), 0);
	client_init(&c, &t, "/sink");
	TEST_NODE_UNTIL(&t, c.is_done, 100 * GN_SEC);
	assert_int_equal(c.err, 0);
	assert_true(gn_channel_write(c.ch, bytes, sizeof bytes) > 0);
	test_node_run(&t, 30 * GN_SEC);
	assert_int_equal(c.dead, 0);
	gn_channel_state(c.ch, &st);
	assert_true(st.opened);
	client_fini(&c);
	stop(&t);
}

/* The protocol selection of a second stream waits behind the bytes of the first one, in both directions. */
static void a_stream_opens_behind_others_on_a_slow_path(void **state)
{
	static const char *const first[] = {"/echo", "/sink"};
	static const size_t front[] = {60000, 200000};
	static uint8_t bytes[200000];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gn_channel *one;
		struct gn_dial_cfg cfg;
		struct gn_dial *op;
		struct client c;
		struct test_node t;
		const struct gn_multiaddr *addrs[1];

		test_node_init(&t, true, NULL);
		assert_int_equal(gn_mem_set(t.loop, &slow), 0);
		client_open(&c, &t, first[i]);
		assert_int_equal(gn_channel_write(c.ch, bytes, front[i]), front[i]);
		test_node_run(&t, (i == 0 ? 16 : 5) * GN_SEC);
		one = c.ch;
		c.is_done = false;
		addrs[0] = t.addr;
		cfg = (struct gn_dial_cfg){.target.addrs = addrs,
					   .target.n_addrs = 1,
					   .protocol = "/hold",
					   .kind = GN_BYTES,
					   .on_done = client_on_done,
					   .arg = &c};
		assert_int_equal(gn_dial_start(c.node, &cfg, &op), 0);
		test_node_run(&t, 100 * GN_SEC);
		assert_true(c.is_done);
		assert_int_equal(c.err, 0);
		assert_int_equal(c.dead, 0);
		assert_non_null(c.ch);
		assert_int_equal(t.opened, 1);
		gn_channel_free(one);
		client_fini(&c);
		stop(&t);
	}
}

/* ---- silence ------------------------------------------------------------------- */

static const struct gn_mem_cfg quick = {.delay = 50 * GN_MSEC, .buffer = 16384};

/* For the time span nothing arrives at either node, as when the peer is stopped.  The protocol decides
 * whether the stream is idle or transfers bytes. */
static void stall(gn_time span, const char *protocol, bool survives)
{
	struct client c;
	struct test_node t;
	size_t before;

	test_node_init(&t, true, NULL);
	assert_int_equal(gn_mem_set(t.loop, &quick), 0);
	client_open(&c, &t, protocol);
	test_node_run(&t, 3 * GN_SEC);
	assert_int_equal(gn_mem_stall(t.loop, 0, true, span), 0);
	assert_int_equal(gn_mem_stall(t.loop, 0, false, span), 0);
	before = c.got;
	test_node_run(&t, span + 20 * GN_SEC);
	assert_int_equal(c.dead, survives ? 0 : GN_ETIMEOUT);
	if (survives && before > 0)
		assert_true(c.got > before);
	client_fini(&c);
	stop(&t);
}

static void a_peer_may_be_silent_for_a_minute(void **state)
{
	(void)state;
	stall(17 * GN_SEC, "/hold", true);
	stall(17 * GN_SEC, "/flood", true);
	stall(55 * GN_SEC, "/hold", true);
	stall(55 * GN_SEC, "/flood", true);
	stall(80 * GN_SEC, "/hold", false);
	stall(80 * GN_SEC, "/flood", false);
}

/* The connection ends after 60 s, not earlier and not much later. */
static void a_silent_peer_times_out_after_a_minute(void **state)
{
	struct client c;
	struct test_node t;
	gn_time begin;

	(void)state;
	test_node_init(&t, true, NULL);
	assert_int_equal(gn_mem_set(t.loop, &quick), 0);
	client_open(&c, &t, "/flood");
	assert_int_equal(gn_mem_stall(t.loop, 0, true, 1000 * GN_SEC), 0);
	assert_int_equal(gn_mem_stall(t.loop, 0, false, 1000 * GN_SEC), 0);
	begin = gn_loop_now(t.loop);
	TEST_NODE_UNTIL(&t, c.dead != 0, 200 * GN_SEC);
	assert_int_equal(c.dead, GN_ETIMEOUT);
	assert_in_range(gn_loop_now(t.loop) - begin, 59 * GN_SEC, 61 * GN_SEC);
	client_fini(&c);
	stop(&t);
}

/* ---- closing ------------------------------------------------------------------- */

static void on_closed(void *arg)
{
	*(gn_time *)arg = 1;
}

/* A node closes while the peer is stopped.  What was written to a channel that was ended and freed arrives;
 * closing does not wait for a channel that was reset. */
static void closing_waits_for_a_peer_that_is_stopped(void **state)
{
	static uint8_t bytes[100000];

	(void)state;
	for (int resets = 0; resets < 2; resets++) {
		gn_time closed = 0, begin;
		struct gn_metrics m;
		struct client c;
		struct test_node t;

		test_node_init(&t, true, NULL);
		assert_int_equal(gn_mem_set(t.loop, &quick), 0);
		client_open(&c, &t, "/sink");
		test_node_run(&t, 3 * GN_SEC);
		assert_int_equal(gn_mem_stall(t.loop, 0, true, 17 * GN_SEC), 0);
		assert_int_equal(gn_mem_stall(t.loop, 0, false, 17 * GN_SEC), 0);
		assert_int_equal(gn_channel_write(c.ch, bytes, sizeof bytes), sizeof bytes);
		assert_int_equal(gn_channel_end(c.ch), 0);
		if (resets == 1)
			gn_channel_reset(c.ch);
		gn_channel_free(c.ch);
		c.ch = NULL;
		begin = gn_loop_now(t.loop);
		assert_int_equal(gn_node_close(c.node, 2 * GN_SEC, on_closed, &closed), 0);
		TEST_NODE_UNTIL(&t, closed != 0, 100 * GN_SEC);
		if (resets == 1) {
			assert_true(gn_loop_now(t.loop) - begin <= 5 * GN_SEC);
		} else {
			test_node_run(&t, GN_SEC);
			gn_node_metrics(t.node, &m);
			assert_true(m.bytes_in >= sizeof bytes);
			assert_true(gn_loop_now(t.loop) - begin <= 22 * GN_SEC);
		}
		client_fini(&c);
		stop(&t);
	}
}

/* ---- handshakes ---------------------------------------------------------------- */

/* The peer is stopped when a stream is opened. */
static void a_selection_waits_for_a_silent_peer(void **state)
{
	const struct gn_multiaddr *addrs[1];
	struct gn_channel_state st;
	struct gn_channel *one;
	struct gn_dial *op;
	struct client c;
	struct test_node t;

	(void)state;
	test_node_init(&t, true, NULL);
	client_open(&c, &t, "/hold");
	test_node_run(&t, 3 * GN_SEC);
	assert_int_equal(gn_mem_stall(t.loop, 0, true, 17 * GN_SEC), 0);
	assert_int_equal(gn_mem_stall(t.loop, 0, false, 17 * GN_SEC), 0);
	one = c.ch;
	addrs[0] = t.addr;
	assert_int_equal(gn_dial_start(c.node,
				       &(struct gn_dial_cfg){.target.addrs = addrs,
							     .target.n_addrs = 1,
							     .protocol = "/echo",
							     .kind = GN_BYTES,
							     .on_done = client_on_done,
							     .arg = &c},
				       &op),
			 0);
	test_node_run(&t, 20 * GN_SEC);
	assert_int_equal(c.err, 0);
	assert_int_equal(c.dead, 0);
	assert_ptr_not_equal(c.ch, one);
	gn_channel_state(c.ch, &st);
	assert_true(st.opened);
	gn_channel_free(one);
	client_fini(&c);
	stop(&t);
}

/* At 24 bytes a second the handshake takes 15 s.  As bytes keep arriving, each end allows it up to 30 s.  On
 * the slower path the handshake takes longer, and the dial fails. */
static void a_slow_handshake_has_up_to_three_times_the_limit(void **state)
{
	static const struct {
		struct gn_mem_cfg path;
		int err;
	} cases[] = {
		{{.delay = 500 * GN_MSEC, .buffer = 12}, 0},
		{{.delay = 500 * GN_MSEC, .buffer = 3}, GN_ETIMEOUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct client c;
		struct test_node t;
		gn_time begin;

		test_node_init(&t, true, NULL);
		assert_int_equal(gn_mem_set(t.loop, &cases[i].path), 0);
		begin = gn_loop_now(t.loop);
		client_init(&c, &t, "/hold");
		TEST_NODE_UNTIL(&t, c.is_done, 200 * GN_SEC);
		assert_true(c.err == cases[i].err || (c.err != 0 && cases[i].err != 0));
		assert_in_range(gn_loop_now(t.loop) - begin, 11 * GN_SEC, 35 * GN_SEC);
		client_fini(&c);
		stop(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_connection_lives_while_bytes_are_received),
		cmocka_unit_test(a_slow_connection_lives_while_bytes_are_acknowledged),
		cmocka_unit_test(a_stream_with_data_opens_on_a_slow_path),
		cmocka_unit_test(a_stream_opens_behind_others_on_a_slow_path),
		cmocka_unit_test(a_peer_may_be_silent_for_a_minute),
		cmocka_unit_test(a_silent_peer_times_out_after_a_minute),
		cmocka_unit_test(closing_waits_for_a_peer_that_is_stopped),
		cmocka_unit_test(a_selection_waits_for_a_silent_peer),
		cmocka_unit_test(a_slow_handshake_has_up_to_three_times_the_limit),
	};

	REQUIRE(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
