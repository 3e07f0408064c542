/* SPDX-License-Identifier: MIT */
/* Dials to a peer of which only the id is known: lib/node/dialer_addrs.c with the book and routers. */
#include <errno.h>

#include "node/dialer_internal.h"
#include "node/peerbook.h"
#include "support/support.h"
#include "transport/mem.h"

struct fix {
	struct net net;
	struct dummy_router_cfg router[2];
	struct gn_dial *op;
	unsigned done, attempts;
	int err;
	gn_time limit, when;
	enum gn_addr_origin origin;
	bool cancels; /* inside on_attempt */
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	net_init(&f->net, 2, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	net_fini(&f->net);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f->router[i].n_open, 0);
	free(f);
	return 0;
}

static void attach(struct fix *f, size_t i, gn_time delay, const char *first, const char *second)
{
	f->router[i] = (struct dummy_router_cfg){.peer = f->net.node[1]->id,
						 .addrs = {first, second},
						 .origin = GN_BOOK_DHT,
						 .delay = delay,
						 .err = first == NULL ? GN_ENOADDR : 0};
	assert_int_equal(gn_router_attach(f->net.node[0], i == 0 ? &dummy_router : &dummy_router_second, &f->router[i]),
			 0);
}

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct fix *f = arg;

	(void)addr;
	(void)err;
	(void)took;
	f->attempts++;
	if (f->cancels)
		gn_dial_cancel(f->op);
}

static void on_done(void *arg, int err, struct gn_channel *ch)
{
	struct fix *f = arg;
	struct gn_channel_state st;

	f->done++;
	f->err = err;
	f->when = gn_loop_now(f->net.loop);
	if (err != 0)
		return;
	gn_channel_state(ch, &st);
	f->origin = st.origin;
	gn_channel_free(ch);
}

/* Dials /p2p/ID of node 1. */
static void dial(struct fix *f)
{
	struct gn_multiaddr *a;
	const struct gn_multiaddr *addrs[1];
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = "/x",
				  .target.limit = f->limit,
				  .target.on_attempt = on_attempt,
				  .on_done = on_done,
				  .arg = f};

	assert_int_equal(gn_multiaddr_with_peer(NULL, &f->net.node[1]->id, &a), 0);
	addrs[0] = a;
	f->attempts = f->done = 0;
	assert_int_equal(gn_dial_start(f->net.node[0], &cfg, &f->op), 0);
	gn_multiaddr_free(a);
}

static void without_address_and_router_the_dial_fails_at_once(void **state)
{
	struct fix *f = *state;
	gn_time began = gn_loop_now(f->net.loop);

	dial(f);
	assert_int_equal(f->done, 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ENOADDR);
	assert_int_equal(f->when, began);
	assert_int_equal(f->attempts, 0);
}

static void an_address_that_a_router_finds_is_dialled(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 100 * GN_MSEC, "/memory/101", NULL);
	dial(f);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->origin, GN_ORIGIN_ROUTER);
	assert_int_equal(f->router[0].n_finds, 1);
	assert_int_equal(f->router[0].n_open, 0);
	assert_true(gn_book_has(f->net.node[0]->book, &f->net.node[1]->id));
}

/* One answer must not lead to hundreds of queries of name servers. */
static void a_dial_looks_up_at_most_four_learnt_names(void **state)
{
	static const char *const names[] = {"/dnsaddr/a.invalid", "/dnsaddr/b.invalid", "/dnsaddr/c.invalid",
					    "/dnsaddr/d.invalid", "/dnsaddr/e.invalid", "/dnsaddr/f.invalid"};
	const struct gn_book_source source = {GN_BOOK_DHT, GN_NEVER};
	struct fix *f = *state;
	struct gn_list *at;
	size_t n = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct gn_multiaddr *a = net_addr(names[i]);

		assert_int_equal(gn_book_add(gn_node_book(f->net.node[0]), &f->net.node[1]->id, a, &source,
					     gn_loop_now(f->net.loop)),
				 0);
		gn_multiaddr_free(a);
	}
	dial(f);
	gn_list_for_each(at, &gn_list_first(&f->net.node[0]->dials, struct gn_dialer, link)->lookups)
		n++;
	assert_int_equal(n, 4);
	gn_dial_cancel(f->op);
}

/* The second router is faster, and the race does not wait for the first. */
static void all_routers_are_asked_at_once(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 5 * GN_SEC, "/memory/9999", NULL);
	attach(f, 1, 100 * GN_MSEC, "/memory/101", NULL);
	dial(f);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->router[0].n_finds, 1);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->router[0].n_open, 0);
}

static void addresses_join_the_race_as_they_arrive(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 200 * GN_MSEC, "/memory/9999", "/memory/101");
	dial(f);
	net_run(&f->net, 300 * GN_MSEC);
	assert_int_equal(f->attempts, 1);
	assert_int_equal(f->done, 0);
	net_run(&f->net, 300 * GN_MSEC);
	assert_int_equal(f->attempts, 2);
	assert_int_equal(f->err, 0);
}

static void when_no_router_knows_the_peer_the_dial_says_so(void **state)
{
	struct fix *f = *state;

	attach(f, 0, GN_SEC, NULL, NULL);
	attach(f, 1, 2 * GN_SEC, NULL, NULL);
	dial(f);
	net_run(&f->net, 1900 * GN_MSEC);
	assert_int_equal(f->done, 0);
	net_run(&f->net, 200 * GN_MSEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ENOADDR);
}

static void an_error_of_a_router_is_more_specific(void **state)
{
	struct fix *f = *state;

	attach(f, 0, GN_SEC, NULL, NULL);
	attach(f, 1, GN_SEC, NULL, NULL);
	f->router[1].err = GN_EUNREACH;
	dial(f);
	net_run(&f->net, 2 * GN_SEC);
	assert_int_equal(f->err, GN_EUNREACH);
	f->router[1].find_err = -ENOMEM;
	dial(f);
	net_run(&f->net, 2 * GN_SEC);
	assert_int_equal(f->err, -ENOMEM);
}

static void the_dial_waits_for_routers_until_its_limit(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 3 * GN_SEC, "/memory/101", NULL);
	f->limit = 2 * GN_SEC;
	dial(f);
	net_run(&f->net, 2 * GN_SEC - GN_MSEC);
	assert_int_equal(f->done, 0);
	net_run(&f->net, 2 * GN_MSEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ETIMEOUT);
	assert_int_equal(f->router[0].n_open, 0);
}

static void know(struct fix *f, const char *text)
{
	const struct gn_book_source source = {GN_BOOK_IDENTIFY, GN_NEVER};
	struct gn_multiaddr *a = net_addr(text);

	assert_int_equal(gn_book_add(gn_node_book(f->net.node[0]), &f->net.node[1]->id, a, &source, 0), 0);
	gn_multiaddr_free(a);
}

static void the_book_is_tried_before_routers_are_asked(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 100 * GN_MSEC, "/memory/9999", NULL);
	know(f, "/memory/101");
	dial(f);
	net_run(&f->net, 10 * GN_SEC);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->origin, GN_ORIGIN_BOOK);
	assert_int_equal(f->router[0].n_finds, 0);
}

/* The known address neither fails nor succeeds for seconds. */
static void routers_are_asked_when_the_book_s_address_is_slow(void **state)
{
	struct gn_mem_cfg slow = {.seed = 1, .delay = 5 * GN_SEC};
	struct fix *f = *state;

	assert_int_equal(gn_mem_set(f->net.loop, &slow), 0);
	attach(f, 0, GN_SEC, "/memory/101", NULL);
	know(f, "/memory/201");
	dial(f);
	net_run(&f->net, 249 * GN_MSEC);
	assert_int_equal(f->router[0].n_finds, 0);
	net_run(&f->net, 3 * GN_MSEC);
	assert_int_equal(f->router[0].n_finds, 1);
}

static void routers_are_asked_when_the_book_s_address_has_failed(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 10 * GN_MSEC, "/memory/101", NULL);
	know(f, "/memory/9999");
	dial(f);
	net_run(&f->net, 200 * GN_MSEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->attempts, 2);
}

static void an_address_of_a_router_rests_after_a_failure(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 10 * GN_MSEC, "/memory/9999", NULL);
	dial(f);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->attempts, 1);
	assert_int_equal(f->err, -ECONNREFUSED);
	dial(f);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->attempts, 0);
	assert_int_equal(f->err, GN_ENOADDR);
}

static void private_addresses_of_strangers_are_not_dialled(void **state)
{
	static const char *const hidden[] = {"/ip4/127.0.0.1/tcp/1", "/ip6/fdff:ffff:ffff:1::1/tcp/1",
					     "/ip4/169.254.1.1/tcp/1", "/ip4/0.0.0.0/tcp/1"};
	struct gn_multiaddr *out[GN_BOOK_ADDRS_MAX];
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		struct gn_multiaddr *a = net_addr(hidden[i]);
		struct gn_router_answer answer = {.source = {GN_BOOK_DHT, GN_NEVER},
						  .addrs = (const struct gn_multiaddr *const *)&a,
						  .n = 1};

		assert_int_equal(gn_peerbook_routed(f->net.node[0], &f->net.node[1]->id, &answer, out), 0);
		answer.is_trusted = true;
		assert_int_equal(gn_peerbook_routed(f->net.node[0], &f->net.node[1]->id, &answer, out), 1);
		gn_multiaddr_free(out[0]);
		gn_multiaddr_free(a);
	}
}

static void an_address_of_another_peer_is_not_dialled(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 10 * GN_MSEC, "/memory/101/p2p/12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE", NULL);
	dial(f);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->attempts, 0);
	assert_int_equal(f->err, GN_ENOADDR);
}

static void a_dial_that_waits_for_routers_may_be_cancelled(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 100 * GN_MSEC, "/memory/9999", "/memory/101");
	dial(f);
	net_run(&f->net, 50 * GN_MSEC);
	assert_int_equal(f->router[0].n_open, 1);
	gn_dial_cancel(f->op);
	assert_int_equal(f->router[0].n_open, 0);
	f->cancels = true;
	dial(f);
	net_run(&f->net, 10 * GN_SEC);
	assert_int_equal(f->attempts, 1);
	assert_int_equal(f->done, 0);
	assert_int_equal(f->router[0].n_open, 0);
}

static void a_router_that_is_detached_ends_its_search(void **state)
{
	struct fix *f = *state;

	attach(f, 0, 100 * GN_MSEC, "/memory/101", NULL);
	dial(f);
	net_run(&f->net, 50 * GN_MSEC);
	assert_int_equal(gn_router_detach(f->net.node[0], &dummy_router), 0);
	assert_int_equal(f->done, 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ECLOSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_address_and_router_the_dial_fails_at_once),
		TEST(an_address_that_a_router_finds_is_dialled),
		TEST(a_dial_looks_up_at_most_four_learnt_names),
		TEST(all_routers_are_asked_at_once),
		TEST(addresses_join_the_race_as_they_arrive),
		TEST(when_no_router_knows_the_peer_the_dial_says_so),
		TEST(an_error_of_a_router_is_more_specific),
		TEST(the_dial_waits_for_routers_until_its_limit),
		TEST(the_book_is_tried_before_routers_are_asked),
		TEST(routers_are_asked_when_the_book_s_address_is_slow),
		TEST(routers_are_asked_when_the_book_s_address_has_failed),
		TEST(an_address_of_a_router_rests_after_a_failure),
		TEST(private_addresses_of_strangers_are_not_dialled),
		TEST(an_address_of_another_peer_is_not_dialled),
		TEST(a_dial_that_waits_for_routers_may_be_cancelled),
		TEST(a_router_that_is_detached_ends_its_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
