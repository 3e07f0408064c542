/* SPDX-License-Identifier: MIT */
/* lib/node/attempt: limits.dials, whose turn it is, and attempts that dials share. */
#include "node/attempt.h"

#include "node/dialer.h"
#include "support/support.h"
#include "transport/mem.h"

enum { DIALS = 4, LOG_MAX = 32 };

/* One slow node, whose attempts do not end before a time limit, and its dials. */
struct fix {
	struct net net;
	struct dial {
		struct fix *f;
		struct gn_dialer *op;
		int calls, err;
		gn_time when;
	} dials[DIALS];
	unsigned n_attempts; /* that have ended, of all dials */
	struct {
		const struct dial *dial;
		int err;
	} log[LOG_MAX];
};

static int setup(void **state)
{
	struct gn_mem_cfg slow = {.seed = 1, .delay = 100 * GN_SEC};
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	net_init(&f->net, 2, NULL);
	assert_int_equal(gn_mem_set(f->net.loop, &slow), 0);
	f->net.node[0]->cfg.limits.dial = 60 * GN_SEC;
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

static void on_done(void *arg, int err, struct gn_conn *c)
{
	struct dial *d = arg;

	(void)c;
	d->calls++;
	d->err = err;
	d->when = gn_loop_now(d->f->net.loop);
}

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct dial *d = arg;

	(void)addr;
	(void)took;
	assert_true(d->f->n_attempts < LOG_MAX);
	d->f->log[d->f->n_attempts].err = err;
	d->f->log[d->f->n_attempts++].dial = d;
}

/* Starts dial i to n addresses /memory/first and following. */
static void start(struct fix *f, size_t i, unsigned first, size_t n, gn_time limit)
{
	struct dial *d = &f->dials[i];
	struct gn_multiaddr *addrs[8];
	struct gn_dialer_cfg cfg = {.target.addrs = (const struct gn_multiaddr *const *)addrs,
				    .target.n_addrs = n,
				    .target.limit = limit,
				    .target.on_attempt = on_attempt,
				    .attempt_arg = d,
				    .on_done = on_done,
				    .arg = d};

	d->f = f;
	for (size_t k = 0; k < n; k++) {
		char text[32];

		snprintf(text, sizeof text, "/memory/%u", first + (unsigned)k);
		addrs[k] = net_addr(text);
	}
	assert_int_equal(gn_dialer_start(f->net.node[0], &cfg, &d->op), 0);
	for (size_t k = 0; k < n; k++)
		gn_multiaddr_free(addrs[k]);
}

static unsigned running(const struct fix *f)
{
	return f->net.node[0]->attempts.n;
}

static void limit_dials(struct fix *f, unsigned n)
{
	f->net.node[0]->cfg.limits.dials = n;
}

static void no_more_attempts_run_than_the_limit_allows(void **state)
{
	struct fix *f = *state;

	limit_dials(f, 2);
	start(f, 0, 201, 1, 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(running(f), 1);
	start(f, 1, 202, 1, 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(running(f), 2);
	start(f, 2, 203, 1, 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(running(f), 2);
	assert_false(gn_list_is_empty(&f->net.node[0]->attempts.waiting));
	/* The first two end after limits.attempt, and the third one has the same time from its own start on. */
	net_run(&f->net, 30 * GN_SEC);
	assert_int_equal(f->n_attempts, 3);
	assert_ptr_equal(f->log[2].dial, &f->dials[2]);
	assert_int_equal(f->dials[2].err, GN_ETIMEOUT);
	assert_int_equal(f->dials[2].when - f->dials[0].when, 10 * GN_SEC);
	assert_int_equal(running(f), 0);
}

/* The first dial has three addresses, the others have one each: the others have their turn before its second one. */
static void dials_that_wait_take_turns(void **state)
{
	struct fix *f = *state;
	const size_t order[] = {0, 1, 2, 0, 0};

	limit_dials(f, 1);
	start(f, 0, 201, 3, 0);
	net_run(&f->net, GN_SEC / 10);
	start(f, 1, 211, 1, 0);
	start(f, 2, 221, 1, 0);
	net_run(&f->net, 70 * GN_SEC);
	assert_int_equal(f->n_attempts, 5);
	for (size_t i = 0; i < 5; i++)
		assert_ptr_equal(f->log[i].dial, &f->dials[order[i]]);
}

static void a_dial_that_waits_ends_at_its_limit(void **state)
{
	struct fix *f = *state;

	limit_dials(f, 1);
	start(f, 0, 201, 1, 0);
	start(f, 1, 202, 1, 2 * GN_SEC);
	net_run(&f->net, 1999 * GN_MSEC);
	assert_int_equal(f->dials[1].calls, 0);
	net_run(&f->net, 2 * GN_MSEC);
	assert_int_equal(f->dials[1].calls, 1);
	assert_int_equal(f->dials[1].err, GN_ETIMEOUT);
	assert_int_equal(f->n_attempts, 0);
	assert_true(gn_list_is_empty(&f->net.node[0]->attempts.waiting));
}

static void a_dial_that_waits_may_be_cancelled(void **state)
{
	struct fix *f = *state;

	limit_dials(f, 1);
	start(f, 0, 201, 1, 0);
	start(f, 1, 202, 1, 0);
	start(f, 2, 203, 1, 0);
	net_run(&f->net, GN_SEC);
	gn_dialer_cancel(f->dials[1].op);
	gn_dialer_cancel(f->dials[0].op);
	net_run(&f->net, GN_SEC);
	assert_int_equal(running(f), 1);
	net_run(&f->net, 10 * GN_SEC);
	assert_int_equal(f->n_attempts, 1);
	assert_ptr_equal(f->log[0].dial, &f->dials[2]);
}

static void a_closed_node_ends_dials_that_wait(void **state)
{
	struct fix *f = *state;

	limit_dials(f, 1);
	start(f, 0, 201, 1, 0);
	start(f, 1, 202, 1, 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(gn_node_close(f->net.node[0], 0, NULL, NULL), 0);
	net_run(&f->net, GN_SEC);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f->dials[i].calls, 1);
		assert_int_equal(f->dials[i].err, GN_ECLOSED);
	}
}

/* ---- attempts with several users ---- */

struct user {
	struct gn_attempt_user base;
	struct fix *f;
	int calls, err;
	gn_time when;
};

static void user_on_done(void *arg, int err, struct gn_conn *c)
{
	struct user *u = arg;

	(void)c;
	u->calls++;
	u->err = err;
	u->when = gn_loop_now(u->f->net.loop);
}

static int user_start(struct fix *f, struct user *u, const char *addr, const char *name)
{
	struct gn_peer_id peer = f->net.node[1]->id;
	struct gn_multiaddr *a = net_addr(addr);
	struct gn_attempt_cfg cfg = {.addr = a, .name = name, .peer = &peer};
	int err;

	*u = (struct user){.f = f};
	gn_attempt_user_init(&u->base, user_on_done, u);
	err = gn_attempt_start(&f->net.node[0]->attempts, &cfg, &u->base);
	gn_multiaddr_free(a);
	return err;
}

static void only_the_same_address_and_name_share_an_attempt(void **state)
{
	struct fix *f = *state;
	struct user u[6];

	assert_int_equal(user_start(f, &u[0], "/memory/201", NULL), 0);
	assert_int_equal(user_start(f, &u[1], "/memory/201", NULL), 0);
	assert_int_equal(running(f), 1);
	assert_int_equal(user_start(f, &u[2], "/memory/201", "a.test"), 0);
	assert_int_equal(running(f), 2);
	assert_int_equal(user_start(f, &u[3], "/memory/201", "b.test"), 0);
	assert_int_equal(running(f), 3);
	assert_int_equal(user_start(f, &u[4], "/memory/201", "a.test"), 0);
	assert_int_equal(running(f), 3);
	assert_int_equal(user_start(f, &u[5], "/memory/202", "a.test"), 0);
	assert_int_equal(running(f), 4);
	for (size_t i = 0; i < 6; i++)
		gn_attempt_leave(&u[i].base);
	assert_int_equal(running(f), 0);
}

static void an_attempt_that_is_shared_needs_no_place(void **state)
{
	struct fix *f = *state;
	struct user u[3];

	limit_dials(f, 1);
	assert_int_equal(user_start(f, &u[0], "/memory/201", NULL), 0);
	assert_int_equal(user_start(f, &u[1], "/memory/201", NULL), 0);
	assert_int_equal(user_start(f, &u[2], "/memory/202", NULL), GN_EAGAIN);
	gn_attempt_leave(&u[0].base);
	assert_int_equal(running(f), 1);
	gn_attempt_leave(&u[1].base);
	assert_int_equal(running(f), 0);
	assert_int_equal(user_start(f, &u[2], "/memory/202", NULL), 0);
	gn_attempt_leave(&u[2].base);
}

/* The time of an attempt counts from its start, not from the joining of a user nor from the leaving of another. */
static void a_shared_attempt_ends_after_its_limit_for_all_users(void **state)
{
	struct fix *f = *state;
	gn_time began = gn_loop_now(f->net.loop);
	struct user u[3];

	assert_int_equal(user_start(f, &u[0], "/memory/201", NULL), 0);
	net_run(&f->net, 4 * GN_SEC);
	assert_int_equal(user_start(f, &u[1], "/memory/201", NULL), 0);
	assert_int_equal(user_start(f, &u[2], "/memory/201", NULL), 0);
	net_run(&f->net, 4 * GN_SEC);
	gn_attempt_leave(&u[0].base);
	net_run(&f->net, 10 * GN_SEC);
	assert_int_equal(u[0].calls, 0);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(u[i].calls, 1);
		assert_int_equal(u[i].err, GN_ETIMEOUT);
		assert_int_equal(u[i].when - began, 10 * GN_SEC);
	}
}

static void a_final_peer_id_makes_no_difference(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{"/memory/1", "/memory/1", true},
		{"/memory/1", "/memory/1/p2p/12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE", true},
		{"/memory/1", "/memory/2", false},
		{"/memory/1", "/memory/1/memory/2", false},
		{"/memory/1/p2p/12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE/p2p-circuit", "/memory/1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_multiaddr *a = net_addr(cases[i].a), *b = net_addr(cases[i].b);

		assert_true(gn_attempt_is_same_addr(a, b) == cases[i].is_same);
		assert_true(gn_attempt_is_same_addr(b, a) == cases[i].is_same);
		gn_multiaddr_free(a);
		gn_multiaddr_free(b);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_more_attempts_run_than_the_limit_allows),
		TEST(dials_that_wait_take_turns),
		TEST(a_dial_that_waits_ends_at_its_limit),
		TEST(a_dial_that_waits_may_be_cancelled),
		TEST(a_closed_node_ends_dials_that_wait),
		TEST(only_the_same_address_and_name_share_an_attempt),
		TEST(an_attempt_that_is_shared_needs_no_place),
		TEST(a_shared_attempt_ends_after_its_limit_for_all_users),
		TEST(a_final_peer_id_makes_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
