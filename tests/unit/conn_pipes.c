/* SPDX-License-Identifier: MIT */
/* Connections over links that have pipes and are no streams: lib/node/conn.c and conn_io.c. */
#include "support/support.h"

static void note_open(void *arg, struct gn_conn *c, int err)
{
	(void)c;
	*(int *)arg = err;
}

/* Makes the connections of the two nodes over the two ends of a link. */
static void connect_by_pipes(struct carried *w, size_t cap, struct gn_conn *c[2], int opened[2])
{
	struct gn_link *end[2];

	carried_init_nodes(w, NULL, NULL);
	pipe_link_new(w->net.loop, w->net.node[0]->iobuf, cap, end);
	for (int i = 0; i < 2; i++) {
		struct gn_conn_cfg cfg = {.node = w->net.node[i],
					  .env = &w->net.node[i]->conn_env,
					  .link = end[i],
					  .inbound = i == 1,
					  .on_open = note_open,
					  .arg = &opened[i]};

		opened[i] = 1;
		assert_int_equal(gn_conn_new(&cfg, &c[i]), 0);
	}
	carried_run(w, GN_SEC);
}

static void a_connection_runs_over_the_pipes_of_its_link(void **state)
{
	/* The pipes hold less than a record, or several. */
	static const size_t caps[] = {5000, 100000, 1 << 20};

	(void)state;
	for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
		static struct carried w;
		struct carried_flow *f;
		struct gn_conn *c[2];
		int opened[2];

		connect_by_pipes(&w, caps[i], c, opened);
		assert_int_equal(opened[0], 0);
		assert_int_equal(opened[1], 0);
		w.to_send = 3000000;
		f = carried_flow_start(&w, c[0], 2000000);
		carried_run(&w, 10 * GN_SEC);
		assert_int_equal(f->err, GN_EOF);
		assert_int_equal(f->got, 3000000);
		assert_int_equal(w.servers[0].got, 2000000);
		assert_true(c[0]->written >= 2000000 && c[1]->written >= 3000000);
		assert_int_equal(c[0]->received, c[1]->written);
		assert_int_equal(c[1]->received, c[0]->written);
		gn_conn_close(c[0]);
		carried_run(&w, GN_SEC);
		assert_int_equal(w.net.node[0]->n_conns, 0);
		assert_int_equal(w.net.node[1]->n_conns, 0);
		carried_fini(&w);
	}
}

static void an_abort_ends_the_other_end(void **state)
{
	static struct carried w;
	struct carried_flow *f;
	struct gn_conn *c[2];
	int opened[2];

	(void)state;
	connect_by_pipes(&w, 100000, c, opened);
	w.holds = true;
	f = carried_flow_start(&w, c[0], 2000000);
	carried_run(&w, GN_SEC);
	gn_conn_abort(c[1], GN_EPROTO);
	carried_run(&w, GN_SEC);
	assert_int_equal(f->err, GN_ERESET);
	assert_int_equal(w.net.node[0]->n_conns, 0);
	assert_int_equal(w.net.node[1]->n_conns, 0);
	carried_fini(&w);
}

static void a_node_is_freed_with_such_connections(void **state)
{
	(void)state;
	for (size_t first = 0; first < 2; first++) {
		static struct carried w;
		struct carried_flow *f;
		struct gn_conn *c[2];
		int opened[2];

		connect_by_pipes(&w, 100000, c, opened);
		w.holds = true;
		f = carried_flow_start(&w, c[0], 2000000);
		carried_run(&w, GN_SEC);
		gn_node_free(w.net.node[first]);
		w.net.node[first] = NULL;
		carried_run(&w, GN_SEC);
		assert_true(f->is_ended);
		assert_int_equal(w.net.node[1 - first]->n_conns, 0);
		carried_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_runs_over_the_pipes_of_its_link),
		cmocka_unit_test(an_abort_ends_the_other_end),
		cmocka_unit_test(a_node_is_freed_with_such_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
