/* SPDX-License-Identifier: MIT */
/* gn_limits_init() of gn.h and gn_limits_fill() of node/limits.h.  A limit of 0 means the default. */
#include "node/limits.h"
#include "node/node.h"
#include "support/support.h"

static void a_limit_of_zero_is_the_default(void **state)
{
	struct gn_limits stock, zero;

	(void)state;
	memset(&stock, 0, sizeof stock);
	memset(&zero, 0, sizeof zero);
	gn_limits_init(&stock);
	assert_int_equal(stock.memory_per_peer, 0); /* so that it follows a limit `memory` that the program sets */
	gn_limits_fill(&stock);
	gn_limits_fill(&zero);
	assert_memory_equal(&zero, &stock, sizeof stock);
	assert_int_equal(zero.memory_per_peer, (size_t)32 << 20);
	assert_true(zero.conns == 1024 && zero.dials == 64 && zero.keepalive == 15 * GN_SEC && zero.idle == 0);
}

static void a_limit_that_is_set_is_kept(void **state)
{
	struct gn_limits one = {.conns = 1, .memory = 1, .memory_per_peer = 2, .ping = 1, .idle = 1}, kept = one;

	(void)state;
	gn_limits_fill(&kept);
	assert_int_equal(kept.conns, 1);
	assert_int_equal(kept.memory, 1);
	assert_int_equal(kept.memory_per_peer, 2);
	assert_int_equal(kept.ping, 1);
	assert_int_equal(kept.idle, 1);
	assert_int_equal(kept.window, (size_t)64 << 20);
}

static void a_peer_may_use_an_eighth_of_the_memory(void **state)
{
	struct gn_limits lim = {.memory = 8000};

	(void)state;
	gn_limits_fill(&lim);
	assert_int_equal(lim.memory_per_peer, 1000);
}

static void never_is_an_explicit_value(void **state)
{
	struct gn_limits never = {.keepalive = GN_NEVER, .idle = GN_NEVER};

	(void)state;
	gn_limits_fill(&never);
	assert_int_equal(never.keepalive, 0);
	assert_int_equal(never.idle, 0);
}

static void zero(struct gn_node_cfg *cfg)
{
	struct gn_node_cfg all = {.loop = cfg->loop, .key = cfg->key, .components = cfg->components};

	*cfg = all;
}

static void a_node_has_the_limits_of_a_zeroed_configuration(void **state)
{
	struct net w;

	(void)state;
	net_init(&w, 2, zero);
	assert_int_equal(w.node[0]->cfg.limits.conns, 1024);
	assert_int_equal(w.node[0]->scope.max, (size_t)256 << 20);
	net_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_of_zero_is_the_default),
		cmocka_unit_test(a_limit_that_is_set_is_kept),
		cmocka_unit_test(a_peer_may_use_an_eighth_of_the_memory),
		cmocka_unit_test(never_is_an_explicit_value),
		cmocka_unit_test(a_node_has_the_limits_of_a_zeroed_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
