/* SPDX-License-Identifier: MIT */
/* gn_node_cfg.on_unknown_protocol reports protocols that peers propose and the node does not serve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

static struct {
	unsigned calls;
	char protocol[64];
	struct gn_peer_id peer;
	bool has_remote, adds;
	struct gn_node *node;
} seen;

static void on_unknown(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote,
		       const char *protocol)
{
	(void)arg;
	seen.calls++;
	snprintf(seen.protocol, sizeof seen.protocol, "%s", protocol);
	seen.peer = *peer;
	seen.has_remote = remote != NULL;
	if (seen.adds) {
		const struct gn_protocol_cfg cfg = {.id = "/nope/1.0.0", .kind = GN_BYTES, .on_open = test_node_sink};

		assert_int_equal(gn_protocol_add(seen.node, &cfg), 0);
	}
}

static struct {
	int err;
	bool is_done;
	struct gn_channel *ch;
} dialed;

static void on_dial_event(void *arg, struct gn_channel *ch, unsigned events)
{
	(void)arg;
	if (events & GN_DEAD) {
		dialed.err = gn_channel_error(ch);
		dialed.is_done = true;
		gn_channel_free(ch);
		dialed.ch = NULL;
	}
}

static void on_dialed(void *arg, int err, struct gn_channel *ch)
{
	(void)arg;
	dialed.err = err;
	dialed.is_done = err != 0;
	dialed.ch = ch;
	if (ch != NULL)
		gn_channel_on_event(ch, on_dial_event, NULL);
}

/* Dials a protocol that the peer does not serve, and waits for its answer. */
static void ask(struct channel_pair *s, const char *protocol)
{
	const struct gn_multiaddr *addr = s->t.addr;
	const struct gn_dial_cfg cfg = {.target.addrs = &addr,
					.target.n_addrs = 1,
					.protocol = protocol,
					.kind = GN_BYTES,
					.on_done = on_dialed};
	struct gn_dial *op;

	memset(&dialed, 0, sizeof dialed);
	memset(&seen, 0, sizeof seen);
	seen.node = s->t.node;
	assert_int_equal(gn_dial_start(s->client, &cfg, &op), 0);
}

static void an_unknown_protocol_is_reported_with_its_peer(void **state)
{
	struct gn_peer_id client;
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	s.t.node->cfg.on_unknown_protocol = on_unknown;
	ask(&s, "/nope/1.0.0");
	channel_pair_run(&s, 3000);
	assert_true(dialed.is_done);
	assert_int_equal(dialed.err, GN_ENOPROTO);
	assert_int_equal(seen.calls, 1);
	assert_string_equal(seen.protocol, "/nope/1.0.0");
	assert_true(seen.has_remote);
	gn_node_id(s.client, &client);
	assert_true(gn_peer_id_is_equal(&seen.peer, &client));
	channel_pair_fini(&s);
}

static void a_known_protocol_is_not_reported(void **state)
{
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	s.t.node->cfg.on_unknown_protocol = on_unknown;
	memset(&seen, 0, sizeof seen);
	channel_pair_dial(&s);
	channel_pair_run(&s, 3000);
	assert_int_equal(s.opened, 1);
	assert_int_equal(seen.calls, 0);
	channel_pair_fini(&s);
}

static void the_callback_may_add_the_protocol(void **state)
{
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	s.t.node->cfg.on_unknown_protocol = on_unknown;
	ask(&s, "/nope/1.0.0");
	seen.adds = true;
	channel_pair_run(&s, 3000);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(dialed.err, GN_ENOPROTO);
	ask(&s, "/nope/1.0.0");
	channel_pair_run(&s, 3000);
	assert_int_equal(seen.calls, 0);
	assert_true(dialed.ch != NULL);
	gn_channel_free(dialed.ch);
	channel_pair_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_protocol_is_reported_with_its_peer),
		cmocka_unit_test(a_known_protocol_is_not_reported),
		cmocka_unit_test(the_callback_may_add_the_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
