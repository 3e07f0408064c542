/* SPDX-License-Identifier: MIT */
/* lib/node/dialer: what happens while it tells of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/support.h"

struct told {
	int calls, err;
	bool cancels;
	struct gn_dial *op;
};

static void on_told(void *arg, int err, struct gn_channel *ch)
{
	struct told *t = arg;

	t->calls++;
	t->err = err;
	gn_channel_free(ch);
}

static void on_told_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct told *t = arg;

	(void)addr;
	(void)err;
	(void)took;
	if (t->cancels)
		gn_dial_cancel(t->op);
}

static void dial_start(struct net *w, struct told *t, const char *first)
{
	struct gn_multiaddr *addrs[2] = {first != NULL ? net_addr(first) : NULL, w->addr[1]};
	struct gn_dial_cfg cfg = {.addrs = (const struct gn_multiaddr *const *)addrs + (first == NULL),
				  .n_addrs = first != NULL ? 2 : 1,
				  .protocol = "/bytes",
				  .on_attempt = on_told_attempt,
				  .on_done = on_told,
				  .arg = t};

	t->calls = 0;
	assert_int_equal(gn_dial_start(w->node[0], &cfg, &t->op), 0);
	gn_multiaddr_free(addrs[0]);
}

/* A connection that is over between its opening and the word of it: the dial has failed. */
static void test_gone_before_told(void **state)
{
	struct told t = {.calls = 0};
	struct gn_conn *c = NULL;
	struct net w;

	(void)state;
	net_init(&w, 2, NULL);
	dial_start(&w, &t, NULL);
	while (c == NULL || !c->is_announced) {
		assert_int_equal(gn_loop_turn(w.loop, GN_SEC), 0);
		c = net_conn(&w, 0, 0);
	}
	assert_int_equal(t.calls, 0);
	gn_conn_abort(c, GN_ERESET);
	gn_conn_run(&c->task); /* it is freed before the dial's turn comes */
	net_run(&w, GN_SEC);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.err, GN_ERESET);
	net_fini(&w);
}

/* A dial that is given up while it tells of one of its attempts, failed or not. */
static void test_cancel_inside(void **state)
{
	static const char *const first[] = {NULL, "/memory/9999", "/ip4/192.0.2.1/tcp/1", "/dns4/name.test/tcp/1"};

	(void)state;
	for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
		struct told t = {.cancels = true};
		struct net w;

		net_init(&w, 2, NULL);
		dial_start(&w, &t, first[i]);
		net_run(&w, GN_SEC);
		assert_int_equal(t.calls, 0);
		assert_true(gn_list_is_empty(&w.node[0]->dials));
		net_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gone_before_told),
		cmocka_unit_test(test_cancel_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
