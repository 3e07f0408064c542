/* SPDX-License-Identifier: MIT */
/* The states of a connection, how it ends, and its time limits (node/conn.h).  upgrade.c tests its layers. */
#include <errno.h>

#include "support/support.h"

/* The resolution of time in these tests. */
#define TICK (10 * GN_MSEC)

static void tune(struct gn_node_cfg *cfg)
{
	cfg->limits = test_limits;
}

static void start(struct bare_link *b, bool inbound)
{
	bare_link_init(b, tune);
	bare_link_conn(b, inbound, NULL, 0);
	bare_link_run(b, GN_MSEC);
	assert_int_equal(b->opened, 0);
}

/* Asserts that on_open was called once, with this error, and that the connection was freed. */
static void assert_failed(struct bare_link *b, int err)
{
	assert_int_equal(b->opened, 1);
	assert_int_equal(b->err, err);
	bare_link_run(b, GN_MSEC);
	assert_int_equal(b->node->n_conns, 0);
	bare_link_fini(b);
	assert_int_equal(b->opened, 1);
}

/* ---- creation ---- */

static void a_new_connection_is_securing_and_not_usable(void **state)
{
	(void)state;
	for (int inbound = 0; inbound < 2; inbound++) {
		struct bare_link b;

		start(&b, inbound);
		assert_int_equal(b.c->state, GN_CONN_SECURING);
		assert_int_equal(b.c->inbound, inbound);
		assert_int_equal(gn_conn_peer(b.c)->len, 0);
		assert_false(gn_conn_is_usable(b.c));
		assert_int_equal(b.node->n_conns, 1);
		gn_conn_abort(b.c, GN_ECLOSED);
		assert_failed(&b, GN_ECLOSED);
	}
}

static void only_an_inbound_connection_is_pending(void **state)
{
	(void)state;
	for (int inbound = 0; inbound < 2; inbound++) {
		struct bare_link b;

		start(&b, inbound);
		assert_int_equal(b.c->count, inbound ? GN_COUNT_PENDING : GN_COUNT_ADMITTED);
		assert_int_equal(b.node->n_pending, inbound);
		assert_int_equal(b.node->n_admitted, !inbound);
		gn_conn_abort(b.c, GN_ECLOSED);
		assert_int_equal(b.node->n_pending, 0);
		assert_int_equal(b.node->n_admitted, 0);
		assert_failed(&b, GN_ECLOSED);
	}
}

static void the_expected_peer_is_known_from_the_start(void **state)
{
	struct gn_key *key = test_node_key(9);
	struct gn_peer_id id;
	struct bare_link b;

	(void)state;
	gn_key_id(key, &id);
	bare_link_init(&b, NULL);
	bare_link_conn(&b, false, &id, 0);
	assert_true(gn_peer_id_is_equal(gn_conn_peer(b.c), &id));
	gn_conn_abort(b.c, GN_ECLOSED);
	gn_key_free(key);
	assert_failed(&b, GN_ECLOSED);
}

/* ---- ends before it is open ---- */

static void closing_before_it_is_open_aborts(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, false);
	gn_conn_close(b.c);
	assert_int_equal(b.c->state, GN_CONN_GONE);
	assert_int_equal(b.c->err, GN_ECLOSED);
	gn_conn_close(b.c); /* a second close has no effect */
	assert_failed(&b, GN_ECLOSED);
}

static void the_first_error_of_an_abort_counts(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, false);
	gn_conn_abort(b.c, GN_ELIMIT);
	gn_conn_abort(b.c, GN_ERESET);
	assert_int_equal(b.c->err, GN_ELIMIT);
	assert_failed(&b, GN_ELIMIT);
}

static void an_abort_resets_the_link(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, true);
	gn_conn_abort(b.c, GN_ELIMIT);
	bare_link_run(&b, GN_MSEC);
	assert_int_equal(b.in_err, GN_ERESET);
	assert_failed(&b, GN_ELIMIT);
}

static void freeing_drops_the_link_and_calls_nothing(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, true);
	gn_conn_free(b.c);
	assert_int_equal(b.node->n_conns, 0);
	bare_link_run(&b, GN_MSEC);
	assert_int_equal(b.in_err, GN_ERESET);
	assert_int_equal(b.opened, 0);
	bare_link_fini(&b);
	assert_int_equal(b.opened, 0);
}

static void an_end_of_file_before_a_session_ends_the_connection(void **state)
{
	/* The peer sends nothing, complete messages, or a part of a message before the end. */
	static const char *const sent[] = {"", RAW_PEER_SELECT, "\x13/multi"};

	(void)state;
	for (int inbound = 0; inbound < 2; inbound++) {
		for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
			struct bare_link b;

			start(&b, inbound);
			if (sent[i][0] != '\0')
				bare_link_send(&b, sent[i], strlen(sent[i]));
			assert_int_equal(b.opened, 0);
			assert_int_equal(b.peer->ops->end(b.peer), 0);
			bare_link_run(&b, GN_MSEC);
			assert_failed(&b, GN_EGONE);
		}
	}
}

static void a_reset_before_a_session_ends_the_connection(void **state)
{
	(void)state;
	for (int inbound = 0; inbound < 2; inbound++) {
		struct bare_link b;

		start(&b, inbound);
		bare_link_drop(&b);
		bare_link_run(&b, GN_MSEC);
		assert_failed(&b, GN_ERESET);
	}
}

static void malformed_bytes_end_the_connection(void **state)
{
	(void)state;
	for (int inbound = 0; inbound < 2; inbound++) {
		struct bare_link b;

		start(&b, inbound);
		bare_link_send(&b, "\x06/junk\n", 7);
		assert_int_equal(b.in_err, GN_ERESET);
		assert_failed(&b, GN_EPROTO);
	}
}

/* ---- time limits of the handshake ---- */

static void a_silent_inbound_peer_has_the_limit_accept(void **state)
{
	struct bare_link b;

	(void)state;
	test_limits.accept = 3 * GN_SEC;
	bare_link_init(&b, tune);
	bare_link_conn(&b, true, NULL, 0);
	bare_link_run(&b, test_limits.accept - TICK);
	assert_int_equal(b.opened, 0);
	bare_link_run(&b, 2 * TICK);
	assert_failed(&b, GN_ETIMEOUT);
}

/* The dialer has a limit for the whole attempt instead. */
static void an_outbound_handshake_has_no_limit_of_its_own(void **state)
{
	struct bare_link b;

	(void)state;
	test_limits.attempt = 5 * GN_SEC;
	bare_link_init(&b, tune);
	bare_link_conn(&b, false, NULL, 0);
	bare_link_run(&b, 60 * GN_SEC);
	assert_int_equal(b.opened, 0);
	gn_conn_abort(b.c, GN_ETIMEOUT);
	assert_failed(&b, GN_ETIMEOUT);
}

static void the_limit_counts_from_the_start_of_the_attempt(void **state)
{
	struct bare_link b;

	(void)state;
	test_limits.accept = 5 * GN_SEC;
	bare_link_init(&b, tune);
	bare_link_run(&b, 2 * GN_SEC);
	bare_link_conn(&b, true, NULL, gn_loop_now(b.loop) - 2 * GN_SEC);
	bare_link_run(&b, 3 * GN_SEC - TICK);
	assert_int_equal(b.opened, 0);
	bare_link_run(&b, 2 * TICK);
	assert_failed(&b, GN_ETIMEOUT);
}

/* ---- open connections ---- */

struct ends {
	struct test_node t;
	struct raw_peer raw;
	struct gn_conn *c;
};

/* Opens both, and resets the streams that the node's services have opened. */
static void open_both(struct ends *e)
{
	test_node_init(&e->t, true, &test_limits);
	raw_peer_open(&e->raw, &e->t, 2);
	test_node_run(&e->t, 10 * GN_MSEC);
	assert_int_equal(e->t.node->n_conns, 1);
	for (unsigned i = 1; i <= e->raw.syns; i++)
		raw_peer_frame(&e->raw, YAMUX_WINDOW, YAMUX_RST, 2 * i, 0);
	raw_peer_seal(&e->raw);
	test_node_run(&e->t, 10 * GN_MSEC);
	e->c = gn_list_first(&e->t.node->conns, struct gn_conn, link_node);
	assert_int_equal(e->c->state, GN_CONN_OPEN);
	assert_int_equal(e->c->session->streams, 0);
}

static void close_both(struct ends *e)
{
	raw_peer_abort(&e->raw);
	test_node_stop(&e->t);
}

static void an_open_connection_is_usable_and_knows_its_peer(void **state)
{
	struct gn_peer_id id;
	struct ends e;

	(void)state;
	open_both(&e);
	gn_key_id(e.raw.noise.key, &id);
	assert_true(gn_conn_is_usable(e.c));
	assert_true(gn_peer_id_is_equal(gn_conn_peer(e.c), &id));
	assert_int_equal(e.c->count, GN_COUNT_ADMITTED);
	assert_int_equal(e.c->err, 0);
	assert_ptr_equal(gn_node_find_conn(e.t.node, &id, 0), e.c);
	close_both(&e);
}

static void closing_sends_go_away_and_the_end(void **state)
{
	struct ends e;

	(void)state;
	open_both(&e);
	gn_conn_close(e.c);
	assert_int_equal(e.c->state, GN_CONN_CLOSING);
	assert_false(gn_conn_is_usable(e.c));
	test_node_run(&e.t, 10 * GN_MSEC);
	assert_true(e.raw.is_away);
	assert_int_equal(e.raw.away_code, GN_GO_AWAY_NORMAL);
	assert_int_equal(e.raw.err, GN_EOF);
	assert_int_equal(e.t.node->n_conns, 1); /* the connection exists until the peer ends the link */
	e.raw.link->ops->end(e.raw.link);
	test_node_run(&e.t, 10 * GN_MSEC);
	assert_int_equal(e.t.node->n_conns, 0);
	close_both(&e);
}

static void a_closing_connection_waits_two_seconds_for_the_peers_end(void **state)
{
	struct ends e;

	(void)state;
	open_both(&e);
	gn_conn_close(e.c);
	/* The acknowledgement of the last bytes sent counts as progress and restarts the time limit once. */
	test_node_run(&e.t, 2 * GN_SEC - TICK);
	assert_int_equal(e.t.node->n_conns, 1);
	test_node_run(&e.t, 2 * GN_SEC + 2 * TICK);
	assert_int_equal(e.t.node->n_conns, 0);
	close_both(&e);
}

static void closing_again_does_not_extend_the_wait(void **state)
{
	struct ends e;

	(void)state;
	open_both(&e);
	gn_conn_close(e.c);
	for (int i = 0; i < 50 && e.t.node->n_conns > 0; i++) {
		test_node_run(&e.t, 100 * GN_MSEC);
		if (e.t.node->n_conns > 0)
			gn_conn_close(e.c);
	}
	assert_int_equal(e.t.node->n_conns, 0);
	close_both(&e);
}

static void an_abort_of_an_open_connection_resets_the_link(void **state)
{
	struct ends e;

	(void)state;
	open_both(&e);
	gn_conn_abort(e.c, GN_ELIMIT);
	assert_false(gn_conn_is_usable(e.c));
	assert_int_equal(e.c->state, GN_CONN_GONE);
	test_node_run(&e.t, 10 * GN_MSEC);
	assert_int_equal(e.raw.err, GN_ERESET);
	assert_int_equal(e.t.node->n_conns, 0);
	close_both(&e);
}

static void a_peer_that_goes_away_is_not_used_any_more(void **state)
{
	struct gn_peer_id id;
	struct ends e;

	(void)state;
	open_both(&e);
	gn_key_id(e.raw.noise.key, &id);
	raw_peer_frame(&e.raw, YAMUX_GO_AWAY, 0, 0, GN_GO_AWAY_NORMAL);
	raw_peer_seal(&e.raw);
	test_node_run(&e.t, GN_MSEC);
	assert_null(gn_node_find_conn(e.t.node, &id, 0));
	close_both(&e);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, test_limits_reset)
	const struct CMUnitTest tests[] = {
		T(a_new_connection_is_securing_and_not_usable),
		T(only_an_inbound_connection_is_pending),
		T(the_expected_peer_is_known_from_the_start),
		T(closing_before_it_is_open_aborts),
		T(the_first_error_of_an_abort_counts),
		T(an_abort_resets_the_link),
		T(freeing_drops_the_link_and_calls_nothing),
		T(an_end_of_file_before_a_session_ends_the_connection),
		T(a_reset_before_a_session_ends_the_connection),
		T(malformed_bytes_end_the_connection),
		T(a_silent_inbound_peer_has_the_limit_accept),
		T(an_outbound_handshake_has_no_limit_of_its_own),
		T(the_limit_counts_from_the_start_of_the_attempt),
		T(an_open_connection_is_usable_and_knows_its_peer),
		T(closing_sends_go_away_and_the_end),
		T(a_closing_connection_waits_two_seconds_for_the_peers_end),
		T(closing_again_does_not_extend_the_wait),
		T(an_abort_of_an_open_connection_resets_the_link),
		T(a_peer_that_goes_away_is_not_used_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
