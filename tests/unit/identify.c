/* SPDX-License-Identifier: MIT */
/* lib/protocols/identify, between nodes in one process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/support.h"
#include "protocols/identify.h"

struct fix {
	struct net w;
	struct gn_identify *op;
	struct gn_dial *dial;
	int done, err;
	size_t n_protocols, n_listen;
	bool signed_record, observed;
	char agent[64], protocols[1024];
	struct gn_peer_id peer;
};

static int set_up(void **state)
{
	struct gn_mem_cfg mem = {.seed = 1, .delay = 5 * GN_MSEC};
	struct fix *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	net_init(&f->w, 3, NULL);
	gn_mem_set(f->w.loop, &mem);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;

	net_fini(&f->w);
	free(f);
	return 0;
}

static void on_done(void *arg, int err, const struct gn_identify_info *info)
{
	struct fix *f = arg;

	f->done++;
	f->err = err;
	assert_true((err == 0) == (info != NULL));
	if (err != 0)
		return;
	f->peer = info->peer;
	f->n_protocols = info->n_protocols;
	f->n_listen = info->n_listen;
	f->signed_record = info->signed_record;
	f->observed = info->observed != NULL;
	snprintf(f->agent, sizeof f->agent, "%s", info->agent);
	f->protocols[0] = '\0';
	for (size_t i = 0; i < info->n_protocols && strlen(f->protocols) < 900; i++) {
		strncat(f->protocols, info->protocols[i], 60);
		strcat(f->protocols, " ");
	}
}

static void start(struct fix *f, size_t from, size_t to)
{
	const struct gn_multiaddr *addrs[] = {f->w.addr[to]};
	struct gn_identify_cfg cfg = {.target = {.addrs = addrs, .n_addrs = 1}, .on_done = on_done, .arg = f};

	f->done = 0;
	assert_int_equal(gn_identify_start(f->w.node[from], &cfg, &f->op), 0);
	assert_int_equal(f->done, 0);
}

static const struct gn_identify_peer *peer_state(const struct gn_conn *c)
{
	return gn_identify_peer_find(gn_node_service(c->node, &gn_service_identify), c);
}

static const struct gn_identify_peer *known(struct fix *f, size_t node)
{
	return peer_state(net_conn(&f->w, node, 0));
}

/* Runs until the node's i-th connection exists and its identify request is pending. */
static void run_to_question(struct fix *f, size_t node, size_t i)
{
	for (int k = 0; k < 1000; k++) {
		const struct gn_conn *c = net_conn(&f->w, node, i);
		const struct gn_identify_peer *peer = c != NULL ? peer_state(c) : NULL;

		if (peer != NULL && peer->query != NULL)
			return;
		net_run(&f->w, GN_MSEC);
	}
	fail_msg("it is never asked");
}

/* Returns whether the node has stored this protocol of the other node. */
static bool knows_protocol(struct fix *f, size_t node, const char *id)
{
	const struct gn_identify_peer *peer = known(f, node);
	struct gn_identify_view v;
	bool has = false;

	assert_non_null(peer->known);
	assert_int_equal(gn_identify_view_init(&v, peer->known->body, peer->known->len, gn_conn_peer(peer->conn)), 0);
	for (size_t i = 0; i < v.info.n_protocols; i++)
		has |= strcmp(v.info.protocols[i], id) == 0;
	gn_identify_view_fini(&v);
	return has;
}

static void on_channel(void *arg, struct gn_channel *ch)
{
	(void)arg;
	gn_channel_free(ch);
}

static void serve(struct fix *f, size_t node, const char *id, bool hidden)
{
	struct gn_protocol_cfg cfg = {.id = id, .kind = GN_BYTES, .hidden = hidden, .on_open = on_channel};

	assert_int_equal(gn_protocol_add(f->w.node[node], &cfg), 0);
}

/* ---- tests -------------------------------------------------------------------- */

static void an_operation_returns_what_the_peer_said(void **state)
{
	struct fix *f = *state;
	struct gn_peer_id id;

	serve(f, 1, "/shown/1", false);
	serve(f, 1, "/secret/1", true);
	start(f, 0, 1);
	net_run(&f->w, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, 0);
	gn_node_id(f->w.node[1], &id);
	assert_true(gn_peer_id_is_equal(&f->peer, &id));
	assert_string_equal(f->agent, "golem-net/" GN_VERSION);
	assert_string_equal(f->protocols, "/ipfs/id/1.0.0 /ipfs/id/push/1.0.0 /ipfs/ping/1.0.0 /shown/1 ");
	assert_int_equal(f->n_listen, 1);
	assert_true(f->signed_record && f->observed);

	/* A second operation uses the stored result and sends no request. */
	start(f, 0, 1);
	net_run(&f->w, GN_MSEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->n_protocols, 4);
	assert_true(f->signed_record);
	assert_null(net_conn(&f->w, 0, 1));
}

/* Each end sends one request, and keeps only the result. */
static void both_ends_ask_once(void **state)
{
	struct fix *f = *state;

	start(f, 0, 1);
	gn_identify_cancel(f->op); /* before the dial has started */
	net_run(&f->w, GN_SEC);
	assert_null(net_conn(&f->w, 0, 0));
	start(f, 0, 1);
	net_run(&f->w, GN_SEC);
	for (size_t i = 0; i < 2; i++) {
		assert_non_null(known(f, i)->known);
		assert_in_range(known(f, i)->known->len, 100, 300);
		assert_true(known(f, i)->known->takes_push && known(f, i)->known->signed_record);
		assert_int_equal(net_conn(&f->w, i, 0)->session->streams, 0);
		assert_true(knows_protocol(f, i, GN_IDENTIFY_ID));
	}
}

static void a_change_is_pushed_after_a_pause(void **state)
{
	struct fix *f = *state;
	uint32_t before;

	start(f, 0, 1);
	net_run(&f->w, GN_SEC);
	before = known(f, 1)->sent_version;
	serve(f, 1, "/new/1", false);
	net_run(&f->w, 500 * GN_MSEC);
	serve(f, 1, "/new/2", false);
	net_run(&f->w, 900 * GN_MSEC); /* less than the pause between pushes */
	assert_false(knows_protocol(f, 0, "/new/1"));
	net_run(&f->w, 200 * GN_MSEC);
	assert_true(knows_protocol(f, 0, "/new/1"));
	assert_true(knows_protocol(f, 0, "/new/2"));
	assert_int_equal(known(f, 1)->sent_version, before + 2);
	assert_int_equal(gn_protocol_del(f->w.node[1], "/new/1"), 0);
	net_run(&f->w, 2 * GN_SEC);
	assert_false(knows_protocol(f, 0, "/new/1"));
	assert_true(knows_protocol(f, 0, "/new/2"));
	assert_int_equal(net_conn(&f->w, 0, 0)->session->streams, 0);
	assert_int_equal(net_conn(&f->w, 1, 0)->session->streams, 0);
}

static void a_peer_that_does_not_list_push_gets_none(void **state)
{
	struct fix *f = *state;

	assert_int_equal(gn_protocol_del(f->w.node[0], GN_IDENTIFY_PUSH_ID), 0);
	start(f, 0, 1);
	net_run(&f->w, GN_SEC);
	assert_false(known(f, 1)->known->takes_push);
	serve(f, 1, "/new/1", false);
	net_run(&f->w, 5 * GN_SEC);
	assert_false(knows_protocol(f, 0, "/new/1"));
}

static void on_dialed(void *arg, int err, struct gn_channel *ch)
{
	struct gn_channel **at = arg;

	assert_int_equal(err, 0);
	*at = ch;
}

static struct gn_channel *open_by_hand(struct fix *f, const char *protocol)
{
	const struct gn_multiaddr *addrs[] = {f->w.addr[1]};
	struct gn_channel *ch = NULL;
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = protocol,
				  .kind = GN_BYTES,
				  .on_done = on_dialed,
				  .arg = &ch};

	assert_int_equal(gn_dial_start(f->w.node[0], &cfg, &f->dial), 0);
	net_run(&f->w, 300 * GN_MSEC);
	assert_non_null(ch);
	return ch;
}

static void push_by_hand(struct fix *f, const struct gn_buf *b)
{
	struct gn_channel *ch = open_by_hand(f, GN_IDENTIFY_PUSH_ID);
	uint8_t head[GN_UVARINT_MAX];
	size_t n = gn_uvarint_encode(b->len, head);

	assert_int_equal(gn_channel_write(ch, head, n), (ptrdiff_t)n);
	assert_int_equal(gn_channel_write(ch, b->p, b->len), (ptrdiff_t)b->len);
	assert_int_equal(gn_channel_end(ch), 0);
	net_run(&f->w, 300 * GN_MSEC);
	gn_channel_free(ch);
}

static void a_push_counts_only_with_the_key_of_the_peer(void **state)
{
	struct fix *f = *state;
	struct gn_buf b;
	const uint8_t *key;
	size_t n;

	gn_buf_init(&b, 4096);
	assert_int_equal(gn_buf_put_u8(&b, 3 << 3 | 2), 0);
	assert_int_equal(gn_buf_put_prefixed(&b, "/pushed/1", 9), 0);
	push_by_hand(f, &b);
	assert_true(knows_protocol(f, 1, "/pushed/1"));
	assert_false(knows_protocol(f, 1, GN_IDENTIFY_ID));

	/* A push with another public key is ignored. */
	b.len = 0;
	assert_int_equal(gn_buf_put_u8(&b, 3 << 3 | 2), 0);
	assert_int_equal(gn_buf_put_prefixed(&b, "/pushed/2", 9), 0);
	key = gn_key_public(f->w.key[2], &n);
	assert_int_equal(gn_buf_put_u8(&b, 1 << 3 | 2), 0);
	assert_int_equal(gn_buf_put_prefixed(&b, key, n), 0);
	push_by_hand(f, &b);
	assert_true(knows_protocol(f, 1, "/pushed/1"));
	assert_false(knows_protocol(f, 1, "/pushed/2"));

	/* A push with the peer's own public key is accepted. */
	b.len = 11;
	key = gn_key_public(f->w.key[0], &n);
	assert_int_equal(gn_buf_put_u8(&b, 1 << 3 | 2), 0);
	assert_int_equal(gn_buf_put_prefixed(&b, key, n), 0);
	push_by_hand(f, &b);
	assert_true(knows_protocol(f, 1, "/pushed/2"));
	gn_buf_fini(&b);
}

/* A push stream that does not end is reset after a time limit; streams past the maximum are reset at once. */
static void unfinished_pushes_time_out(void **state)
{
	struct fix *f = *state;
	struct gn_channel *ch[8];

	for (int i = 0; i < 8; i++)
		ch[i] = open_by_hand(f, i & 1 ? GN_IDENTIFY_ID : GN_IDENTIFY_PUSH_ID);
	assert_int_equal(net_conn(&f->w, 1, 0)->scope.streams, GN_IDENTIFY_STREAMS);
	for (int i = 0; i < 8; i++)
		assert_true((gn_channel_error(ch[i]) != 0) == (i >= GN_IDENTIFY_STREAMS));
	net_run(&f->w, 6 * GN_SEC);
	assert_int_equal(net_conn(&f->w, 1, 0)->scope.streams, 0);
	for (int i = 0; i < 8; i++) {
		assert_int_not_equal(gn_channel_error(ch[i]), 0);
		gn_channel_free(ch[i]);
	}
	net_run(&f->w, GN_SEC);
	assert_int_equal(net_conn(&f->w, 1, 0)->session->streams, 0);
}

static void a_message_past_the_maximum_is_rejected(void **state)
{
	struct fix *f = *state;
	struct gn_buf b;

	gn_buf_init(&b, 10000);
	assert_int_equal(gn_buf_reserve(&b, GN_IDENTIFY_MESSAGE_MAX + 1), 0);
	memset(b.p, 0, GN_IDENTIFY_MESSAGE_MAX + 1);
	b.len = GN_IDENTIFY_MESSAGE_MAX + 1;
	push_by_hand(f, &b);
	assert_true(knows_protocol(f, 1, GN_IDENTIFY_ID));
	assert_int_equal(net_conn(&f->w, 1, 0)->session->streams, 0);
	gn_buf_fini(&b);
}

/* One peer does not answer, and another does not support identify. */
static void a_peer_that_does_not_answer_fails_the_operation(void **state)
{
	struct fix *f = *state;

	assert_int_equal(gn_protocol_del(f->w.node[1], GN_IDENTIFY_ID), 0);
	start(f, 0, 1);
	net_run(&f->w, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ENOPROTO);
	assert_true(gn_conn_is_usable(net_conn(&f->w, 0, 0)));

	start(f, 0, 2);
	run_to_question(f, 0, 1);
	assert_int_equal(f->done, 0);
	assert_non_null(net_conn(&f->w, 0, 1));
	gn_mem_stall(f->w.loop, 1, false, 8 * GN_SEC);
	net_run(&f->w, 7 * GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ETIMEOUT);

	start(f, 1, 2);
	run_to_question(f, 1, 1);
	gn_mem_cut_all(f->w.loop);
	net_run(&f->w, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ERESET);
	for (size_t i = 0; i < 3; i++)
		assert_null(net_conn(&f->w, i, 0));
}

static void an_operation_may_be_cancelled_at_any_time(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < 50; i++) { /* cancels after each number of milliseconds */
		start(f, 0, 1);
		net_run(&f->w, i * GN_MSEC);
		if (f->done > 0)
			break;
		gn_identify_cancel(f->op);
		net_run(&f->w, GN_SEC);
		assert_int_equal(f->done, 0);
		gn_mem_cut_all(f->w.loop);
		net_run(&f->w, GN_SEC);
	}
	assert_int_equal(f->done, 1);
}

static void on_closed(void *arg)
{
	++*(int *)arg;
}

static void closing_does_not_wait_for_answers(void **state)
{
	struct fix *f = *state;
	gn_time began;
	int closed = 0;

	start(f, 0, 1);
	run_to_question(f, 0, 0);
	assert_int_equal(f->done, 0);
	gn_mem_stall(f->w.loop, 0, false, 60 * GN_SEC);
	began = gn_loop_now(f->w.loop);
	assert_int_equal(gn_node_close(f->w.node[0], 60 * GN_SEC, on_closed, &closed), 0);
	while (closed == 0 && gn_loop_now(f->w.loop) - began < 30 * GN_SEC)
		gn_loop_turn(f->w.loop, GN_SEC);
	assert_int_equal(closed, 1);
	assert_true(gn_loop_now(f->w.loop) - began < 6 * GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ECLOSED);
}

static void a_node_may_be_freed_at_any_time(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < 60; i++) {
		size_t gone = i & 1;

		start(f, 0, 1);
		net_run(&f->w, i * GN_MSEC);
		gn_node_free(f->w.node[gone]);
		net_run(&f->w, 10 * GN_SEC);
		gn_key_free(f->w.key[gone]);
		gn_multiaddr_free(f->w.addr[gone]);
		net_add(&f->w, gone, NULL);
	}
}

/* ---- addresses ---- */

static struct gn_multiaddr *advertised[16];
static size_t n_advertised;

static void advertise_to(struct fix *f, const char *remote)
{
	struct gn_conn conn;
	struct gn_identify_reader r;
	struct gn_identify_view v;
	struct gn_peer_id id;
	struct gn_buf b;

	while (n_advertised > 0)
		gn_multiaddr_free(advertised[--n_advertised]);
	memset(&conn, 0, sizeof conn);
	conn.node = f->w.node[0];
	conn.remote = net_addr(remote);
	gn_buf_init(&b, 5000);
	assert_int_equal(gn_identify_own_make(&conn, &b), 0);
	gn_identify_reader_init(&r);
	assert_int_equal(gn_identify_reader_put(&r, b.p, b.len), 0);
	gn_node_id(f->w.node[0], &id);
	assert_int_equal(gn_identify_view_init(&v, r.body.p, r.body.len, &id), 0);
	assert_int_equal(v.info.observed != NULL, !gn_multiaddr_has(conn.remote, GN_MA_P2P_CIRCUIT));
	for (size_t i = 0; i < v.info.n_listen && i < 16; i++)
		assert_int_equal(gn_multiaddr_dup(v.info.listen[i], &advertised[n_advertised++]), 0);
	gn_identify_view_fini(&v);
	gn_identify_reader_fini(&r);
	gn_buf_fini(&b);
	gn_multiaddr_free(conn.remote);
}

static bool was_advertised(const char *text)
{
	struct gn_multiaddr *a = net_addr(text);
	bool found = false;

	for (size_t i = 0; i < n_advertised; i++)
		found |= gn_multiaddr_is_equal(advertised[i], a);
	gn_multiaddr_free(a);
	return found;
}

/* The fake transport binds any TCP address, but accepts nothing. */
static bool fake_is_for(const struct gn_multiaddr *addr)
{
	return gn_multiaddr_has(addr, GN_MA_TCP);
}

static int fake_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
		       struct gn_multiaddr **bound)
{
	(void)state;
	*out = NULL;
	return gn_multiaddr_dup(cfg->addr, bound);
}

static void fake_close(struct gn_link_listener *l)
{
	(void)l;
}

static const struct gn_transport_ops fake = {.name = "fake",
					     .is_for = fake_is_for,
					     .listen = fake_listen,
					     .close = fake_close};

static void tune_fake(struct gn_node_cfg *cfg)
{
	static const struct gn_transport_ops *const transports[] = {&fake, &gn_transport_mem, NULL};
	static struct gn_components all;

	all = *cfg->components;
	all.transports = transports;
	cfg->components = &all;
}

static void only_addresses_of_the_peers_scope_are_sent(void **state)
{
	static const char *const listen[] = {"/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/8.8.8.8/tcp/1",
					     "/ip6/fe80::1/tcp/1"};
	struct fix *f = *state;

	gn_node_free(f->w.node[0]);
	gn_key_free(f->w.key[0]);
	gn_multiaddr_free(f->w.addr[0]);
	net_add(&f->w, 0, tune_fake);
	for (size_t i = 0; i < 4; i++) {
		struct gn_multiaddr *a = net_addr(listen[i]);

		assert_int_equal(gn_node_listen(f->w.node[0], a, NULL), 0);
		gn_multiaddr_free(a);
	}
	advertise_to(f, "/ip4/9.9.9.9/tcp/7");
	assert_true(was_advertised(listen[2]));
	assert_false(was_advertised(listen[0]) || was_advertised(listen[1]) || was_advertised(listen[3]));
	advertise_to(f, "/ip4/192.168.1.9/tcp/7");
	assert_true(was_advertised(listen[1]) && was_advertised(listen[2]));
	assert_false(was_advertised(listen[0]));
	advertise_to(f, "/ip4/127.0.0.1/tcp/7");
	assert_true(was_advertised(listen[0]) && was_advertised(listen[1]) && was_advertised(listen[2]));
	advertise_to(f, "/ip4/9.9.9.9/tcp/7/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N/p2p-circuit");
	assert_true(was_advertised(listen[2]));
	assert_false(was_advertised(listen[1]));
	while (n_advertised > 0)
		gn_multiaddr_free(advertised[--n_advertised]);
}

static void an_idle_connection_keeps_little(void **state)
{
	(void)state;
	assert_true(sizeof(struct gn_identify_peer) <= 256);
	assert_true(sizeof(struct gn_identify_known) + GN_IDENTIFY_KNOWN_MAX <= 2100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_operation_returns_what_the_peer_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(both_ends_ask_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_change_is_pushed_after_a_pause, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_that_does_not_list_push_gets_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_push_counts_only_with_the_key_of_the_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unfinished_pushes_time_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_message_past_the_maximum_is_rejected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_that_does_not_answer_fails_the_operation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_operation_may_be_cancelled_at_any_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_does_not_wait_for_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_node_may_be_freed_at_any_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_addresses_of_the_peers_scope_are_sent, set_up, tear_down),
		cmocka_unit_test(an_idle_connection_keeps_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
