/* SPDX-License-Identifier: MIT */
/* struct gn_target of gn_dial.h: the peer, and the path that is asked for. */
#include <errno.h>

#include "node/peerbook.h"
#include "support/support.h"

#define CIRCUIT "/memory/300/p2p/12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE/p2p-circuit"

struct result {
	unsigned done, attempts;
	int err;
};

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	(void)addr;
	(void)err;
	(void)took;
	((struct result *)arg)->attempts++;
}

static void on_done(void *arg, int err, struct gn_channel *ch)
{
	struct result *r = arg;

	r->done++;
	r->err = err;
	gn_channel_free(ch);
}

static int setup(void **state)
{
	struct net *w = calloc(1, sizeof *w);

	assert_non_null(w);
	net_init(w, 2, NULL);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct net *w = *state;

	net_fini(w);
	free(w);
	return 0;
}

/* Starts a dial of node 1 by its id and these addresses, of which those that are NULL are left out. */
static int start(struct net *w, struct result *r, enum gn_target_path path, const char *first, const char *second)
{
	const char *texts[] = {first, second};
	struct gn_multiaddr *addrs[2];
	struct gn_dial_cfg cfg = {.target = {.addrs = (const struct gn_multiaddr *const *)addrs,
					     .peer = &w->node[1]->id,
					     .path = path,
					     .on_attempt = on_attempt},
				  .protocol = "/x",
				  .on_done = on_done,
				  .arg = r};
	struct gn_dial *op;
	int err;

	*r = (struct result){0, 0, 0};
	for (size_t i = 0; i < 2; i++)
		if (texts[i] != NULL)
			addrs[cfg.target.n_addrs++] = net_addr(texts[i]);
	err = gn_dial_start(w->node[0], &cfg, &op);
	for (size_t i = 0; i < cfg.target.n_addrs; i++)
		gn_multiaddr_free(addrs[i]);
	return err;
}

static void dial(struct net *w, struct result *r, enum gn_target_path path, const char *first, const char *second)
{
	assert_int_equal(start(w, r, path, first, second), 0);
	net_run(w, GN_SEC);
	assert_int_equal(r->done, 1);
}

/* The connection to node 1 has come through a relay. */
static void relay_conn(struct net *w)
{
	gn_conn_set_path(net_conn(w, 0, 0), GN_PATH_RELAYED, NULL);
}

static void the_id_need_not_be_in_the_addresses(void **state)
{
	struct net *w = *state;
	struct result r;

	dial(w, &r, GN_TARGET_ANY, "/memory/101", NULL);
	assert_int_equal(r.err, 0);
	assert_int_equal(w->node[0]->n_conns, 1);
	dial(w, &r, GN_TARGET_ANY, "/memory/101", NULL); /* uses the connection */
	assert_int_equal(r.err, 0);
	assert_int_equal(r.attempts, 0);
	assert_int_equal(w->node[0]->n_conns, 1);
}

static void another_peer_at_the_address_is_an_error(void **state)
{
	struct net *w = *state;
	struct result r;

	dial(w, &r, GN_TARGET_ANY, "/memory/100", NULL);
	assert_int_equal(r.err, GN_EPEERID);
	assert_int_equal(start(w, &r, GN_TARGET_ANY,
			       "/memory/101/p2p/12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE", NULL),
			 GN_EPEERID);
}

static void the_id_alone_is_a_target(void **state)
{
	struct net *w = *state;
	struct gn_ping_cfg ping = {.on_done = NULL};
	struct gn_dial_cfg none = {.protocol = "/x", .on_done = on_done};
	struct gn_dial *op;
	struct result r;

	dial(w, &r, GN_TARGET_ANY, NULL, NULL);
	assert_int_equal(r.err, GN_ENOADDR);
	assert_int_equal(gn_dial_start(w->node[0], &none, &op), -EINVAL);
	assert_int_equal(ping.target.path, GN_TARGET_ANY);
	net_connect(w, 0, 1);
	gn_conn_close(net_conn(w, 0, 0));
	net_run(w, GN_SEC);
	dial(w, &r, GN_TARGET_ANY, NULL, NULL); /* by the book */
	assert_int_equal(r.err, 0);
	assert_int_equal(r.attempts, 1);
}

static void addresses_of_another_path_are_left_out(void **state)
{
	struct net *w = *state;
	struct result r;

	dial(w, &r, GN_TARGET_ANY, CIRCUIT, "/memory/9999");
	assert_int_equal(r.attempts, 2);
	dial(w, &r, GN_TARGET_DIRECT, CIRCUIT, "/memory/9999");
	assert_int_equal(r.attempts, 1);
	assert_int_equal(r.err, -ECONNREFUSED);
	dial(w, &r, GN_TARGET_RELAYED, CIRCUIT, "/memory/101");
	assert_int_equal(r.attempts, 1);
	assert_int_equal(r.err, GN_ENOTRANS);
	dial(w, &r, GN_TARGET_RELAYED, "/memory/101", NULL);
	assert_int_equal(r.attempts, 0);
	assert_int_equal(r.err, GN_ENOADDR);
}

static void an_address_of_the_book_has_to_have_the_path_too(void **state)
{
	const struct gn_book_source source = {GN_BOOK_USER, GN_NEVER};
	struct net *w = *state;
	struct gn_multiaddr *a = net_addr("/memory/101");
	struct result r;

	assert_int_equal(gn_book_add(gn_node_book(w->node[0]), &w->node[1]->id, a, &source, 0), 0);
	dial(w, &r, GN_TARGET_RELAYED, NULL, NULL);
	assert_int_equal(r.err, GN_ENOADDR);
	dial(w, &r, GN_TARGET_DIRECT, NULL, NULL);
	assert_int_equal(r.err, 0);
	gn_multiaddr_free(a);
}

static void only_a_connection_with_the_path_is_used(void **state)
{
	struct net *w = *state;
	struct result r;

	dial(w, &r, GN_TARGET_ANY, "/memory/101", NULL);
	dial(w, &r, GN_TARGET_RELAYED, NULL, NULL);
	assert_int_equal(r.err, GN_ENOADDR);
	dial(w, &r, GN_TARGET_DIRECT, NULL, NULL);
	assert_int_equal(r.err, 0);
	relay_conn(w);
	dial(w, &r, GN_TARGET_RELAYED, NULL, NULL);
	assert_int_equal(r.err, 0);
	/* A second connection, which is direct, by the address that the book has; then each dial finds its own. */
	dial(w, &r, GN_TARGET_DIRECT, NULL, NULL);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.attempts, 1);
	assert_int_equal(w->node[0]->n_conns, 2);
	dial(w, &r, GN_TARGET_DIRECT, NULL, NULL);
	assert_int_equal(r.err, 0);
	dial(w, &r, GN_TARGET_RELAYED, NULL, NULL);
	assert_int_equal(r.err, 0);
	assert_int_equal(w->node[0]->n_conns, 2);
}

static void a_dial_is_not_ended_by_a_connection_with_another_path(void **state)
{
	struct net *w = *state;
	struct result relayed, direct;

	assert_int_equal(start(w, &relayed, GN_TARGET_RELAYED, CIRCUIT, NULL), 0);
	assert_int_equal(start(w, &direct, GN_TARGET_DIRECT, "/memory/101", NULL), 0);
	net_run(w, GN_SEC);
	assert_int_equal(direct.err, 0);
	assert_int_equal(relayed.done, 1);
	assert_int_equal(relayed.err, GN_ENOTRANS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_id_need_not_be_in_the_addresses),
		TEST(another_peer_at_the_address_is_an_error),
		TEST(the_id_alone_is_a_target),
		TEST(addresses_of_another_path_are_left_out),
		TEST(an_address_of_the_book_has_to_have_the_path_too),
		TEST(only_a_connection_with_the_path_is_used),
		TEST(a_dial_is_not_ended_by_a_connection_with_another_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
