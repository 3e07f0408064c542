/* SPDX-License-Identifier: MIT */
/* Peers that mean harm and have a session, each against a node that goes on serving an honest
 * one; what they cost is asserted.  hostile_early.c has those without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

static struct gn_limits lim;

static int setup(void **state)
{
	(void)state;
	gn_limits_init(&lim);
	return 0;
}

static void stop(struct test_node *t)
{
	test_node_quiet(t);
	test_node_serves(t);
	test_node_quiet(t);
	test_node_fini(t);
}

static struct gn_conn *first_conn(struct test_node *t)
{
	assert_false(gn_list_is_empty(&t->node->conns));
	return gn_list_entry(t->node->conns.next, struct gn_conn, link_node);
}

/* The session ends for this foe, with such a Go Away or without (-1); everything is given back. */
static void ends_with(struct test_node *t, struct raw_peer *f, int code)
{
	TEST_NODE_UNTIL(t, f->err != 0, 5 * GN_SEC);
	assert_int_equal(f->is_away, code >= 0);
	if (code >= 0)
		assert_int_equal(f->away_code, code);
	raw_peer_abort(f);
	stop(t);
}

static void start(struct test_node *t, struct raw_peer *f)
{
	test_node_init(t, true, &lim);
	raw_peer_open(f, t, 2);
	test_node_run(t, 50 * GN_MSEC);
	assert_int_equal(f->err, 0);
	assert_int_equal(t->node->n_conns, 1);
}

/* ---- frames ---- */

static void ping_flood_deaf(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	raw_peer_listen(&f, false);
	for (uint32_t round = 0; round < 200; round++) {
		for (uint32_t i = 0; i < 6; i++)
			raw_peer_frame(&f, YAMUX_PING, YAMUX_SYN, 0, i);
		raw_peer_seal(&f);
		test_node_run(&t, GN_MSEC);
	}
	/* Whoever does not read gets a few into what is in between, and no more. */
	assert_true(gn_list_is_empty(&t.node->conns) || gn_pipe_len(&first_conn(&t)->tx) <= GN_IOBUF_TX);
	raw_peer_abort(&f);
	stop(&t);
}

static void ping_flood_at_once(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	for (uint32_t i = 0; i < 1000; i++)
		raw_peer_frame(&f, YAMUX_PING, YAMUX_SYN, 0, i);
	raw_peer_seal(&f);
	ends_with(&t, &f, GN_GO_AWAY_INTERNAL);
}

/* Answers to pings that nobody has sent, and the wrong ones. */
static void pongs_unasked(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	for (uint32_t i = 0; i < 5000; i++)
		raw_peer_frame(&f, YAMUX_PING, YAMUX_ACK, 0, i * 77);
	raw_peer_seal(&f);
	test_node_run(&t, GN_SEC);
	assert_int_equal(f.err, 0);
	raw_peer_abort(&f);
	stop(&t);
}

static void window_violation(void **state)
{
	static const uint8_t junk[65536];
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	raw_peer_stream(&f, 1, "/hold");
	for (int i = 0; i < 4; i++) /* with the selection's bytes that is too much */
		raw_peer_data(&f, 0, 1, junk, sizeof junk);
	raw_peer_seal(&f);
	ends_with(&t, &f, GN_GO_AWAY_PROTOCOL);
}

/* A header may promise what the window has, and then the bytes never come. */
static void half_a_body(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	lim.keepalive = lim.ping = 200 * GN_MSEC;
	start(&t, &f);
	raw_peer_stream(&f, 1, "/hold");
	raw_peer_frame(&f, YAMUX_DATA, 0, 1, 200000);
	raw_peer_seal(&f);
	f.answers = false; /* it cannot say a pong within a body */
	TEST_NODE_UNTIL(&t, t.node->n_conns == 0, 10 * GN_SEC);
	assert_int_equal(t.n_held, 0);
	raw_peer_abort(&f);
	stop(&t);
}

static void window_overflow(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	raw_peer_stream(&f, 1, "/hold");
	raw_peer_frame(&f, YAMUX_WINDOW, 0, 1, UINT32_MAX - 10);
	raw_peer_frame(&f, YAMUX_WINDOW, 0, 1, UINT32_MAX - 10);
	raw_peer_seal(&f);
	ends_with(&t, &f, GN_GO_AWAY_PROTOCOL);
}

static void malformed_frames(void **state)
{
	static const struct {
		uint8_t version, type;
		uint16_t flags;
		uint32_t id, length;
	} bad[] = {
		{1, YAMUX_DATA, YAMUX_SYN, 1, 0}, /* version */
		{0, 4, 0, 0, 0},                  /* type */
		{0, 255, 0, 1, 0},
		{0, YAMUX_DATA, YAMUX_SYN, 0, 0},   /* the session's id */
		{0, YAMUX_WINDOW, YAMUX_SYN, 2, 0}, /* an id of ours */
		{0, YAMUX_WINDOW, YAMUX_SYN, UINT32_MAX - 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t head[12] = {bad[i].version, bad[i].type};
		struct test_node t;
		struct raw_peer f;

		start(&t, &f);
		gn_put_u16(head + 2, bad[i].flags);
		gn_put_u32(head + 4, bad[i].id);
		gn_put_u32(head + 8, bad[i].length);
		raw_peer_plain(&f, head, sizeof head);
		raw_peer_seal(&f);
		ends_with(&t, &f, GN_GO_AWAY_PROTOCOL);
	}
}

static void the_same_stream_twice(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	raw_peer_stream(&f, 1, "/hold");
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
	raw_peer_seal(&f);
	ends_with(&t, &f, GN_GO_AWAY_PROTOCOL);
}

/* Data, windows, ends and resets for streams that never were. */
static void strangers(void **state)
{
	static const uint8_t junk[1000];
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	for (uint32_t i = 0; i < 2000; i++) {
		raw_peer_data(&f, 0, 1001 + 2 * i, junk, sizeof junk);
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_FIN, 1000 + 2 * i, 5);
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, 77, 5);
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_ACK, 2, 0);
	}
	raw_peer_seal(&f);
	test_node_run(&t, GN_SEC);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->n_conns, 1);
	raw_peer_abort(&f);
	stop(&t);
}

/* ---- floods ---- */

/* Opened and reset, over and over; the node never holds more than its limits. */
static void rapid_reset(void **state)
{
	struct test_node t;
	struct raw_peer f;
	uint32_t id = 1;

	(void)state;
	start(&t, &f);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 200; i++, id += 2) {
			raw_peer_stream(&f, id, i % 2 ? "/hold" : "/echo");
			raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, id, 0);
		}
		raw_peer_seal(&f);
		test_node_run(&t, GN_MSEC);
		assert_true(t.node->budget.used <= (size_t)lim.streams_per_conn * YAMUX_WINDOW_INITIAL);
		if (f.err != 0)
			break;
	}
	assert_int_equal(t.n_held, 0);
	raw_peer_abort(&f);
	stop(&t);
}

/* The same with the resets in records of their own: each stream is seen by its protocol. */
static void rapid_reset_slowly(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	for (uint32_t id = 1; id < 3000; id += 2) {
		raw_peer_stream(&f, id, "/hold");
		raw_peer_seal(&f);
		test_node_run(&t, 100 * GN_USEC);
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, id, 0);
		raw_peer_seal(&f);
		test_node_run(&t, 100 * GN_USEC);
	}
	assert_int_equal(f.err, 0);
	assert_int_equal(t.opened, 1500);
	assert_int_equal(t.n_held, 0);
	assert_true(t.node->budget.used <= 2 * YAMUX_WINDOW_INITIAL);
	raw_peer_abort(&f);
	stop(&t);
}

/* Streams without end to somebody who refuses them, and who cannot say so. */
static void syn_flood_deaf(void **state)
{
	struct test_node t;
	struct raw_peer f;
	uint32_t id = 1;

	(void)state;
	lim.streams_per_conn = 8;
	start(&t, &f);
	raw_peer_listen(&f, false);
	for (int round = 0; round < 300 && f.err == 0; round++) {
		for (int i = 0; i < 100; i++, id += 2)
			raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_SYN, id, 0);
		raw_peer_seal(&f);
		test_node_run(&t, GN_MSEC);
		if (gn_list_is_empty(&t.node->conns))
			break;
		assert_true(t.node->budget.used <= 9 * YAMUX_WINDOW_INITIAL);
		assert_true(gn_pipe_len(&first_conn(&t)->tx) <= GN_IOBUF_TX);
	}
	raw_peer_abort(&f);
	stop(&t);
}

/* ---- somebody who does not read ---- */

static void deaf(struct test_node *t)
{
	struct raw_peer f;

	raw_peer_open(&f, t, 2);
	test_node_run(t, 50 * GN_MSEC);
	raw_peer_listen(&f, false);
	for (uint32_t i = 0; i < 4; i++) {
		raw_peer_stream(&f, 2 * i + 1, "/flood");
		raw_peer_frame(&f, YAMUX_WINDOW, 0, 2 * i + 1, 1 << 30);
	}
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(t, t->opened == 4, 5 * GN_SEC);
	test_node_run(t, 20 * GN_MSEC);
	for (unsigned i = 0; i < t->n_held; i++) {
		struct gn_channel_state st;

		gn_channel_state(t->held[i], &st);
		assert_true(st.queued <= 256 * 1024);
	}
	/* An honest one is served meanwhile; the deaf one is dropped when its ping has no answer. */
	test_node_serves(t);
	TEST_NODE_UNTIL(t, t->node->n_conns == 0, 10 * GN_SEC);
	assert_int_equal(t->n_held, 0);
	raw_peer_abort(&f);
	stop(t);
}

static void does_not_read(void **state)
{
	struct test_node t;

	(void)state;
	lim.keepalive = 200 * GN_MSEC;
	lim.ping = 200 * GN_MSEC;
	test_node_init(&t, true, &lim);
	deaf(&t);
	test_node_init(&t, false, &lim);
	deaf(&t);
}

/* Its window is shut for ever, and it answers pings: one stream costs what is queued in it. */
static void shut_window(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	raw_peer_stream(&f, 1, "/flood");
	raw_peer_seal(&f);
	test_node_run(&t, 60 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_true(f.data <= YAMUX_WINDOW_INITIAL + 200);
	assert_int_equal(t.n_held, 1);
	raw_peer_abort(&f);
	stop(&t);
}

/* ---- ends ---- */

static void go_away_and_more(void **state)
{
	static const uint32_t codes[] = {GN_GO_AWAY_NORMAL, GN_GO_AWAY_PROTOCOL, GN_GO_AWAY_GATED, 12345};

	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		struct test_node t;
		struct raw_peer f;

		lim.first_stream = 500 * GN_MSEC;
		lim.idle = 500 * GN_MSEC;
		start(&t, &f);
		raw_peer_stream(&f, 1, "/hold");
		raw_peer_seal(&f);
		test_node_run(&t, 10 * GN_MSEC);
		raw_peer_frame(&f, YAMUX_GO_AWAY, 0, 0, codes[i]);
		for (uint32_t k = 1; k < 50; k++)
			raw_peer_stream(&f, 2 * k + 1, "/hold");
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
		raw_peer_frame(&f, YAMUX_GO_AWAY, 0, 0, codes[i]);
		raw_peer_seal(&f);
		test_node_run(&t, 100 * GN_MSEC);
		assert_int_equal(t.opened, i == 0 ? 50 : 1);
		raw_peer_abort(&f);
		stop(&t);
	}
}

/* It says that it goes, ends its side, and goes on sending; or never ends it. */
static void hangs_on(void **state)
{
	static const uint8_t junk[1000];
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	raw_peer_frame(&f, YAMUX_GO_AWAY, 0, 0, GN_GO_AWAY_PROTOCOL);
	raw_peer_seal(&f);
	for (int i = 0; i < 400 && t.node->n_conns > 0; i++) {
		raw_peer_put(&f, junk, sizeof junk); /* not even records */
		test_node_run(&t, 10 * GN_MSEC);
	}
	assert_int_equal(t.node->n_conns, 0);
	raw_peer_abort(&f);
	stop(&t);
}

/* Records that cannot be opened, of no length, cut off in the middle. */
static void broken_records(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		uint8_t rec[64] = {0};
		size_t n = 0;
		struct test_node t;
		struct raw_peer f;

		start(&t, &f);
		raw_peer_stream(&f, 1, "/hold");
		raw_peer_seal(&f);
		test_node_run(&t, 10 * GN_MSEC);
		if (how == 0) { /* a tag that is wrong */
			n = noise_peer_seal(&f.noise, "abc", 3, rec);
			rec[n - 1] ^= 1;
		} else if (how == 1) { /* shorter than a tag */
			rec[1] = 15;
			n = 17;
		} else if (how == 2) { /* the same again */
			n = noise_peer_seal(&f.noise, "", 0, rec);
			raw_peer_put(&f, rec, n);
		} else { /* half of one, then the end */
			n = noise_peer_seal(&f.noise, "abc", 3, rec) - 1;
		}
		raw_peer_put(&f, rec, n);
		if (how == 3)
			f.link->ops->end(f.link);
		TEST_NODE_UNTIL(&t, t.node->n_conns == 0, 5 * GN_SEC);
		assert_int_equal(t.n_held, 0);
		raw_peer_abort(&f);
		stop(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ping_flood_deaf, setup),    cmocka_unit_test_setup(ping_flood_at_once, setup),
		cmocka_unit_test_setup(pongs_unasked, setup),      cmocka_unit_test_setup(window_violation, setup),
		cmocka_unit_test_setup(half_a_body, setup),        cmocka_unit_test_setup(window_overflow, setup),
		cmocka_unit_test_setup(malformed_frames, setup),   cmocka_unit_test_setup(the_same_stream_twice, setup),
		cmocka_unit_test_setup(strangers, setup),          cmocka_unit_test_setup(rapid_reset, setup),
		cmocka_unit_test_setup(rapid_reset_slowly, setup), cmocka_unit_test_setup(syn_flood_deaf, setup),
		cmocka_unit_test_setup(does_not_read, setup),      cmocka_unit_test_setup(shut_window, setup),
		cmocka_unit_test_setup(go_away_and_more, setup),   cmocka_unit_test_setup(hangs_on, setup),
		cmocka_unit_test_setup(broken_records, setup),
	};

	REQUIRE(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
