/* SPDX-License-Identifier: MIT */
/* gn_splice_start(): a client reaches a target through a relay that joins two channels.  On a virtual loop. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/stream.h"
#include "support/support.h"

enum { DELAY = 5, WINDOW = 256 * 1024, FRAME_SLACK = 128 * 1024 };

/* The client, the relay, and t.node as the target. */
struct circuit {
	struct test_node t;
	struct gn_key *keys[2];
	struct gn_node *client, *relay;
	struct gn_multiaddr *relay_addr;
	const char *protocol; /* the protocol of the channel to the target */
	bool is_loop;         /* the relay joins two channels of the client's own connection */
	struct gn_splice_cfg cfg;

	struct gn_channel *waiting; /* the first channel at the relay, until the second one is open */
	struct gn_splice *splice;
	unsigned done;
	int err;
	uint64_t to_target, from_target;
	gn_time done_at;

	struct gn_channel *ch, *second; /* the channels of the client */
	size_t to_send, sent, got;
	bool ends, reads, is_ended, is_acked;
	int in; /* the result with which reading ended */
	int dead;
	size_t second_got;
	int second_in;
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 131 + i / 509);
}

/* ---- the relay ---- */

static void on_spliced(void *arg, int err, uint64_t a_to_b, uint64_t b_to_a)
{
	struct circuit *c = arg;

	c->done++;
	c->err = err;
	c->to_target = a_to_b;
	c->from_target = b_to_a;
	c->splice = NULL;
	c->done_at = gn_loop_now(c->t.loop);
}

static void join(struct circuit *c, struct gn_channel *b)
{
	c->cfg.on_done = on_spliced;
	c->cfg.arg = c;
	assert_int_equal(gn_splice_start(c->waiting, b, &c->cfg, &c->splice), 0);
	c->waiting = NULL;
	assert_int_equal(c->done, 0);
}

static void on_target(void *arg, int err, struct gn_channel *ch)
{
	struct circuit *c = arg;

	assert_int_equal(err, 0);
	join(c, ch);
}

static void on_relayed(void *arg, struct gn_channel *ch)
{
	struct circuit *c = arg;
	const struct gn_multiaddr *addrs[1] = {c->t.addr};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = c->protocol,
				  .on_done = on_target,
				  .arg = c};
	struct gn_dial *op;

	if (c->is_loop && c->waiting != NULL) {
		join(c, ch);
		return;
	}
	c->waiting = ch;
	if (!c->is_loop)
		assert_int_equal(gn_dial_start(c->relay, &cfg, &op), 0);
}

/* ---- the client ---- */

static void client_read(struct circuit *c)
{
	uint8_t buf[6000];
	ptrdiff_t n = GN_EAGAIN;

	while (c->reads && (n = gn_channel_read(c->ch, buf, sizeof buf)) > 0)
		for (ptrdiff_t i = 0; i < n; i++)
			assert_int_equal(buf[i], byte_at(c->got++));
	if (n != GN_EAGAIN)
		c->in = (int)n;
}

static void client_write(struct circuit *c)
{
	uint8_t buf[5000];

	while (c->sent < c->to_send) {
		size_t n = c->to_send - c->sent < sizeof buf ? c->to_send - c->sent : sizeof buf;
		ptrdiff_t r;

		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(c->sent + i);
		r = gn_channel_write(c->ch, buf, n);
		if (r <= 0)
			return;
		c->sent += (size_t)r;
	}
	if (c->ends && !c->is_ended) {
		c->is_ended = true;
		assert_int_equal(gn_channel_end(c->ch), 0);
		assert_int_equal(gn_channel_sync(c->ch), 0);
	}
}

static void on_client(void *arg, struct gn_channel *ch, unsigned events)
{
	struct circuit *c = arg;

	assert_ptr_equal(ch, c->ch);
	if (events & GN_ACKED)
		c->is_acked = true;
	client_read(c);
	if (events & GN_DEAD)
		c->dead = gn_channel_error(ch);
	else
		client_write(c);
}

static void on_second(void *arg, struct gn_channel *ch, unsigned events)
{
	struct circuit *c = arg;
	uint8_t buf[6000];
	ptrdiff_t n;

	(void)events;
	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0)
		for (ptrdiff_t i = 0; i < n; i++)
			assert_int_equal(buf[i], byte_at(c->second_got++));
	if (n != GN_EAGAIN) {
		c->second_in = (int)n;
		(void)gn_channel_end(ch);
	}
}

static void on_dialled(void *arg, int err, struct gn_channel *ch)
{
	struct circuit *c = arg;

	assert_int_equal(err, 0);
	if (c->ch != NULL) {
		c->second = ch;
		gn_channel_on_event(ch, on_second, c);
		return;
	}
	c->ch = ch;
	gn_channel_on_event(ch, on_client, c);
	client_write(c);
}

static void client_dial(struct circuit *c)
{
	const struct gn_multiaddr *addrs[1] = {c->relay_addr};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = "/relay",
				  .on_done = on_dialled,
				  .arg = c};
	struct gn_dial *op;

	assert_int_equal(gn_dial_start(c->client, &cfg, &op), 0);
}

static void circuit_init(struct circuit *c, const char *protocol)
{
	struct gn_mem_cfg path = {.seed = 1, .delay = DELAY * GN_MSEC};
	struct gn_protocol_cfg relay = {.id = "/relay", .kind = GN_BYTES, .on_open = on_relayed, .arg = c};
	struct gn_limits lim;

	memset(c, 0, sizeof *c);
	test_node_init(&c->t, true, NULL);
	assert_int_equal(gn_mem_set(c->t.loop, &path), 0);
	gn_limits_init(&lim);
	c->protocol = protocol;
	c->keys[0] = test_node_key(3);
	c->keys[1] = test_node_key(4);
	c->relay = test_node_node(c->t.loop, c->keys[0], &lim);
	c->client = test_node_node(c->t.loop, c->keys[1], &lim);
	c->relay_addr = test_node_listen(c->relay, "/memory/9");
	assert_int_equal(gn_protocol_add(c->relay, &relay), 0);
	c->reads = c->ends = true;
}

static void circuit_run(struct circuit *c, unsigned ms)
{
	test_node_run(&c->t, ms * GN_MSEC);
}

/* Frees all nodes, and checks that no splice and no charged memory is left. */
static void circuit_fini(struct circuit *c)
{
	gn_channel_free(c->ch);
	gn_channel_free(c->second);
	circuit_run(c, 3000);
	assert_null(c->splice);
	if (c->relay != NULL)
		assert_int_equal(c->relay->scope.used, 0);
	gn_node_free(c->client);
	gn_node_free(c->relay);
	gn_multiaddr_free(c->relay_addr);
	gn_key_free(c->keys[0]);
	gn_key_free(c->keys[1]);
	test_node_quiet(&c->t);
	test_node_fini(&c->t);
}

/* Returns the largest receive window of the relay's streams. */
static size_t relay_window(struct circuit *c)
{
	struct gn_list *at;
	size_t most = 0;

	gn_list_for_each(at, &c->relay->conns) {
		const struct gn_conn *conn = gn_list_entry(at, struct gn_conn, link_node);
		struct gn_list *s;

		gn_list_for_each(s, &conn->streams_open) {
			const struct gn_stream *stream = gn_list_entry(s, struct gn_stream, link);
			size_t window = yamux_stream_of(stream->mux)->window;

			most = window > most ? window : most;
		}
	}
	return most;
}

/* ---- tests ---- */

static void bytes_and_ends_pass_both_ways(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/echo");
	c.to_send = 3000000;
	client_dial(&c);
	circuit_run(&c, 20000);
	assert_int_equal(c.got, 3000000);
	assert_int_equal(c.in, GN_EOF);
	assert_true(c.is_acked);
	assert_int_equal(c.dead, 0);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, 0);
	assert_int_equal(c.to_target, 3000000);
	assert_int_equal(c.from_target, 3000000);
	circuit_fini(&c);
}

static void an_end_without_bytes_passes(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/echo");
	client_dial(&c);
	circuit_run(&c, 5000);
	assert_int_equal(c.in, GN_EOF);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, 0);
	assert_int_equal(c.to_target + c.from_target, 0);
	circuit_fini(&c);
}

static void the_windows_do_not_grow(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/echo");
	c.to_send = 20000000;
	client_dial(&c);
	for (int i = 0; i < 100; i++) {
		circuit_run(&c, 10);
		assert_true(relay_window(&c) <= WINDOW);
	}
	assert_true(c.got > 0);
	circuit_run(&c, 100000);
	assert_int_equal(c.got, 20000000);
	circuit_fini(&c);
}

static void a_slow_target_holds_back_the_sender(void **state)
{
	struct circuit c;
	struct gn_channel_state st;
	uint64_t to, from;

	(void)state;
	circuit_init(&c, "/hold");
	c.to_send = 10000000;
	client_dial(&c);
	circuit_run(&c, 10000);
	assert_non_null(c.splice);
	gn_splice_count(c.splice, &to, &from);
	/* The windows of the target and of the relay are full; the other bytes stay at the client. */
	assert_in_range(to, WINDOW - 100, WINDOW); /* the proposal of the protocol uses some of the window */
	assert_int_equal(from, 0);
	gn_channel_state(c.ch, &st);
	assert_true(c.sent - st.queued <= 2 * WINDOW);
	assert_true(c.relay->scope.used <= 2 * WINDOW + FRAME_SLACK);
	gn_splice_cancel(c.splice);
	c.splice = NULL;
	circuit_run(&c, 1000);
	assert_int_equal(c.done, 0);
	assert_int_equal(c.dead, GN_ERESET);
	circuit_fini(&c);
}

static void a_reset_by_the_client_reaches_the_target(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/hold");
	c.to_send = 1000;
	c.ends = false;
	client_dial(&c);
	circuit_run(&c, 1000);
	assert_int_equal(c.t.n_held, 1);
	gn_channel_reset(c.ch);
	circuit_run(&c, 1000);
	assert_int_equal(c.t.n_held, 0);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, GN_ERESET);
	circuit_fini(&c);
}

static void a_reset_by_the_target_reaches_the_client(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/hold");
	c.to_send = 1000;
	client_dial(&c);
	circuit_run(&c, 1000);
	assert_int_equal(c.t.n_held, 1);
	test_node_drop(&c.t, c.t.held[0]);
	circuit_run(&c, 1000);
	assert_int_equal(c.dead, GN_ERESET);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, GN_ERESET);
	circuit_fini(&c);
}

static void a_protocol_that_the_target_lacks_is_a_reset(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/nothing");
	c.to_send = 1000;
	client_dial(&c);
	circuit_run(&c, 2000);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, GN_ENOPROTO);
	assert_int_equal(c.dead, GN_ERESET);
	circuit_fini(&c);
}

/* A stream of exactly max_bytes ends without an error. */
static void max_bytes_may_pass_and_no_more(void **state)
{
	for (size_t over = 0; over < 2; over++) {
		struct circuit c;

		circuit_init(&c, "/echo");
		c.cfg.max_bytes = 200000;
		c.to_send = 200000 + over;
		client_dial(&c);
		circuit_run(&c, 5000);
		assert_int_equal(c.done, 1);
		assert_int_equal(c.err, over ? GN_ELIMIT : 0);
		assert_int_equal(c.to_target, 200000);
		assert_int_equal(c.is_acked && c.dead == 0, over ? 0 : 1);
		circuit_fini(&c);
	}
	(void)state;
}

static void the_rate_is_kept(void **state)
{
	struct circuit c;
	gn_time began;

	(void)state;
	circuit_init(&c, "/echo");
	c.cfg.rate = 100000;
	c.to_send = 564 * 1024; /* the burst and 5.12 seconds' worth */
	client_dial(&c);
	began = gn_loop_now(c.t.loop);
	circuit_run(&c, 30000);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, 0);
	assert_int_equal(c.to_target, 564 * 1024);
	assert_in_range(c.done_at - began, 5 * GN_SEC, 6 * GN_SEC);
	circuit_fini(&c);
}

static void the_time_limit_ends_it(void **state)
{
	struct circuit c;
	gn_time began;

	(void)state;
	circuit_init(&c, "/hold");
	c.cfg.limit = 10 * GN_SEC;
	c.to_send = 1000;
	c.ends = false;
	client_dial(&c);
	circuit_run(&c, 9000);
	assert_int_equal(c.done, 0);
	began = gn_loop_now(c.t.loop);
	circuit_run(&c, 3000);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, GN_ETIMEOUT);
	assert_true(c.done_at > began);
	assert_int_equal(c.dead, GN_ERESET);
	circuit_fini(&c);
}

static void two_streams_of_one_connection_are_joined(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/echo");
	c.is_loop = true;
	c.to_send = 2000000;
	client_dial(&c);
	circuit_run(&c, 200);
	client_dial(&c);
	circuit_run(&c, 20000);
	assert_int_equal(c.second_got, 2000000);
	assert_int_equal(c.second_in, GN_EOF);
	assert_int_equal(c.in, GN_EOF);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, 0);
	circuit_fini(&c);
}

static void the_relay_may_be_freed_while_bytes_flow(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/echo");
	c.to_send = 5000000;
	client_dial(&c);
	circuit_run(&c, 200);
	assert_true(c.got > 0);
	assert_non_null(c.splice);
	gn_node_free(c.relay);
	c.relay = NULL;
	c.splice = NULL;
	circuit_run(&c, 2000);
	assert_int_equal(c.done, 0);
	assert_int_not_equal(c.dead, 0);
	circuit_fini(&c);
}

static void what_came_before_an_end_arrives_though_the_channel_fails_later(void **state)
{
	struct circuit c;

	(void)state;
	circuit_init(&c, "/hold");
	c.to_send = 100000;
	client_dial(&c);
	/* The client has ended its side, and resets the channel before the relay has sent all bytes. */
	c.cfg.rate = 20000;
	circuit_run(&c, 500);
	assert_non_null(c.splice);
	gn_channel_reset(c.ch);
	circuit_run(&c, 20000);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.err, GN_ERESET);
	assert_int_equal(c.to_target, 100000);
	circuit_fini(&c);
}

static void wrong_arguments_are_refused(void **state)
{
	struct circuit c;
	struct gn_splice_cfg cfg = {0};
	struct gn_splice *s;

	(void)state;
	circuit_init(&c, "/hold");
	c.ends = false;
	client_dial(&c);
	circuit_run(&c, 1000);
	assert_int_equal(gn_splice_start(c.ch, c.ch, &cfg, &s), -EINVAL);
	gn_splice_cancel(NULL);
	gn_splice_cancel(c.splice);
	c.splice = NULL;
	circuit_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_ends_pass_both_ways),
		cmocka_unit_test(an_end_without_bytes_passes),
		cmocka_unit_test(the_windows_do_not_grow),
		cmocka_unit_test(a_slow_target_holds_back_the_sender),
		cmocka_unit_test(a_reset_by_the_client_reaches_the_target),
		cmocka_unit_test(a_reset_by_the_target_reaches_the_client),
		cmocka_unit_test(a_protocol_that_the_target_lacks_is_a_reset),
		cmocka_unit_test(max_bytes_may_pass_and_no_more),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(the_time_limit_ends_it),
		cmocka_unit_test(two_streams_of_one_connection_are_joined),
		cmocka_unit_test(the_relay_may_be_freed_while_bytes_flow),
		cmocka_unit_test(what_came_before_an_end_arrives_though_the_channel_fails_later),
		cmocka_unit_test(wrong_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
