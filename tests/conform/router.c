/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of routers (node/router.h): the same tests run over each router.  A router is an entry of
 * `kinds`: a function that attaches it to node 0 so that it knows two addresses of node 1 and none of node 2.
 */
#include <errno.h>

#include "node/attached.h"
#include "support/support.h"

struct fix;

struct kind {
	const char *name;
	const struct gn_router_ops *ops;
	int (*attach)(struct fix *f, size_t node);
};

struct search {
	struct fix *f;
	struct gn_router_find *op;
	unsigned n_addrs, n_done;
	int err;
	bool cancels, restarts; /* inside a callback: cancels itself at the first address; starts `next` at the end */
	struct search *next;
	bool is_starting;
};

struct fix {
	struct net net;
	const struct kind *kind;
	struct dummy_router_cfg dummy[2];
	struct search s[3];
};

/* ---- the routers ---- */

static int dummy_attach(struct fix *f, size_t node)
{
	f->dummy[node] = (struct dummy_router_cfg){.peer = f->net.node[1]->id,
						   .addrs = {"/memory/101", "/memory/9999"},
						   .origin = GN_BOOK_DHT,
						   .delay = GN_MSEC};
	return gn_router_attach(f->net.node[node], &dummy_router, &f->dummy[node]);
}

static const struct kind kinds[] = {{"dummy", &dummy_router, dummy_attach}};

/* ---- searches ---- */

static void search_start(struct search *s, size_t node, size_t peer);

static void on_addrs(void *arg, const struct gn_router_answer *answer)
{
	struct search *s = arg;

	assert_false(s->is_starting);
	assert_int_equal(s->n_done, 0);
	assert_true(answer->n > 0);
	for (size_t i = 0; i < answer->n; i++)
		assert_non_null(answer->addrs[i]);
	s->n_addrs += (unsigned)answer->n;
	if (s->cancels)
		s->f->kind->ops->cancel(s->op);
}

static void on_done(void *arg, int err)
{
	struct search *s = arg;

	assert_false(s->is_starting);
	s->n_done++;
	s->err = err;
	if (s->restarts)
		search_start(s->next, 0, 1);
}

static void search_start(struct search *s, size_t node, size_t peer)
{
	struct gn_router_find_cfg cfg = {.peer = s->f->net.node[peer]->id,
					 .on_addrs = on_addrs,
					 .on_done = on_done,
					 .arg = s};
	struct gn_attached *a = gn_attached_find(&s->f->net.node[node]->routers, s->f->kind->ops);

	assert_non_null(a);
	s->is_starting = true;
	assert_int_equal(s->f->kind->ops->find(a->state, &cfg, &s->op), 0);
	s->is_starting = false;
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->kind = *state;
	net_init(&f->net, 3, NULL);
	for (size_t i = 0; i < 3; i++)
		f->s[i].f = f;
	assert_int_equal(f->kind->attach(f, 0), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	net_fini(&f->net);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f->dummy[i].n_open, 0);
	free(f);
	return 0;
}

/* ---- the tests ---- */

static void a_known_peer_is_found_and_the_search_ends_once(void **state)
{
	struct fix *f = *state;

	search_start(&f->s[0], 0, 1);
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->s[0].n_addrs, 2);
	assert_int_equal(f->s[0].n_done, 1);
	assert_int_equal(f->s[0].err, 0);
}

static void an_unknown_peer_has_no_address(void **state)
{
	struct fix *f = *state;

	search_start(&f->s[0], 0, 2);
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->s[0].n_addrs, 0);
	assert_int_equal(f->s[0].n_done, 1);
	assert_int_equal(f->s[0].err, GN_ENOADDR);
}

static void a_search_that_was_cancelled_calls_nothing(void **state)
{
	struct fix *f = *state;

	search_start(&f->s[0], 0, 1);
	search_start(&f->s[1], 0, 1);
	f->kind->ops->cancel(f->s[0].op);
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->s[0].n_addrs + f->s[0].n_done, 0);
	assert_int_equal(f->s[1].n_done, 1);
}

static void a_search_may_be_cancelled_inside_its_callback(void **state)
{
	struct fix *f = *state;

	f->s[0].cancels = true;
	search_start(&f->s[0], 0, 1);
	net_run(&f->net, 60 * GN_SEC);
	assert_true(f->s[0].n_addrs >= 1);
	assert_int_equal(f->s[0].n_done, 0);
}

static void a_search_may_be_started_inside_a_callback(void **state)
{
	struct fix *f = *state;

	f->s[0].restarts = true;
	f->s[0].next = &f->s[1];
	search_start(&f->s[0], 0, 2);
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->s[1].n_done, 1);
	assert_int_equal(f->s[1].n_addrs, 2);
}

static void stopping_ends_searches(void **state)
{
	struct fix *f = *state;

	search_start(&f->s[0], 0, 1);
	search_start(&f->s[1], 0, 2);
	assert_int_equal(gn_router_detach(f->net.node[0], f->kind->ops), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f->s[i].n_done, 1);
		assert_int_equal(f->s[i].err, GN_ECLOSED);
	}
	assert_int_equal(gn_router_detach(f->net.node[0], f->kind->ops), -ENOENT);
	assert_int_equal(f->kind->attach(f, 0), 0);
}

static void each_node_has_a_state_of_its_own(void **state)
{
	struct fix *f = *state;

	assert_int_equal(f->kind->attach(f, 1), 0);
	assert_int_equal(f->kind->attach(f, 1), -EEXIST);
	search_start(&f->s[0], 0, 1);
	search_start(&f->s[1], 1, 1);
	assert_int_equal(gn_router_detach(f->net.node[0], f->kind->ops), 0);
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->s[0].err, GN_ECLOSED);
	assert_int_equal(f->s[1].err, 0);
	assert_int_equal(f->s[1].n_addrs, 2);
}

int main(void)
{
	int failed = 0;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		void *kind = (void *)(uintptr_t)&kinds[k];
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, kind)
		const struct CMUnitTest tests[] = {
			TEST(a_known_peer_is_found_and_the_search_ends_once),
			TEST(an_unknown_peer_has_no_address),
			TEST(a_search_that_was_cancelled_calls_nothing),
			TEST(a_search_may_be_cancelled_inside_its_callback),
			TEST(a_search_may_be_started_inside_a_callback),
			TEST(stopping_ends_searches),
			TEST(each_node_has_a_state_of_its_own),
		};

		failed += cmocka_run_group_tests_name(kinds[k].name, tests, NULL, NULL);
	}
	return failed;
}
