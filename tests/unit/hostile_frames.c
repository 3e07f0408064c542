/* SPDX-License-Identifier: MIT */
/* Peers with a session that send frames which yamux forbids or does not expect.  The session ends with the
 * right code, or the frames are ignored, and the node serves others.  hostile_early.c has the attacks before
 * a session. */
#include "support/support.h"

/* Waits until the session has ended.  Asserts that the peer received a Go Away with this code, or none if it
 * is negative, and that everything was released. */
static void expect_end(struct test_node *t, struct raw_peer *f, int code)
{
	TEST_NODE_UNTIL(t, f->err != 0, 5 * GN_SEC);
	assert_int_equal(f->is_away, code >= 0);
	if (code >= 0)
		assert_int_equal(f->away_code, code);
	raw_peer_abort(f);
	test_node_stop(t);
}

static void pings_of_a_peer_that_does_not_read_fill_no_more_than_the_send_buffer(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	raw_peer_set_reading(&f, false);
	for (uint32_t round = 0; round < 200; round++) {
		for (uint32_t i = 0; i < 6; i++)
			raw_peer_frame(&f, YAMUX_PING, YAMUX_SYN, 0, i);
		raw_peer_seal(&f);
		test_node_run(&t, GN_MSEC);
	}
	/* The node has queued no more than the size of its send buffer. */
	assert_true(gn_list_is_empty(&t.node->conns) ||
		    gn_pipe_len(gn_conn_tx(test_node_first_conn(&t))) <= GN_IOBUF_TX);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void a_thousand_pings_at_once_end_the_session(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	for (uint32_t i = 0; i < 1000; i++)
		raw_peer_frame(&f, YAMUX_PING, YAMUX_SYN, 0, i);
	raw_peer_seal(&f);
	expect_end(&t, &f, GN_GO_AWAY_INTERNAL);
}

static void answers_to_pings_that_were_never_sent_are_ignored(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	for (uint32_t i = 0; i < 5000; i++)
		raw_peer_frame(&f, YAMUX_PING, YAMUX_ACK, 0, i * 77);
	raw_peer_seal(&f);
	test_node_run(&t, GN_SEC);
	assert_int_equal(f.err, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void data_past_the_window_end_the_session(void **state)
{
	static const uint8_t junk[65536];
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	raw_peer_stream(&f, 1, "/hold");
	for (int i = 0; i < 4; i++) /* together with the bytes of the selection this exceeds the window */
		raw_peer_data(&f, 0, 1, junk, sizeof junk);
	raw_peer_seal(&f);
	expect_end(&t, &f, GN_GO_AWAY_PROTOCOL);
}

/* A header announces as many bytes as the window allows, but the peer never sends them. */
static void a_body_that_never_arrives_ends_with_the_ping_limit(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	test_limits.keepalive = test_limits.ping = 200 * GN_MSEC;
	raw_peer_start(&f, &t);
	raw_peer_stream(&f, 1, "/hold");
	raw_peer_frame(&f, YAMUX_DATA, 0, 1, 200000);
	raw_peer_seal(&f);
	f.answers = false; /* no frame may be sent inside a body */
	TEST_NODE_UNTIL(&t, t.node->n_conns == 0, 10 * GN_SEC);
	assert_int_equal(t.n_held, 0);
	raw_peer_abort(&f);
	test_node_stop(&t);
}

static void a_window_past_32_bits_ends_the_session(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	raw_peer_stream(&f, 1, "/hold");
	raw_peer_frame(&f, YAMUX_WINDOW, 0, 1, UINT32_MAX - 10);
	raw_peer_frame(&f, YAMUX_WINDOW, 0, 1, UINT32_MAX - 10);
	raw_peer_seal(&f);
	expect_end(&t, &f, GN_GO_AWAY_PROTOCOL);
}

static void a_malformed_frame_ends_the_session(void **state)
{
	static const struct {
		uint8_t version, type;
		uint16_t flags;
		uint32_t id, length;
	} bad[] = {
		{1, YAMUX_DATA, YAMUX_SYN, 1, 0}, /* wrong version */
		{0, 4, 0, 0, 0},                  /* unknown type */
		{0, 255, 0, 1, 0},
		{0, YAMUX_DATA, YAMUX_SYN, 0, 0},   /* id 0 belongs to the session */
		{0, YAMUX_WINDOW, YAMUX_SYN, 2, 0}, /* even ids belong to the listener */
		{0, YAMUX_WINDOW, YAMUX_SYN, UINT32_MAX - 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t head[12] = {bad[i].version, bad[i].type};
		struct test_node t;
		struct raw_peer f;

		raw_peer_start(&f, &t);
		gn_put_u16(head + 2, bad[i].flags);
		gn_put_u32(head + 4, bad[i].id);
		gn_put_u32(head + 8, bad[i].length);
		raw_peer_plain(&f, head, sizeof head);
		raw_peer_seal(&f);
		expect_end(&t, &f, GN_GO_AWAY_PROTOCOL);
	}
}

static void opening_a_stream_twice_ends_the_session(void **state)
{
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
	raw_peer_stream(&f, 1, "/hold");
	raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);
	raw_peer_seal(&f);
	expect_end(&t, &f, GN_GO_AWAY_PROTOCOL);
}

static void frames_for_unknown_streams_are_ignored(void **state)
{
	static const uint8_t junk[1000];
	struct test_node t;
	struct raw_peer f;

	(void)state;
	raw_peer_start(&f, &t);
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
	test_node_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pings_of_a_peer_that_does_not_read_fill_no_more_than_the_send_buffer,
				       test_limits_reset),
		cmocka_unit_test_setup(a_thousand_pings_at_once_end_the_session, test_limits_reset),
		cmocka_unit_test_setup(answers_to_pings_that_were_never_sent_are_ignored, test_limits_reset),
		cmocka_unit_test_setup(data_past_the_window_end_the_session, test_limits_reset),
		cmocka_unit_test_setup(a_body_that_never_arrives_ends_with_the_ping_limit, test_limits_reset),
		cmocka_unit_test_setup(a_window_past_32_bits_ends_the_session, test_limits_reset),
		cmocka_unit_test_setup(a_malformed_frame_ends_the_session, test_limits_reset),
		cmocka_unit_test_setup(opening_a_stream_twice_ends_the_session, test_limits_reset),
		cmocka_unit_test_setup(frames_for_unknown_streams_are_ignored, test_limits_reset),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
