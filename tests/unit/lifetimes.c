/* SPDX-License-Identifier: MIT */
/* The guarantees of gn.h on lifetimes: channels may be freed and reset inside their callbacks, dials may be
 * cancelled at any time, nodes may be closed and freed while everything is in use, and callbacks are called
 * exactly once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

static void a_channel_carries_all_bytes_both_ways(void **state)
{
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	channel_pair_dial(&s);
	channel_pair_run(&s, 3000);
	assert_int_equal(s.err, 0);
	assert_int_equal(s.dialer.got, CHANNEL_PAIR_BYTES);
	assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
	assert_int_equal(s.dialer.in, GN_EOF);
	assert_int_equal(s.server.in, GN_EOF);
	assert_true(s.dialer.seen & GN_OPENED && s.dialer.seen & GN_DRAINED && s.server.seen & GN_DRAINED);
	assert_int_equal(s.dialer.dead + s.server.dead, 0);
	assert_int_equal(gn_channel_error(s.dialer.ch), 0);
	channel_pair_fini(&s);
}

/* ---- free and reset inside callbacks ---- */

static void inside(unsigned event, bool at_server, bool is_free)
{
	struct channel_pair s;
	struct channel_end *e, *other;

	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	e = at_server ? &s.server : &s.dialer;
	other = at_server ? &s.dialer : &s.server;
	if (is_free)
		e->free_on = event;
	else
		e->reset_on = event;
	if (event == GN_DEAD) /* the peer resets the channel */
		other->reset_on = GN_CAN_READ;
	channel_pair_dial(&s);
	channel_pair_run(&s, 3000);
	assert_int_equal(s.done, 1);
	assert_int_equal(s.err, 0);
	if (event == GN_OPENED && at_server) { /* an inbound channel is open from the start */
		assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
	} else {
		assert_true(e->seen & event);
		assert_true(is_free ? e->is_freed : e->is_reset);
		/* The peer is informed, unless its channel had ended already. */
		if (event != GN_DEAD)
			assert_true(other->dead == 1 || other->in == GN_EOF);
		/* All bytes arrive before an end of stream. */
		if (other->in == GN_EOF)
			assert_int_equal(other->got, CHANNEL_PAIR_BYTES);
	}
	assert_true(s.dialer.dead <= 1 && s.server.dead <= 1);
	channel_pair_fini(&s);
}

static void a_channel_may_be_freed_at_any_event(void **state)
{
	(void)state;
	for (unsigned event = GN_CAN_READ; event <= GN_DEAD; event <<= 1)
		for (int i = 0; i < 2; i++)
			inside(event, i, true);
}

static void a_channel_may_be_reset_at_any_event(void **state)
{
	(void)state;
	for (unsigned event = GN_CAN_READ; event <= GN_DEAD; event <<= 1)
		for (int i = 0; i < 2; i++)
			inside(event, i, false);
}

static void a_channel_may_be_freed_when_it_opens(void **state)
{
	(void)state;
	for (int i = 1; i < 4; i++) {
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		s.frees_in_done = i & 1;
		s.frees_in_open = i & 2;
		channel_pair_dial(&s);
		channel_pair_run(&s, 3000);
		assert_int_equal(s.done, 1);
		if (i == 1) /* the event did not occur, or the channel was reset at once */
			assert_true(s.opened == 0 || s.server.dead == 1);
		if (i == 2) {
			assert_int_equal(s.opened, 1);
			assert_int_equal(s.dialer.dead, 1);
		}
		channel_pair_fini(&s);
	}
}

/* Without a callback no event is delivered; a callback that is set later gets the pending events. */
static void a_late_listener_gets_the_events_that_it_missed(void **state)
{
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	channel_pair_dial(&s);
	TEST_NODE_UNTIL(&s.t, s.opened == 1, GN_SEC);
	gn_channel_on_event(s.server.ch, NULL, NULL);
	s.server.count = 0;
	channel_pair_run(&s, 2000);
	assert_int_equal(s.server.count, 0);
	gn_channel_reset(s.dialer.ch);
	channel_pair_run(&s, 100);
	gn_channel_on_event(s.server.ch, channel_end_on_event, &s.server);
	channel_pair_run(&s, 100);
	assert_int_equal(s.server.dead, 1);
	channel_pair_fini(&s);
}

/* ---- dialing ---- */

static void a_dial_may_be_cancelled_at_any_time(void **state)
{
	unsigned open = 0;

	(void)state;
	for (unsigned ms = 0; ms < 60; ms++) {
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		channel_pair_dial(&s);
		channel_pair_run(&s, ms);
		if (s.op != NULL) {
			assert_int_equal(s.done, 0);
			gn_dial_cancel(s.op);
			channel_pair_run(&s, 5000);
			assert_int_equal(s.done, 0);
			assert_int_equal(s.client->n_channels, 0);
			assert_int_equal(s.opened, 0);
		} else {
			open++;
		}
		channel_pair_fini(&s);
	}
	assert_true(open > 10 && open < 60);
}

static void cancel_in_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct channel_pair *s = arg;

	(void)addr;
	(void)err;
	(void)took;
	assert_non_null(s->op);
	gn_dial_cancel(s->op);
	s->op = NULL;
}

static void a_dial_may_be_cancelled_inside_on_attempt(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		const struct gn_multiaddr *addrs[2];
		struct gn_multiaddr *nobody;
		struct gn_dial_cfg cfg = {.target.addrs = addrs,
					  .protocol = "/pair",
					  .target.on_attempt = cancel_in_attempt,
					  .on_done = channel_pair_on_done};
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		assert_int_equal(gn_multiaddr_parse(i < 2 ? "/memory/12345" : "/ip4/1.2.3.4/udp/5", &nobody, NULL), 0);
		cfg.arg = &s;
		addrs[0] = i == 0 ? s.t.addr : nobody;
		addrs[1] = i == 1 ? s.t.addr : nobody;
		cfg.target.n_addrs = i == 2 ? 1 : 2;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		channel_pair_run(&s, 3000);
		assert_null(s.op);
		assert_int_equal(s.done, 0);
		gn_multiaddr_free(nobody);
		channel_pair_fini(&s);
	}
}

static void close_in_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct channel_pair *s = arg;

	(void)addr;
	(void)err;
	(void)took;
	gn_node_close(s->client, GN_SEC, NULL, NULL);
}

static void a_node_may_be_closed_inside_on_attempt(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct gn_multiaddr *addrs[2];
		struct gn_multiaddr *nobody;
		struct gn_dial_cfg cfg = {.target.addrs = addrs,
					  .target.n_addrs = 2,
					  .protocol = "/pair",
					  .target.on_attempt = close_in_attempt,
					  .on_done = channel_pair_on_done};
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		assert_int_equal(gn_multiaddr_parse("/memory/12345", &nobody, NULL), 0);
		cfg.arg = &s;
		addrs[i] = nobody;
		addrs[1 - i] = s.t.addr;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		channel_pair_run(&s, 3000);
		assert_int_equal(s.done, 1);
		assert_int_equal(s.err, GN_ECLOSED);
		gn_multiaddr_free(nobody);
		channel_pair_fini(&s);
	}
}

/* The dials succeed, or fail because of a missing listener, transport or protocol, or another peer ID. */
static void a_dial_ends_exactly_once(void **state)
{
	static const char *const at[] = {"/memory/7", "/memory/99", "/ip4/1.2.3.4/udp/5",
					 "/memory/7/p2p/12D3KooWDMCQbZZvLgHiHntG1KwcHoqHPAxL37KvhgibWqFtpqUY"};
	static const int want[] = {0, -ECONNREFUSED, GN_ENOTRANS, GN_EPEERID};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct gn_multiaddr *addr;
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg cfg = {.target.addrs = addrs,
					  .target.n_addrs = 1,
					  .protocol = "/nobody/has/it",
					  .on_done = channel_pair_on_done};
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		assert_int_equal(gn_multiaddr_parse(at[i], &addr, NULL), 0);
		addrs[0] = addr;
		cfg.arg = &s;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		assert_int_equal(s.done, 0);
		gn_multiaddr_free(addr);
		channel_pair_run(&s, 30000);
		assert_int_equal(s.done, 1);
		assert_int_equal(s.err, want[i]);
		if (i == 0) {
			assert_int_equal(s.dialer.dead, 1);
			assert_int_equal(gn_channel_error(s.dialer.ch), GN_ENOPROTO);
		}
		channel_pair_fini(&s);
	}
}

static void took_link(void *arg, struct gn_link *taken)
{
	*(struct gn_link **)arg = taken;
}

/* The peer completes the Noise handshake and drops the link at once. */
static void a_peer_that_leaves_after_the_handshake_fails_the_dial(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		static const char hello[] = RAW_PEER_SELECT RAW_PEER_NOISE;
		struct gn_link_listen_cfg cfg;
		struct gn_link_listener *l;
		struct gn_link *link = NULL;
		struct gn_multiaddr *at, *bound;
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg dial = {.target.addrs = addrs,
					   .target.n_addrs = 1,
					   .protocol = "/pair",
					   .on_done = channel_pair_on_done};
		static const char *const muxers[] = {"/yamux/1.0.0"};
		uint8_t payload[4096], msg[4200];
		struct noise_peer noise;
		struct wire in = {0};
		struct iovec v;
		struct channel_pair s;
		size_t n;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		noise_peer_init(&noise, false, 3);
		cfg = (struct gn_link_listen_cfg){.loop = s.t.loop, .on_link = took_link, .arg = &link};
		assert_int_equal(gn_multiaddr_parse("/memory/55", &at, NULL), 0);
		cfg.addr = at;
		assert_int_equal(gn_transport_mem.listen(NULL, &cfg, &l, &bound), 0);
		addrs[0] = at;
		dial.arg = &s;
		assert_int_equal(gn_dial_start(s.client, &dial, &s.op), 0);
		channel_pair_run(&s, 4 * CHANNEL_PAIR_DELAY);
		assert_non_null(link);
		for (ptrdiff_t r; (r = link->ops->read(link, msg, sizeof msg)) > 0;)
			wire_put(&in, msg, (size_t)r);
		wire_skip(&in, 28);
		noise_peer_read(&noise, 1, &in);
		v = (struct iovec){(void *)(uintptr_t)hello, 28};
		assert_int_equal(link->ops->write(link, &v, 1), 28);
		n = noise_peer_payload(&noise, muxers, (size_t)how, payload);
		v = (struct iovec){msg, noise_peer_write(&noise, 2, payload, n, msg)};
		assert_int_equal(link->ops->write(link, &v, 1), v.iov_len);
		link->ops->end(link);
		channel_pair_run(&s, 3000);
		assert_int_equal(s.done, 1);
		assert_true(s.err != 0 || s.dialer.dead == 1);
		link->ops->abort(link);
		gn_transport_mem.close(l);
		gn_multiaddr_free(at);
		gn_multiaddr_free(bound);
		noise_peer_fini(&noise);
		wire_fini(&in);
		channel_pair_fini(&s);
	}
}

/* ---- closing and freeing nodes ---- */

struct closed {
	unsigned times;
	gn_time when;
	struct gn_loop *loop;
};

static void on_closed(void *arg)
{
	struct closed *c = arg;

	c->times++;
	c->when = gn_loop_now(c->loop);
}

static void closing_an_idle_node_is_immediate(void **state)
{
	struct closed c = {0};
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, 0);
	c.loop = s.t.loop;
	assert_int_equal(gn_node_close(s.client, GN_SEC, on_closed, &c), 0);
	assert_int_equal(c.times, 0);
	assert_int_equal(gn_node_close(s.client, GN_SEC, on_closed, &c), GN_ECLOSED);
	channel_pair_run(&s, 5000);
	assert_int_equal(c.times, 1);
	channel_pair_fini(&s);
}

/* A stream that does not end delays closing until exactly the limit. */
static void closing_waits_for_streams_up_to_the_limit(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) { /* at the dialer, at the listener */
		struct closed c = {0};
		struct channel_pair s;
		struct channel_end *e;
		gn_time begin;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		s.server.writes = false;
		channel_pair_dial(&s);
		channel_pair_run(&s, 1000);
		assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
		c.loop = s.t.loop;
		begin = gn_loop_now(s.t.loop);
		assert_int_equal(gn_node_close(i ? s.t.node : s.client, 2 * GN_SEC, on_closed, &c), 0);
		channel_pair_run(&s, 1900);
		assert_int_equal(c.times, 0);
		assert_int_equal(s.dialer.dead + s.server.dead, 0);
		channel_pair_run(&s, 1000);
		assert_int_equal(c.times, 1);
		assert_int_equal(c.when - begin, 2 * GN_SEC);
		e = i ? &s.server : &s.dialer;
		assert_int_equal(e->dead, 1);
		assert_int_equal(gn_channel_error(e->ch), GN_ECLOSED);
		channel_pair_run(&s, 1000);
		assert_int_equal(s.dialer.dead + s.server.dead, 2);
		assert_int_equal(c.times, 1);
		gn_channel_free(s.dialer.ch);
		gn_channel_free(s.server.ch);
		gn_node_free(s.client);
		gn_key_free(s.key);
		test_node_quiet(&s.t);
		test_node_fini(&s.t);
	}
}

/* Streams that end in time deliver all bytes, and closing completes before the limit. */
static void closing_lets_streams_end(void **state)
{
	struct closed c = {0};
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	channel_pair_dial(&s);
	channel_pair_run(&s, 6 * CHANNEL_PAIR_DELAY); /* bytes are in transit */
	c.loop = s.t.loop;
	assert_int_equal(gn_node_close(s.client, 60 * GN_SEC, on_closed, &c), 0);
	TEST_NODE_UNTIL(&s.t, s.dialer.in == GN_EOF && s.server.in == GN_EOF, 10 * GN_SEC);
	assert_int_equal(s.dialer.got, CHANNEL_PAIR_BYTES);
	assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
	assert_int_equal(c.times, 0); /* the channels are still held */
	gn_channel_free(s.dialer.ch);
	gn_channel_free(s.server.ch);
	s.dialer.ch = s.server.ch = NULL;
	TEST_NODE_UNTIL(&s.t, c.times == 1, 5 * GN_SEC);
	assert_int_equal(s.client->n_conns, 0);
	channel_pair_fini(&s);
}

/* All bytes that were written before a channel was ended and freed arrive, although the path (1 KiB each 100
 * ms) takes five times as long as the time limit of closing. */
static void closing_waits_while_a_slow_path_makes_progress(void **state)
{
	enum { SIZE = 100000 };
	struct gn_mem_cfg path = {.seed = 1, .delay = 100 * GN_MSEC, .buffer = 1024};
	struct closed c = {0};
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, 0);
	assert_int_equal(gn_mem_set(s.t.loop, &path), 0);
	s.dialer.writes = s.server.writes = false;
	channel_pair_dial(&s);
	TEST_NODE_UNTIL(&s.t, s.dialer.seen & GN_OPENED, 10 * GN_SEC);
	assert_int_equal(gn_channel_end(s.server.ch), 0);
	TEST_NODE_UNTIL(&s.t, s.dialer.in == GN_EOF, 10 * GN_SEC);
	for (size_t i = 0; i < SIZE; i++)
		assert_int_equal(gn_channel_write(s.dialer.ch, &(uint8_t){channel_pair_byte(i)}, 1), 1);
	assert_int_equal(gn_channel_end(s.dialer.ch), 0);
	gn_channel_free(s.dialer.ch);
	s.dialer.ch = NULL;
	c.loop = s.t.loop;
	assert_int_equal(gn_node_close(s.client, 2 * GN_SEC, on_closed, &c), 0);
	channel_pair_run(&s, 5000);
	assert_int_equal(c.times, 0);
	assert_int_equal(s.server.in, 0);
	TEST_NODE_UNTIL(&s.t, c.times == 1, 60 * GN_SEC);
	assert_int_equal(s.server.got, SIZE);
	assert_int_equal(s.server.in, GN_EOF);
	channel_pair_fini(&s);
}

/* A node that closes refuses new dials and fails each running one once. */
static void closing_fails_the_dials(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 8 * CHANNEL_PAIR_DELAY; ms++) {
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg cfg = {.target.addrs = addrs,
					  .target.n_addrs = 1,
					  .protocol = "/pair",
					  .on_done = channel_pair_on_done};
		struct closed c = {0};
		struct gn_dial *op;
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		channel_pair_dial(&s);
		channel_pair_run(&s, ms);
		c.loop = s.t.loop;
		assert_int_equal(gn_node_close(s.client, 5 * GN_SEC, on_closed, &c), 0);
		addrs[0] = s.t.addr;
		assert_int_equal(gn_dial_start(s.client, &cfg, &op), GN_ECLOSED);
		channel_pair_run(&s, 3000);
		assert_int_equal(s.done, 1);
		if (s.err != 0) {
			assert_int_equal(s.err, GN_ECLOSED);
			assert_int_equal(c.times, 1);
		}
		channel_pair_fini(&s);
		assert_int_equal(c.times, 1);
	}
}

static void on_ping_done(void *arg, int err)
{
	(void)err;
	++*(unsigned *)arg;
}

static void on_identified(void *arg, int err, const struct gn_identify_info *info)
{
	(void)err;
	(void)info;
	++*(unsigned *)arg;
}

/* The node is freed at each millisecond with channels, dials, pings and listeners: no callback follows,
 * nothing leaks. */
static void a_node_may_be_freed_with_everything_in_use(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 80; ms++) {
		unsigned n_done = 0, before;
		const struct gn_multiaddr *addrs[1];
		struct gn_ping_cfg ping = {.target = {.addrs = addrs, .n_addrs = 1},
					   .on_done = on_ping_done,
					   .arg = &n_done};
		struct gn_identify_cfg ident = {.target = {.addrs = addrs, .n_addrs = 1},
						.on_done = on_identified,
						.arg = &n_done};
		struct gn_identify *id_op;
		struct gn_ping *ping_op;
		struct gn_multiaddr *bound;
		struct channel_pair s;
		unsigned done, opened, events;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		addrs[0] = s.t.addr;
		bound = test_node_listen(s.client, "/memory/31");
		gn_multiaddr_free(bound);
		channel_pair_dial(&s);
		assert_int_equal(gn_ping_start(s.client, &ping, &ping_op), 0);
		assert_int_equal(gn_identify_start(s.client, &ident, &id_op), 0);
		channel_pair_run(&s, ms);
		before = n_done;
		done = s.done;
		opened = s.opened;
		events = s.dialer.count;
		if (ms % 2) {
			gn_node_free(s.client);
			s.dialer.ch = NULL;
			channel_pair_run(&s, 5000);
			assert_true(s.server.ch == NULL || s.server.dead == 1 || s.server.in == GN_EOF);
			if (s.server.ch != NULL)
				gn_channel_free(s.server.ch);
			test_node_quiet(&s.t);
			test_node_fini(&s.t);
		} else { /* the listening node is freed */
			struct gn_loop *loop = s.t.loop;

			s.t.loop = NULL;
			gn_node_free(s.t.node);
			gn_node_free(s.client);
			gn_key_free(s.t.key);
			gn_multiaddr_free(s.t.addr);
			while (gn_loop_turn(loop, GN_SEC) != GN_EAGAIN)
				;
			gn_loop_free(loop);
			assert_int_equal(s.opened, opened);
		}
		assert_int_equal(n_done, before);
		assert_int_equal(s.done, done);
		assert_int_equal(s.dialer.count, events);
		gn_key_free(s.key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_carries_all_bytes_both_ways),
		cmocka_unit_test(a_channel_may_be_freed_at_any_event),
		cmocka_unit_test(a_channel_may_be_reset_at_any_event),
		cmocka_unit_test(a_channel_may_be_freed_when_it_opens),
		cmocka_unit_test(a_late_listener_gets_the_events_that_it_missed),
		cmocka_unit_test(a_dial_may_be_cancelled_at_any_time),
		cmocka_unit_test(a_dial_may_be_cancelled_inside_on_attempt),
		cmocka_unit_test(a_node_may_be_closed_inside_on_attempt),
		cmocka_unit_test(a_dial_ends_exactly_once),
		cmocka_unit_test(a_peer_that_leaves_after_the_handshake_fails_the_dial),
		cmocka_unit_test(closing_an_idle_node_is_immediate),
		cmocka_unit_test(closing_waits_for_streams_up_to_the_limit),
		cmocka_unit_test(closing_lets_streams_end),
		cmocka_unit_test(closing_waits_while_a_slow_path_makes_progress),
		cmocka_unit_test(closing_fails_the_dials),
		cmocka_unit_test(a_node_may_be_freed_with_everything_in_use),
	};

	REQUIRE(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
