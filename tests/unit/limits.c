/* SPDX-License-Identifier: MIT */
/* The limits of struct gn_limits that count something, hit by greedy peers: what one costs is what
 * the limit says, and the node serves the next one.  limits_time.c has the others. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "foe.h"

enum { FOES = 12 };

static struct gn_limits lim;

static int setup(void **state)
{
	(void)state;
	gn_limits_init(&lim);
	return 0;
}

static void stop(struct town *t)
{
	town_quiet(t);
	town_serves(t);
	town_quiet(t);
	town_fini(t);
}

/* ---- connections ---- */

static void conns(void **state)
{
	struct foe foes[FOES];
	struct town t;

	(void)state;
	lim.conns = 4;
	town_init(&t, true, &lim);
	for (int i = 0; i < FOES; i++)
		foe_begin(&foes[i], &t, (uint8_t)(i + 2));
	town_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->n_conns, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(foes[i].err, 0);
		foe_noise_1(&foes[i]);
		foe_noise_3(&foes[i], true);
	}
	for (int i = 4; i < FOES; i++)
		assert_int_equal(foes[i].err, GN_ERESET);
	town_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->n_conns, 4);
	assert_int_not_equal(honest_try(&t, 50), GN_EOF);
	/* One leaves, one gets in. */
	foe_abort(&foes[0]);
	TOWN_UNTIL(&t, t.node->n_conns == 3, GN_SEC);
	town_serves(&t);
	for (int i = 1; i < FOES; i++)
		foe_abort(&foes[i]);
	stop(&t);
}

/* What this node dials counts too, and is refused past the limit. */
static void conns_dialed(void **state)
{
	struct gn_node *other;
	struct gn_key *key = town_key(7);
	const struct gn_multiaddr *addr;
	struct outcome o;
	struct foe f[2];
	struct town t;

	(void)state;
	lim.conns = 2;
	town_init(&t, true, &lim);
	other = town_node(t.loop, key, &lim);
	town_serve(other, &t);
	addr = town_listen(other, "/memory/8");
	for (int i = 0; i < 2; i++)
		foe_open(&f[i], &t, (uint8_t)(i + 2));
	outcome_dial(t.node, &o, &addr, 1);
	TOWN_UNTIL(&t, o.done > 0, GN_SEC);
	assert_int_equal(o.err, GN_ELIMIT);
	assert_int_equal(t.node->n_conns, 2);
	foe_abort(&f[0]);
	TOWN_UNTIL(&t, t.node->n_conns == 1, GN_SEC);
	outcome_dial(t.node, &o, &addr, 1);
	TOWN_UNTIL(&t, o.done > 0, GN_SEC);
	assert_int_equal(o.err, 0);
	gn_channel_free(o.ch);
	foe_abort(&f[1]);
	gn_node_free(other);
	gn_key_free(key);
	gn_multiaddr_free((struct gn_multiaddr *)(uintptr_t)addr);
	stop(&t);
}

/* A client with a source address of its own. */
static void foe_connect_from(struct foe *f, struct town *t, uint8_t seed, const uint8_t from[4])
{
	struct gn_sockaddr remote;
	struct sockaddr_in sa = {.sin_family = AF_INET};
	struct gn_link *link;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(f, 0, sizeof *f);
	f->t = t;
	f->answers = true;
	noise_peer_init(&f->noise, true, seed);
	assert_true(fd >= 0);
	memcpy(&sa.sin_addr, from, 4);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(gn_tcp_addr_decode(t->addr, &remote), 0);
	memcpy(&sa.sin_addr, remote.ip, 4);
	sa.sin_port = htons(remote.port);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
	assert_int_equal(gn_tcp_link_init(t->loop), 0);
	assert_int_equal(gn_tcp_link_new(t->loop, fd, &remote, &link), 0);
	foe_on_link(f, 0, link);
}

static void conns_per_addr(void **state)
{
	static const uint8_t one[4] = {127, 0, 0, 1}, two[4] = {127, 0, 0, 2};
	struct foe foes[FOES], other;
	struct town t;

	(void)state;
	lim.conns_per_addr = 3;
	town_init(&t, false, &lim);
	for (int i = 0; i < FOES; i++)
		foe_connect_from(&foes[i], &t, 2, one);
	TOWN_UNTIL(&t, foes[FOES - 1].err != 0, 5 * GN_SEC);
	assert_int_equal(t.node->n_conns, 3);
	for (int i = 0; i < FOES; i++)
		assert_int_equal(foes[i].err, i < 3 ? 0 : GN_ERESET);
	foe_connect_from(&other, &t, 3, two);
	foe_noise_1(&other);
	foe_noise_3(&other, true);
	foe_stream(&other, 1, "/hold");
	foe_seal(&other);
	TOWN_UNTIL(&t, t.opened == 1, 5 * GN_SEC);
	for (int i = 0; i < FOES; i++)
		foe_abort(&foes[i]);
	foe_abort(&other);
	stop(&t);
}

/* Who is not secured yet fills up the pending ones only: accepting waits, and goes on. */
static void pending(struct town *t)
{
	struct foe foes[FOES];

	for (int i = 0; i < FOES; i++)
		foe_begin(&foes[i], t, 2);
	town_run(t, 20 * GN_MSEC);
	assert_int_equal(t->node->n_pending, 4);
	assert_int_equal(t->node->n_conns, 4);
	/* The honest one stands behind all of them in the queue. */
	town_serves(t);
	for (int i = 0; i < FOES; i++)
		assert_int_equal(foes[i].err, GN_ERESET);
	for (int i = 0; i < FOES; i++)
		foe_abort(&foes[i]);
	stop(t);
}

static void conns_pending(void **state)
{
	struct town t;

	(void)state;
	lim.conns_pending = 4;
	lim.accept = 50 * GN_MSEC;
	town_init(&t, false, &lim);
	pending(&t);
	town_init(&t, true, &lim);
	pending(&t);
}

/* ---- streams ---- */

/* All in one record: the limit holds though nobody was told in between. */
static void streams_per_conn(void **state)
{
	struct town t;
	struct foe f;

	(void)state;
	lim.streams_per_conn = 4;
	town_init(&t, true, &lim);
	foe_open(&f, &t, 2);
	for (uint32_t i = 0; i < 100; i++)
		foe_stream(&f, 2 * i + 1, "/hold");
	foe_seal(&f);
	TOWN_UNTIL(&t, f.rsts == 96, GN_SEC);
	assert_int_equal(t.opened, 4);
	town_run(&t, GN_SEC);
	assert_int_equal(f.rsts, 96);
	assert_int_equal(f.err, 0);
	assert_false(f.is_away);
	/* A place becomes free. */
	foe_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	foe_seal(&f);
	town_run(&t, 10 * GN_MSEC);
	foe_stream(&f, 1001, "/hold");
	foe_seal(&f);
	TOWN_UNTIL(&t, t.opened == 5, GN_SEC);
	foe_abort(&f);
	stop(&t);
}

/* Streams that the program is done with and the peer does not end count as well. */
static void streams_given_up(void **state)
{
	struct town t;
	struct foe f;

	(void)state;
	lim.streams_per_conn = 8;
	town_init(&t, true, &lim);
	foe_open(&f, &t, 2);
	for (uint32_t i = 0; i < 50; i++)
		foe_stream(&f, 2 * i + 1, "/ipfs/id/1.0.0");
	foe_seal(&f);
	town_run(&t, GN_SEC);
	for (uint32_t i = 50; i < 200; i++) {
		foe_stream(&f, 2 * i + 1, "/ipfs/id/1.0.0");
		foe_seal(&f);
		town_run(&t, 100 * GN_MSEC);
	}
	assert_true(
		((struct gn_conn *)gn_list_entry(t.node->conns.next, struct gn_conn, link_node))->session->streams <=
		8 + 1);
	assert_true(t.node->budget.used <= 9 * YAMUX_WINDOW_INITIAL);
	foe_abort(&f);
	stop(&t);
}

static void streams_per_peer(void **state)
{
	struct foe f[3];
	struct town t;

	(void)state;
	lim.streams_per_conn = 4;
	lim.streams_per_peer = 6;
	town_init(&t, true, &lim);
	for (int i = 0; i < 3; i++) { /* the third is somebody else */
		foe_open(&f[i], &t, i < 2 ? 2 : 3);
		for (uint32_t k = 0; k < 5; k++)
			foe_stream(&f[i], 2 * k + 1, "/hold");
		foe_seal(&f[i]);
		town_run(&t, 100 * GN_MSEC);
	}
	assert_int_equal(f[0].rsts, 1);
	assert_int_equal(f[1].rsts, 3);
	assert_int_equal(f[2].rsts, 1);
	assert_int_equal(t.opened, 4 + 2 + 4);
	for (int i = 0; i < 3; i++)
		foe_abort(&f[i]);
	stop(&t);
}

/* ---- memory ---- */

static size_t promised(const struct gn_node *node)
{
	struct gn_list *at;
	size_t n = 0;

	gn_list_for_each(at, &node->conns) {
		const struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);
		const struct yamux *y = c->session != NULL ? yamux_of(c->session) : NULL;

		for (unsigned i = 0; y != NULL && i < y->n_buckets; i++)
			for (const struct yamux_stream *s = y->buckets[i]; s != NULL; s = s->next)
				n += s->window;
	}
	return n;
}

static void memory(void **state)
{
	static const uint8_t junk[16384];
	struct foe f, other;
	struct town t;

	(void)state;
	lim.memory = 8 * YAMUX_WINDOW_INITIAL;
	town_init(&t, true, &lim);
	foe_open(&other, &t, 3);
	foe_stream(&other, 1, "/echo");
	foe_seal(&other);
	town_run(&t, GN_SEC); /* identify has come and gone */
	foe_open(&f, &t, 2);
	for (uint32_t i = 0; i < 20; i++)
		foe_stream(&f, 2 * i + 1, "/hold");
	foe_seal(&f);
	town_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->budget.used, promised(t.node));
	assert_true(t.node->budget.used <= lim.memory);
	assert_true(t.opened >= 5 && t.opened <= 7);
	assert_int_equal(f.rsts, 20 - t.opened);
	/* All that was promised comes, and is kept. */
	for (uint32_t i = 0; i < t.opened; i++)
		for (unsigned k = 0; k < 15; k++)
			foe_data(&f, 0, 2 * i + 1, junk, sizeof junk);
	foe_seal(&f);
	town_run(&t, GN_SEC);
	assert_int_equal(f.err, 0);
	assert_true(t.node->budget.used <= lim.memory);
	/* Others go on with what they have. */
	other.data = 0;
	foe_data(&other, 0, 1, junk, sizeof junk);
	foe_data(&other, 0, 1, junk, sizeof junk);
	foe_seal(&other);
	TOWN_UNTIL(&t, other.data >= 2 * sizeof junk, GN_SEC);
	foe_abort(&f);
	foe_abort(&other);
	stop(&t);
}

/* The largest window of any stream while data comes over a long path as fast as it may. */
static size_t widest(size_t window, size_t memory_max)
{
	static const struct gn_mem_cfg path = {.delay = 20 * GN_MSEC, .buffer = (size_t)16 << 20};
	static const uint8_t junk[32768];
	struct town t;
	struct foe f;
	size_t most = 0, sent = 0;

	gn_limits_init(&lim);
	lim.window = window;
	lim.memory = memory_max;
	town_init(&t, true, &lim);
	assert_int_equal(gn_mem_set(t.loop, &path), 0);
	foe_open(&f, &t, 2);
	foe_stream(&f, 1, "/sink");
	foe_seal(&f);
	town_run(&t, 200 * GN_MSEC);
	sent = 64;
	for (int i = 0; i < 400; i++) {
		const struct gn_conn *c = gn_list_entry(t.node->conns.next, struct gn_conn, link_node);
		const struct yamux_stream *s = yamux_stream_find(yamux_of(c->session), 1);

		assert_int_equal(f.err, 0);
		while (sent + sizeof junk <= YAMUX_WINDOW_INITIAL + f.credit) {
			foe_data(&f, 0, 1, junk, sizeof junk);
			sent += sizeof junk;
		}
		foe_seal(&f);
		town_run(&t, 5 * GN_MSEC);
		if (s != NULL && s->window > most)
			most = s->window;
		assert_true(t.node->budget.used <= memory_max);
	}
	foe_abort(&f);
	stop(&t);
	return most;
}

static void window(void **state)
{
	(void)state;
	assert_int_equal(widest(256 << 10, (size_t)256 << 20), 256 << 10);
	assert_int_equal(widest(1 << 20, (size_t)256 << 20), 1 << 20);
	/* Growth never takes what new streams need to begin. */
	assert_true(widest((size_t)64 << 20, 4 << 20) <= 2 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(conns, setup),
		cmocka_unit_test_setup(conns_dialed, setup),
		cmocka_unit_test_setup(conns_per_addr, setup),
		cmocka_unit_test_setup(conns_pending, setup),
		cmocka_unit_test_setup(streams_per_conn, setup),
		cmocka_unit_test_setup(streams_given_up, setup),
		cmocka_unit_test_setup(streams_per_peer, setup),
		cmocka_unit_test_setup(memory, setup),
		cmocka_unit_test_setup(window, setup),
	};

	WIRE_MUST(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
