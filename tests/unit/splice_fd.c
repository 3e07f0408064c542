/* SPDX-License-Identifier: MIT */
/* gn_splice_fds(): a channel joined to pipes or a socket, over TCP on the loopback. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/support.h"

struct joined {
	struct test_node t; /* the peer */
	struct gn_key *key;
	struct gn_node *node;
	struct gn_splice_cfg cfg;
	int in, out;  /* the descriptors that the splice uses */
	int to, from; /* the other ends of `in` and `out` */
	struct gn_splice *splice;
	unsigned done;
	int err;
	uint64_t to_fd, to_channel;
	size_t to_send, sent, got;
	bool has_eof;
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 17 + i / 257);
}

static void set_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static void on_spliced(void *arg, int err, uint64_t a_to_b, uint64_t b_to_a)
{
	struct joined *j = arg;

	j->done++;
	j->err = err;
	j->to_fd = a_to_b;
	j->to_channel = b_to_a;
	j->splice = NULL;
}

static void on_dialled(void *arg, int err, struct gn_channel *ch)
{
	struct joined *j = arg;

	assert_int_equal(err, 0);
	j->cfg.on_done = on_spliced;
	j->cfg.arg = j;
	assert_int_equal(gn_splice_fds(ch, j->in, j->out, &j->cfg, &j->splice), 0);
}

static void joined_init(struct joined *j, const char *protocol, bool is_socket)
{
	struct gn_dial_cfg cfg = {.target.n_addrs = 1, .protocol = protocol, .on_done = on_dialled, .arg = j};
	struct gn_limits lim;
	struct gn_dial *op;
	int a[2], b[2];

	memset(j, 0, sizeof *j);
	test_node_init(&j->t, false, NULL);
	gn_limits_init(&lim);
	j->key = test_node_key(6);
	j->node = test_node_node(j->t.loop, j->key, &lim);
	if (is_socket) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
		j->in = j->out = a[0];
		j->to = j->from = a[1];
	} else {
		assert_int_equal(pipe(a), 0);
		assert_int_equal(pipe(b), 0);
		j->in = a[0];
		j->to = a[1];
		j->from = b[0];
		j->out = b[1];
	}
	set_nonblocking(j->in);
	set_nonblocking(j->out);
	set_nonblocking(j->to);
	set_nonblocking(j->from);
	cfg.target.addrs = (const struct gn_multiaddr *const *)&j->t.addr;
	assert_int_equal(gn_dial_start(j->node, &cfg, &op), 0);
}

static void end_sending(struct joined *j)
{
	if (j->to == j->from)
		assert_int_equal(shutdown(j->to, SHUT_WR), 0);
	else if (j->to >= 0)
		assert_int_equal(close(j->to), 0);
	if (j->to != j->from)
		j->to = -1;
}

/* Writes and reads at the other ends, until the splice is done and no more bytes arrive. */
static void joined_run(struct joined *j, bool ends)
{
	gn_time until = gn_loop_now(j->t.loop) + 20 * GN_SEC;
	uint8_t buf[9000];
	bool is_ended = false;
	ptrdiff_t n;

	while (gn_loop_now(j->t.loop) < until && !(j->done > 0 && j->has_eof)) {
		while (j->sent < j->to_send) {
			size_t len = j->to_send - j->sent < sizeof buf ? j->to_send - j->sent : sizeof buf;

			for (size_t i = 0; i < len; i++)
				buf[i] = byte_at(j->sent + i);
			n = write(j->to, buf, len);
			if (n <= 0)
				break;
			j->sent += (size_t)n;
		}
		if (j->sent == j->to_send && ends && !is_ended) {
			is_ended = true;
			end_sending(j);
		}
		while ((n = read(j->from, buf, sizeof buf)) > 0)
			for (ptrdiff_t i = 0; i < n; i++)
				assert_int_equal(buf[i], byte_at(j->got++));
		if (n == 0)
			j->has_eof = true;
		(void)gn_loop_turn(j->t.loop, 5 * GN_MSEC);
	}
	assert_int_equal(j->done, 1);
	assert_true(j->has_eof);
}

static void joined_fini(struct joined *j)
{
	if (j->to >= 0 && j->to != j->from)
		(void)close(j->to);
	(void)close(j->from);
	gn_node_free(j->node);
	gn_key_free(j->key);
	test_node_quiet(&j->t);
	test_node_fini(&j->t);
}

static void echo(bool is_socket)
{
	struct joined j;

	joined_init(&j, "/echo", is_socket);
	j.to_send = 3000000;
	joined_run(&j, true);
	assert_int_equal(j.err, 0);
	assert_int_equal(j.got, 3000000);
	assert_int_equal(j.to_channel, 3000000);
	assert_int_equal(j.to_fd, 3000000);
	joined_fini(&j);
}

static void a_socket_is_joined_to_a_channel(void **state)
{
	(void)state;
	echo(true);
}

static void two_pipes_are_joined_to_a_channel(void **state)
{
	(void)state;
	echo(false);
}

static void a_reset_by_the_peer_closes_the_descriptors(void **state)
{
	struct joined j;

	(void)state;
	joined_init(&j, "/hold", false);
	j.to_send = 1000;
	TEST_NODE_UNTIL(&j.t, j.t.n_held == 1, 5 * GN_SEC);
	test_node_drop(&j.t, j.t.held[0]);
	joined_run(&j, false);
	assert_int_equal(j.err, GN_ERESET);
	assert_int_equal(j.got, 0);
	joined_fini(&j);
}

static void a_reader_that_is_gone_is_a_reset_for_the_peer(void **state)
{
	struct joined j;

	(void)state;
	joined_init(&j, "/flood", false);
	TEST_NODE_UNTIL(&j.t, j.t.n_held == 1, 5 * GN_SEC);
	assert_int_equal(close(j.from), 0);
	TEST_NODE_UNTIL(&j.t, j.done == 1, 5 * GN_SEC);
	assert_int_equal(j.err, -EPIPE);
	TEST_NODE_UNTIL(&j.t, j.t.n_held == 0, 5 * GN_SEC);
	j.from = -1;
	joined_fini(&j);
}

static void a_reader_that_does_not_read_holds_back_the_peer(void **state)
{
	struct joined j;
	uint64_t to_fd, to_channel, before;

	(void)state;
	joined_init(&j, "/flood", false);
	TEST_NODE_UNTIL(&j.t, j.t.n_held == 1, 5 * GN_SEC);
	test_node_run(&j.t, GN_SEC / 2);
	gn_splice_count(j.splice, &before, &to_channel);
	assert_true(before > 0);
	assert_true(before <= 65536); /* the capacity of the pipe */
	test_node_run(&j.t, GN_SEC / 5);
	gn_splice_count(j.splice, &to_fd, &to_channel);
	assert_int_equal(to_fd, before);
	gn_splice_cancel(j.splice);
	assert_int_equal(j.done, 0);
	joined_fini(&j);
}

static void max_bytes_may_pass_and_no_more(void **state)
{
	for (size_t over = 0; over < 2; over++) {
		struct joined j;

		joined_init(&j, "/echo", true);
		j.cfg.max_bytes = 100000;
		j.to_send = 100000 + over;
		joined_run(&j, true);
		assert_int_equal(j.err, over ? GN_ELIMIT : 0);
		assert_int_equal(j.to_channel, 100000);
		joined_fini(&j);
	}
	(void)state;
}

static void the_rate_is_kept(void **state)
{
	struct joined j;
	gn_time began;

	(void)state;
	joined_init(&j, "/echo", false);
	j.cfg.rate = 200000;
	j.to_send = 64 * 1024 + 100000; /* the burst and half a second's worth */
	began = gn_loop_now(j.t.loop);
	joined_run(&j, true);
	assert_int_equal(j.err, 0);
	assert_int_equal(j.got, 64 * 1024 + 100000);
	assert_true(gn_loop_now(j.t.loop) - began >= GN_SEC / 2);
	joined_fini(&j);
}

static void the_node_may_be_freed_before(void **state)
{
	struct joined j;
	uint8_t byte;

	(void)state;
	joined_init(&j, "/hold", true);
	TEST_NODE_UNTIL(&j.t, j.t.n_held == 1, 5 * GN_SEC);
	gn_node_free(j.node);
	j.node = NULL;
	assert_int_equal(j.done, 0);
	assert_int_equal(read(j.from, &byte, 1), 0);
	joined_fini(&j);
}

static void a_descriptor_that_blocks_is_refused(void **state)
{
	struct joined j;
	struct gn_splice *s;

	(void)state;
	joined_init(&j, "/hold", true);
	TEST_NODE_UNTIL(&j.t, j.splice != NULL && j.t.n_held == 1, 5 * GN_SEC);
	assert_int_equal(fcntl(j.from, F_SETFL, 0), 0);
	assert_int_equal(gn_splice_fds(j.t.held[0], j.from, j.from, &j.cfg, &s), -EINVAL);
	gn_splice_cancel(j.splice);
	joined_fini(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_is_joined_to_a_channel),
		cmocka_unit_test(two_pipes_are_joined_to_a_channel),
		cmocka_unit_test(a_reset_by_the_peer_closes_the_descriptors),
		cmocka_unit_test(a_reader_that_is_gone_is_a_reset_for_the_peer),
		cmocka_unit_test(a_reader_that_does_not_read_holds_back_the_peer),
		cmocka_unit_test(max_bytes_may_pass_and_no_more),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(the_node_may_be_freed_before),
		cmocka_unit_test(a_descriptor_that_blocks_is_refused),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
