/* SPDX-License-Identifier: MIT */
/* Operations that run while their service is detached from the node. */
#include <errno.h>

#include "node/service.h"
#include "support/support.h"

static void on_identify(void *arg, int err, const struct gn_identify_info *info)
{
	(void)info;
	*(int *)arg = err;
}

static int ping_done[2];

static void on_ping_done(void *arg, int err)
{
	*(int *)arg = err;
}

static void operations_fail_when_their_service_is_detached(void **state)
{
	struct net w;
	const struct gn_multiaddr *addrs[1];
	struct gn_ping_cfg ping = {.target = {.addrs = addrs, .n_addrs = 1}, .on_done = on_ping_done};
	struct gn_identify_cfg id = {.target = {.addrs = addrs, .n_addrs = 1}, .on_done = on_identify};
	struct gn_ping *op;
	struct gn_identify *id_op;
	int identified = 1;

	(void)state;
	net_init(&w, 2, NULL);
	net_connect(&w, 1, 0);
	addrs[0] = w.addr[1];
	ping_done[0] = ping_done[1] = 1;
	ping.arg = &ping_done[0];
	id.arg = &identified;
	assert_int_equal(gn_ping_start(w.node[0], &ping, &op), 0);
	net_run(&w, 100 * GN_MSEC); /* the first operation is pinging */
	ping.arg = &ping_done[1];
	assert_int_equal(gn_ping_start(w.node[0], &ping, &op), 0); /* the second one is still connecting */
	assert_int_equal(gn_identify_start(w.node[0], &id, &id_op), 0);
	assert_int_equal(gn_service_detach(w.node[0], &gn_service_ping), 0);
	assert_int_equal(gn_service_detach(w.node[0], &gn_service_identify), 0);
	assert_int_equal(ping_done[0] + ping_done[1] + identified, 3);
	assert_int_equal(gn_ping_start(w.node[0], &ping, &op), -EINVAL);
	net_run(&w, 100 * GN_MSEC);
	assert_true(ping_done[0] == GN_ECLOSED || ping_done[0] == GN_EGONE);
	assert_true(ping_done[1] == GN_ECLOSED || ping_done[1] == GN_EGONE);
	assert_true(identified == GN_ECLOSED || identified == GN_EGONE || identified == 0);
	/* Both services are detached from the connection, and may be attached again. */
	assert_null(net_conn(&w, 0, 0)->services);
	assert_int_equal(gn_service_attach(w.node[0], &gn_service_ping, NULL), 0);
	assert_int_equal(gn_service_attach(w.node[0], &gn_service_identify, NULL), 0);
	net_run(&w, 100 * GN_MSEC);
	assert_non_null(net_conn(&w, 0, 0)->services);
	net_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_fail_when_their_service_is_detached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
