/* SPDX-License-Identifier: MIT */
/* lib/protocols/ping: two nodes in one process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/support.h"
#include "protocols/ping.h"

struct fix {
	struct net w;
	struct gn_ping *op;
	unsigned rtts;
	int done, err;
	bool cancels;
	gn_time rtt, at[16];
};

static void on_rtt(void *arg, unsigned seq, gn_time rtt)
{
	struct fix *f = arg;

	assert_int_equal(seq, f->rtts);
	assert_int_equal(f->done, 0);
	if (f->rtts < 16)
		f->at[f->rtts] = gn_loop_now(f->w.loop);
	f->rtts++;
	f->rtt = rtt;
	if (f->cancels)
		gn_ping_cancel(f->op);
}

static void on_done(void *arg, int err)
{
	struct fix *f = arg;

	f->done++;
	f->err = err;
}

static int set_up(void **state)
{
	struct gn_mem_cfg mem = {.seed = 1, .delay = 5 * GN_MSEC};
	struct fix *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	net_init(&f->w, 2, NULL);
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

static int start(struct fix *f, struct gn_ping_cfg *cfg)
{
	const struct gn_multiaddr *addrs[] = {f->w.addr[1]};

	f->rtts = 0;
	f->done = f->err = 0;
	cfg->target.addrs = addrs;
	cfg->target.n_addrs = 1;
	cfg->on_rtt = on_rtt;
	cfg->on_done = on_done;
	cfg->arg = f;
	return gn_ping_start(f->w.node[0], cfg, &f->op);
}

static void three_pings_are_answered(void **state)
{
	struct fix *f = *state;
	struct gn_ping_cfg cfg = {.count = 3};

	assert_int_equal(start(f, &cfg), 0);
	assert_int_equal(f->rtts + (unsigned)f->done, 0);
	net_run(&f->w, 5 * GN_SEC);
	assert_int_equal(f->rtts, 3);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, 0);
	assert_true(f->rtt == 10 * GN_MSEC);
	assert_true(f->at[1] - f->at[0] == GN_SEC && f->at[2] - f->at[1] == GN_SEC);
	/* No stream is left. */
	assert_int_equal(net_conn(&f->w, 0, 0)->session->streams, 0);
	assert_int_equal(net_conn(&f->w, 1, 0)->session->streams, 0);
}

static void pings_keep_their_interval(void **state)
{
	struct fix *f = *state;
	struct gn_ping_cfg cfg = {.count = 10, .interval = GN_MSEC};

	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, GN_SEC);
	assert_int_equal(f->rtts, 10);
	assert_int_equal(f->err, 0);
	assert_true(f->at[1] - f->at[0] == 10 * GN_MSEC); /* pings do not overlap */
}

/* The peer resets an idle stream; the next ping opens a new one. */
static void a_new_stream_follows_one_that_was_closed(void **state)
{
	struct fix *f = *state;
	struct gn_ping_cfg cfg = {.count = 3, .interval = (GN_PING_SILENCE + 5) * GN_SEC};

	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, GN_SEC);
	assert_int_equal(f->rtts, 1);
	assert_int_equal(net_conn(&f->w, 1, 0)->scope.streams, 1);
	net_run(&f->w, (GN_PING_SILENCE + 1) * GN_SEC);
	assert_int_equal(net_conn(&f->w, 1, 0)->scope.streams, 0);
	assert_int_equal(f->done, 0);
	net_run(&f->w, 100 * GN_SEC);
	assert_int_equal(f->rtts, 3);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, 0);
}

static void an_operation_may_be_cancelled_at_any_time(void **state)
{
	struct fix *f = *state;
	struct gn_ping_cfg cfg = {.count = 0};

	for (int i = 0; i < 40; i++) { /* cancel in every stage of the operation */
		assert_int_equal(start(f, &cfg), 0);
		net_run(&f->w, i * GN_MSEC);
		gn_ping_cancel(f->op);
		net_run(&f->w, GN_SEC);
		assert_int_equal(f->done, 0);
		assert_true(f->rtts <= 1);
	}
	f->cancels = true; /* cancel from inside the callback */
	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, 5 * GN_SEC);
	assert_int_equal(f->rtts, 1);
	assert_int_equal(f->done, 0);
	cfg.count = 1;
	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, 5 * GN_SEC);
	assert_int_equal(f->rtts, 1);
	assert_int_equal(f->done, 0);
}

static void a_lost_peer_fails_the_operation(void **state)
{
	struct fix *f = *state;
	struct gn_ping_cfg cfg = {.count = 0, .limit = 2 * GN_SEC};

	/* The connection is cut during a ping. */
	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, 1500 * GN_MSEC);
	assert_int_equal(f->rtts, 2);
	gn_mem_cut_all(f->w.loop);
	net_run(&f->w, 5 * GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ERESET);

	/* The peer does not answer. */
	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, 500 * GN_MSEC);
	assert_int_equal(f->rtts, 1);
	gn_mem_stall(f->w.loop, 0, true, 60 * GN_SEC);
	net_run(&f->w, 5 * GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ETIMEOUT);

	/* The peer does not listen. */
	gn_mem_cut_all(f->w.loop);
	net_run(&f->w, GN_SEC);
	gn_node_unlisten(f->w.node[1]);
	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, -ECONNREFUSED);
}

static void a_peer_without_ping_is_reported(void **state)
{
	struct fix *f = *state;
	struct gn_ping_cfg cfg = {.count = 2};

	assert_int_equal(gn_protocol_del(f->w.node[1], GN_PING_ID), 0);
	assert_int_equal(start(f, &cfg), 0);
	net_run(&f->w, GN_SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err, GN_ENOPROTO);
}

/* ---- the service, with streams that the test reads and writes ---- */

struct hand {
	struct gn_channel *ch[4];
	size_t n, got[4];
	bool eof[4], dead[4];
};

static struct hand hand;

static void on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	size_t i = (size_t)((struct gn_channel **)arg - hand.ch);
	uint8_t buf[100];
	ptrdiff_t n;

	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0) {
		for (ptrdiff_t k = 0; k < n; k++)
			assert_int_equal(buf[k], (uint8_t)(hand.got[i] + (size_t)k));
		hand.got[i] += (size_t)n;
	}
	if (n == GN_EOF)
		hand.eof[i] = true;
	if (events & GN_DEAD)
		hand.dead[i] = true;
}

static void on_dialed(void *arg, int err, struct gn_channel *ch)
{
	struct gn_channel **at = arg;

	assert_int_equal(err, 0);
	*at = ch;
	gn_channel_on_event(ch, on_event, at);
}

static void open_by_hand(struct fix *f)
{
	const struct gn_multiaddr *addrs[] = {f->w.addr[1]};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = GN_PING_ID,
				  .kind = GN_BYTES,
				  .on_done = on_dialed};
	struct gn_dial *op;

	cfg.arg = &hand.ch[hand.n++];
	assert_int_equal(gn_dial_start(f->w.node[0], &cfg, &op), 0);
	net_run(&f->w, 200 * GN_MSEC);
}

static void write_by_hand(struct fix *f, size_t i, size_t from, size_t n)
{
	uint8_t buf[100];

	for (size_t k = 0; k < n; k++)
		buf[k] = (uint8_t)(from + k);
	assert_int_equal(gn_channel_write(hand.ch[i], buf, n), (ptrdiff_t)n);
	net_run(&f->w, 200 * GN_MSEC);
}

static void the_service_echoes_in_any_pieces(void **state)
{
	struct fix *f = *state;

	memset(&hand, 0, sizeof hand);
	open_by_hand(f);
	write_by_hand(f, 0, 0, 10); /* the service echoes units of 32 bytes, whatever the pieces are */
	assert_int_equal(hand.got[0], 0);
	write_by_hand(f, 0, 10, 22);
	assert_int_equal(hand.got[0], 32);
	write_by_hand(f, 0, 32, 70);
	assert_int_equal(hand.got[0], 96);
	write_by_hand(f, 0, 102, 26);
	assert_int_equal(hand.got[0], 128);
	assert_int_equal(gn_channel_end(hand.ch[0]), 0);
	net_run(&f->w, 200 * GN_MSEC);
	assert_true(hand.eof[0] && !hand.dead[0]);
	gn_channel_free(hand.ch[0]);

	/* The stream ends inside a ping. */
	open_by_hand(f);
	write_by_hand(f, 1, 0, 33);
	assert_int_equal(gn_channel_end(hand.ch[1]), 0);
	net_run(&f->w, 200 * GN_MSEC);
	assert_true(hand.dead[1] && !hand.eof[1]);
	gn_channel_free(hand.ch[1]);
	net_run(&f->w, 200 * GN_MSEC);
	assert_int_equal(net_conn(&f->w, 1, 0)->scope.streams, 0);
	assert_int_equal(net_conn(&f->w, 1, 0)->session->streams, 0);
}

static void a_peer_has_two_streams_at_most(void **state)
{
	struct fix *f = *state;

	memset(&hand, 0, sizeof hand);
	for (int i = 0; i < 3; i++)
		open_by_hand(f);
	assert_false(hand.dead[0] || hand.dead[1]);
	assert_true(hand.dead[2]);
	write_by_hand(f, 1, 0, 32);
	assert_int_equal(hand.got[1], 32);
	gn_channel_free(hand.ch[0]);
	net_run(&f->w, 200 * GN_MSEC);
	open_by_hand(f); /* now that one stream has ended, another one is accepted */
	assert_false(hand.dead[3]);
	for (int i = 1; i < 4; i++)
		gn_channel_free(hand.ch[i]);
}

/* A peer that writes and never reads cannot write more than the windows allow, which bounds the memory
 * that is used. */
static void a_peer_that_does_not_read_is_bounded(void **state)
{
	struct fix *f = *state;
	static const uint8_t zeros[4096];
	size_t sent = 0;
	ptrdiff_t n;

	memset(&hand, 0, sizeof hand);
	open_by_hand(f);
	gn_channel_on_event(hand.ch[0], NULL, NULL);
	for (int i = 0; i < 1000; i++) {
		while ((n = gn_channel_write(hand.ch[0], zeros, sizeof zeros)) > 0)
			sent += (size_t)n;
		net_run(&f->w, 20 * GN_MSEC);
	}
	assert_in_range(sent, 512 * 1024, 4096 * 1024);
	gn_channel_free(hand.ch[0]);
}

static void a_node_may_be_freed_at_any_time(void **state)
{
	struct fix *f = *state;
	struct gn_ping_cfg cfg = {.count = 0};

	for (int i = 0; i < 60; i += 3) {
		assert_int_equal(start(f, &cfg), 0);
		net_run(&f->w, i * GN_MSEC);
		gn_node_free(f->w.node[i & 1]);
		net_run(&f->w, 20 * GN_SEC);
		assert_int_equal(f->done, i & 1);
		gn_node_free(f->w.node[!(i & 1)]);
		for (size_t k = 0; k < 2; k++) {
			gn_key_free(f->w.key[k]);
			gn_multiaddr_free(f->w.addr[k]);
			net_add(&f->w, k, NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(three_pings_are_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pings_keep_their_interval, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_stream_follows_one_that_was_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_operation_may_be_cancelled_at_any_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lost_peer_fails_the_operation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_without_ping_is_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_service_echoes_in_any_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_has_two_streams_at_most, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_that_does_not_read_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_node_may_be_freed_at_any_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
