/* SPDX-License-Identifier: MIT */
/* The limit first_stream on a connection on which the listening node has opened streams itself. */
#include "support/cmocka.h"

#include "support/support.h"
#include "node/dialer.h"

struct first {
	struct net net;
	struct gn_channel *served, *opened;
	struct gn_dialer *op;
};

static void first_on_open(void *arg, struct gn_channel *ch)
{
	((struct first *)arg)->served = ch;
}

static void first_on_conn(void *arg, int err, struct gn_conn *c)
{
	(void)arg;
	assert_int_equal(err, 0);
	assert_non_null(c);
}

static void first_on_channel(void *arg, int err, struct gn_channel *ch)
{
	assert_int_equal(err, 0);
	((struct first *)arg)->opened = ch;
}

/* The nodes do not run identify, because its streams would be the first ones. */
static void without_services(struct gn_node_cfg *cfg)
{
	static struct gn_components k;

	k = *cfg->components;
	k.services = NULL;
	cfg->components = &k;
	cfg->limits.first_stream = 2 * GN_SEC;
}

static void an_inbound_connection_stays_while_the_node_s_own_stream_runs(void **state)
{
	struct first f = {.served = NULL};
	struct gn_protocol_cfg pc = {.id = "/first", .kind = GN_BYTES, .on_open = first_on_open, .arg = &f};
	struct gn_dialer_cfg dc = {.target.n_addrs = 1, .on_done = first_on_conn};
	struct gn_dial_cfg cc = {.target.n_addrs = 1, .protocol = "/first", .on_done = first_on_channel, .arg = &f};
	struct gn_dial *dial;

	(void)state;
	net_init(&f.net, 2, without_services);
	assert_int_equal(gn_protocol_add(f.net.node[0], &pc), 0);
	dc.target.addrs = (const struct gn_multiaddr *const *)&f.net.addr[1];
	assert_int_equal(gn_dialer_start(f.net.node[0], &dc, &f.op), 0);
	net_run(&f.net, GN_SEC);
	/* The dial of the listening node uses the existing connection. */
	cc.target.addrs = (const struct gn_multiaddr *const *)&f.net.addr[0];
	assert_int_equal(gn_dial_start(f.net.node[1], &cc, &dial), 0);
	net_run(&f.net, 20 * GN_SEC);
	assert_non_null(f.opened);
	assert_int_equal(gn_channel_error(f.opened), 0);
	assert_int_equal(f.net.node[1]->n_conns, 1);
	assert_true(net_conn(&f.net, 1, 0)->inbound);
	gn_channel_free(f.opened);
	net_run(&f.net, 5 * GN_SEC);
	assert_int_equal(f.net.node[1]->n_conns, 0);
	gn_channel_free(f.served);
	net_run(&f.net, GN_SEC);
	net_fini(&f.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inbound_connection_stays_while_the_node_s_own_stream_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
