/* SPDX-License-Identifier: MIT */
/* lib/node/upgrade.c: the negotiation of the layers that turn a link into a session. */
#include "security/secure.h"
#include "support/support.h"

#define NA "\x03na\n"
#define OTHER "\x07/other\n"
#define MPLEX "\x0d/mplex/6.7.0\n"

enum { NOISE_1 = 2 + 32 }; /* bytes of the first message of the handshake */

/* ---- the security ---- */

/* Configures two security protocols, /other and /noise in this order, which are both Noise. */
static void tune_two(struct gn_node_cfg *cfg)
{
	static struct gn_security_ops other;
	static const struct gn_security_ops *const securities[] = {&other, &gn_security_noise, NULL};
	static struct gn_components all;

	other = gn_security_noise;
	other.id = "/other";
	all = *cfg->components;
	all.securities = securities;
	cfg->components = &all;
}

static void start(struct bare_link *b, void (*tune)(struct gn_node_cfg *), bool inbound)
{
	bare_link_init(b, tune);
	bare_link_conn(b, inbound, NULL, 0);
}

static void stop(struct bare_link *b)
{
	bare_link_drop(b);
	bare_link_run(b, GN_MSEC);
	assert_int_equal(b->opened, 1);
	assert_true(b->err < 0);
	bare_link_fini(b);
}

#define EXPECT(b, text) bare_link_expect(b, text, sizeof text - 1)
#define SEND(b, text) bare_link_send(b, text, sizeof text - 1)

static void a_dialer_with_one_security_does_not_wait(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, NULL, false);
	EXPECT(&b, RAW_PEER_SELECT RAW_PEER_NOISE);
	assert_int_equal(b.in.len, NOISE_1);
	stop(&b);
}

static void a_dialer_with_two_securities_waits_for_an_answer(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, tune_two, false);
	EXPECT(&b, RAW_PEER_SELECT OTHER);
	assert_int_equal(b.in.len, 0);
	SEND(&b, RAW_PEER_SELECT OTHER);
	assert_int_equal(b.in.len, NOISE_1);
	stop(&b);
}

static void the_next_security_is_proposed_after_na(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, tune_two, false);
	EXPECT(&b, RAW_PEER_SELECT OTHER);
	SEND(&b, RAW_PEER_SELECT NA);
	EXPECT(&b, RAW_PEER_NOISE);
	assert_int_equal(b.in.len, 0);
	SEND(&b, RAW_PEER_NOISE);
	assert_int_equal(b.in.len, NOISE_1);
	assert_ptr_equal(b.c->security, &gn_security_noise);
	stop(&b);
}

static void a_dialer_fails_when_the_peer_has_no_security_of_its_list(void **state)
{
	static void (*const tune[])(struct gn_node_cfg *) = {NULL, tune_two};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bare_link b;

		start(&b, tune[i], false);
		SEND(&b, RAW_PEER_SELECT NA);
		if (i == 1)
			SEND(&b, NA);
		assert_int_equal(b.opened, 1);
		assert_int_equal(b.err, GN_ENOPROTO);
		stop(&b);
	}
}

static void a_listener_takes_the_first_security_that_it_knows(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, NULL, true);
	SEND(&b, RAW_PEER_SELECT OTHER);
	EXPECT(&b, RAW_PEER_SELECT NA);
	assert_null(b.c->security);
	SEND(&b, RAW_PEER_NOISE);
	EXPECT(&b, RAW_PEER_NOISE);
	assert_ptr_equal(b.c->security, &gn_security_noise);
	assert_int_equal(b.c->state, GN_CONN_SECURING);
	stop(&b);
}

static void a_listener_takes_any_security_of_its_list(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bare_link b;

		start(&b, tune_two, true);
		SEND(&b, RAW_PEER_SELECT);
		if (i == 0)
			SEND(&b, OTHER);
		else
			SEND(&b, RAW_PEER_NOISE);
		assert_non_null(b.c->security);
		assert_string_equal(b.c->security->id, i == 0 ? "/other" : "/noise");
		stop(&b);
	}
}

static void a_name_that_only_begins_like_one_is_unknown(void **state)
{
	struct bare_link b;

	(void)state;
	start(&b, NULL, true);
	SEND(&b, RAW_PEER_SELECT "\x08/noise2\n");
	SEND(&b, "\x06/nois\n");
	EXPECT(&b, RAW_PEER_SELECT NA NA);
	assert_null(b.c->security);
	stop(&b);
}

/* ---- the muxer ---- */

struct ends {
	struct test_node t;
	struct raw_peer raw;
	struct gn_conn *c;
};

/* Connects the node and the raw peer, and runs the handshake up to message 3. */
static void secure_both(struct ends *e, bool early)
{
	test_node_init(&e->t, true, &test_limits);
	raw_peer_connect(&e->raw, &e->t, 2);
	raw_peer_noise_1(&e->raw);
	TEST_NODE_UNTIL(&e->t, e->t.node->n_conns == 1, GN_SEC);
	e->c = gn_list_first(&e->t.node->conns, struct gn_conn, link_node);
	assert_int_equal(e->c->state, GN_CONN_SECURING);
	raw_peer_noise_3(&e->raw, early);
	test_node_run(&e->t, 10 * GN_MSEC);
}

static void close_both(struct ends *e)
{
	raw_peer_abort(&e->raw);
	test_node_stop(&e->t);
}

/* Sends plaintext through the secured link. */
static void send_plain(struct ends *e, const char *text)
{
	raw_peer_plain(&e->raw, text, strlen(text));
	raw_peer_seal(&e->raw);
	test_node_run(&e->t, 10 * GN_MSEC);
}

/* Asserts what the node has sent through the secured link, before there is a session. */
static void expect_plain(struct ends *e, const char *text)
{
	assert_int_equal(e->raw.plain.len, strlen(text));
	assert_memory_equal(e->raw.plain.p + e->raw.plain.at, text, strlen(text));
	wire_skip(&e->raw.plain, strlen(text));
}

static void a_muxer_of_the_handshake_needs_no_selection(void **state)
{
	struct ends e;

	(void)state;
	secure_both(&e, true);
	assert_int_equal(e.c->state, GN_CONN_OPEN);
	assert_non_null(e.c->session);
	close_both(&e);
}

static void without_one_a_muxer_is_selected(void **state)
{
	struct ends e;

	(void)state;
	secure_both(&e, false);
	assert_int_equal(e.c->state, GN_CONN_MUXING);
	assert_null(e.c->session);
	assert_false(gn_conn_is_usable(e.c));
	send_plain(&e, RAW_PEER_SELECT RAW_PEER_YAMUX);
	assert_int_equal(e.c->state, GN_CONN_OPEN);
	assert_non_null(e.c->session);
	assert_true(gn_conn_is_usable(e.c));
	close_both(&e);
}

static void an_unknown_muxer_is_answered_with_na(void **state)
{
	struct ends e;

	(void)state;
	secure_both(&e, false);
	send_plain(&e, RAW_PEER_SELECT MPLEX);
	expect_plain(&e, RAW_PEER_SELECT NA);
	assert_int_equal(e.c->state, GN_CONN_MUXING);
	send_plain(&e, RAW_PEER_YAMUX);
	assert_int_equal(e.c->state, GN_CONN_OPEN);
	close_both(&e);
}

/* ---- the identity ---- */

static void the_identity_is_known_when_the_handshake_has_ended(void **state)
{
	struct gn_peer_id id;
	struct ends e;

	(void)state;
	secure_both(&e, false);
	gn_key_id(e.raw.noise.key, &id);
	assert_true(gn_peer_id_is_equal(gn_conn_peer(e.c), &id));
	assert_int_equal(e.c->count, GN_COUNT_ADMITTED);
	close_both(&e);
}

static int gate_calls, gate_result;

static int gate(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound)
{
	(void)arg;
	(void)inbound;
	assert_true(peer->len > 0);
	assert_non_null(remote);
	gate_calls++;
	return gate_result;
}

static void a_peer_that_the_gate_refuses_is_informed(void **state)
{
	static const char *const select[] = {RAW_PEER_SELECT RAW_PEER_YAMUX, ""};

	(void)state;
	for (int early = 0; early < 2; early++) {
		uint8_t away[12] = {0, YAMUX_GO_AWAY};
		size_t n = strlen(select[early]);
		struct gn_peer_id id;
		struct ends e;

		test_node_init(&e.t, true, &test_limits);
		e.t.node->cfg.gate = gate;
		gate_calls = 0;
		gate_result = GN_EREFUSED;
		raw_peer_connect(&e.raw, &e.t, 2);
		gn_key_id(e.raw.noise.key, &id);
		raw_peer_noise_1(&e.raw);
		raw_peer_noise_3(&e.raw, early);
		e.raw.is_muxed = false; /* the raw peer delivers plaintext, not frames */
		send_plain(&e, select[early]);
		assert_int_equal(gate_calls, 1);
		assert_true(e.raw.plain.len >= n + sizeof away);
		assert_memory_equal(e.raw.plain.p + e.raw.plain.at, select[early], n);
		gn_put_u32(away + 8, GN_GO_AWAY_GATED);
		assert_memory_equal(e.raw.plain.p + e.raw.plain.at + n, away, sizeof away);
		assert_null(gn_node_find_conn(e.t.node, &id, 0));
		gate_result = 0;
		close_both(&e);
	}
}

static struct gn_dial *gate_dial;
static bool gate_closes;

/* Ends the dial whose connection is being secured. */
static int ending_gate(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound)
{
	(void)peer;
	(void)remote;
	(void)inbound;
	gate_calls++;
	if (gate_closes)
		assert_int_equal(gn_node_close(arg, GN_SEC, NULL, NULL), 0);
	else
		gn_dial_cancel(gate_dial);
	return gate_result;
}

static void on_ended_dial(void *arg, int err, struct gn_channel *ch)
{
	(void)arg;
	assert_true(gate_closes);
	assert_null(ch);
	assert_int_equal(err, GN_ECLOSED);
}

static void a_gate_may_end_the_dial_of_its_connection(void **state)
{
	static const struct {
		bool closes;
		int result;
	} cases[] = {{false, 0}, {false, GN_EREFUSED}, {true, 0}, {true, GN_EREFUSED}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg cfg = {.target = {.addrs = addrs, .n_addrs = 1},
					  .protocol = "/x",
					  .on_done = on_ended_dial};
		struct net w;

		gate_closes = cases[i].closes;
		gate_result = cases[i].result;
		gate_calls = 0;
		net_init(&w, 2, NULL);
		w.node[0]->cfg.gate = ending_gate;
		w.node[0]->cfg.arg = w.node[0];
		addrs[0] = w.addr[1];
		assert_int_equal(gn_dial_start(w.node[0], &cfg, &gate_dial), 0);
		net_run(&w, 100 * GN_SEC); /* longer than a silent connection lasts */
		assert_int_equal(gate_calls, 1);
		assert_int_equal(w.node[0]->n_conns, 0);
		net_fini(&w);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, test_limits_reset)
	const struct CMUnitTest tests[] = {
		T(a_dialer_with_one_security_does_not_wait),
		T(a_dialer_with_two_securities_waits_for_an_answer),
		T(the_next_security_is_proposed_after_na),
		T(a_dialer_fails_when_the_peer_has_no_security_of_its_list),
		T(a_listener_takes_the_first_security_that_it_knows),
		T(a_listener_takes_any_security_of_its_list),
		T(a_name_that_only_begins_like_one_is_unknown),
		T(a_muxer_of_the_handshake_needs_no_selection),
		T(without_one_a_muxer_is_selected),
		T(an_unknown_muxer_is_answered_with_na),
		T(the_identity_is_known_when_the_handshake_has_ended),
		T(a_peer_that_the_gate_refuses_is_informed),
		T(a_gate_may_end_the_dial_of_its_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
