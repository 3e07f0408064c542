/* SPDX-License-Identifier: MIT */
/* The rate limit of lib/protocols/identify.c, against a peer that sends pushes and requests without a
 * pause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"
#include "protocols/identify.h"

static const struct gn_identify_peer *peer_of(struct test_node *t)
{
	assert_int_equal(t->node->n_conns, 1);
	return gn_identify_peer_find(gn_node_service(t->node, &gn_service_identify),
				     gn_list_entry(t->node->conns.next, struct gn_conn, link_node));
}

static void start(struct test_node *t, struct raw_peer *f)
{
	test_node_init(t, true, NULL);
	raw_peer_open(f, t, 2);
	test_node_run(t, 6 * GN_SEC); /* the node's own request has timed out */
	f->rsts = f->fins = 0;
}

static void stop(struct test_node *t, struct raw_peer *f)
{
	raw_peer_abort(f);
	test_node_quiet(t);
	test_node_serves(t);
	test_node_quiet(t);
	test_node_fini(t);
}

/* Sends a push whose only field is this agent. */
static void push(struct raw_peer *f, uint32_t id, const char *agent)
{
	uint8_t body[64];
	size_t n = strlen(agent);

	raw_peer_stream(f, id, GN_IDENTIFY_PUSH_ID);
	body[0] = (uint8_t)(n + 2);
	body[1] = 6 << 3 | 2;
	body[2] = (uint8_t)n;
	memcpy(body + 3, agent, n);
	raw_peer_data(f, YAMUX_FIN, id, body, n + 3);
	raw_peer_seal(f);
	test_node_run(f->t, 10 * GN_MSEC);
}

/* The node accepts GN_IDENTIFY_BURST pushes and resets the others; the session continues.  After
 * GN_IDENTIFY_EVERY seconds it accepts one more. */
static void pushes_over_the_rate_are_reset(void **state)
{
	uint32_t id = 1;
	struct test_node t;
	struct raw_peer f;
	char agent[16];

	(void)state;
	start(&t, &f);
	for (unsigned i = 0; i < 3 * GN_IDENTIFY_BURST; i++, id += 2) {
		snprintf(agent, sizeof agent, "agent %u", i);
		push(&f, id, agent);
		assert_int_equal(f.rsts, i < GN_IDENTIFY_BURST ? 0 : i + 1 - GN_IDENTIFY_BURST);
	}
	assert_int_equal(f.fins, GN_IDENTIFY_BURST);
	assert_int_equal(f.err, 0);
	assert_memory_equal(peer_of(&t)->known->body + 2, "agent 7", 7);
	f.rsts = f.fins = 0;
	test_node_run(&t, GN_IDENTIFY_EVERY * GN_SEC);
	for (unsigned i = 0; i < 3; i++, id += 2)
		push(&f, id, "later");
	assert_int_equal(f.fins, 1);
	assert_int_equal(f.rsts, 2);
	assert_memory_equal(peer_of(&t)->known->body + 2, "later", 5);
	stop(&t, &f);
}

/* Requests use the same token bucket, because each answer needs a signature. */
static void requests_over_the_rate_are_reset(void **state)
{
	uint32_t id = 1;
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	for (unsigned i = 0; i < 2 * GN_IDENTIFY_BURST; i++, id += 2) {
		raw_peer_stream(&f, id, GN_IDENTIFY_ID);
		raw_peer_frame(&f, YAMUX_WINDOW, YAMUX_FIN, id, 0);
		raw_peer_seal(&f);
		test_node_run(&t, 10 * GN_MSEC);
	}
	assert_int_equal(f.fins, GN_IDENTIFY_BURST);
	assert_int_equal(f.rsts, GN_IDENTIFY_BURST);
	assert_int_equal(f.err, 0);
	stop(&t, &f);
}

/* All connections of a peer share one token bucket. */
static void connections_of_a_peer_share_a_bucket(void **state)
{
	struct raw_peer f[2];
	struct test_node t;

	(void)state;
	start(&t, &f[0]);
	for (uint32_t i = 0; i < GN_IDENTIFY_BURST; i++)
		push(&f[0], 2 * i + 1, "first");
	assert_int_equal(f[0].rsts, 0);
	raw_peer_open(&f[1], &t, 2);
	test_node_run(&t, GN_SEC);
	f[1].rsts = f[1].fins = 0;
	for (uint32_t i = 0; i < 3; i++)
		push(&f[1], 2 * i + 1, "second");
	assert_int_equal(f[1].fins, 1);
	assert_int_equal(f[1].rsts, 2);
	raw_peer_abort(&f[1]);
	TEST_NODE_UNTIL(&t, t.node->n_conns == 1, 5 * GN_SEC);
	push(&f[0], 101, "third"); /* the bucket still exists and is empty */
	assert_int_equal(f[0].rsts, 1);
	stop(&t, &f[0]);
}

/* A push that equals the last one is not decoded, so the stored result stays in the same memory. */
static void a_push_without_changes_is_skipped(void **state)
{
	const struct gn_identify_known *known;
	struct test_node t;
	struct raw_peer f;

	(void)state;
	start(&t, &f);
	push(&f, 1, "same");
	known = peer_of(&t)->known;
	assert_non_null(known);
	push(&f, 3, "same");
	push(&f, 5, "same");
	assert_ptr_equal(peer_of(&t)->known, known);
	push(&f, 7, "other");
	assert_memory_equal(peer_of(&t)->known->body + 2, "other", 5);
	assert_int_equal(f.fins, 4);
	assert_int_equal(f.rsts, 0);
	stop(&t, &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushes_over_the_rate_are_reset),
		cmocka_unit_test(requests_over_the_rate_are_reset),
		cmocka_unit_test(connections_of_a_peer_share_a_bucket),
		cmocka_unit_test(a_push_without_changes_is_skipped),
	};

	REQUIRE(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
