/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of components that make a host reachable (node/reach.h): the same tests run over each
 * component.  A component is an entry of `kinds`, with functions that attach it and that make its way outside fail.
 */
#include <errno.h>

#include "node/attached.h"
#include "support/support.h"

struct fix;

struct kind {
	const char *name;
	const struct gn_reach_ops *ops;
	int (*attach)(struct fix *f, const struct gn_reach_cfg *cfg);
	void (*break_it)(struct fix *f, int err); /* 0: it works again */
};

struct fix {
	struct net net;
	const struct kind *kind;
	struct dummy_reach_cfg dummy;
	unsigned n_reports;
	struct gn_reach_status last;
	bool is_calling, detaches;
};

/* ---- the components ---- */

static int dummy_attach(struct fix *f, const struct gn_reach_cfg *cfg)
{
	struct gn_reach_cfg with = *cfg;

	f->dummy = (struct dummy_reach_cfg){.delay = GN_SEC, .lifetime = 60 * GN_SEC};
	with.config = &f->dummy;
	return gn_reach_attach(f->net.node[0], &dummy_reach, &with);
}

static void dummy_break(struct fix *f, int err)
{
	f->dummy.err = err;
}

static const struct kind kinds[] = {{"dummy", &dummy_reach, dummy_attach, dummy_break}};

/* ---- the fixture ---- */

static void on_status(void *arg, const struct gn_reach_status *status)
{
	struct fix *f = arg;

	assert_false(f->is_calling);
	f->n_reports++;
	f->last = *status;
	if (f->detaches)
		assert_int_equal(gn_reach_detach(f->net.node[0], f->kind->ops), 0);
}

static int attach(struct fix *f)
{
	const struct gn_reach_cfg cfg = {.on_status = on_status, .arg = f};
	int err;

	f->is_calling = true;
	err = f->kind->attach(f, &cfg);
	f->is_calling = false;
	return err;
}

static void listen_on_tcp(struct fix *f)
{
	struct gn_multiaddr *a = net_addr("/ip4/192.168.1.2/tcp/7");

	assert_int_equal(gn_node_listen(f->net.node[0], a, NULL), 0);
	gn_multiaddr_free(a);
}

/* The number of own addresses that the component has added. */
static unsigned n_added(const struct fix *f)
{
	return f->net.node[0]->own.n[f->kind->ops->origin];
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->kind = *state;
	fake_transport_err = 0;
	net_init(&f->net, 1, fake_transport_tune);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	net_fini(&f->net);
	free(f);
	return 0;
}

/* ---- the tests ---- */

static void without_a_listener_nothing_is_done(void **state)
{
	struct gn_reach_status status;
	struct fix *f = *state;

	assert_int_equal(attach(f), 0);
	net_run(&f->net, 100 * GN_SEC);
	assert_int_equal(gn_reach_get(f->net.node[0], f->kind->ops, &status), 0);
	assert_int_equal(status.state, GN_REACH_STATE_IDLE);
	assert_int_equal(n_added(f), 0);
}

static void a_listener_gets_an_address_which_is_renewed(void **state)
{
	struct gn_reach_status status;
	struct fix *f = *state;

	listen_on_tcp(f);
	assert_int_equal(attach(f), 0);
	net_run(&f->net, 100 * GN_MSEC);
	assert_int_equal(f->last.state, GN_REACH_STATE_TRYING);
	for (int i = 0; i < 10; i++) {
		net_run(&f->net, 60 * GN_SEC);
		assert_int_equal(n_added(f), 1);
	}
	assert_int_equal(gn_reach_get(f->net.node[0], f->kind->ops, &status), 0);
	assert_int_equal(status.state, GN_REACH_STATE_UP);
	assert_int_equal(f->last.state, GN_REACH_STATE_UP);
	assert_int_equal(f->n_reports, 2);
}

static void the_address_is_among_those_of_the_node(void **state)
{
	struct fix *f = *state;
	struct gn_multiaddr **addrs;
	size_t n, with;

	listen_on_tcp(f);
	assert_int_equal(gn_node_addrs(f->net.node[0], &addrs, &n), 0);
	gn_multiaddrs_free(addrs, n);
	assert_int_equal(attach(f), 0);
	net_run(&f->net, 30 * GN_SEC);
	assert_int_equal(gn_node_addrs(f->net.node[0], &addrs, &with), 0);
	gn_multiaddrs_free(addrs, with);
	assert_int_equal(with, n + 1);
}

static void a_listener_that_comes_later_is_noticed_and_so_is_its_end(void **state)
{
	struct fix *f = *state;

	assert_int_equal(attach(f), 0);
	net_run(&f->net, GN_SEC);
	listen_on_tcp(f);
	net_run(&f->net, 30 * GN_SEC);
	assert_int_equal(n_added(f), 1);
	gn_node_unlisten(f->net.node[0]);
	net_run(&f->net, 30 * GN_SEC);
	assert_int_equal(n_added(f), 0);
	assert_int_equal(f->last.state, GN_REACH_STATE_IDLE);
}

static void a_failure_is_reported_and_tried_again(void **state)
{
	struct fix *f = *state;

	listen_on_tcp(f);
	assert_int_equal(attach(f), 0);
	f->kind->break_it(f, -ECONNREFUSED);
	net_run(&f->net, 30 * GN_SEC + GN_SEC / 2);
	assert_int_equal(f->last.state, GN_REACH_STATE_FAILED);
	assert_int_equal(f->last.err, -ECONNREFUSED);
	assert_true(f->last.retry > gn_loop_now(f->net.loop));
	assert_int_equal(n_added(f), 0);
	f->kind->break_it(f, 0);
	net_run(&f->net, 100 * GN_SEC);
	assert_int_equal(f->last.state, GN_REACH_STATE_UP);
	assert_int_equal(f->last.err, 0);
	assert_int_equal(n_added(f), 1);
	f->kind->break_it(f, GN_ETIMEOUT); /* at the renewal */
	net_run(&f->net, 100 * GN_SEC);
	assert_int_equal(f->last.state, GN_REACH_STATE_FAILED);
	assert_int_equal(n_added(f), 0);
}

static void stopping_withdraws_the_addresses(void **state)
{
	struct gn_reach_status status;
	struct fix *f = *state;
	unsigned n;

	listen_on_tcp(f);
	assert_int_equal(attach(f), 0);
	assert_int_equal(attach(f), -EEXIST);
	net_run(&f->net, 30 * GN_SEC);
	assert_int_equal(n_added(f), 1);
	n = f->n_reports;
	assert_int_equal(gn_reach_detach(f->net.node[0], f->kind->ops), 0);
	assert_int_equal(n_added(f), 0);
	assert_int_equal(gn_reach_detach(f->net.node[0], f->kind->ops), -ENOENT);
	assert_int_equal(gn_reach_get(f->net.node[0], f->kind->ops, &status), -ENOENT);
	net_run(&f->net, 100 * GN_SEC);
	assert_int_equal(f->n_reports, n);
	assert_int_equal(attach(f), 0);
}

static void a_component_may_be_detached_inside_its_report(void **state)
{
	struct fix *f = *state;

	f->detaches = true;
	listen_on_tcp(f);
	assert_int_equal(attach(f), 0);
	net_run(&f->net, 100 * GN_SEC);
	assert_int_equal(f->n_reports, 1);
	assert_int_equal(n_added(f), 0);
}

/* ---- the node's side, which does not depend on the component ---- */

static void an_error_of_start_attaches_nothing(void **state)
{
	struct dummy_reach_cfg fails = {.start_err = -EACCES};
	const struct gn_reach_cfg cfg = {.config = &fails};
	struct fix *f = *state;

	assert_int_equal(gn_reach_attach(f->net.node[0], &dummy_reach, &cfg), -EACCES);
	assert_int_equal(gn_reach_detach(f->net.node[0], &dummy_reach), -ENOENT);
}

static void an_address_of_two_components_stays_until_both_are_detached(void **state)
{
	struct dummy_reach_cfg own = {.delay = GN_SEC, .lifetime = 60 * GN_SEC};
	const struct gn_reach_cfg cfg = {.config = &own};
	struct fix *f = *state;
	struct gn_node *node = f->net.node[0];

	listen_on_tcp(f);
	assert_int_equal(gn_reach_attach(node, &dummy_reach, &cfg), 0);
	assert_int_equal(gn_reach_attach(node, &dummy_reach_second, &cfg), 0);
	net_run(&f->net, 10 * GN_SEC);
	assert_int_equal(node->own.n[GN_OWN_MAPPED], 1);
	assert_int_equal(gn_reach_detach(node, &dummy_reach), 0);
	assert_int_equal(node->own.n[GN_OWN_MAPPED], 1);
	assert_int_equal(gn_reach_detach(node, &dummy_reach_second), 0);
	assert_int_equal(node->own.n[GN_OWN_MAPPED], 0);
}

static void no_more_components_are_attached_than_the_limit_allows(void **state)
{
	struct dummy_reach_cfg own = {.delay = GN_SEC, .lifetime = 60 * GN_SEC};
	const struct gn_reach_cfg cfg = {.config = &own};
	struct gn_reach_ops many[GN_ATTACHED_MAX + 1];
	struct fix *f = *state;
	struct gn_node *node = f->net.node[0];

	for (size_t i = 0; i <= GN_ATTACHED_MAX; i++) {
		many[i] = dummy_reach;
		assert_int_equal(gn_reach_attach(node, &many[i], &cfg), i < GN_ATTACHED_MAX ? 0 : GN_ELIMIT);
	}
	for (size_t i = 0; i < GN_ATTACHED_MAX; i++)
		assert_int_equal(gn_reach_detach(node, &many[i]), 0);
	assert_int_equal(gn_node_close(node, 0, NULL, NULL), 0);
	assert_int_equal(gn_reach_attach(node, &many[0], &cfg), GN_ECLOSED);
}

int main(void)
{
	int failed = 0;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		void *kind = (void *)(uintptr_t)&kinds[k];
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, kind)
		const struct CMUnitTest tests[] = {
			TEST(without_a_listener_nothing_is_done),
			TEST(a_listener_gets_an_address_which_is_renewed),
			TEST(the_address_is_among_those_of_the_node),
			TEST(a_listener_that_comes_later_is_noticed_and_so_is_its_end),
			TEST(a_failure_is_reported_and_tried_again),
			TEST(stopping_withdraws_the_addresses),
			TEST(a_component_may_be_detached_inside_its_report),
			TEST(an_error_of_start_attaches_nothing),
			TEST(an_address_of_two_components_stays_until_both_are_detached),
			TEST(no_more_components_are_attached_than_the_limit_allows),
		};

		failed += cmocka_run_group_tests_name(kinds[k].name, tests, NULL, NULL);
	}
	return failed;
}
