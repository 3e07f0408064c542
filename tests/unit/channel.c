/* SPDX-License-Identifier: MIT */
/* Channels of gn.h: half-close, sources, frames of every size, state and metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

/* ---- half-close ---- */

static void each_direction_ends_by_itself(void **state)
{
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	s.server.writes = false;
	channel_pair_dial(&s);
	channel_pair_run(&s, 1000);
	assert_int_equal(s.server.in, GN_EOF);
	assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
	assert_true(s.dialer.seen & GN_DRAINED);
	/* This direction has ended; the other one is still open. */
	assert_int_equal(gn_channel_write(s.dialer.ch, "x", 1), GN_ECLOSED);
	assert_int_equal(s.dialer.in, 0);
	channel_end_write(&s.server);
	s.server.writes = true;
	channel_pair_run(&s, 1000);
	assert_int_equal(s.dialer.in, GN_EOF);
	assert_int_equal(s.dialer.got, CHANNEL_PAIR_BYTES);
	assert_int_equal(s.dialer.dead + s.server.dead, 0);
	/* A second read returns the end again. */
	assert_int_equal(gn_channel_read(s.dialer.ch, &(uint8_t){0}, 1), GN_EOF);
	assert_int_equal(gn_channel_error(s.dialer.ch), 0);
	channel_pair_fini(&s);
}

/* A channel that is freed after its end delivers what is queued; one that is freed before its end is
 * reset. */
static void freeing_after_the_end_sends_all_and_before_it_resets(void **state)
{
	(void)state;
	for (int ended = 0; ended < 2; ended++) {
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		s.dialer.writes = s.dialer.reads = false;
		channel_pair_dial(&s);
		TEST_NODE_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
		for (size_t i = 0; i < 100000; i++)
			assert_int_equal(gn_channel_write(s.dialer.ch, &(uint8_t){channel_pair_byte(i)}, 1), 1);
		if (ended)
			assert_int_equal(gn_channel_end(s.dialer.ch), 0);
		gn_channel_free(s.dialer.ch);
		s.dialer.ch = NULL;
		channel_pair_run(&s, 3000);
		if (ended) {
			assert_int_equal(s.server.got, 100000);
			assert_int_equal(s.server.in, GN_EOF);
		} else {
			assert_true(s.opened == 0 || s.server.dead == 1);
		}
		channel_pair_fini(&s);
	}
}

/* ---- acknowledgement ---- */

static void all_that_was_written_is_acknowledged(void **state)
{
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	s.server.writes = false;
	channel_pair_dial(&s);
	TEST_NODE_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
	assert_int_equal(gn_channel_sync(s.dialer.ch), 0);
	assert_true(gn_channel_pending(s.dialer.ch) > 0);
	TEST_NODE_UNTIL(&s.t, s.dialer.seen & GN_ACKED, 2 * GN_SEC);
	assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
	assert_int_equal(s.server.in, GN_EOF);
	assert_int_equal(gn_channel_pending(s.dialer.ch), 0);
	channel_pair_fini(&s);
}

/* A dialer that selects its protocol lazily sends its end of stream only after the peer's answer.  The
 * acknowledgement includes this end, whether the program called gn_channel_sync() before or after it ended
 * its side. */
static void the_acknowledgement_covers_an_end_that_waits_for_the_answer(void **state)
{
	(void)state;
	for (int before = 0; before < 2; before++) {
		struct channel_pair s;

		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		s.dialer.writes = s.server.writes = false;
		channel_pair_dial(&s);
		TEST_NODE_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
		assert_int_equal(gn_channel_write(s.dialer.ch, &(uint8_t){channel_pair_byte(0)}, 1), 1);
		if (before)
			assert_int_equal(gn_channel_sync(s.dialer.ch), 0);
		assert_int_equal(gn_channel_end(s.dialer.ch), 0);
		assert_int_equal(gn_channel_sync(s.dialer.ch), 0);
		TEST_NODE_UNTIL(&s.t, s.dialer.seen & GN_ACKED, GN_SEC);
		assert_true(s.dialer.seen & GN_DRAINED);
		assert_int_equal(s.server.got, 1);
		assert_int_equal(s.server.in, GN_EOF);
		channel_pair_fini(&s);
	}
}

/* The server reads nothing and ends its side; then the connection is lost.  The dialer's channel reports the
 * error, although both of its directions had ended, and gn_channel_pending() returns the number of
 * unacknowledged bytes. */
static void a_lost_connection_is_reported_in_place_of_the_acknowledgement(void **state)
{
	struct channel_pair s;
	struct gn_conn *c;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	s.server.writes = s.dialer.writes = false;
	channel_pair_dial(&s);
	TEST_NODE_UNTIL(&s.t, s.dialer.seen & GN_OPENED, GN_SEC);
	assert_int_equal(gn_channel_end(s.server.ch), 0);
	TEST_NODE_UNTIL(&s.t, s.dialer.in == GN_EOF, GN_SEC);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(gn_channel_write(s.dialer.ch, &(uint8_t){channel_pair_byte(i)}, 1), 1);
	assert_int_equal(gn_channel_end(s.dialer.ch), 0);
	assert_int_equal(gn_channel_sync(s.dialer.ch), 0);
	TEST_NODE_UNTIL(&s.t, s.dialer.seen & GN_DRAINED, GN_SEC);
	c = gn_list_first(&s.client->conns, struct gn_conn, link_node);
	gn_conn_abort(c, GN_ERESET);
	channel_pair_run(&s, 1);
	assert_int_equal(s.dialer.seen & GN_ACKED, 0);
	assert_int_equal(s.dialer.dead, 1);
	assert_int_equal(gn_channel_error(s.dialer.ch), GN_ERESET);
	assert_int_equal(gn_channel_pending(s.dialer.ch), 1000);
	channel_pair_fini(&s);
}

/* ---- sources ---- */

struct shown {
	uint8_t bytes[CHANNEL_PAIR_BYTES];
	size_t taken, size;
	bool is_gone;
};

static int shown_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct shown *sh = arg;
	size_t left = sh->size - sh->taken;
	int n = 0;

	assert_false(sh->is_gone);
	while (n < max && left > 0 && limit > 0) { /* pieces of at most 1000 bytes */
		size_t len = left < 1000 ? left : 1000;

		if (len > limit)
			len = limit;
		v[n].iov_base = sh->bytes + (sh->size - left);
		v[n++].iov_len = len;
		left -= len;
		limit -= len;
	}
	return n;
}

static void shown_skip(void *arg, size_t n)
{
	struct shown *sh = arg;

	assert_false(sh->is_gone);
	assert_true(n <= sh->size - sh->taken);
	memset(sh->bytes + sh->taken, 0xdd, n); /* the program may overwrite the bytes that were skipped */
	sh->taken += n;
}

static const struct gn_source shown_source = {shown_peek, shown_skip};

/* The channel is freed or reset after each number of milliseconds, with or without an end of stream before.
 * The peer receives all bytes and the end, or a reset; and the functions of the source are not called any
 * more. */
static void a_source_is_not_asked_after_the_channel_is_freed(void **state)
{
	static struct shown sh;

	(void)state;
	for (unsigned ms = 0; ms < 120; ms++) {
		bool ends = ms % 3 > 0, resets = ms % 2, taken_off = ms % 5 == 4;
		struct channel_pair s;

		memset(&sh, 0, sizeof sh);
		sh.size = CHANNEL_PAIR_BYTES;
		for (size_t i = 0; i < CHANNEL_PAIR_BYTES; i++)
			sh.bytes[i] = channel_pair_byte(i);
		channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
		s.dialer.writes = s.server.writes = false;
		channel_pair_dial(&s);
		TEST_NODE_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
		assert_int_equal(gn_channel_source(s.dialer.ch, &shown_source, &sh), 0);
		if (ends)
			assert_int_equal(gn_channel_end(s.dialer.ch), 0);
		channel_pair_run(&s, ms);
		if (ms == 119)
			channel_pair_run(&s, 3000);
		if (taken_off)
			gn_channel_source(s.dialer.ch, NULL, NULL);
		else if (resets)
			gn_channel_reset(s.dialer.ch);
		gn_channel_free(s.dialer.ch);
		s.dialer.ch = NULL;
		sh.is_gone = true;
		channel_pair_run(&s, 3000);
		if (s.server.in == GN_EOF && !taken_off)
			assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
		if (s.opened > 0)
			assert_true(s.server.in == GN_EOF || s.server.dead == 1);
		if (ms == 119 || sh.taken == CHANNEL_PAIR_BYTES)
			assert_int_equal(s.server.got, CHANNEL_PAIR_BYTES);
		channel_pair_fini(&s);
	}
}

/* ---- frames ---- */

static const size_t sizes[] = {0,      1,      127,    128,    65506,  65507,   65508,   65519, 65535, 65536,
			       262142, 262143, 262144, 262145, 524288, 1048575, 1048576, 0,     3};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

struct framing {
	struct gn_channel *in, *out;
	size_t sent, got;
	int err;
	uint8_t *buf;
};

static void frames_send(struct framing *fr)
{
	while (fr->sent < N_SIZES) {
		int r;

		memset(fr->buf, (int)fr->sent, sizes[fr->sent]);
		r = gn_channel_send(fr->out, fr->buf, sizes[fr->sent]);
		if (r == GN_EAGAIN)
			return;
		assert_int_equal(r, 0);
		fr->sent++;
	}
	if (fr->sent++ == N_SIZES)
		gn_channel_end(fr->out);
}

static void on_frame_out(void *arg, struct gn_channel *ch, unsigned events)
{
	(void)ch;
	if (!(events & GN_DEAD))
		frames_send(arg);
}

static void on_frame_in(void *arg, struct gn_channel *ch, unsigned events)
{
	struct framing *fr = arg;
	const void *frame;
	size_t len;
	int r;

	(void)events;
	while ((r = gn_channel_receive(ch, &frame, &len)) == 0) {
		assert_true(fr->got < N_SIZES);
		assert_int_equal(len, sizes[fr->got]);
		for (size_t i = 0; i < len; i++)
			if (((const uint8_t *)frame)[i] != (uint8_t)fr->got)
				fail_msg("frame %zu at %zu", fr->got, i);
		fr->got++;
	}
	if (r != GN_EAGAIN)
		fr->err = r;
}

static void on_frames(void *arg, struct gn_channel *ch)
{
	struct framing *fr = arg;

	fr->in = ch;
	gn_channel_on_event(ch, on_frame_in, fr);
}

static void on_frames_done(void *arg, int err, struct gn_channel *ch)
{
	struct framing *fr = arg;

	assert_int_equal(err, 0);
	fr->out = ch;
	gn_channel_on_event(ch, on_frame_out, fr);
	frames_send(fr);
}

static void frames_of_every_size_arrive(void **state)
{
	static const size_t chunks[] = {0, 1000, 70000};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct gn_mem_cfg path = {.seed = 9, .delay = GN_MSEC, .max_chunk = i < 3 ? chunks[i] : 0};
		struct framing fr = {.buf = malloc(GN_FRAME_MAX + 1)};
		struct gn_protocol_cfg p = {.id = "/frames", .kind = GN_FRAMES, .on_open = on_frames, .arg = &fr};
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg cfg = {.target.addrs = addrs,
					  .target.n_addrs = 1,
					  .protocol = "/frames",
					  .kind = GN_FRAMES,
					  .on_done = on_frames_done,
					  .arg = &fr};
		struct gn_metrics m;
		struct channel_pair s;

		p.max_frame = i == 3 ? GN_FRAME_MAX - 1 : 0;
		channel_pair_init(&s, GN_MSEC);
		assert_int_equal(gn_mem_set(s.t.loop, &path), 0);
		assert_int_equal(gn_protocol_add(s.t.node, &p), 0);
		addrs[0] = s.t.addr;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		TEST_NODE_UNTIL(&s.t, fr.err != 0, 60 * GN_SEC);
		assert_int_equal(gn_channel_send(fr.out, fr.buf, GN_FRAME_MAX + 1), GN_ETOOBIG);
		if (i == 3) { /* the limit of the receiver is one byte less than that of the sender */
			assert_int_equal(fr.err, GN_ETOOBIG);
			assert_int_equal(fr.got, N_SIZES - 3);
		} else {
			assert_int_equal(fr.err, GN_EOF);
			assert_int_equal(fr.got, N_SIZES);
			gn_channel_metrics(fr.out, &m);
			assert_int_equal(m.frames_out, N_SIZES);
			gn_channel_metrics(fr.in, &m);
			assert_int_equal(m.frames_in, N_SIZES);
			gn_node_metrics(s.t.node, &m);
			assert_int_equal(m.frames_in, N_SIZES);
		}
		gn_channel_free(fr.in);
		gn_channel_free(fr.out);
		free(fr.buf);
		channel_pair_fini(&s);
	}
}

/* ---- state and metrics ---- */

static void state_and_metrics_count_both_directions(void **state)
{
	struct gn_channel_state d, l;
	struct gn_metrics m;
	struct gn_peer_id id;
	struct channel_pair s;

	(void)state;
	channel_pair_init(&s, CHANNEL_PAIR_DELAY * GN_MSEC);
	channel_pair_dial(&s);
	TEST_NODE_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
	gn_channel_state(s.dialer.ch, &d);
	assert_false(d.opened);
	assert_true(d.queued > 0);
	gn_node_metrics(s.client, &m);
	assert_int_equal(m.channels, 1);
	assert_int_equal(m.conns, 1);
	channel_pair_run(&s, 2000);
	gn_channel_state(s.dialer.ch, &d);
	gn_channel_state(s.server.ch, &l);
	assert_true(d.opened && l.opened && !d.inbound && l.inbound);
	assert_string_equal(d.protocol, "/pair");
	assert_string_equal(l.protocol, "/pair");
	assert_int_equal(d.origin, GN_ORIGIN_ADDRESS);
	assert_int_equal(l.origin, GN_ORIGIN_INBOUND);
	assert_int_equal(d.path, GN_PATH_DIRECT);
	assert_int_equal(d.path_limits.bytes, 0);
	assert_int_equal(d.path_limits.seconds, 0);
	assert_string_equal(gn_addr_origin_name(d.origin), "address");
	assert_string_equal(gn_addr_origin_name(l.origin), "inbound");
	assert_string_equal(gn_path_name(d.path), "direct");
	assert_string_equal(gn_path_name(GN_PATH_RELAYED), "relay");
	assert_int_equal(d.channels, 1);
	assert_int_equal(l.channels, 1);
	assert_int_equal(d.queued, 0);
	gn_node_id(s.t.node, &id);
	assert_true(gn_peer_id_is_equal(&id, &d.peer));
	gn_node_id(s.client, &id);
	assert_true(gn_peer_id_is_equal(&id, &l.peer));
	assert_true(gn_multiaddr_is_equal(d.remote, l.local));
	assert_int_not_equal(gn_multiaddr_peer(d.remote, &id), 0);
	assert_memory_not_equal(d.guid, l.guid, GN_GUID_LEN); /* each end has a GUID of its own */

	gn_channel_metrics(s.dialer.ch, &m);
	assert_int_equal(m.bytes_out, CHANNEL_PAIR_BYTES);
	assert_int_equal(m.bytes_in, CHANNEL_PAIR_BYTES);
	assert_int_equal(m.frames_in + m.frames_out, 0);
	assert_true(m.rtt >= 2 * CHANNEL_PAIR_DELAY * GN_MSEC && m.rtt <= 20 * CHANNEL_PAIR_DELAY * GN_MSEC);
	assert_true(m.age > 1900 * GN_MSEC && m.age <= 2100 * GN_MSEC);
	assert_true(m.silence >= 0 && m.silence <= 2000 * GN_MSEC);
	gn_channel_conn_metrics(s.server.ch, &m);
	assert_true(m.bytes_in >= CHANNEL_PAIR_BYTES && m.bytes_out >= CHANNEL_PAIR_BYTES);
	assert_int_equal(m.channels, 1);
	assert_int_equal(m.conns, 1);
	gn_channel_free(s.dialer.ch);
	gn_channel_free(s.server.ch);
	s.dialer.ch = s.server.ch = NULL;
	channel_pair_run(&s, 100);
	gn_node_metrics(s.t.node, &m);
	assert_int_equal(m.channels, 0);
	assert_true(m.bytes_in >= CHANNEL_PAIR_BYTES && m.bytes_out >= CHANNEL_PAIR_BYTES);
	gn_node_free(s.client);
	test_node_quiet(&s.t);
	gn_node_metrics(s.t.node, &m); /* the sums include closed connections */
	assert_int_equal(m.conns, 0);
	assert_true(m.bytes_in >= CHANNEL_PAIR_BYTES && m.bytes_out >= CHANNEL_PAIR_BYTES);
	gn_key_free(s.key);
	test_node_fini(&s.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_direction_ends_by_itself),
		cmocka_unit_test(freeing_after_the_end_sends_all_and_before_it_resets),
		cmocka_unit_test(all_that_was_written_is_acknowledged),
		cmocka_unit_test(the_acknowledgement_covers_an_end_that_waits_for_the_answer),
		cmocka_unit_test(a_lost_connection_is_reported_in_place_of_the_acknowledgement),
		cmocka_unit_test(a_source_is_not_asked_after_the_channel_is_freed),
		cmocka_unit_test(frames_of_every_size_arrive),
		cmocka_unit_test(state_and_metrics_count_both_directions),
	};

	REQUIRE(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
