/* SPDX-License-Identifier: MIT */
/* lib/node/dialer: calls and events during its callbacks, the errors reported at its limit, and dials to one
 * peer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/support.h"
#include "transport/mem.h"

struct result {
	int calls, err;
	int attempts; /* number of calls of on_attempt */
	bool cancels;
	gn_time limit; /* time limit of the dial; 0: that of the node */
	struct gn_dial *op;
};

static void on_done(void *arg, int err, struct gn_channel *ch)
{
	struct result *t = arg;

	t->calls++;
	t->err = err;
	gn_channel_free(ch);
}

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct result *t = arg;

	(void)addr;
	(void)err;
	(void)took;
	t->attempts++;
	if (t->cancels)
		gn_dial_cancel(t->op);
}

static void dial_start(struct net *w, struct result *t, const char *first)
{
	struct gn_multiaddr *addrs[2] = {first != NULL ? net_addr(first) : NULL, w->addr[1]};
	struct gn_dial_cfg cfg = {.target.addrs = (const struct gn_multiaddr *const *)addrs + (first == NULL),
				  .target.n_addrs = first != NULL ? 2 : 1,
				  .protocol = "/bytes",
				  .target.limit = t->limit,
				  .target.on_attempt = on_attempt,
				  .on_done = on_done,
				  .arg = t};

	t->calls = 0;
	assert_int_equal(gn_dial_start(w->node[0], &cfg, &t->op), 0);
	gn_multiaddr_free(addrs[0]);
}

/* A dial fails when its connection ends after it has opened and before the callback of the dial. */
static void a_connection_that_ends_before_the_callback_fails_the_dial(void **state)
{
	struct result t = {.calls = 0};
	struct gn_conn *c = NULL;
	struct net w;

	(void)state;
	net_init(&w, 2, NULL);
	dial_start(&w, &t, NULL);
	while (c == NULL || c->report == GN_REPORT_PENDING) {
		assert_int_equal(gn_loop_turn(w.loop, GN_SEC), 0);
		c = net_conn(&w, 0, 0);
	}
	assert_int_equal(t.calls, 0);
	gn_conn_abort(c, GN_ERESET);
	gn_conn_run(&c->task); /* the connection is freed before the dial's task runs */
	net_run(&w, GN_SEC);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.err, GN_ERESET);
	net_fini(&w);
}

/* A dial may be cancelled from inside on_attempt, whether the attempt has failed or not. */
static void a_dial_may_be_cancelled_inside_on_attempt(void **state)
{
	static const char *const first[] = {NULL, "/memory/9999", "/ip4/192.0.2.1/tcp/1", "/dns4/name.test/tcp/1"};

	(void)state;
	for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
		struct result t = {.cancels = true};
		struct net w;

		net_init(&w, 2, NULL);
		dial_start(&w, &t, first[i]);
		net_run(&w, GN_SEC);
		assert_int_equal(t.calls, 0);
		assert_true(gn_list_is_empty(&w.node[0]->dials));
		net_fini(&w);
	}
}

/* Starts a dial with a limit that ends before the second address would be tried, and waits for its result. */
static void dial_until_limit(struct outcome *o, const char *first, const char *second)
{
	struct gn_mem_cfg slow = {.seed = 1, .delay = 10 * GN_SEC};
	struct gn_multiaddr *addrs[2] = {net_addr(first), net_addr(second)};
	struct net w;

	net_init(&w, 1, NULL);
	assert_int_equal(gn_mem_set(w.loop, &slow), 0);
	w.node[0]->cfg.limits.dial = 100 * GN_MSEC;
	outcome_dial(w.node[0], o, (const struct gn_multiaddr *const *)addrs, 2);
	net_run(&w, 99 * GN_MSEC);
	assert_int_equal(o->done, 0);
	net_run(&w, 2 * GN_MSEC);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->err, GN_ETIMEOUT);
	net_fini(&w);
	for (int i = 0; i < 2; i++)
		gn_multiaddr_free(addrs[i]);
}

static void the_limit_reports_no_attempt_that_was_not_started(void **state)
{
	struct outcome o;

	(void)state;
	dial_until_limit(&o, "/memory/201", "/memory/202");
	assert_int_equal(o.attempts, 1);
	assert_int_equal(o.attempt_err[0], GN_ETIMEOUT);
}

static void the_limit_reports_no_attempt_twice(void **state)
{
	struct outcome o;

	(void)state;
	dial_until_limit(&o, "/ip4/192.0.2.1/udp/1", "/memory/202");
	assert_int_equal(o.attempts, 2);
	assert_int_equal(o.attempt_err[0], GN_ENOTRANS);
	assert_int_equal(o.attempt_err[1], GN_ETIMEOUT);
}

/* ---- two dials to one peer ---- */

static void two_dials_at_once_to_one_peer_make_one_connection(void **state)
{
	struct result a = {.calls = 0}, b = {.calls = 0};
	struct net w;

	(void)state;
	net_init(&w, 2, NULL);
	dial_start(&w, &a, NULL);
	dial_start(&w, &b, NULL);
	net_run(&w, 5 * GN_SEC);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(a.err, 0);
	assert_int_equal(b.err, 0);
	assert_int_equal(w.node[0]->n_conns, 1);
	assert_int_equal(w.node[1]->n_conns, 1);
	net_fini(&w);
}

/* Either of the two dials is cancelled, after each number of turns of the loop.  The other one succeeds. */
static void a_cancelled_dial_leaves_the_other_one_to_the_peer(void **state)
{
	(void)state;
	for (int turns = 0; turns < 8; turns++) {
		for (int k = 0; k < 2; k++) {
			struct result t[2] = {{.calls = 0}, {.calls = 0}};
			struct net w;

			net_init(&w, 2, NULL);
			dial_start(&w, &t[0], NULL);
			dial_start(&w, &t[1], NULL);
			for (int i = 0; i < turns; i++)
				(void)gn_loop_turn(w.loop, GN_SEC);
			if (t[k].calls == 0)
				gn_dial_cancel(t[k].op);
			net_run(&w, 5 * GN_SEC);
			assert_int_equal(t[1 - k].calls, 1);
			assert_int_equal(t[1 - k].err, 0);
			assert_int_equal(w.node[1]->n_conns, 1);
			net_fini(&w);
		}
	}
}

/* One of the two dials has only an unreachable address.  It completes as soon as the other one has a
 * connection. */
static void dials_with_different_addresses_end_with_the_first_connection(void **state)
{
	struct result a = {.calls = 0}, b = {.calls = 0};
	struct net w;

	(void)state;
	net_init(&w, 2, NULL);
	dial_start(&w, &a, "/memory/9999");
	dial_start(&w, &b, NULL);
	net_run(&w, 5 * GN_SEC);
	assert_int_equal(a.calls + b.calls, 2);
	assert_int_equal(a.err, 0);
	assert_int_equal(b.err, 0);
	assert_int_equal(w.node[1]->n_conns, 1);
	net_fini(&w);
}

static void an_address_that_fails_fails_both_dials(void **state)
{
	struct result a = {.calls = 0}, b = {.calls = 0};
	struct net w;

	(void)state;
	net_init(&w, 2, NULL);
	gn_node_unlisten(w.node[1]);
	dial_start(&w, &a, NULL);
	dial_start(&w, &b, NULL);
	net_run(&w, 5 * GN_SEC);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(a.err, -ECONNREFUSED);
	assert_int_equal(b.err, -ECONNREFUSED);
	assert_int_equal(a.attempts, 1);
	assert_int_equal(b.attempts, 1);
	net_fini(&w);
}

static void the_limit_of_one_dial_leaves_the_other_one(void **state)
{
	struct gn_mem_cfg slow = {.seed = 1, .delay = GN_SEC};
	struct result a = {.calls = 0}, b = {.calls = 0};
	struct net w;

	(void)state;
	net_init(&w, 2, NULL);
	assert_int_equal(gn_mem_set(w.loop, &slow), 0);
	a.limit = GN_SEC / 2;
	dial_start(&w, &a, NULL);
	dial_start(&w, &b, NULL);
	net_run(&w, 20 * GN_SEC);
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.err, GN_ETIMEOUT);
	assert_int_equal(b.calls, 1);
	assert_int_equal(b.err, 0);
	assert_int_equal(w.node[1]->n_conns, 1);
	net_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_ends_before_the_callback_fails_the_dial),
		cmocka_unit_test(a_dial_may_be_cancelled_inside_on_attempt),
		cmocka_unit_test(the_limit_reports_no_attempt_that_was_not_started),
		cmocka_unit_test(the_limit_reports_no_attempt_twice),
		cmocka_unit_test(two_dials_at_once_to_one_peer_make_one_connection),
		cmocka_unit_test(a_cancelled_dial_leaves_the_other_one_to_the_peer),
		cmocka_unit_test(dials_with_different_addresses_end_with_the_first_connection),
		cmocka_unit_test(an_address_that_fails_fails_both_dials),
		cmocka_unit_test(the_limit_of_one_dial_leaves_the_other_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
