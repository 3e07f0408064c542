/* SPDX-License-Identifier: MIT */
/* Inbound streams between their selection and their handler: lib/node/stream.c. */
#include "node/stream.h"
#include "support/support.h"

static unsigned n_opened;

static void count_open(void *arg, struct gn_channel *ch)
{
	(void)arg;
	n_opened++;
	gn_channel_free(ch);
}

static void add(struct gn_node *node, const char *id)
{
	struct gn_protocol_cfg cfg = {.id = id, .kind = GN_BYTES, .on_open = count_open};

	assert_int_equal(gn_protocol_add(node, &cfg), 0);
}

/* Returns an inbound stream whose protocol is selected, but whose answer has not been sent, or NULL. */
static struct gn_stream *find_selected(struct gn_conn *c)
{
	struct gn_list *at;

	gn_list_for_each(at, &c->streams_open) {
		struct gn_stream *s = gn_list_entry(at, struct gn_stream, link);

		if (s->inbound && s->is_open && s->on_event == NULL)
			return s;
	}
	return NULL;
}

static void a_protocol_that_is_deleted_while_its_answer_is_sent_gets_no_stream(void **state)
{
	struct test_node t;
	struct raw_peer raw;
	struct gn_conn *c;

	(void)state;
	n_opened = 0;
	test_node_init(&t, true, NULL);
	add(t.node, "/last");
	raw_peer_open(&raw, &t, 2);
	test_node_run(&t, 10 * GN_MSEC);
	c = gn_list_first(&t.node->conns, struct gn_conn, link_node);
	/* The peer does not read and the flood fills the link, so that the answer of the second stream is not sent. */
	raw_peer_set_reading(&raw, false);
	raw_peer_stream(&raw, 1, "/flood");
	raw_peer_seal(&raw);
	test_node_run(&t, 10 * GN_MSEC);
	raw_peer_stream(&raw, 3, "/last");
	raw_peer_seal(&raw);
	test_node_run(&t, 10 * GN_MSEC);
	assert_non_null(find_selected(c));
	assert_int_equal(gn_protocol_del(t.node, "/last"), 0);
	raw_peer_set_reading(&raw, true);
	test_node_run(&t, 10 * GN_MSEC);
	assert_int_equal(n_opened, 0);
	assert_int_equal(raw.rsts, 1);
	raw_peer_abort(&raw);
	test_node_quiet(&t);
	test_node_serves(&t);
	test_node_quiet(&t);
	test_node_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_protocol_that_is_deleted_while_its_answer_is_sent_gets_no_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
