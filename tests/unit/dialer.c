/* SPDX-License-Identifier: MIT */
/* lib/node/dialer: what happens during its callbacks, and what its limit reports. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/support.h"

struct result {
	int calls, err;
	bool cancels;
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
	if (t->cancels)
		gn_dial_cancel(t->op);
}

static void dial_start(struct net *w, struct result *t, const char *first)
{
	struct gn_multiaddr *addrs[2] = {first != NULL ? net_addr(first) : NULL, w->addr[1]};
	struct gn_dial_cfg cfg = {.addrs = (const struct gn_multiaddr *const *)addrs + (first == NULL),
				  .n_addrs = first != NULL ? 2 : 1,
				  .protocol = "/bytes",
				  .on_attempt = on_attempt,
				  .on_done = on_done,
				  .arg = t};

	t->calls = 0;
	assert_int_equal(gn_dial_start(w->node[0], &cfg, &t->op), 0);
	gn_multiaddr_free(addrs[0]);
}

/* When a connection ends between its opening and the callback of the dial, the dial fails. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_ends_before_the_callback_fails_the_dial),
		cmocka_unit_test(a_dial_may_be_cancelled_inside_on_attempt),
		cmocka_unit_test(the_limit_reports_no_attempt_that_was_not_started),
		cmocka_unit_test(the_limit_reports_no_attempt_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
