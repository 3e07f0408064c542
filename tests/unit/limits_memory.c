/* SPDX-License-Identifier: MIT */
/* What counts towards the limits `memory` and `memory_per_peer`: bytes that were written but not sent, and frames that
 * were received in part. */
#include <unistd.h>

#include "support/support.h"

enum { FRAME = 1 << 20, MANY = 16 };

/* ---- unsent bytes ---- */

static size_t queued(const struct test_node *t)
{
	size_t n = 0;

	for (unsigned i = 0; i < t->n_held; i++) {
		struct gn_channel_state st;

		gn_channel_state(t->held[i], &st);
		n += st.queued;
	}
	return n;
}

/* The node writes as much as it can to streams whose windows are closed.  Returns the number of queued bytes;
 * *used is the charged memory. */
static size_t flooded(size_t memory, size_t per_peer, size_t *used)
{
	size_t n;
	struct test_node t;
	struct raw_peer f;

	test_limits.memory = memory;
	test_limits.memory_per_peer = per_peer;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	test_node_run(&t, 11 * GN_SEC); /* the streams of identify have ended */
	assert_int_equal(t.node->scope.used, 0);
	for (uint32_t i = 0; i < MANY; i++)
		raw_peer_stream(&f, 2 * i + 1, "/flood");
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, t.opened == MANY, GN_SEC);
	test_node_run(&t, GN_SEC);
	n = queued(&t);
	*used = t.node->scope.used;
	assert_true(*used <= memory && *used <= per_peer);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.rsts, 1); /* the stream of identify */
	/* When the peer opens the windows, everything is sent and the memory is released. */
	f.data = 0;
	for (uint32_t i = 0; i < MANY; i++)
		raw_peer_frame(&f, YAMUX_WINDOW, 0, 2 * i + 1, 1 << 20);
	raw_peer_seal(&f);
	TEST_NODE_UNTIL(&t, f.data >= (uint64_t)MANY << 20, 5 * GN_SEC);
	raw_peer_abort(&f);
	test_node_stop(&t);
	return n;
}

static void unsent_bytes_are_charged(void **state)
{
	const size_t much = (size_t)256 << 20, little = 1 << 20;
	size_t n, used;

	(void)state;
	n = flooded(much, much, &used);
	assert_int_equal(n, MANY * 256 * 1024);
	/* Whole blocks are charged, except the small first block of each stream. */
	assert_true(used >= n - MANY * 4096 && used <= n + n / 2);
	/* With little memory, of the node or for the peer, the streams wait, and none is reset. */
	n = flooded(little, much, &used);
	assert_true(n <= little + MANY * 4096 && n > little / 2);
	n = flooded(much, little, &used);
	assert_true(n <= little + MANY * 4096 && n > little / 2);
	n = flooded(much, 256 << 10, &used);
	assert_true(n <= (256 << 10) + MANY * 4096);
}

/* ---- frames ---- */

struct client {
	struct gn_channel *ch;
	size_t sent, total;
	int err;
};

static void client_write(void *arg, struct gn_channel *ch, unsigned events)
{
	static const uint8_t junk[32768];
	struct client *c = arg;
	ptrdiff_t n;

	if (events & GN_DEAD) {
		c->err = gn_channel_error(ch);
		return;
	}
	while (c->sent < c->total) {
		size_t left = c->total - c->sent;

		n = gn_channel_write(ch, junk, left < sizeof junk ? left : sizeof junk);
		if (n <= 0)
			break;
		c->sent += (size_t)n;
	}
}

static void client_on_done(void *arg, int err, struct gn_channel *ch)
{
	uint8_t head[GN_UVARINT_MAX];
	struct client *c = arg;

	assert_int_equal(err, 0);
	c->ch = ch;
	assert_true(gn_channel_write(ch, head, gn_uvarint_encode(FRAME, head)) > 0);
	gn_channel_on_event(ch, client_write, c);
	client_write(c, ch, GN_CAN_WRITE);
}

struct server {
	unsigned frames, dead, opened;
	int errs[MANY + 1], receive[MANY + 1]; /* of the channels of MANY clients and a late one */
};

static void server_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct server *s = arg;
	const void *frame;
	size_t len;
	int r;

	while ((r = gn_channel_receive(ch, &frame, &len)) == 0) {
		assert_int_equal(len, FRAME);
		s->frames++;
	}
	if (r == GN_ELIMIT)
		s->receive[s->dead] = r;
	if (events & GN_DEAD) {
		s->errs[s->dead++] = gn_channel_error(ch);
		gn_channel_free(ch);
	}
}

static void server_on_open(void *arg, struct gn_channel *ch)
{
	((struct server *)arg)->opened++;
	gn_channel_on_event(ch, server_on_event, arg);
}

static void dial(struct gn_node *node, struct test_node *t, struct client *c, size_t total)
{
	const struct gn_multiaddr *addrs[1] = {t->addr};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = "/frames",
				  .kind = GN_BYTES,
				  .on_done = client_on_done,
				  .arg = c};
	struct gn_dial *op;

	*c = (struct client){.total = total};
	assert_int_equal(gn_dial_start(node, &cfg, &op), 0);
}

/* All bytes of a frame except the last one arrive. */
static void incomplete_frames_are_charged(void **state)
{
	struct gn_limits stock;
	struct gn_protocol_cfg frames = {.id = "/frames", .kind = GN_FRAMES, .on_open = server_on_open};
	struct client c[MANY], late;
	struct server s = {0};
	struct gn_key *key = test_node_key(7);
	struct gn_node *node;
	size_t most = 0;
	unsigned alive;
	struct test_node t;

	(void)state;
	gn_limits_init(&stock);
	test_limits.memory = test_limits.memory_per_peer = 8 * FRAME;
	test_limits.window = YAMUX_WINDOW_INITIAL;
	test_node_init(&t, true, &test_limits);
	frames.arg = &s;
	assert_int_equal(gn_protocol_add(t.node, &frames), 0);
	node = test_node_node(t.loop, key, &stock);
	for (int i = 0; i < MANY; i++)
		dial(node, &t, &c[i], FRAME - 1);
	for (int i = 0; i < 3000; i++) {
		test_node_run(&t, GN_MSEC);
		assert_true(t.node->scope.used <= test_limits.memory);
		if (t.node->scope.used > most)
			most = t.node->scope.used;
	}
	/* There is memory for 8 frames, if nothing else is held. */
	assert_int_equal(s.opened, MANY);
	alive = s.opened - s.dead;
	assert_true(alive >= 4 && alive <= 8);
	assert_true(most > test_limits.memory / 2);
	for (unsigned i = 0; i < s.dead; i++) {
		assert_int_equal(s.errs[i], GN_ELIMIT);
		assert_int_equal(s.receive[i], GN_ELIMIT);
	}
	/* The session goes on, and the remaining streams complete their frames. */
	for (int i = 0; i < MANY; i++) {
		c[i].total = FRAME;
		if (c[i].err == 0)
			client_write(&c[i], c[i].ch, GN_CAN_WRITE);
		else
			assert_int_equal(c[i].err, GN_ERESET);
	}
	TEST_NODE_UNTIL(&t, s.frames == alive, GN_SEC);
	dial(node, &t, &late, FRAME);
	TEST_NODE_UNTIL(&t, s.frames == alive + 1, GN_SEC);
	for (int i = 0; i < MANY; i++)
		gn_channel_free(c[i].ch);
	gn_channel_free(late.ch);
	test_node_run(&t, GN_SEC);
	assert_int_equal(t.node->scope.used, 0);
	gn_node_free(node);
	gn_key_free(key);
	test_node_stop(&t);
}

/* A frame is written to an empty channel completely, or the channel fails.  It is never sent in part. */
static void a_frame_without_memory_ends_only_its_channel(void **state)
{
	static const uint8_t junk[FRAME];
	const struct gn_multiaddr *addrs[1];
	struct outcome o;
	struct gn_node *node;
	struct gn_key *key = test_node_key(7);
	struct test_node t;
	struct gn_dial_cfg cfg = {.target.n_addrs = 1,
				  .protocol = "/sink",
				  .kind = GN_FRAMES,
				  .on_done = outcome_on_done};
	struct gn_dial *op;

	(void)state;
	test_node_init(&t, true, NULL);
	test_limits.memory = 2 * FRAME;
	node = test_node_node(t.loop, key, &test_limits);
	addrs[0] = t.addr;
	for (int i = 0; i < 2; i++) {
		memset(&o, 0, sizeof o);
		o.loop = t.loop;
		cfg.target.addrs = addrs;
		cfg.arg = &o;
		assert_int_equal(gn_dial_start(node, &cfg, &op), 0);
		TEST_NODE_UNTIL(&t, o.done, GN_SEC);
		assert_int_equal(o.err, 0);
		test_node_run(&t, GN_SEC); /* all bytes were sent */
		if (i == 0) {
			/* Other users have reserved all of the memory. */
			size_t left = test_limits.memory - node->scope.used;

			assert_true(gn_scope_take_whole(&node->scope, left));
			assert_int_equal(gn_channel_send(o.ch, junk, 1000), 0);
			test_node_run(&t, GN_SEC);
			assert_int_equal(gn_channel_send(o.ch, junk, FRAME), GN_ELIMIT);
			assert_int_equal(gn_channel_error(o.ch), GN_ELIMIT);
			gn_scope_give(&node->scope, left);
		} else {
			assert_int_equal(gn_channel_send(o.ch, junk, FRAME), 0);
			assert_int_equal(gn_channel_send(o.ch, junk, FRAME), GN_EAGAIN);
			test_node_run(&t, GN_SEC);
			assert_int_equal(gn_channel_send(o.ch, junk, FRAME), 0);
		}
		gn_channel_free(o.ch);
	}
	gn_node_free(node);
	gn_key_free(key);
	test_node_stop(&t);
}

/* The allocators of the sanitizers keep freed memory. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_GLIBC_HEAP
#endif

#ifdef HAS_GLIBC_HEAP

/* Returns the resident memory of this process in bytes. */
static size_t resident(void)
{
	unsigned long whole, in_memory;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &whole, &in_memory), 2);
	(void)fclose(f);
	return in_memory * (size_t)sysconf(_SC_PAGESIZE);
}

/* Small blocks that stay allocated between freed large ones prevent the heap from shrinking by itself. */
static void freed_memory_returns_to_the_system(void **state)
{
	enum { BLOCKS = 512 };
	static struct gn_block *blocks[BLOCKS];
	static void *pins[BLOCKS];
	size_t full;
	struct raw_peer f;
	struct test_node t;

	(void)state;
	test_node_init(&t, true, &test_limits);
	raw_peer_open(&f, &t, 2);
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = gn_block_new(t.node->iobuf, GN_BLOCK_MAX);
		pins[i] = malloc(3000);
		assert_non_null(blocks[i]);
		assert_non_null(pins[i]);
		memset(blocks[i]->data, 1, GN_BLOCK_MAX);
	}
	full = resident();
	for (int i = 0; i < BLOCKS; i++)
		gn_block_free(t.node->iobuf, blocks[i]);
	raw_peer_abort(&f); /* frees the blocks of the connection */
	test_node_run(&t, 2 * GN_SEC);
	assert_true(resident() + (size_t)BLOCKS * GN_BLOCK_MAX / 2 < full);
	for (int i = 0; i < BLOCKS; i++)
		free(pins[i]);
	test_node_stop(&t);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(unsent_bytes_are_charged, test_limits_reset),
		cmocka_unit_test_setup(incomplete_frames_are_charged, test_limits_reset),
		cmocka_unit_test_setup(a_frame_without_memory_ends_only_its_channel, test_limits_reset),
#ifdef HAS_GLIBC_HEAP
		cmocka_unit_test_setup(freed_memory_returns_to_the_system, test_limits_reset),
#endif
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
